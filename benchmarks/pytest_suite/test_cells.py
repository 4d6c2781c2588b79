"""The cells of `grids.json` as pytest-benchmark tests.

They run once each in `make test`; `make bench-pytest` times them.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

import jacchain as jc

SWEEPS = json.loads(Path(__file__).parents[1].joinpath("grids.json").read_text())["sweeps"]
CASES = [
    pytest.param(sweep, size, order, id=f"{sweep}-{size}-{order}")
    for sweep, grid in SWEEPS.items()
    for size, _ in grid["cells"]
    for order in ("loss-first", "input-first")
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.mark.parametrize(("sweep", "size", "order"), CASES)
def test_evaluate(benchmark, sweep, size, order):
    dims = next(tuple(dims) for n, dims in SWEEPS[sweep]["cells"] if n == size)
    plan = jc.plan(dims, order, dtype="float64")
    benchmark.group = f"over {SWEEPS[sweep]['variable']}"
    benchmark.extra_info |= {
        "sweep": sweep,
        "size": size,
        "order": order,
        "dims": dims,
        "multiplications": plan.multiplications,
        "bytes": plan.bytes,
        "numpy": np.__version__,
    }
    chain = jc.random_chain(dims, rng=0)
    row = benchmark(jc.evaluator(chain, order))
    assert row.shape == (1, dims[-1])
