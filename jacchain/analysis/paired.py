"""Two ways compared: the ratio of their times, and where over a size it crosses a level."""

import numpy as np

from jacchain.analysis.evidence import Array, Series, log_ratios
from jacchain.analysis.intervals import median_interval


def ratio(first: Series, second: Series) -> tuple[float, float, float]:
    """Time of the first over that of the second: low, median and high of the 95 % interval."""
    low, middle, high = median_interval(log_ratios(first, second))
    return float(np.exp(low)), float(np.exp(middle)), float(np.exp(high))


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
