"""A plan's predicted seconds, from three rates of the machine: what budgets are kept with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from jacchain.chains.plan import Plan
from jacchain.costs.machine import ceilings
from jacchain.measure.timing import calibrate, time_calls


@dataclass(frozen=True)
class Rates:
    """Seconds per product, flops per second (matrix-matrix), bytes per second (row-matrix)."""

    overhead: float
    flops: float
    bandwidth: float


def rough_rates(dtype: DTypeLike) -> Rates:
    """Rates good to a factor of two, measured in some 50 milliseconds.

    Examples
    --------
    >>> rates = rough_rates("float64")
    >>> rates.overhead > 0 and rates.flops > 0 and rates.bandwidth > 0
    True
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    found = {}
    for ceiling in ceilings(2**20, 2**26, dtype=kind, memory=2**25):
        found[ceiling.kind] = ceiling  # the largest of each kind
    seconds = {}
    for name in ("empty call", "matrix-matrix", "row-matrix"):
        kernel = found[name].build(found[name].shape, kind)
        calls = calibrate(kernel, least=0.002)
        seconds[name] = min(time_calls(kernel, calls) for _ in range(3)) / calls
    return Rates(
        overhead=seconds["empty call"],
        flops=found["matrix-matrix"].flops / seconds["matrix-matrix"],
        bandwidth=found["row-matrix"].bytes / seconds["row-matrix"],
    )


def predicted_seconds(plan: Plan, rates: Rates) -> float:
    """Seconds of one evaluation: each step takes its calls, then the longer of flops and bytes."""
    itemsize = np.dtype(plan.dtype).itemsize
    return sum(
        rates.overhead
        + max(step.flops / rates.flops, step.elements_moved * itemsize / rates.bandwidth)
        for step in plan.steps
    )
