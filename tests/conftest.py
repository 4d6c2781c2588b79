"""What tests of runs share: a profile and orders that take a second."""

import pytest

from jacchain.experiments.cells import Cell
from jacchain.experiments.profiles import Profile
from jacchain.experiments.runner import Order


@pytest.fixture(scope="session")
def tiny():
    """Two processes of two rounds, no sweeps."""
    return Profile("tiny", 2, 2, 15.0, 0, 0, 0, 0, (), ())


@pytest.fixture(scope="session")
def tiny_order(tiny):
    """One chain in both orders, and its overhead."""
    return Order(tiny, (), (Cell((1, 4, 3, 2)), Cell((1, 1, 1), role="overhead")))
