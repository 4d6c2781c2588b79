"""Ratios of two series, always first / second, and where over a size a ratio crosses a level."""

import numpy as np

from jacchain.analysis.evidence import Array, Series
from jacchain.analysis.intervals import Estimate, Triple, estimate, quantile


def log_ratios(first: Series, second: Series) -> Array:
    """Return ``log((a + a) / (b + b))`` of every block's samples, shape (processes, blocks)."""
    return np.asarray(np.log(first.seconds.sum(axis=-1) / second.seconds.sum(axis=-1)))


def process_ratios(first: Series, second: Series) -> Array:
    """Return the median log ratio of each process, shape (processes,)."""
    return quantile(log_ratios(first, second))


def log_ratio(first: Series, second: Series) -> Estimate:
    """Estimate the logarithm of first / second, paired within blocks, over processes."""
    return estimate(process_ratios(first, second))


def ratio(first: Series, second: Series) -> Triple:
    """Return first / second as (low, middle, high), with its 95 % interval over processes."""
    return log_ratio(first, second).exponential


def formula_ratio(first: Series, second: Series) -> float:
    """Multiplications of first / second."""
    return first.cost.multiplications / second.cost.multiplications


def crossing(sizes: Array, values: Array, level: float) -> float | None:
    """Size from which on values stay at a level or above; None if they end below it.

    Between two sizes it is interpolated on log scales. `sizes` and `values` have shape (n,).

    Examples
    --------
    >>> crossing(np.array([1, 4, 16]), np.array([1.0, 2.0, 8.0]), 4.0)
    8.0
    >>> crossing(np.array([1, 4, 16]), np.array([1.02, 0.6, 0.5]), 1.0)  # above it at first only
    """
    below = np.flatnonzero(~(values >= level))
    if not len(below):
        return float(sizes[0]) if len(sizes) else None
    last = int(below[-1])
    if last == len(values) - 1:
        return None
    pair = slice(last, last + 2)
    log_size = np.interp(np.log(level), np.log(values[pair]), np.log(sizes[pair]))
    return float(np.exp(log_size).round(9))
