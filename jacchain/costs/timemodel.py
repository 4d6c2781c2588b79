"""A plan's predicted seconds, from a few rates of the machine: what budgets are kept with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from jacchain.chains.chain import random_chain
from jacchain.chains.evaluate import evaluator
from jacchain.chains.plan import Plan
from jacchain.costs.machine import ceilings
from jacchain.measure.timing import calibrate, time_calls

LOOPED = (128, 128, 128)  # one product, in which einsum spends its time multiplying


@dataclass(frozen=True)
class Rates:
    """How fast a machine is.

    Attributes
    ----------
    overhead
        Seconds per product.
    flops
        Per second, of matrix-matrix products by BLAS.
    bandwidth
        Bytes per second, of row-matrix products.
    loop
        Flops per second of einsum's unblocked loop.
    """

    overhead: float
    flops: float
    bandwidth: float
    loop: float

    def of(self, engine: str) -> "Rates":
        """Those of an engine: einsum runs all products in its loop, the others by BLAS.

        Examples
        --------
        >>> Rates(1e-6, 5e10, 1e10, 2e9).of("einsum").flops
        2000000000.0
        """
        return replace(self, flops=self.loop) if engine == "einsum" else self


def rough_rates(dtype: DTypeLike) -> Rates:
    """Rates good to a factor of two, measured in some 60 milliseconds.

    Examples
    --------
    >>> rates = rough_rates("float64")
    >>> min(rates.overhead, rates.flops, rates.bandwidth, rates.loop) > 0
    True
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    found = {}
    for ceiling in ceilings(2**20, 2**26, dtype=kind, memory=2**25):
        found[ceiling.kind] = ceiling  # the largest of each kind
    empty, matrices, rows = (found[name] for name in ("empty call", "matrix-matrix", "row-matrix"))
    loop = random_chain(LOOPED, dtype=kind, rng=0)
    return Rates(
        overhead=_seconds(empty.build(empty.shape, kind)),
        flops=matrices.flops / _seconds(matrices.build(matrices.shape, kind)),
        bandwidth=rows.bytes / _seconds(rows.build(rows.shape, kind)),
        loop=2 * prod(LOOPED) / _seconds(evaluator(loop, engine="einsum")),
    )


def _seconds(kernel: Callable[[], object]) -> float:
    calls = calibrate(kernel, least=0.002)
    return min(time_calls(kernel, calls) for _ in range(3)) / calls


def predicted_seconds(plan: Plan, rates: Rates) -> float:
    """Seconds of one evaluation: each step takes its calls, then the longer of flops and bytes."""
    itemsize = np.dtype(plan.dtype).itemsize
    return sum(
        rates.overhead
        + max(step.flops / rates.flops, step.elements_moved * itemsize / rates.bandwidth)
        for step in plan.steps
    )
