"""The cost of multiplying a chain of layer Jacobians, in every order."""

__version__ = "0.1.0"
