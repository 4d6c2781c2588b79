"""The time model: `t = c0 products + c1 flops + c2 bytes`, fitted to every cell of a run.

One c1 for each kind of product and one c2 for each memory regime, all at least 0, by least
squares of the relative residuals.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from jacchain.analysis.evidence import REGIMES, Array, Evidence, Series
from jacchain.analysis.intervals import p_beyond
from jacchain.analysis.slopes import LEVELS, RESAMPLES, resampled
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
    """A fitted model.

    `coefficients` and `intervals` (low, high) follow `TERMS`; `predicted` are seconds for each
    series, each from a fit that left its cell out; `fitted` those of the fit to all of them.
    """

    series: tuple[Series, ...]
    coefficients: Array
    intervals: Array
    condition: float
    fitted: Array
    predicted: Array

    @property
    def separable(self) -> bool:
        """Whether the coefficients mean something one by one; else only their sum does."""
        return self.condition <= MOST_CONDITION


def features(series: Series, evidence: Evidence) -> Array:
    """What the model multiplies its coefficients with, in the order of `TERMS`."""
    regime = evidence.regime(series)
    cost = series.cost
    moved = [cost.bytes if name == regime else 0 for name in REGIMES]
    return np.array([cost.products, cost.row_flops, cost.matrix_flops, *moved], dtype=float)


def solve(design: Array, times: Array) -> Array:
    """Coefficients >= 0 that minimise the sum of squared relative residuals."""
    relative = design / times[:, None]
    scale = np.linalg.norm(relative, axis=0)
    scale[scale == 0] = 1.0
    solution, _ = nnls(relative / scale, np.ones(len(times)))
    return np.asarray(solution / scale)


def _condition(design: Array, times: Array, coefficients: Array) -> float:
    """Condition number of the terms in use, each scaled to length one."""
    relative = (design / times[:, None])[:, coefficients > 0]
    return float(np.linalg.cond(relative / np.linalg.norm(relative, axis=0)))


def fit_coefficients(evidence: Evidence) -> Array | None:
    """Fit the coefficients alone; None with fewer than a dozen series."""
    series = [series for pair in evidence.chains.values() for series in pair]
    if len(series) < LEAST_CELLS:
        return None
    design = np.array([features(s, evidence) for s in series])
    return solve(design, np.array([s.time for s in series]))


def _left_out(design: Array, times: Array, cells: list[str]) -> Array:
    """Prediction of each time by a fit to all other cells."""
    predicted = np.empty_like(times)
    names = np.array(cells)
    for cell in np.unique(names):
        out = names == cell
        predicted[out] = design[out] @ solve(design[~out], times[~out])
    return predicted


def _bootstrap(series: tuple[Series, ...], design: Array) -> Array:
    """Intervals of the coefficients, shape (terms, 2), from blocks drawn with replacement."""
    rng = np.random.default_rng(len(series))
    draws = np.column_stack([resampled(s.best[None], rng, RESAMPLES)[:, 0] for s in series])
    solutions = [solve(design, times) for times in draws]
    return np.asarray(np.quantile(solutions, LEVELS, axis=0).T)


def fit_times(evidence: Evidence) -> Fit | None:
    """Fit the model to both orders of every chain; None with fewer than a dozen of them."""
    series = tuple(series for pair in evidence.chains.values() for series in pair)
    if len(series) < LEAST_CELLS:
        return None
    design = np.array([features(s, evidence) for s in series])
    times = np.array([s.time for s in series])
    coefficients = solve(design, times)
    return Fit(
        series,
        coefficients,
        _bootstrap(series, design),
        _condition(design, times, coefficients),
        design @ coefficients,
        _left_out(design, times, [s.cell for s in series]),
    )


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
        draws = resampled(series.best[None], rng, RESAMPLES)[:, 0]
        low, high = (float(v) for v in predicted / np.quantile(draws, LEVELS[::-1]))
        ratio = float(predicted / series.time)
        beyond = np.log(max(ratio / margin[1], margin[0] / ratio) / floor)
        parts.append(
            Part(
                name,
                ratio,
                1.0,
                margin,
                unit="predicted / measured",
                interval=(low, high),
                widened=(low / floor, high * floor),
                p=p_beyond(float(beyond), (float(np.log(low)), float(np.log(high)))),
            )
        )
    return parts
