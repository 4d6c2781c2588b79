"""Beside the claims: the machine in this run, and how well a model of it predicts times.

Its cells are those that every run with timed cells needs: the same kernel against itself, the
ceilings of the machine, and a chain of ones, whose products cost nothing but their calls.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis import efficiency
from jacchain.analysis import fit as model
from jacchain.analysis.evidence import REGIMES, Evidence, Pair, Series
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.ratios import log_ratios
from jacchain.analysis.verdicts import Part
from jacchain.costs.ceilings import Ceiling, ceilings
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, Arm, Cell, chain_cell
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.grids import input_grid
from jacchain.experiments.sizes import Sizes

TEXT: show.Unit = "text"
SMALL = 32  # a side below which a matrix product does not reach its rate
KERNELS: dict[tuple[str, str], show.Look] = {
    ("row-matrix", "v @ M"): "loss-first",
    ("row-matrix", "v @ M.T"): "muted",
    ("copy", "copyto"): "third",
    ("matrix-matrix", "A @ B"): "input-first",
    ("matrix-matrix", "A @ B.T"): "fourth",
}


def cells(sizes: Sizes) -> list[Cell]:
    """Measure A/A pairs at three sizes of `|x|`, ceilings, and a chain of ones."""
    swept = input_grid(sizes).cells
    dims = [swept[0][1], swept[len(swept) // 2][1], swept[-1][1]]
    controls = [chain_cell(d, (order, order), role="control") for d in dims for order in BOTH]
    kernels = ceilings(sizes.l2, sizes.llc, itemsize=sizes.itemsize)
    overhead = chain_cell((1, 1, 1, 1, 1), role="overhead")
    return [*controls, overhead, *map(_ceiling_cell, kernels)]


def _ceiling_cell(ceiling: Ceiling) -> Cell:
    name = f"ceiling {ceiling.kind} {ceiling.kernel} {ceiling.shape[0]}x{ceiling.shape[1]}"
    return Cell(name, ceiling.shape, partial(_ceiling_arm, ceiling), "ceiling", ceiling.kind)


def _ceiling_arm(ceiling: Ceiling, dtype: np.dtype[Any], _: int) -> tuple[Arm]:
    return (Arm(ceiling.kernel, ceiling.cost, partial(ceiling.build, ceiling.shape, dtype)),)


def judge(evidence: Evidence, _: Sizes) -> list[Part]:
    """Judge whether each time is within 25 % of a prediction made without its cell."""
    fit = model.fit_times(evidence)
    return [] if fit is None else model.model_parts(fit, evidence)


def findings(evidence: Evidence, _: Sizes) -> Iterator[Finding]:
    """Compare the predictions that miss by over 25 % with those to which no cause applies."""
    fit = model.fit_times(evidence)
    if fit is None:
        return
    times = np.array([series.time for series in fit.series])
    misses = np.abs(fit.predicted / times - 1) > model.MOST_ERROR
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
        f"{misses.sum()} of {len(misses)} predictions miss by more than {model.MOST_ERROR:.0%}.",
        f"One rate for each kind of product is too simple where {'; where '.join(shares)}.",
        f"Where none of these applies, {within} of {clean.sum()} are within "
        f"{model.MOST_ERROR:.0%}.",
        vanishes=bool(within == clean.sum()),
    )


def _causes(fit: model.Fit, evidence: Evidence) -> dict[str, NDArray[np.bool_]]:
    """Return what may spoil a prediction, and whether it applies to each series, (n,)."""
    calls = [evidence.overhead * s.cost.products > 0.1 * s.time for s in fit.series]
    leaving = [evidence.regime(s).startswith("leaving") for s in fit.series]
    small = [min(s.dims[1:]) < SMALL for s in fit.series]
    place = "the working set is leaving a cache, where bandwidth changes within the regime"
    return {
        place: np.array(leaving),
        f"a side is under {SMALL}, too small for BLAS to reach its rate": np.array(small),
        "calls take over a tenth of the time": np.array(calls),
    }


def shows(evidence: Evidence, _: Sizes) -> Iterator[show.Figure | show.Table]:
    """Show the model's residuals and coefficients, the ceilings, the memory regimes, the noise."""
    fit = model.fit_times(evidence)
    if fit is not None:
        yield from (_residuals(fit), _coefficients(fit))
    if evidence.ceilings:
        yield from (_ceilings_figure(evidence), _ceilings_table(evidence))
        yield _efficiency_table(evidence)
    yield _regimes_table(evidence)
    if evidence.controls:
        yield noise_figure(evidence)


def _residuals(fit: model.Fit) -> show.Scatter:
    """Show predicted / measured time of every chain, each predicted without the chain."""
    times = np.array([series.time for series in fit.series])
    ratios = fit.predicted / times
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
        bands=(
            show.Band(
                f"within {100 * model.MOST_ERROR:.0f} %", 1 - model.MOST_ERROR, 1 + model.MOST_ERROR
            ),
        ),
    )
    return show.Scatter(
        "residuals",
        "Residuals of the time model",
        "Predicted / measured time, each prediction from a fit that left its cell out.",
        panel,
    )


def _coefficients(fit: model.Fit) -> show.Table:
    """List the coefficients with their intervals, and the rates that they amount to."""
    caption = f"The condition number is {fit.condition:.1f}: the parts can be told apart"
    if not fit.separable:
        caption = (
            f"The condition number is {fit.condition:.0f}, above {model.MOST_CONDITION:.0f}: the "
            "parts can't be told apart, and only their sum, the predicted time, is reported"
        )
    terms = zip(model.TERMS, model.UNITS, fit.coefficients, fit.intervals, strict=True)
    rows = [
        (name, f"{value:.3g} {unit}", f"{low:.3g} to {high:.3g}", _per_second(name, value))
        for name, unit, value, (low, high) in terms
    ]
    units = dict.fromkeys(("term", "coefficient", "95 % interval", "that is"), TEXT)
    return show.table(f"Coefficients. {caption}", units, rows if fit.separable else ())


def _per_second(term: str, value: float) -> str:
    if value <= 0:
        return "not in use"
    if term == "calls":
        return f"{1e6 * value:.3g} us"
    return f"{1e-9 / value:.3g} {'GFLOP/s' if term.startswith('flops') else 'GB/s'}"


def _ceilings_figure(evidence: Evidence) -> show.Lines:
    """Show bandwidth over the working set, with the regimes' edges; flops of square products."""
    left, right = (_ceiling_curves(evidence, square=square) for square in (False, True))
    bandwidth = show.Axis("bandwidth (GB/s)", limits=_from_zero(left))
    flops = show.Axis("square products (GFLOP/s)", limits=_from_zero(right))
    ticks = tuple(sorted({float(rows) for curve in right for rows in curve.x}))
    bands = _regime_bands(evidence, left)
    panels = (
        show.Panel("", show.Axis("working set (bytes)", "bytes"), bandwidth, left, bands=bands),
        show.Panel("", show.Axis("matrix size (rows)", ticks=ticks), flops, right),
    )
    return show.Lines(
        "ceilings",
        "Ceilings of this machine",
        "Left: bandwidth of a row times a matrix, and of a copy, over the working set; shaded: the "
        "memory regimes in which slopes are judged. Right: square matrix products.",
        (panels,),
        widths=(2, 1),
        inches=4.4,
    )


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
        return f"{1e6 * rate.series.time:.3g} us"
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
        "Noise floor: the same kernel against itself",
        "A/A controls, half of each block's samples against the other half. Every interval of this "
        "report is widened by the noise floor.",
        tuple(_control_name(first) for first, _ in pairs),
        ((show.Axis("ln(A / A) of a block (%)"), tuple((_control(pair),) for pair in pairs)),),
        levels=(show.Level("", 0.0, "x", line="-"),),
        bands=(show.Band(f"noise floor, {floor:.1f} %", -floor, floor, "x"),),
    )


def _control(pair: Pair) -> show.Mark:
    logs = 100 * log_ratios(*pair)
    low, middle, high = (float(end) for end in median_interval(logs))
    label = "median with 95 % interval"
    return show.Mark(label, middle, (low, high), cast("show.Look", pair[0].name), strip=logs)


def _control_name(series: Series) -> str:
    if len(series.dims) == 5:
        return f"{series.name}, |x| = {series.dims[-1]:,}"
    return f"{series.name}, {len(series.dims) - 2} layers"


EXPERIMENT = Experiment(
    "model",
    "Time of left-out cells",
    "One model for every cell: t = c0 calls + c1 flops + c2 bytes, with one c1 for each kind of "
    "product and one c2 for each memory regime. It is no claim of the article; each prediction is "
    "made without the cell that it is judged on. Below it, the machine as this run found it.",
    cells=cells,
    judge=judge,
    findings=findings,
    shows=shows,
    default=False,
    beside=(),
    is_claim=False,
)
