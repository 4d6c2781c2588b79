"""The time model: `t = c0 products + c1 flops + c2 bytes`, fitted to every cell of a run.

One c1 for each kind of product and one c2 for each memory regime, all at least 0, by least
squares of the relative residuals.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from jacchain.analysis.evidence import REGIMES, Array, Evidence, Series
from jacchain.analysis.intervals import LEAST_VALUES, p_beyond
from jacchain.analysis.slopes import LEVELS, resampled
from jacchain.analysis.verdicts import Part, undecided

TERMS = (
    "calls",
    "flops, row x matrix",
    "flops, matrix x matrix",
    *(f"bytes, {name}" for name in REGIMES),
)
UNITS = ("s / call", "s / flop", "s / flop", *("s / byte" for _ in REGIMES))
MOST_ERROR = 0.25
MOST_CONDITION = 30.0
LEAST_CELLS = 12


@dataclass(frozen=True)
class Fit:
    """The model fitted to n series, whose features make the `design`, shape (n, terms)."""

    series: tuple[Series, ...]
    design: Array

    @cached_property
    def times(self) -> Array:
        """Measured seconds, shape (n,)."""
        return np.array([series.time for series in self.series])

    @cached_property
    def coefficients(self) -> Array:
        """Coefficients in the order of `TERMS`."""
        return solve(self.design, self.times)

    @cached_property
    def intervals(self) -> Array:
        """95 % intervals of the coefficients, shape (terms, 2), by a bootstrap over blocks."""
        rng = np.random.default_rng(len(self.series))
        draws = np.column_stack([resampled(s.best[None], rng)[:, 0] for s in self.series])
        solutions = [solve(self.design, times) for times in draws]
        return np.asarray(np.quantile(solutions, LEVELS, axis=0).T)

    @property
    def fitted(self) -> Array:
        """Seconds of each series by the fit to all of them, shape (n,)."""
        return np.asarray(self.design @ self.coefficients)

    @cached_property
    def predicted(self) -> Array:
        """Seconds of each series by a fit that left its cell out, shape (n,)."""
        predicted = np.empty_like(self.times)
        names = np.array([series.cell for series in self.series])
        for cell in np.unique(names):
            out = names == cell
            predicted[out] = self.design[out] @ solve(self.design[~out], self.times[~out])
        return predicted

    @property
    def condition(self) -> float:
        """Condition number of the terms in use, each scaled to length one."""
        relative = (self.design / self.times[:, None])[:, self.coefficients > 0]
        return float(np.linalg.cond(relative / np.linalg.norm(relative, axis=0)))

    @property
    def separable(self) -> bool:
        """Whether the coefficients mean something one by one; else only their sum does."""
        return self.condition <= MOST_CONDITION


def features(series: Series, evidence: Evidence) -> Array:
    """What the model multiplies its coefficients with, in the order of `TERMS`."""
    cost, regime = series.cost, evidence.regime(series)
    moved = [cost.bytes if name == regime else 0 for name in REGIMES]
    return np.array([cost.products, cost.row_flops, cost.matrix_flops, *moved], dtype=float)


def solve(design: Array, times: Array) -> Array:
    """Coefficients >= 0 that minimise the sum of squared relative residuals."""
    relative = design / times[:, None]
    scale = np.linalg.norm(relative, axis=0)
    scale[scale == 0] = 1.0
    solution, _ = nnls(relative / scale, np.ones(len(times)))
    return np.asarray(solution / scale)


def fit_times(evidence: Evidence) -> Fit | None:
    """Fit the model to both orders of every chain; None with fewer than a dozen of them."""
    series = tuple(series for pair in evidence.chains.values() for series in pair)
    if len(series) < LEAST_CELLS:
        return None
    return Fit(series, np.array([features(s, evidence) for s in series]))


def model_parts(fit: Fit, evidence: Evidence) -> list[Part]:
    """One part for each series: its time is within 25 % of the prediction made without it.

    Undecided where that prediction is 0: then no other chain tells what its terms take.
    """
    rng = np.random.default_rng(len(fit.series))
    floor = 1 + evidence.noise_floor
    margin = (1 - MOST_ERROR, 1 + MOST_ERROR)
    parts = []
    for series, predicted in zip(fit.series, fit.predicted, strict=True):
        name = f"predicted time of {series.name}, dims {' '.join(map(str, series.dims))}"
        if predicted == 0:
            parts.append(undecided(name, "a fit to the other chains knows none of its terms"))
            continue
        if (blocks := series.best.size) < LEAST_VALUES:
            parts.append(undecided(name, f"{blocks} blocks; an interval needs {LEAST_VALUES}"))
            continue
        draws = resampled(series.best[None], rng)[:, 0]
        low, high = (float(v) for v in predicted / np.quantile(draws, LEVELS[::-1]))
        ratio = float(predicted / series.time)
        beyond = np.log(max(ratio / margin[1], margin[0] / ratio) / floor)
        p = p_beyond(float(beyond), (float(np.log(low)), float(np.log(high))))
        interval, widened = (low, high), (low / floor, high * floor)
        part = Part(name, ratio, 1.0, margin, "predicted / measured", interval, widened, p)
        parts.append(part)
    return parts
