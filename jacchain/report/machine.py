"""The run itself: residuals of the time model, the noise floor, the ceilings of the machine."""

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from jacchain.analysis.evidence import Evidence, Series, log_ratios
from jacchain.analysis.fit import MOST_ERROR, Fit
from jacchain.analysis.intervals import median_interval
from jacchain.experiments.cells import BOTH
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.report.style import (
    GREEN,
    LOOKS,
    MUTED,
    ORANGE,
    Axes,
    byte_scale,
    canvas,
    entitle,
    mathtext,
    time_scale,
)

KERNELS = {
    ("row-matrix", "v @ M"): (LOOKS["loss-first"].colour, "o"),
    ("row-matrix", "v @ M.T"): ("#56B4E9", "^"),
    ("copy", "copyto"): (GREEN, "D"),
    ("matrix-matrix", "A @ B"): (LOOKS["input-first"].colour, "s"),
    ("matrix-matrix", "A @ B.T"): (ORANGE, "v"),
}


def draw_residuals(figure: Figure, assessment: Assessment) -> Canvas:
    """Predicted over measured time of every cell, each prediction made without the cell."""
    page = canvas()
    axes = page.subplots()
    axes.axhspan(1 - MOST_ERROR, 1 + MOST_ERROR, color="#e3f1ea", zorder=0.5, label="within 25 %")
    axes.axhline(1, color=MUTED, linewidth=1)
    if assessment.fit is not None:
        _draw_predictions(axes, assessment.fit)
        axes.legend(loc="best", ncols=3)
    entitle(page, figure.title)
    axes.set_xlabel("measured time per evaluation (s)")
    axes.set_ylabel("predicted / measured (ratio)")
    return page


def _draw_predictions(axes: Axes, fit: Fit) -> None:
    times = np.array([s.time for s in fit.series])
    ratios = fit.predicted / times
    for order in BOTH:
        mask = np.array([s.order == order for s in fit.series])
        look = LOOKS[order]
        axes.plot(times[mask], ratios[mask], look.marker, color=look.colour, markersize=5.5,
                  alpha=0.85, label=order)  # fmt: skip
    time_scale(axes.xaxis)
    low, high = min(0.6, 0.9 * ratios.min()), max(1.8, 1.15 * ratios.max())
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    ticks = [t for t in (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10) if low <= t <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw_noise(figure: Figure, assessment: Assessment) -> Canvas:
    """The same kernel against itself: every block of every control, in per cent."""
    evidence = assessment.evidence
    controls = sorted(evidence.controls, key=lambda pair: (pair[0].order, pair[0].dims))[::-1]
    page = canvas(height=2.2 + 0.42 * len(controls))
    axes = page.subplots()
    floor = 100 * evidence.noise_floor
    axes.axvspan(-floor, floor, color="#eef1f4", zorder=0.5, label=f"noise floor, {floor:.1f} %")
    axes.axvline(0, color=MUTED, linewidth=1)
    for row, control in enumerate(controls):
        _draw_control(axes, row, control)
    axes.set_yticks(range(len(controls)), [_control_name(a) for a, _ in controls])
    axes.set_ylim(-0.7, len(controls) - 0.3)
    axes.grid(visible=False, axis="y")
    entitle(page, figure.title)
    axes.set_xlabel("ln(A / A) of a block (%)")
    if controls:
        page.legend(loc="outside lower center", ncols=3, handlelength=1.4)
    return page


def _draw_control(axes: Axes, row: int, control: tuple[Series, Series]) -> None:
    logs = 100 * log_ratios(*control)
    low, middle, high = median_interval(logs)
    colour = LOOKS[control[0].order].colour
    first = row == 0
    axes.plot(logs, np.full(len(logs), row), "|", color=MUTED, markersize=9, alpha=0.8,
              label="one block" if first else "_block")  # fmt: skip
    axes.errorbar(
        middle, row, xerr=[[middle - low], [high - middle]], fmt=LOOKS[control[0].order].marker,
        color=colour, markersize=6, elinewidth=2.2,
        label="median with 95 % interval" if first else "_median",
    )  # fmt: skip


def _control_name(series: Series) -> str:
    if len(series.dims) == 5:
        return mathtext(f"{series.order}, |x| = {series.dims[-1]:,}")
    return f"{series.order}, {len(series.dims) - 2} layers"


def draw_ceilings(figure: Figure, assessment: Assessment) -> Canvas:
    """Bandwidth over the working set, with the regimes' edges; flops of square products."""
    evidence = assessment.evidence
    page = canvas(height=4.4)
    left, right = page.subplots(1, 2, width_ratios=[2, 1])
    for kernel, (colour, marker) in KERNELS.items():
        found = [s for s in evidence.ceilings.values() if (s.engine, s.order) == kernel]
        found.sort(key=lambda s: s.working_set)
        axes = right if kernel[0] == "matrix-matrix" else left
        values = [_rate(s) / s.time / 1e9 for s in found]
        sizes = [s.dims[0] if axes is right else s.working_set for s in found]
        if found:
            axes.plot(sizes, values, marker + "-", color=colour, markersize=5.5, linewidth=1.2,
                      label=kernel[1])  # fmt: skip
    if left.lines:
        byte_scale(left.xaxis)
        _draw_edges(left, evidence)
    _label_ceilings(page, left, right, figure.title)
    return page


def _rate(series: Series) -> int:
    """What is counted per second: flops of a square product, bytes of the others."""
    flops = series.matrix_flops + series.row_flops
    return flops if series.engine == "matrix-matrix" else series.bytes


def _draw_edges(axes: Axes, evidence: Evidence) -> None:
    """Where each memory regime begins and ends."""
    regimes = evidence.regimes
    low, high = axes.get_xlim()[0], 4 * axes.get_xlim()[1]
    spans = {
        "L2": (low, min(regimes.l2, high)),
        "LLC": (max(regimes.llc_low, low), min(regimes.llc_high, high)),
        "memory": (max(regimes.memory, low), high),
    }
    for name, (start, stop) in spans.items():
        if start < stop:
            axes.axvspan(start, stop, color="#eef1f4", zorder=0.5)
            axes.text(np.sqrt(start * stop), 0.985, name, ha="center", va="top", color=MUTED,
                      transform=axes.get_xaxis_transform())  # fmt: skip
    axes.set_xlim(low, high)


def _label_ceilings(page: Canvas, left: Axes, right: Axes, title: str) -> None:
    left.set_xlabel("working set (bytes)")
    left.set_ylabel("bandwidth (GB/s)")
    right.set_xlabel("matrix size (rows)")
    right.set_ylabel("square products (GFLOP/s)")
    for axes in (left, right):
        axes.set_ylim(0, axes.get_ylim()[1] * 1.12 if axes.lines else 1)
        if axes.lines:
            axes.legend(loc="lower left")
    right.set_xticks(sorted({int(n) for line in right.lines for n in line.get_xdata()}))
    entitle(page, title)
