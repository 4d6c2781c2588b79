"""What the benchmarks share: the cells of `grids.json`, and kernels built once per process."""

import json
from collections.abc import Callable
from functools import lru_cache
from math import log2
from pathlib import Path
from typing import Any

import jacchain as jc

ORDERS = ["loss-first", "input-first"]
MOST_COUNTED = 10**7  # multiplications; to count more takes longer than anything else here

SWEEPS = json.loads(Path(__file__).parents[1].joinpath("grids.json").read_text())["sweeps"]

Dims = tuple[int, ...]


def cells(sweep: str) -> dict[int, Dims]:
    """Dims, loss first, by the parameter of a sweep: its size, or the logarithm of that."""
    found = {size: tuple(dims) for size, dims in SWEEPS[sweep]["cells"]}
    if SWEEPS[sweep]["parameter"].startswith("log2_"):
        return {int(log2(size)): dims for size, dims in found.items()}
    return found


def countable(sweep: str) -> list[int]:
    """Parameters of the cells that can be counted in both orders."""
    return [
        value
        for value, dims in cells(sweep).items()
        if max(jc.plan(dims, order).multiplications for order in ORDERS) <= MOST_COUNTED
    ]


@lru_cache(maxsize=1)
def chain(dims: Dims) -> jc.Chain:
    """The chain of a cell."""
    return jc.random_chain(dims, rng=0)


@lru_cache(maxsize=1)
def kernel(dims: Dims, order: str) -> Callable[[], Any]:
    """What is timed: one prepared evaluation of the chain."""
    return jc.evaluator(chain(dims), order)
