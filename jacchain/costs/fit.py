"""The time model, fitted to a run: what a call, a flop and a byte take on this machine.

Each product of a plan takes a call, its flops at a rate and its bytes at a bandwidth. They add up,
since BLAS copies the operands of a larger product before it multiplies; a roofline, which counts
the longer of flops and bytes alone, predicts the times of left-out chains worse. Bandwidth is a
curve over the working set of the whole chain: each evaluation visits every factor again, so the
working set tells where they come from. Products of a row by a matrix have no rate: two flops for
each element read can't be told from its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.intervals import Interval, estimate
from jacchain.chains.planners import plan
from jacchain.cost import Cost

Kind = Literal["row x matrix", "matrix x matrix"]

LEAST_SERIES = 12
#: Multiplications up to which OpenBLAS leaves operands where they are (OpenBLAS pull request 3335)
MOST_UNCOPIED = 10**6
KNOTS: dict[Kind, int] = {"row x matrix": 8, "matrix x matrix": 3}
SERIES_PER_KNOT = 8  # at least
WIDEST = 10.0  # high / low of a coefficient that is identified

_RATES = (
    ("calls", "s / call"),
    (f"flops, matrix x matrix, up to {MOST_UNCOPIED:,} multiplications", "s / flop"),
    ("flops, matrix x matrix, larger", "s / flop"),
)
_ROUNDS = 8  # of reweighting: the weights no longer change in the third digit
_SOFT = 0.05  # error from which on a residual counts less than its square


@dataclass(frozen=True)
class Term:
    """One coefficient of the model: seconds per call, per flop, or per byte.

    `low` and `high` are the ends of its 95 % interval over worker processes; nan where one of them
    has no use for the term, or there are fewer than six.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str

    @property
    def identified(self) -> bool:
        """Whether the processes agree on the coefficient, within a factor of ten."""
        return self.value > 0 and self.high <= WIDEST * self.low


@dataclass(frozen=True)
class Fit:
    """The model fitted to n series, from the `work` of their products, shape (n, 5).

    The columns of `work` are calls, flops of small and of larger products of matrices, and bytes
    of products by rows and by matrices.
    """

    series: tuple[Series, ...]
    work: Array

    @cached_property
    def times(self) -> Array:
        """Measured seconds, shape (n,)."""
        return np.array([series.time for series in self.series])

    @cached_property
    def knots(self) -> dict[Kind, Array]:
        """Working sets, in bytes, between which seconds per byte are interpolated, for each kind.

        They are quantiles of the series' own, so that each has as many series about it.
        """
        most = max(1, len(self.series) // SERIES_PER_KNOT)
        sizes = [float(series.cost.working_set) for series in self.series]
        counts = {kind: min(knots, most) for kind, knots in KNOTS.items()}
        return {
            kind: np.unique(np.quantile(sizes, (np.arange(count) + 0.5) / count))
            for kind, count in counts.items()
        }

    @cached_property
    def design(self) -> Array:
        """What the coefficients are multiplied with, shape (n, terms)."""
        return self._features(self.work, [series.cost.working_set for series in self.series])

    @cached_property
    def coefficients(self) -> Array:
        """Coefficients, at least 0, shape (terms,)."""
        return solve(self.design, self.times)

    @property
    def fitted(self) -> Array:
        """Seconds of each series by the fit to all of them, shape (n,)."""
        return np.asarray(self.design @ self.coefficients)

    @cached_property
    def predicted(self) -> Array:
        """Seconds of each series by a fit that left both orders of its chain out, shape (n,)."""
        predicted = np.empty_like(self.times)
        cells = np.array([series.cell for series in self.series])
        for cell in np.unique(cells):
            out = cells == cell
            predicted[out] = self.design[out] @ solve(self.design[~out], self.times[~out])
        return predicted

    @property
    def errors(self) -> Array:
        """Predicted / measured - 1 of each series, shape (n,)."""
        return self.predicted / self.times - 1

    @property
    def median_error(self) -> float:
        """Median of the errors' absolute values."""
        return float(np.median(np.abs(self.errors)))

    def share_within(self, error: float) -> float:
        """Return the share of the series whose error is at most this, either way."""
        return float(np.mean(np.abs(self.errors) <= error))

    def predict(self, cost: Cost) -> float:
        """Return the seconds of other work, taken as one product after the other of equal size."""
        (features,) = self._features(_work(cost)[None], [cost.working_set])
        return float(features @ self.coefficients)

    def bandwidth(self, kind: Kind, working_sets: Array) -> Array:
        """Return bytes per second at these working sets, both (k,); inf where bytes take no time.

        Beyond the first and the last knot it is constant.
        """
        start = len(_RATES) + (0 if kind == "row x matrix" else len(self.knots["row x matrix"]))
        values = self.coefficients[start : start + len(self.knots[kind])]
        with np.errstate(divide="ignore"):
            return np.asarray(1 / (_hats(self.knots[kind], working_sets) @ values))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Every coefficient, with its interval over processes."""
        times = np.exp(np.column_stack([series.log_times for series in self.series]))
        whole = times[np.isfinite(times).all(axis=1)]
        solutions = np.array([solve(self.design, own) for own in whole])
        names = list(_RATES)
        for kind, knots in self.knots.items():
            names += [(f"bytes, {kind}, at {size / 2**20:.3g} MiB", "s / byte") for size in knots]
        columns = zip(names, self.coefficients, solutions.T, strict=True)
        return tuple(
            Term(name, float(value), *_log_interval(values), unit)
            for (name, unit), value, values in columns
        )

    def _features(self, work: Array, working_sets: Sequence[int]) -> Array:
        """Spread the bytes of each kind, (n, 5), over the knots about each working set, (n,)."""
        sizes = np.array(working_sets, dtype=float)
        spread = [
            moved[:, None] * _hats(knots, sizes)
            for moved, knots in zip(work.T[len(_RATES) :], self.knots.values(), strict=True)
        ]
        return np.hstack([work[:, : len(_RATES)], *spread])


def fit_times(evidence: Evidence) -> Fit | None:
    """Fit the model to both orders of every chain; None with fewer than a dozen of them."""
    series = tuple(series for pair in evidence.chains.values() for series in pair)
    if len(series) < LEAST_SERIES:
        return None
    return Fit(series, np.array([sum(map(_work, _products(s)), np.zeros(5)) for s in series]))


def solve(design: Array, times: Array) -> Array:
    """Return coefficients >= 0, shape (terms,), that minimise the residuals of ln(time).

    `design` has shape (n, terms), `times` (n,). Large residuals count less than their square: each
    round of Gauss-Newton weighs them by the soft l1 loss of `scipy.optimize.least_squares`.

    Examples
    --------
    >>> design = np.array([[1.0, 2.0], [1.0, 4.0], [2.0, 2.0]])
    >>> [round(float(value), 6) for value in solve(design, np.array([5.0, 9.0, 6.0]))]
    [1.0, 2.0]
    """
    from scipy.optimize import nnls  # takes 0.3 s to import, and what measures fits nothing

    fitted = times
    for _ in range(_ROUNDS):
        residuals = np.log(times / fitted)
        weights = (1 + (residuals / _SOFT) ** 2) ** -0.25
        relative = design * (weights / fitted)[:, None]
        scale = np.linalg.norm(relative, axis=0)
        scale[scale == 0] = 1.0
        solution = nnls(relative / scale, weights * (1 + residuals))[0] / scale
        fitted = np.maximum(design @ solution, 1e-3 * times)
    return np.asarray(solution)


def _products(series: Series) -> list[Cost]:
    """Return the cost of each product of a chain; of other work, its whole cost."""
    for dtype in ("float64", "float32"):
        order = plan(series.dims, series.name, dtype=dtype)
        if order.cost == series.cost:
            return [
                Cost(
                    products=1,
                    multiplications=step.multiplications,
                    row_multiplications=step.multiplications * step.is_row,
                    bytes=order.dtype.itemsize * step.elements_moved,
                )
                for step in order.steps
            ]
    return [series.cost]


def _work(cost: Cost) -> Array:
    """Return the row of `Fit.work` for products of equal size, shape (5,)."""
    flops = float(cost.matrix_flops)
    small = flops <= 2 * MOST_UNCOPIED * cost.products
    rows = cost.bytes * cost.row_flops / max(cost.flops, 1)
    split = (flops, 0.0) if small else (0.0, flops)
    return np.array([cost.products, *split, rows, cost.bytes - rows], dtype=float)


def _hats(knots: Array, sizes: Array) -> Array:
    """Return the weight of each of k knots at n working sets, linear in logarithms: (n, k)."""
    x, x_knots = (np.log(np.maximum(values, 1.0)) for values in (sizes, knots))
    return np.array([np.interp(x, x_knots, row) for row in np.eye(len(knots))]).T


def _log_interval(values: Array) -> Interval:
    """Return Student's 95 % interval for the geometric mean of values, shape (processes,)."""
    if np.any(values <= 0):
        return np.nan, np.nan
    logs = estimate(np.log(values))
    low, _, high = logs.exponential
    return (low, high) if logs.decides else (np.nan, np.nan)
