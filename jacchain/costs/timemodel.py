"""Predicted seconds of a call, from a few rates of the machine: what budgets are kept with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from jacchain.cost import Cost
from jacchain.costs.ceilings import ceilings
from jacchain.measuring.timing import calibrate, time_calls


@dataclass(frozen=True)
class Rates:
    """How fast a machine is."""

    overhead: float  #: seconds per product
    flops: float  #: Per second, of matrix-matrix products by BLAS
    bandwidth: float  #: bytes per second, of row-matrix products


def rough_rates(dtype: DTypeLike) -> Rates:
    """Measure rates, good to a factor of two, in some 60 milliseconds.

    Examples
    --------
    >>> rates = rough_rates("float64")
    >>> min(rates.overhead, rates.flops, rates.bandwidth) > 0
    True
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    small = ceilings(2**20, 2**26, itemsize=kind.itemsize)
    # The largest kernel of each kind that fits in a cache.
    kernels = {c.kind: c for c in small if c.cost.working_set <= 2**25}
    seconds = {name: _seconds(c.build(c.shape, kind)) for name, c in kernels.items()}
    return Rates(
        overhead=seconds["empty call"],
        flops=kernels["matrix-matrix"].cost.flops / seconds["matrix-matrix"],
        bandwidth=kernels["row-matrix"].cost.bytes / seconds["row-matrix"],
    )


def _seconds(kernel: Callable[[], object]) -> float:
    calls = calibrate(kernel, least=0.002)
    return min(time_calls(kernel, calls)[0] for _ in range(3)) / calls


def predicted_seconds(cost: Cost, rates: Rates) -> float:
    """Predict the seconds of one call: its products' calls, then the longer of flops and bytes.

    Examples
    --------
    >>> rates = Rates(overhead=1e-6, flops=1e9, bandwidth=1e9)
    >>> round(predicted_seconds(Cost(products=1, multiplications=1000, bytes=4000), rates), 9)
    5e-06
    """
    busy = max(cost.flops / rates.flops, cost.bytes / rates.bandwidth)
    return rates.overhead * cost.products + busy
