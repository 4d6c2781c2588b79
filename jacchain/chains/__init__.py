"""Chains of Jacobians: orders, plans, evaluation and counting."""
