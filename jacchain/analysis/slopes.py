"""Sweeps over one size: slopes of time, memory regime by memory regime, beside the formula's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.intervals import estimate, median_interval
from jacchain.analysis.verdicts import Part, timed

MARGIN = 0.15
LEAST_SIZES = 4
LEAST_SPAN = np.log(np.sqrt(10.0)) - 1e-9  # half a decade
MOST_OVERHEAD = 0.1
STEP_SIZES = 6  # sizes from which on one step is looked for: fewer are not told from a slope
SHAPE_EFFECT = 0.05  # of a shape on time: BLAS takes other kernels and blocks for other shapes
ONE_SIDED = 1.645  # standard deviations that 95 % of normal values do not exceed
LEAST_STEP = 0.15  # in log time: shapes whose kernels differ by 5 % seldom make as large a one
STEP_CONFIDENCE = 0.999  # that a step is there, which is looked for at several sizes
STEP_SHARE = 0.25  # of the squared residuals that may be left where a step is believed


@dataclass(frozen=True)
class Sweep:
    """One arm over one swept size; all arrays run over the n sizes.

    `log_times` has shape (processes, n): logarithms of seconds per call, by process.
    `law` names the growth of the formula in the size, one of `rivals.LAWS`.
    """

    variable: str
    order: str
    sizes: Array
    multiplications: Array
    products: Array
    working_set: Array
    log_times: Array
    law: str

    @cached_property
    def times(self) -> Array:
        """Seconds per call as `Series.time` has them, shape (n,)."""
        return np.exp([median_interval(column)[1] for column in self.log_times.T])

    @property
    def intervals(self) -> Array:
        """95 % intervals of `times`, shape (n, 2)."""
        return np.exp([median_interval(column)[::2] for column in self.log_times.T])

    @cached_property
    def step(self) -> int | None:
        """Index of the size before which times jump by a constant factor; None if none do.

        A cache or a kernel that changes within the regime raises all times from some size on. Told
        from a slope by the residuals of a straight line, which one step removes almost wholly, and
        from noise by its interval over processes.
        """
        n, residuals = len(self.sizes), self._residuals(None)
        if n < STEP_SIZES:
            return None
        by_step = {step: self._residuals(step) for step in range(2, n - 1)}
        best = min(by_step, key=lambda step: by_step[step])
        if by_step[best] > STEP_SHARE * residuals:
            return None
        excess = self.log_times - np.log(self.multiplications)
        jump = estimate(excess @ np.linalg.pinv(_design(np.log(self.sizes), best))[2])
        low, high = jump.interval(STEP_CONFIDENCE)
        return best if max(low, -high) > 0 and abs(jump.value) > LEAST_STEP else None

    def _residuals(self, step: int | None) -> float:
        """Sum of squared residuals of the fit with a step or without."""
        design = _design(np.log(self.sizes), step)
        return float(np.sum((self._excess - design @ np.linalg.pinv(design) @ self._excess) ** 2))

    @cached_property
    def _excess(self) -> Array:
        """Log of time over multiplications: what a law other than the formula's leaves, (n,)."""
        means = [estimate(column).value for column in self.log_times.T]
        return np.asarray(means - np.log(self.multiplications))

    @cached_property
    def weights(self) -> Array:
        """Weights by which ``logs @ weights`` is a slope, for logs at the sizes, shape (..., n)."""
        return np.asarray(np.linalg.pinv(_design(np.log(self.sizes), self.step))[1])

    @property
    def step_factor(self) -> float:
        """The factor by which times jump at the step; 1 without one."""
        if self.step is None:
            return 1.0
        fit = np.linalg.pinv(_design(np.log(self.sizes), self.step)) @ self._excess
        return float(np.exp(fit[2]))

    @property
    def without_step(self) -> "Sweep":
        """The sweep with its times from the step on divided by the step's factor."""
        after = np.arange(len(self.sizes)) >= (len(self.sizes) if self.step is None else self.step)
        return replace(self, log_times=self.log_times - np.log(self.step_factor) * after)

    def part(self, mask: NDArray[np.bool_] | NDArray[np.intp]) -> "Sweep":
        """The sweep at some of its sizes."""
        arrays = ("sizes", "multiplications", "products", "working_set")
        kept = {name: getattr(self, name)[mask] for name in arrays}
        return replace(self, log_times=self.log_times[:, mask], **kept)


def _design(log_sizes: Array, step: int | None) -> Array:
    """Columns of a straight line over log sizes, and of a step before index `step`."""
    columns = [np.ones_like(log_sizes), log_sizes - log_sizes.mean()]
    if step is not None:
        columns.append((np.arange(len(log_sizes)) >= step).astype(float))
    return np.column_stack(columns)


def sweep_of(variable: str, measured: Sequence[tuple[int, Series]], law: str) -> Sweep | None:
    """Arrange one arm at several sizes as a sweep; None if fewer than two were measured."""
    if len(measured) < 2:
        return None
    series = [s for _, s in measured]
    return Sweep(
        variable,
        series[0].name,
        sizes=np.array([size for size, _ in measured], dtype=float),
        multiplications=np.array([s.cost.multiplications for s in series], dtype=float),
        products=np.array([s.cost.products for s in series], dtype=float),
        working_set=np.array([s.cost.working_set for s in series], dtype=float),
        log_times=np.column_stack([s.log_times for s in series]),
        law=law,
    )


def judged_regimes(whole: Sweep, evidence: Evidence) -> dict[str, Sweep]:
    """The parts of a sweep in which slopes may be judged, by memory regime.

    At least 4 sizes over half a decade, where the fixed overhead is under a tenth of the time. The
    overhead of calls whose number grows with the multiplications, as over depth, is not fixed.
    """
    growing = whole.multiplications * (whole.products / whole.multiplications).min()
    overhead = evidence.overhead * (whole.products - growing)
    fast_enough = overhead < MOST_OVERHEAD * whole.times
    names = np.array([evidence.regimes.name(ws) for ws in whole.working_set])
    parts = {}
    for name in ("L2", "LLC", "memory"):
        mask = (names == name) & fast_enough
        sizes = whole.sizes[mask]
        if len(sizes) >= LEAST_SIZES and np.log(sizes[-1] / sizes[0]) >= LEAST_SPAN:
            parts[name] = whole.part(mask)
    return parts


def straight_line(part: Sweep) -> tuple[float, float]:
    """Return the slopes of log time and of the formula by one line through all sizes."""
    weights = np.linalg.pinv(_design(np.log(part.sizes), None))[1]
    times, formula = np.log(part.times), np.log(part.multiplications)
    return float(times @ weights), float(formula @ weights)


def judged_slope(part: Sweep) -> tuple[float, float]:
    """Return the slope that is judged, the mean over processes, and the formula's."""
    by_process, expected = slopes(part)
    return estimate(by_process).value, expected


def slopes(part: Sweep) -> tuple[Array, float]:
    """Return the slope of log time of each process, shape (processes,), and the formula's."""
    return part.log_times @ part.weights, float(np.log(part.multiplications) @ part.weights)


def slope_part(part: Sweep, noise_floor: float, label: str) -> Part:
    """Judge whether the slope of time is the formula's at the same sizes, within 0.15.

    The interval is widened by what the noise floor makes of the slope when it raises one end of the
    sweep and not the other. It disagrees only beyond what independent effects of 5 % at each size
    make of the slope, in 95 % of cases.
    """
    by_process, expected = slopes(part)
    jump = f"times jump by {part.step_factor:.2f} at one size, taken out" if part.step else ""
    judged = timed(
        label,
        estimate(by_process),
        expected,
        (expected - MARGIN, expected + MARGIN),
        unit="exponent",
        widening=noise_floor / float(np.log(part.sizes[-1] / part.sizes[0])),
        reason=jump,
    )
    effect = ONE_SIDED * SHAPE_EFFECT * float(np.linalg.norm(part.weights))
    return replace(judged, shape_effect=effect)
