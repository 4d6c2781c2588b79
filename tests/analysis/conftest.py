"""Makers of evidence whose truth is known."""

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series, by_key
from jacchain.analysis.slopes import Sweep
from jacchain.costs.closed_forms import multiplications


def _series(seconds, *, dims=(1, 2, 3, 4, 5), order="loss-first", **facts):
    """A series with these seconds, shape (processes, blocks, 2)."""
    seconds = np.asarray(seconds, dtype=float)
    count = multiplications(order, dims)
    known = {
        "cell": "x".join(map(str, dims)),
        "role": "cell",
        "engine": "numpy",
        "arm": "A" if order == "loss-first" else "B",
        "products": len(dims) - 2,
        "multiplications": count,
        "row_flops": 2 * count,
        "matrix_flops": 0,
        "bytes": 8 * count,
        "working_set": 8 * count,
        "flagged": np.zeros(seconds.shape, dtype=bool),
    }
    return Series(**(known | facts), dims=dims, order=order, seconds=seconds)


def _sweep(sizes, times, *, multiplications=None, noise=0.0, blocks=12, rng=0):
    """A sweep with these true times, each block slower by a random part of `noise`."""
    sizes, times = np.asarray(sizes, dtype=float), np.asarray(times, dtype=float)
    slower = np.abs(np.random.default_rng(rng).normal(0, noise, (len(sizes), 1, blocks)))
    return Sweep(
        name="x",
        variable="|x|",
        order="loss-first",
        sizes=sizes,
        multiplications=sizes if multiplications is None else np.asarray(multiplications),
        products=np.full(len(sizes), 3.0),
        working_set=8 * sizes,
        times=times[:, None, None] * np.exp(slower),
    )


@pytest.fixture(scope="session")
def make_series():
    return _series


@pytest.fixture(scope="session")
def make_sweep():
    return _sweep


@pytest.fixture(scope="session")
def make_evidence():
    return lambda series, **facts: Evidence(series=by_key(list(series)), **facts)
