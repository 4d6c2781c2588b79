"""Jacobians: matrices with and without data, and the two tables of their products."""
