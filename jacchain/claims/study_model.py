"""Beside the claims: the machine in this run, and how well a model of it predicts times.

Its cells are those that every run with timed cells needs: the same kernel against itself, the
ceilings of the machine, and a chain of ones, whose products cost nothing but their calls.
"""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from jacchain.analysis.efficiency import (
    MOST_EFFICIENCY,
    Efficiency,
    Rate,
    best_ceilings,
    efficiencies,
    work_rate,
)
from jacchain.analysis.evidence import REGIMES, Evidence, Pair, Series
from jacchain.analysis.fit import (
    MOST_CONDITION,
    MOST_ERROR,
    TERMS,
    UNITS,
    Fit,
    fit_times,
    model_parts,
)
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.ratios import log_ratios
from jacchain.analysis.verdicts import Part
from jacchain.costs.ceilings import Ceiling, ceilings
from jacchain.experiments.cell import BOTH, Arm, Cell, chain_cell
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.grids import input_grid
from jacchain.experiments.show import (
    Axis,
    Band,
    Column,
    Curve,
    Figure,
    Level,
    Lines,
    Look,
    Mark,
    Panel,
    Rows,
    Scatter,
    Table,
)
from jacchain.experiments.sizes import Sizes

SMALL = 32  # a side below which a matrix product does not reach its rate
KERNELS: dict[tuple[str, str], Look] = {
    ("row-matrix", "v @ M"): "loss-first",
    ("row-matrix", "v @ M.T"): "muted",
    ("copy", "copyto"): "third",
    ("matrix-matrix", "A @ B"): "input-first",
    ("matrix-matrix", "A @ B.T"): "fourth",
}


def cells(sizes: Sizes) -> list[Cell]:
    """A/A pairs at the smallest, a middle and the largest `|x|`, ceilings, and a chain of ones."""
    swept = input_grid(sizes).cells
    dims = [swept[0][1], swept[len(swept) // 2][1], swept[-1][1]]
    controls = [chain_cell(d, (order, order), role="control") for d in dims for order in BOTH]
    kernels = ceilings(sizes.l2, sizes.llc, itemsize=sizes.itemsize)
    return [
        *controls,
        chain_cell((1, 1, 1, 1, 1), role="overhead"),
        *map(_ceiling_cell, kernels),
    ]


def _ceiling_cell(ceiling: Ceiling) -> Cell:
    name = f"ceiling {ceiling.kind} {ceiling.kernel} {ceiling.shape[0]}x{ceiling.shape[1]}"
    return Cell(name, ceiling.shape, partial(_ceiling_arm, ceiling), "ceiling", ceiling.kind)


def _ceiling_arm(ceiling: Ceiling, dtype: np.dtype[Any], _: int) -> tuple[Arm]:
    return (Arm(ceiling.kernel, ceiling.cost, partial(ceiling.build, ceiling.shape, dtype)),)


def judge(evidence: Evidence, _: Sizes) -> list[Part]:
    """Judge whether each time is within 25 % of a prediction made without its cell."""
    fit = fit_times(evidence)
    return [] if fit is None else model_parts(fit, evidence)


def findings(evidence: Evidence, _: Sizes) -> list[Finding]:
    """Compare the predictions that miss by over 25 % with those to which no cause applies."""
    fit = fit_times(evidence)
    if fit is None:
        return []
    times = np.array([series.time for series in fit.series])
    misses = np.abs(fit.predicted / times - 1) > MOST_ERROR
    causes = [_causes(series, evidence) for series in fit.series]
    clean = np.array([not any(cause.values()) for cause in causes])
    if not misses.any() or not clean.any():
        return []
    shares = [
        f"{cause} ({int(misses[applies].sum())} of {int(applies.sum())} miss)"
        for cause in causes[0]
        if (applies := np.array([group[cause] for group in causes])).any()
    ]
    within = int(np.count_nonzero(~misses[clean]))
    return [
        Finding(
            f"{int(misses.sum())} of {len(misses)} predictions miss by more than {MOST_ERROR:.0%}.",
            "One rate for each kind of product is too simple where "
            + "; where ".join(shares)
            + ".",
            f"Where none of these applies, {within} of {int(clean.sum())} are within "
            f"{MOST_ERROR:.0%}.",
            vanishes=within == int(clean.sum()),
        )
    ]


def _causes(series: Series, evidence: Evidence) -> dict[str, bool]:
    """What may spoil a prediction, by its name, and whether it applies to this series."""
    return {
        "the working set is leaving a cache, where bandwidth changes within the regime": (
            evidence.regime(series).startswith("leaving")
        ),
        f"a side is under {SMALL}, too small for BLAS to reach its rate": (
            min(series.dims[1:]) < SMALL
        ),
        "calls take over a tenth of the time": (
            evidence.overhead * series.cost.products > 0.1 * series.time
        ),
    }


def shows(evidence: Evidence, _: Sizes) -> list[Figure | Table]:
    """The model's residuals and coefficients, the ceilings, the memory regimes, the noise."""
    fit = fit_times(evidence)
    items: list[Figure | Table] = [] if fit is None else [_residuals(fit), _coefficients(fit)]
    if evidence.ceilings:
        items += [_ceilings_figure(evidence), _ceilings_table(evidence)]
        items += [_efficiency_table(evidence)]
    items += [_regimes_table(evidence)]
    return items + ([noise_figure(evidence)] if evidence.controls else [])


def _residuals(fit: Fit) -> Scatter:
    """Predicted / measured time of every chain, each prediction made without the chain."""
    times = np.array([series.time for series in fit.series])
    ratios = fit.predicted / times
    low, high = min(0.6, 0.9 * ratios[ratios > 0].min(initial=1.0)), max(1.8, 1.15 * ratios.max())
    ticks = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10)
    curves = [
        Curve(order, times[mask], ratios[mask], look=_look(order), marks="filled", line="")
        for order in BOTH
        if (mask := np.array([series.name == order for series in fit.series])).any()
    ]
    panel = Panel(
        "",
        Axis("measured time per evaluation (s)", "seconds"),
        Axis(
            "predicted / measured (ratio)",
            "sizes",
            tuple(t for t in ticks if low <= t <= high),
            (float(low), float(high)),
        ),
        tuple(curves),
        levels=(Level("", 1.0, line="-"),),
        bands=(Band(f"within {100 * MOST_ERROR:.0f} %", 1 - MOST_ERROR, 1 + MOST_ERROR),),
    )
    return Scatter(
        "residuals",
        "Residuals of the time model",
        "Predicted / measured time, each prediction from a fit that left its cell out.",
        panel,
    )


def _look(order: str) -> Look:
    return "loss-first" if order == "loss-first" else "input-first"


def _coefficients(fit: Fit) -> Table:
    """The coefficients with their intervals, and the rates that they amount to."""
    told = f"The condition number is {fit.condition:.1f}: the parts can be told apart"
    if not fit.separable:
        told = (
            f"The condition number is {fit.condition:.0f}, above {MOST_CONDITION:.0f}: the parts "
            "can't be told apart, and only their sum, the predicted time, is reported"
        )
    terms = zip(TERMS, UNITS, fit.coefficients, fit.intervals, strict=True)
    rows = tuple(
        (name, f"{value:.3g} {unit}", f"{low:.3g} to {high:.3g}", _per_second(name, value))
        for name, unit, value, (low, high) in terms
    )
    names = ("term", "coefficient", "95 % interval", "that is")
    columns = tuple(Column(name) for name in names)
    return Table(f"Coefficients. {told}", columns, rows if fit.separable else ())


def _per_second(term: str, value: float) -> str:
    if value <= 0:
        return "not in use"
    if term == "calls":
        return f"{1e6 * value:.3g} us"
    return f"{1e-9 / value:.3g} {'GFLOP/s' if term.startswith('flops') else 'GB/s'}"


def _ceilings_figure(evidence: Evidence) -> Lines:
    """Bandwidth over the working set, with the regimes' edges; flops of square products."""
    groups: dict[str, list[Curve]] = {"left": [], "right": []}
    for (kind, kernel), look in KERNELS.items():
        series = [s for s in evidence.ceilings if (s.group, s.name) == (kind, kernel)]
        series.sort(key=lambda s: s.cost.working_set)
        square = kind == "matrix-matrix"
        sizes = [s.dims[0] if square else s.cost.working_set for s in series]
        rates = [work_rate(s, flops=square) / 1e9 for s in series]
        if series:
            x, y = np.array(sizes, dtype=float), np.array(rates)
            groups["right" if square else "left"].append(
                Curve(kernel, x, y, look=look, marks="filled", line="-")
            )
    left, right = (tuple(curves) for curves in groups.values())
    rows = tuple(sorted({float(n) for curve in right for n in curve.x}))
    return Lines(
        "ceilings",
        "Ceilings of this machine",
        "Left: bandwidth of a row times a matrix, and of a copy, over the working set; shaded: the "
        "memory regimes in which slopes are judged. Right: square matrix products.",
        (
            (
                Panel(
                    "",
                    Axis("working set (bytes)", "bytes"),
                    Axis("bandwidth (GB/s)", limits=_from_zero(left)),
                    left,
                    bands=_regime_bands(evidence, left),
                ),
                Panel(
                    "",
                    Axis("matrix size (rows)", ticks=rows),
                    Axis("square products (GFLOP/s)", limits=_from_zero(right)),
                    right,
                ),
            ),
        ),
        widths=(2, 1),
        inches=4.4,
    )


def _from_zero(curves: tuple[Curve, ...]) -> tuple[float, float]:
    return 0.0, 1.15 * max((float(curve.y.max()) for curve in curves), default=1.0)


def _regime_bands(evidence: Evidence, curves: tuple[Curve, ...]) -> tuple[Band, ...]:
    """Where each memory regime begins and ends, a little beyond what was measured."""
    regimes = evidence.regimes
    low = min((float(curve.x.min()) for curve in curves), default=1.0) / 2
    high = 4 * max((float(curve.x.max()) for curve in curves), default=1.0)
    spans = {
        "L2": (low, min(regimes.l2, high)),
        "LLC": (max(regimes.llc_low, low), min(regimes.llc_high, high)),
        "memory": (max(regimes.memory, low), high),
    }
    return tuple(
        Band("", start, stop, "x", inside=name)
        for name, (start, stop) in spans.items()
        if start < stop
    )


def _ceilings_table(evidence: Evidence) -> Table:
    """The best kernel for each kind of work and memory regime."""
    columns = (
        Column("work"),
        Column("in"),
        Column("best kernel"),
        Column("working set", "bytes"),
        Column("rate"),
    )
    rows = tuple(
        (
            rate.series.group,
            rate.regime,
            rate.series.name,
            rate.series.cost.working_set,
            _speed(rate),
        )
        for rate in best_ceilings(evidence)
    )
    return Table("Ceilings", columns, rows)


def _speed(rate: Rate) -> str:
    if rate.series.group == "empty call":
        return f"{1e6 * rate.series.time:.3g} us"
    return f"{rate.per_second / 1e9:.3g} {'GFLOP/s' if rate.counts_flops else 'GB/s'}"


def _efficiency_table(evidence: Evidence) -> Table:
    """How near to its ceiling each order comes, in each memory regime."""
    names = ("order", "in", "cells", "median", "best", "remark")
    rows = tuple(_efficiency_row(group) for group in efficiencies(evidence))
    columns = tuple(Column(name) for name in names)
    return Table("Efficiency: rate reached / ceiling", columns, rows)


def _efficiency_row(group: Efficiency) -> tuple[str, ...]:
    best, middle = max(group.values), float(np.median(group.values))
    remark = ""
    if best > MOST_EFFICIENCY:
        over = sum(value > MOST_EFFICIENCY for value in group.values)
        remark = f"error of the ceiling: {over} above {MOST_EFFICIENCY}, it was measured too low"
    count = str(len(group.values))
    return group.order, group.regime, count, f"{middle:.2f}", f"{best:.2f}", remark


def _regimes_table(evidence: Evidence) -> Table:
    """The memory regimes, with how many timed orders of chains fell into each."""
    edges = evidence.regimes
    known = bool(np.isfinite(edges.memory))
    bounds = {
        "L2": ("at most", None, edges.l2),
        "LLC": ("between", edges.llc_low, edges.llc_high),
        "memory": ("from", edges.memory, None),
    }
    series = (s for pair in evidence.chains.values() for s in pair)
    timed = Counter(evidence.regime(s) for s in series)
    between = ("in between, not judged", None, None)
    unknown = ("caches unknown", None, None)
    rows = tuple(
        (name, *(bounds.get(name, between) if known else unknown), timed[name]) for name in REGIMES
    )
    columns = (
        Column("regime"),
        Column("working set"),
        Column("from", "bytes"),
        Column("to", "bytes"),
        Column("timed", "count"),
    )
    return Table("Memory regimes", columns, rows)


def noise_figure(evidence: Evidence) -> Rows:
    """The same kernel against itself: every block of every control, in per cent."""
    floor = 100 * evidence.noise_floor
    pairs = sorted(evidence.controls, key=lambda pair: (pair[0].name, pair[0].dims))
    return Rows(
        "noise_floor",
        "Noise floor: the same kernel against itself",
        "A/A controls, half of each block's samples against the other half. Every interval of this "
        "report is widened by the noise floor.",
        tuple(_control_name(first) for first, _ in pairs),
        ((Axis("ln(A / A) of a block (%)"), tuple((_control(pair),) for pair in pairs)),),
        levels=(Level("", 0.0, "x", line="-"),),
        bands=(Band(f"noise floor, {floor:.1f} %", -floor, floor, "x"),),
    )


def _control(pair: Pair) -> Mark:
    logs = 100 * log_ratios(*pair)
    low, middle, high = (float(end) for end in median_interval(logs))
    label = "median with 95 % interval"
    return Mark(label, middle, (low, high), _look(pair[0].name), strip=logs)


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
