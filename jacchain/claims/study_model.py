"""Beside the claims: the machine in this run, and how well a model of it predicts times.

Its cells are those that every run with timed cells needs: the same kernel against itself, the
ceilings of the machine, and a chain of ones, whose products cost nothing but their calls.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis import efficiency
from jacchain.analysis.evidence import REGIMES, Evidence, Pair, Series
from jacchain.analysis.ratios import log_ratio, log_ratios
from jacchain.analysis.verdicts import Statement, exact
from jacchain.costs.ceilings import Ceiling, ceilings
from jacchain.costs.fit import Fit, Kind, Term, fit_times
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, Arm, Cell, Dims, chain_cell
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.grids import all_grids
from jacchain.experiments.parts import sizes_in_words
from jacchain.experiments.sizes import Sizes
from jacchain.units import SPACE, seconds, share

TEXT: show.Unit = "text"
SMALL = 32  # a side below which a matrix product does not reach its rate
MOST_ERROR, LEAST_SHARE = 0.25, 0.9  # of predictions, and the share of them that keeps to it
MOST_MEDIAN_ERROR = 0.1
PREDICTS = (
    "Predictions of left-out cells are near: at least 90 % are within 25 % of the measured time, "
    "and the median error is at most 10 %."
)
KERNELS: dict[tuple[str, str], show.Look] = {
    ("row-matrix", "v @ M"): "loss-first",
    ("row-matrix", "v @ M.T"): "muted",
    ("copy", "copyto"): "third",
    ("matrix-matrix", "A @ B"): "input-first",
    ("matrix-matrix", "A @ B.T"): "fourth",
}
FITTED: dict[Kind, show.Look] = {"row x matrix": "loss-first", "matrix x matrix": "input-first"}


def cells(sizes: Sizes) -> list[Cell]:
    """Measure A/A pairs of several shapes and sizes, ceilings, and a chain of ones."""
    controls = [
        chain_cell(dims, (order, order), role="control")
        for dims in _control_shapes(sizes)
        for order in BOTH
    ]
    kernels = ceilings(sizes.l2, sizes.llc, itemsize=sizes.itemsize)
    overhead = chain_cell((1, 1, 1, 1, 1), role="overhead")
    return [*controls, overhead, *map(_ceiling_cell, kernels)]


def _control_shapes(sizes: Sizes) -> list[Dims]:
    """Return the smallest, the middle and the largest `|x|`, and the middle of other sweeps."""
    swept, *others = (grid.cells for grid in all_grids(sizes).values())
    return [swept[0][1], swept[-1][1], *(cells[len(cells) // 2][1] for cells in (swept, *others))]


def _ceiling_cell(ceiling: Ceiling) -> Cell:
    name = f"ceiling {ceiling.kind} {ceiling.kernel} {ceiling.shape[0]}x{ceiling.shape[1]}"
    return Cell(name, ceiling.shape, partial(_ceiling_arm, ceiling), "ceiling", ceiling.kind)


def _ceiling_arm(ceiling: Ceiling, dtype: np.dtype[Any], _: int) -> tuple[Arm]:
    return (Arm(ceiling.kernel, ceiling.cost, partial(ceiling.build, ceiling.shape, dtype)),)


def judge(evidence: Evidence, _: Sizes) -> list[Statement]:
    """Judge the share of predictions, made without their cells, within 25 %; and their median."""
    fit = fit_times(evidence)
    if fit is None:
        return []
    near, error, total = fit.share_within(MOST_ERROR), fit.median_error, len(fit.series)
    within = exact(
        f"predictions within {share(MOST_ERROR, 0)} of the measured time",
        near,
        1.0,
        margin=(LEAST_SHARE, 1.0),
        unit=f"of the predictions within {share(MOST_ERROR, 0)}",
        reason=f"{share(near)} of {total} are",
    )
    median = exact(
        "median error of the predictions",
        error,
        0.0,
        margin=(0.0, MOST_MEDIAN_ERROR),
        unit="median relative error",
        reason=f"{share(error)}, of {total}",
    )
    return [Statement(PREDICTS, (within, median))]


def findings(evidence: Evidence, _: Sizes) -> Iterator[Finding]:
    """Compare the predictions that miss by over 25 % with those to which no cause applies."""
    fit = fit_times(evidence)
    if fit is None:
        return
    misses = np.abs(fit.errors) > MOST_ERROR
    causes = _causes(fit, evidence)
    clean = ~np.any(list(causes.values()), axis=0)
    if not misses.any() or not clean.any():
        return
    shares = [
        f"{cause} ({misses[applies].sum()} of {applies.sum()} miss)"
        for cause, applies in causes.items()
        if applies.any()
    ]
    within = np.count_nonzero(~misses[clean])
    yield Finding(
        f"{misses.sum()} of {len(misses)} predictions miss by more than {share(MOST_ERROR, 0)}.",
        "One rate for each kind of product, and one bandwidth for each working set, are too "
        f"simple where {'; where '.join(shares)}.",
        f"Where none of these applies, {within} of {clean.sum()} are within "
        f"{share(MOST_ERROR, 0)}.",
        vanishes=bool(within == clean.sum()),
    )


def _causes(fit: Fit, evidence: Evidence) -> dict[str, NDArray[np.bool_]]:
    """Return what may spoil a prediction, and whether it applies to each series, (n,)."""
    leaving = [evidence.regime(s).startswith("leaving") for s in fit.series]
    small = [min(s.dims[1:]) < SMALL for s in fit.series]
    place = "the working set is leaving a cache, and what stays depends on the factors' sizes"
    return {
        place: np.array(leaving),
        f"a side is under {SMALL}, too small for BLAS to reach its rate": np.array(small),
    }


def shows(evidence: Evidence, _: Sizes) -> Iterator[show.Figure | show.Table]:
    """Show the model's residuals and coefficients, the ceilings, the memory regimes, the noise."""
    fit = fit_times(evidence)
    if fit is not None:
        yield from (_residuals(fit), _coefficients(fit))
    if evidence.ceilings:
        yield from (_ceilings_figure(evidence, fit), _ceilings_table(evidence))
        yield _efficiency_table(evidence)
    yield _regimes_table(evidence)
    if evidence.controls:
        yield noise_figure(evidence)


def _residuals(fit: Fit) -> show.Scatter:
    """Show predicted / measured time of every chain, each predicted without the chain."""
    times, ratios = fit.times, 1 + fit.errors
    low, high = min(0.6, 0.9 * ratios[ratios > 0].min(initial=1.0)), max(1.8, 1.15 * ratios.max())
    ticks = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10]
    shown = tuple(tick for tick in ticks if low <= tick <= high)
    curves = [
        show.Curve(order, times[mask], ratios[mask], look=order, marks="filled", line="")
        for order in BOTH
        if (mask := np.array([series.name == order for series in fit.series])).any()
    ]
    panel = show.Panel(
        "",
        show.Axis("measured time per evaluation (s)", "seconds"),
        show.Axis("predicted / measured (ratio)", "sizes", shown, (float(low), float(high))),
        tuple(curves),
        levels=(show.Level("", 1.0, line="-"),),
        bands=(show.Band(f"within {share(MOST_ERROR, 0)}", 1 - MOST_ERROR, 1 + MOST_ERROR),),
    )
    return show.Scatter(
        "residuals",
        f"{share(fit.share_within(MOST_ERROR), 0)} of {len(fit.series)} predictions are within "
        f"{share(MOST_ERROR, 0)}; median error {share(fit.median_error)}",
        "Predicted / measured time, each prediction from a fit that left its cell out.",
        panel,
    )


def _coefficients(fit: Fit) -> show.Table:
    """List what the coefficients amount to, where the worker processes agree on them."""
    units = dict.fromkeys(("term", "that is", "95 % interval over processes"), TEXT)
    return show.table("Coefficients of the time model", units, map(_coefficient_row, fit.terms))


def _coefficient_row(term: Term) -> tuple[str, ...]:
    if not term.identified:
        return term.name, "not identified", ""
    if term.unit == "s / call":
        low, value, high = (f"{1e6 * end:.3g}" for end in (term.low, term.value, term.high))
        return term.name, f"{value}{SPACE}µs", f"{low} to {high}{SPACE}µs"
    unit = "GFLOP/s" if term.unit == "s / flop" else "GB/s"
    low, value, high = (f"{1e-9 / end:.3g}" for end in (term.high, term.value, term.low))
    return term.name, f"{value} {unit}", f"{low} to {high} {unit}"


def _ceilings_figure(evidence: Evidence, fit: Fit | None) -> show.Lines:
    """Show bandwidth over the working set, with the regimes' edges; flops of square products."""
    left, right = (_ceiling_curves(evidence, square=square) for square in (False, True))
    fitted = () if fit is None else tuple(_fitted_curves(fit))
    bandwidth = show.Axis("bandwidth (GB/s)", limits=_from_zero(left))
    flops = show.Axis("square products (GFLOP/s)", limits=_from_zero(right))
    working_set = show.Axis("working set (bytes)", "bytes")
    ticks = tuple(sorted({float(rows) for curve in right for rows in curve.x}))
    bands = _regime_bands(evidence, left)
    panels = (
        show.Panel("", working_set, bandwidth, (*left, *fitted), bands=bands),
        show.Panel("", show.Axis("matrix size (rows)", ticks=ticks), flops, right),
    )
    return show.Lines(
        "ceilings",
        _ceilings_title(left, right),
        "Left: bandwidth of a row times a matrix, and of a copy, over the working set; dashed: as "
        "fitted by the time model to the chains' products; shaded: the memory regimes in which "
        "slopes are judged. Right: square matrix products.",
        (panels,),
        widths=(2, 1),
        inches=4.4,
    )


def _ceilings_title(bandwidths: Sequence[show.Curve], flops: Sequence[show.Curve]) -> str:
    """Say how fast the best kernels are."""
    best = [
        f"{max(curve.y.max() for curve in curves):.3g}{SPACE}{unit}"
        for curves, unit in ((bandwidths, "GB/s"), (flops, "GFLOP/s"))
        if curves
    ]
    return f"Ceilings of this machine: {' and '.join(best)}" if best else "Ceilings of this machine"


def _fitted_curves(fit: Fit) -> Iterator[show.Curve]:
    """Show the model's bandwidth for each kind of product, wherever bytes take time."""
    for kind, look in FITTED.items():
        x = np.geomspace(fit.knots[kind][0], fit.knots[kind][-1])
        y = fit.bandwidth(kind, x) / 1e9
        timed = np.isfinite(y)
        yield show.Curve(f"time model, {kind}", x[timed], y[timed], look=look, line="--")


def _ceiling_curves(evidence: Evidence, *, square: bool) -> tuple[show.Curve, ...]:
    """Show rates of square products over their rows; or of rows and copies over the bytes."""
    curves = []
    for (kind, kernel), look in KERNELS.items():
        series = [s for s in evidence.ceilings if (s.group, s.name) == (kind, kernel)]
        if series and square == (kind == "matrix-matrix"):
            series.sort(key=lambda s: s.cost.working_set)
            x = np.array([s.dims[0] if square else s.cost.working_set for s in series], float)
            y = np.array([efficiency.work_rate(s, flops=square) / 1e9 for s in series])
            curves.append(show.Curve(kernel, x, y, look=look, marks="filled"))
    return tuple(curves)


def _from_zero(curves: tuple[show.Curve, ...]) -> tuple[float, float]:
    return 0.0, 1.15 * max((float(curve.y.max()) for curve in curves), default=1.0)


def _regime_bands(evidence: Evidence, curves: tuple[show.Curve, ...]) -> tuple[show.Band, ...]:
    """Show where each memory regime begins and ends, a little beyond what was measured."""
    regimes = evidence.regimes
    low = min((float(curve.x.min()) for curve in curves), default=1.0) / 2
    high = 4 * max((float(curve.x.max()) for curve in curves), default=1.0)
    spans = {
        "L2": (low, min(regimes.l2, high)),
        "LLC": (max(regimes.llc_low, low), min(regimes.llc_high, high)),
        "memory": (max(regimes.memory, low), high),
    }
    return tuple(
        show.Band("", start, stop, "x", inside=name)
        for name, (start, stop) in spans.items()
        if start < stop
    )


def _ceilings_table(evidence: Evidence) -> show.Table:
    """List the best kernel for each kind of work and memory regime."""
    best = ((rate.series, rate) for rate in efficiency.best_ceilings(evidence))
    rows = ((s.group, rate.regime, s.name, s.cost.working_set, _speed(rate)) for s, rate in best)
    units: dict[str, show.Unit] = {"work": "text", "in": "text", "best kernel": "text"}
    units |= {"working set": "bytes", "rate": "text"}
    return show.table("Ceilings", units, rows)


def _speed(rate: efficiency.Rate) -> str:
    if rate.series.group == "empty call":
        return seconds(rate.series.time)
    return f"{rate.per_second / 1e9:.3g} {'GFLOP/s' if rate.counts_flops else 'GB/s'}"


def _efficiency_table(evidence: Evidence) -> show.Table:
    """List how near to its ceiling each order comes, in each memory regime."""
    units = dict.fromkeys(("order", "in", "cells", "median", "best", "remark"), TEXT)
    rows = map(_efficiency_row, efficiency.efficiencies(evidence))
    return show.table("Efficiency: rate reached / ceiling", units, rows)


def _efficiency_row(group: efficiency.Efficiency) -> tuple[str, ...]:
    values, most = group.values, efficiency.MOST_EFFICIENCY
    over = sum(value > most for value in values)
    remark = f"error of the ceiling: {over} above {most}, it was measured too low" if over else ""
    figures = (str(len(values)), f"{np.median(values):.2f}", f"{max(values):.2f}")
    return group.order, group.regime, *figures, remark


def _regimes_table(evidence: Evidence) -> show.Table:
    """List the memory regimes, with how many timed orders of chains fell into each."""
    edges = evidence.regimes
    bounds: dict[str, tuple[Any, ...]] = {
        "L2": ("at most", None, edges.l2),
        "LLC": ("between", edges.llc_low, edges.llc_high),
        "memory": ("from", edges.memory, None),
    }
    others = "in between, not judged"
    if not np.isfinite(edges.memory):
        bounds, others = {}, "caches unknown"
    timed = Counter(evidence.regime(s) for pair in evidence.chains.values() for s in pair)
    rows = ((name, *bounds.get(name, (others, None, None)), timed[name]) for name in REGIMES)
    units: dict[str, show.Unit] = {"regime": "text", "working set": "text", "from": "bytes"}
    return show.table("Memory regimes", units | {"to": "bytes", "timed": "count"}, rows)


def noise_figure(evidence: Evidence) -> show.Rows:
    """Show the same kernel against itself: every block of every control, in per cent."""
    floor = 100 * evidence.noise_floor
    pairs = sorted(evidence.controls, key=lambda pair: (pair[0].name, pair[0].dims))
    return show.Rows(
        "noise_floor",
        f"Noise floor {share(evidence.noise_floor)}: the same kernel against itself",
        "A/A controls, half of each block's samples against the other half. Every interval of this "
        "report is widened by the noise floor.",
        tuple(_control_name(first) for first, _ in pairs),
        ((show.Axis("ln(A / A) of a block (%)"), tuple((_control(pair),) for pair in pairs)),),
        levels=(show.Level("", 0.0, "x", line="-"),),
        bands=(show.Band(f"noise floor, {share(evidence.noise_floor)}", -floor, floor, "x"),),
        numbers=noise_table(evidence),
    )


def noise_table(evidence: Evidence) -> show.Table:
    """List the noise floor and its parts."""
    noise = evidence.noise
    rows = (
        ("what the samples of a block explain", noise.within),
        ("what differs between processes beyond that", noise.processes),
        ("what differs between shapes beyond that", noise.shapes),
        ("noise floor: root mean square over pairs and processes", noise.floor),
    )
    units: dict[str, show.Unit] = {"part": "text", "standard deviation of ln(A / A)": "share"}
    return show.table("Noise of this machine in this run, by its parts", units, rows)


def _control(pair: Pair) -> show.Mark:
    by_process = log_ratio(*pair)
    low, high = by_process.interval()
    look = cast("show.Look", pair[0].name)
    label, ends = "mean over processes with 95 % interval", (100 * low, 100 * high)
    strip = 100 * log_ratios(*pair).ravel()
    return show.Mark(label, 100 * by_process.value, ends, look, strip=strip[np.isfinite(strip)])


def _control_name(series: Series) -> str:
    return f"{series.name}, {sizes_in_words(series.dims).rpartition(' = ')[2]}"


EXPERIMENT = Experiment(
    "model",
    "Time of left-out cells",
    "One model for every chain predicts 90 % of the times within 25 %, and half of them within "
    "10 %, each from a fit that left its chain out. Every product takes a call, its flops at a "
    "rate, and its bytes at a bandwidth that depends on the working set of its chain. It is no "
    "claim of the article. Below it, the machine as this run found it.",
    cells=cells,
    judge=judge,
    findings=findings,
    shows=shows,
    default=False,
    beside=(),
    is_claim=False,
)
