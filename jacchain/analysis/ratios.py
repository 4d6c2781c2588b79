"""Ratios of two series, always first / second, and where over a size a ratio crosses a level."""

import numpy as np

from jacchain.analysis.evidence import Array, Series
from jacchain.analysis.intervals import median_interval


def log_ratios(first: Series, second: Series) -> Array:
    """Return ``log((a + a) / (b + b))`` of every block's samples, shape (processes * blocks,)."""
    ratios = first.seconds.sum(axis=-1) / second.seconds.sum(axis=-1)
    return np.asarray(np.log(ratios).ravel())


def ratio(first: Series, second: Series) -> tuple[float, float, float]:
    """Median of first / second over blocks, as (low, median, high) of its 95 % interval."""
    low, middle, high = median_interval(log_ratios(first, second))
    return float(np.exp(low)), float(np.exp(middle)), float(np.exp(high))


def formula_ratio(first: Series, second: Series) -> float:
    """Multiplications of first / second."""
    return first.cost.multiplications / second.cost.multiplications


def crossing(sizes: Array, values: Array, level: float) -> float | None:
    """Size at which values first reach a level, between two sizes on log scales; None if never.

    Examples
    --------
    >>> crossing(np.array([1, 4, 16]), np.array([1.0, 2.0, 8.0]), 4.0)
    8.0
    """
    above = np.flatnonzero(values >= level)
    if not len(above):
        return None
    index = int(above[0])
    if index == 0:
        return float(sizes[0])
    pair = slice(index - 1, index + 1)
    log_size = np.interp(np.log(level), np.log(values[pair]), np.log(sizes[pair]))
    return float(np.exp(log_size).round(9))
