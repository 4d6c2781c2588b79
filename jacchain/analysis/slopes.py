"""Sweeps over one size: slopes of time, memory regime by memory regime, beside the formula's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.intervals import p_beyond
from jacchain.analysis.verdicts import Part

MARGIN = 0.15
LEAST_SIZES = 4
LEAST_SPAN = np.log(np.sqrt(10.0)) - 1e-9  # half a decade
MOST_OVERHEAD = 0.1
RESAMPLES = 500
LEVELS = (0.004, 0.996)  # a minimum is bootstrapped too narrowly: these hold the truth in 95 %


@dataclass(frozen=True)
class Sweep:
    """One arm over one swept size; all arrays run over the n sizes.

    `times` has shape (n, processes, blocks): the best seconds per call of each block. `law` names
    the growth of the formula in the size, one of `rivals.LAWS`.
    """

    variable: str
    order: str
    sizes: Array
    multiplications: Array
    products: Array
    working_set: Array
    times: Array
    law: str

    @cached_property
    def draws(self) -> Array:
        """Bootstrap of the best times, shape (resamples, n); the same for all judged on it."""
        return resampled(self.times, np.random.default_rng(self.times.size))

    def part(self, mask: NDArray[np.bool_]) -> "Sweep":
        """The sweep at some of its sizes."""
        arrays = ("sizes", "multiplications", "products", "working_set", "times")
        kept = {name: getattr(self, name)[mask] for name in arrays}
        return replace(self, **kept)


def sweep_of(variable: str, measured: Sequence[tuple[int, Series]], law: str) -> Sweep | None:
    """Arrange one arm at several sizes as a sweep; None if fewer than two were measured."""
    if len(measured) < 2:
        return None
    series = [s for _, s in measured]
    processes, blocks = np.min([s.best.shape for s in series], axis=0)
    return Sweep(
        variable,
        series[0].name,
        sizes=np.array([size for size, _ in measured], dtype=float),
        multiplications=np.array([s.cost.multiplications for s in series], dtype=float),
        products=np.array([s.cost.products for s in series], dtype=float),
        working_set=np.array([s.cost.working_set for s in series], dtype=float),
        times=np.stack([s.best[:processes, :blocks] for s in series]),
        law=law,
    )


def best(times: Array) -> Array:
    """Minimum within a process, median across processes, over the last two axes."""
    return np.asarray(np.median(times.min(axis=-1), axis=-1))


def resampled(times: Array, rng: np.random.Generator, resamples: int = RESAMPLES) -> Array:
    """`best` of rounds drawn with replacement, shape (resamples, n).

    All sizes draw the same rounds, since those of one round were measured together: what slows
    them all down leaves their slope as it is, in the bootstrap as in the machine.
    """
    _, processes, blocks = times.shape
    rounds = rng.integers(blocks, size=(resamples, processes, blocks))
    return best(times[:, np.arange(processes)[:, None], rounds]).T


def slope(log_sizes: Array, log_values: Array) -> Array:
    """Least-squares slope along the last axis.

    Examples
    --------
    >>> float(slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])))
    2.0
    """
    centred = log_sizes - log_sizes.mean(axis=-1, keepdims=True)
    return np.asarray((log_values * centred).sum(axis=-1) / (centred**2).sum(axis=-1))


def judged_regimes(whole: Sweep, evidence: Evidence) -> dict[str, Sweep]:
    """The parts of a sweep in which slopes may be judged, by memory regime.

    At least 4 sizes over half a decade, where the fixed overhead is under a tenth of the time.
    """
    overhead = evidence.overhead * whole.products
    fast_enough = overhead < MOST_OVERHEAD * best(whole.times)
    names = np.array([evidence.regimes.name(ws) for ws in whole.working_set])
    parts = {}
    for name in ("L2", "LLC", "memory"):
        mask = (names == name) & fast_enough
        sizes = whole.sizes[mask]
        if len(sizes) >= LEAST_SIZES and np.log(sizes[-1] / sizes[0]) >= LEAST_SPAN:
            parts[name] = whole.part(mask)
    return parts


def slope_part(part: Sweep, noise_floor: float, label: str) -> Part:
    """Judge whether the slope of time is the formula's at the same sizes, within 0.15.

    The interval is that of the bootstrap over blocks. It is widened by what the noise floor
    makes of the slope when it raises one end of the sweep and not the other.
    """
    log_sizes = np.log(part.sizes)
    expected = float(slope(log_sizes, np.log(part.multiplications)))
    measured = float(slope(log_sizes, np.log(best(part.times))))
    draws = slope(log_sizes, np.log(part.draws))
    low, high = (float(v) for v in np.quantile(draws, LEVELS))
    widening = np.log1p(noise_floor) / (log_sizes[-1] - log_sizes[0])
    margin = expected - MARGIN, expected + MARGIN
    interval, widened = (low, high), (low - widening, high + widening)
    p = p_beyond(abs(measured - expected) - MARGIN - widening, interval)
    return Part(label, measured, expected, margin, "exponent", interval, widened, p)
