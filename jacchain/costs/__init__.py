"""Costs: what an order should take, by formula and by prediction."""
