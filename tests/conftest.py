"""What tests of runs share: a profile and jobs that take a second."""

import pytest

from jacchain.experiments.cells import Cell
from jacchain.experiments.job import Job
from jacchain.experiments.profiles import Profile


@pytest.fixture(scope="session")
def tiny():
    """Two processes of two rounds, no sweeps."""
    return Profile("tiny", 2, 2, 15.0, 0, 0, 0, 0, (), ())


@pytest.fixture(scope="session")
def tiny_job(tiny):
    """One chain in both orders, and its overhead."""
    return Job(tiny, (), (Cell((1, 4, 3, 2)), Cell((1, 1, 1), role="overhead")))
