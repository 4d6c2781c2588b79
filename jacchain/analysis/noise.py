"""The noise floor and the memory regimes of this machine in this run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Noise, Pair, Regimes
from jacchain.analysis.intervals import estimate
from jacchain.analysis.ratios import process_ratios

Rung = tuple[int, float, float]
"""Working set in bytes; bytes per second of one reading kernel, and the most by its interval."""

PLATEAU = 0.9  # a bandwidth that stays above this share of the first is called level


def noise_of(controls: Sequence[Pair]) -> Noise:
    """Return how far A/A pairs lie apart, with its parts, by an analysis of variance.

    Every ratio is 1 in truth. The floor is the root mean square of the log ratios of all pairs and
    processes. Its parts are standard deviations of a pair's ratio: what the samples of a block
    explain, what processes add to it, and what the pairs, which are of several shapes, add.
    """
    if not controls:
        return Noise()
    by_process = np.array([process_ratios(*pair) for pair in controls])
    blocks = max(first.seconds.shape[1] for first, _ in controls)
    processes = by_process.shape[1]
    samples = [np.diff(np.log(arm.seconds)).ravel() for pair in controls for arm in pair]
    within = _mean_square(np.concatenate(samples)) / 2 / blocks
    pairs = np.array([estimate(row).value for row in by_process])
    between = _mean_square(by_process - pairs[:, None]) * processes / max(processes - 1, 1)
    return Noise(
        floor=float(np.sqrt(_mean_square(by_process))),
        within=float(np.sqrt(within)),
        processes=float(np.sqrt(max(between - within, 0.0))),
        shapes=float(np.sqrt(max(_mean_square(pairs) - between / processes, 0.0))),
    )


def _mean_square(values: NDArray[np.float64]) -> float:
    return float(np.mean(values[np.isfinite(values)] ** 2))


def cache_share(ladder: Sequence[Rung], low: float) -> float:
    """Return the largest working set, in bytes, up to which a ladder of bandwidths is level.

    It ends before the first rung that is surely lower: whose highest bandwidth, by its interval, is
    below the share. From `low` bytes on, the last-level cache is judged.

    Examples
    --------
    >>> rungs = [(4, 100.0, 104.0), (8, 88.0, 93.0), (16, 93.0, 97.0), (32, 60.0, 61.0)]
    >>> cache_share(rungs, low=4)
    16.0
    """
    steps = sorted(step for step in ladder if step[0] >= low)
    share = 0.0
    for size, bandwidth, highest in steps:
        if np.fmax(bandwidth, highest) < PLATEAU * steps[0][1]:
            break
        share = float(size)
    return share


def regimes(l2: int | None, llc: int | None, ladder: Sequence[Rung]) -> Regimes:
    """Return the memory regimes: nominal bounds, but the last-level cache by its measured share."""
    if not l2 or not llc:
        return Regimes()
    share = cache_share(ladder, 2 * l2) if ladder else llc / 4
    return Regimes(l2=l2 / 2, llc_low=2 * l2, llc_high=min(llc / 4, share), memory=2 * llc)
