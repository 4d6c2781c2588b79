"""Makers of a comparison whose truth is known."""

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.cost import Cost


def _series(name, multiplications, seconds, rng):
    shape = (1, 12, 2)
    noisy = seconds * np.exp(rng.normal(0, 0.01, shape))
    cost = Cost(products=2, multiplications=multiplications, bytes=400)
    return Series(
        "pair", "comparison", "", (1, 4, 3, 2), name, cost, noisy, np.zeros(shape, dtype=bool)
    )


@pytest.fixture(scope="session")
def make_pair():
    """A function that measures one pair: multiplications and seconds of each arm by its name."""

    def make(**arms):
        rng = np.random.default_rng(0)
        pair = (_series(name.replace("_", "-"), *figures, rng) for name, figures in arms.items())
        return Evidence({"pair": tuple(pair)})

    return make
