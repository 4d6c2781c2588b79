"""A tiny run: two processes of two rounds, one chain of the user's own."""

import numpy as np
import pytest

from jacchain.claims.own_chain import experiment_named
from jacchain.cost import Cost
from jacchain.costs.timemodel import Rates
from jacchain.experiments.cell import Arm, Cell
from jacchain.experiments.sizes import Sampling, Sizes
from jacchain.records.schema import Identity
from jacchain.runs.admission import Session
from jacchain.runs.job import Job


@pytest.fixture(scope="session")
def tiny():
    return Sampling("tiny", 2, 2, 15.0)


@pytest.fixture(scope="session")
def tiny_job(tiny):
    """A chain in both orders and its controls: three cells of four blocks."""
    return Job((experiment_named("chain-1x4x3x2"),), tiny, Sizes())


@pytest.fixture(scope="session")
def identity():
    return Identity(
        machine="4f1c", numpy="2", blas="some", jacchain="0", dtype="float64", threads=1
    )


@pytest.fixture(scope="session")
def session(identity, tiny):
    """Of a machine on which everything is done in an instant, with 1 GiB."""
    instant = Rates(0.0, np.inf, np.inf)
    return Session(identity, tiny, instant, memory=2**30, seed=7)


@pytest.fixture(scope="session")
def work():
    """2 products, 24 multiplications, 20 of them row by matrix, 400 bytes."""
    return Cost(
        products=2,
        multiplications=24,
        row_multiplications=20,
        bytes=400,
        held_bytes=200,
        peak_bytes=48,
    )


@pytest.fixture(scope="session")
def make_comparison(work):
    """A function that makes a cell of two arms whose calls return what is given."""

    def make(first, second, *, costs=(work, work), shared=True):
        arms = tuple(
            Arm(name, cost, lambda result=result: lambda: result)
            for name, cost, result in zip(
                ("slowly", "quickly"), costs, (first, second), strict=True
            )
        )
        return Cell("C0 sum", (1, 4, 3, 2), lambda _dtype, _seed: arms, shared=shared)

    return make
