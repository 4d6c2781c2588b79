"""The noise floor and the memory regimes of this machine in this run."""

from collections.abc import Sequence

import numpy as np

from jacchain.analysis.evidence import Pair, Regimes
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.ratios import log_ratios

LEAST_FLOOR = 0.05
TOO_NOISY = 0.15
PLATEAU = 0.9  # a bandwidth that stays above this share of the first is called level


def half_width(controls: Sequence[Pair]) -> float:
    """Return the half-width of the A/A interval, in log units (a fraction when small).

    The blocks of all controls are pooled, since every ratio is 1 in truth. Use the end of the
    interval farther from 0, so that a bias widens it too.
    """
    low, _, high = median_interval(np.concatenate([log_ratios(*pair) for pair in controls]))
    return float(max(abs(low), abs(high)))


def noise_floor(controls: Sequence[Pair]) -> float:
    """Return `max(5 %, 3 x A/A half-width)`; 5 % where there is no control."""
    return max(LEAST_FLOOR, 3 * half_width(controls)) if controls else LEAST_FLOOR


def cache_share(ladder: Sequence[tuple[int, float]], low: float) -> float:
    """Return the largest working set, in bytes, up to which a ladder of bandwidths is level.

    The ladder has (working set in bytes, bytes per second) of one reading kernel, in any order;
    from `low` bytes on, the last-level cache is judged.

    Examples
    --------
    >>> cache_share([(4, 100.0), (8, 97.0), (16, 93.0), (32, 60.0), (64, 95.0)], low=4)
    16.0
    """
    steps = sorted(step for step in ladder if step[0] >= low)
    share = 0.0
    for size, bandwidth in steps:
        if bandwidth < PLATEAU * steps[0][1]:
            break
        share = float(size)
    return share


def regimes(l2: int | None, llc: int | None, ladder: Sequence[tuple[int, float]]) -> Regimes:
    """Return the memory regimes: nominal bounds, but the last-level cache by its measured share."""
    if not l2 or not llc:
        return Regimes()
    share = cache_share(ladder, 2 * l2) if ladder else llc / 4
    return Regimes(l2=l2 / 2, llc_low=2 * l2, llc_high=min(llc / 4, share), memory=2 * llc)
