"""Cost over one swept size: measured points against the formula's line, regime by regime."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence
from jacchain.analysis.slopes import LEVELS, MOST_OVERHEAD, Sweep, best, judged_regimes
from jacchain.analysis.slopes import slope as fitted_slope
from jacchain.analysis.slopes import sweep as collect
from jacchain.experiments.cells import BOTH
from jacchain.experiments.experiment import Figure
from jacchain.experiments.grids import Grid, all_grids
from jacchain.experiments.judging import Assessment
from jacchain.report.style import (
    LOOKS,
    MUTED,
    Axes,
    canvas,
    entitle,
    legend_below,
    mathtext,
    power_scale,
    time_scale,
)

LEAVING = "leaves the cache"
CHARACTERS = 68  # that fit side by side into the width of a ribbon
MOST_STEP = 2.0  # between neighbouring sizes; a longer step says nothing about one edge
_SHADES = {"L2": "#dbe9f6", "LLC": "#cfe8dc", "memory": "#f3e3d3"}


@dataclass(frozen=True)
class Stretch:
    """Neighbouring sizes of one sweep, by their indices; the slopes of time and of the formula.

    `judged` tells those of one memory regime from those between two, where the working set
    leaves a cache and nothing is judged.
    """

    name: str
    indices: NDArray[np.intp]
    slope: float
    expected: float
    judged: bool


def stretches(whole: Sweep, evidence: Evidence) -> list[Stretch]:
    """The judged regimes of a sweep and what lies between them, small sizes left out.

    Small ones are those at which the fixed overhead is over a tenth of the time.
    """
    judged = {
        name: np.flatnonzero(np.isin(whole.sizes, part.sizes))
        for name, part in judged_regimes(whole, evidence).items()
    }
    regimes = [evidence.regimes.name(touched) for touched in whole.working_set]
    overhead = evidence.overhead * whole.products > MOST_OVERHEAD * best(whole.times)
    inside = {(a, b) for indices in judged.values() for a, b in pairwise(indices.tolist())}
    steps = [
        step
        for step in pairwise(range(len(regimes)))
        if step not in inside
        and not overhead[step[0]]
        and _crosses(regimes, step)
        and whole.sizes[step[1]] <= MOST_STEP * whole.sizes[step[0]]
    ]
    found = [_stretch(whole, name, indices, judged=True) for name, indices in judged.items()]
    return found + [_stretch(whole, LEAVING, run, judged=False) for run in _runs(steps)]


def _crosses(regimes: list[str], step: tuple[int, int]) -> bool:
    a, b = (regimes[index] for index in step)
    return a != b or a.startswith("leaving")


def _runs(steps: list[tuple[int, int]]) -> Iterator[NDArray[np.intp]]:
    """Chained steps, each chain as its indices."""
    for _, group in groupby(enumerate(steps), key=lambda item: item[1][0] - item[0]):
        chain = [step for _, step in group]
        yield np.array([chain[0][0], *(stop for _, stop in chain)])


def _stretch(whole: Sweep, name: str, indices: NDArray[np.intp], *, judged: bool) -> Stretch:
    times = best(whole.times)[indices]
    measured, expected = (
        float(fitted_slope(np.log(whole.sizes[indices]), np.log(values)))
        for values in (times, whole.multiplications[indices])
    )
    return Stretch(name, indices, measured, expected, judged)


def draw_sweep(figure: Figure, assessment: Assessment) -> Canvas:
    """Time over one size, log-log, both orders; above it, where each order's data live."""
    grid = all_grids(assessment.profile)[figure.grid]
    evidence = assessment.evidence
    page = canvas(height=5.5)
    ribbons, axes = page.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [1, 4.4], "hspace": 0.02}
    )
    _label_sizes(axes, grid)
    for row, order in enumerate(BOTH):
        whole = collect(evidence, grid.name, grid.variable, grid.cells, order)
        if whole is not None:
            found = stretches(whole, evidence)
            _draw_order(axes, whole, found)
            _draw_ribbon(ribbons, row, whole, found)
    _label(page, ribbons, axes)
    entitle(page, figure.title)
    return page


def scaled_formula(whole: Sweep, stretch: Stretch | None) -> Array:
    """The formula's multiplications as seconds: scaled to the judged times, else to all."""
    chosen = slice(None) if stretch is None else stretch.indices
    ratios = np.log(best(whole.times) / whole.multiplications)[chosen]
    return np.asarray(whole.multiplications * np.exp(ratios.mean()))


def _draw_order(axes: Axes, whole: Sweep, found: list[Stretch]) -> None:
    """Formula, points with their intervals, and the dotted way out of a cache."""
    judged = [s for s in found if s.judged]
    widest = max(judged, key=lambda s: len(s.indices), default=None)
    style = {"color": LOOKS[whole.order].colour, "linewidth": 1.4, "alpha": 0.55, "zorder": 1.5}
    axes.plot(whole.sizes, scaled_formula(whole, widest), **style)
    for stretch in found:
        sizes, times = whole.sizes[stretch.indices], best(whole.times)[stretch.indices]
        if not stretch.judged:
            axes.plot(sizes, times, ":", color=MUTED, linewidth=1.6, zorder=1.8)
        elif stretch is not widest:
            axes.plot(sizes, scaled_formula(whole, stretch)[stretch.indices], **style)
    filled = np.isin(np.arange(len(whole.sizes)), [i for s in judged for i in s.indices])
    _draw_points(axes, whole, filled)


def _draw_points(axes: Axes, whole: Sweep, filled: NDArray[np.bool_]) -> None:
    look, times = LOOKS[whole.order], best(whole.times)
    low, high = np.quantile(whole.draws, LEVELS, axis=0)
    errors = np.maximum(0, [times - low, high - times])
    axes.errorbar(whole.sizes, times, errors, fmt="none", ecolor=look.colour, elinewidth=1.4)
    for mask, face in ((filled, look.colour), (~filled, "white")):
        axes.plot(
            whole.sizes[mask], times[mask], look.marker, color=look.colour, markersize=6,
            markerfacecolor=face, label=whole.order if mask is filled else "_hollow", zorder=3,
        )  # fmt: skip


def _draw_ribbon(axes: Axes, row: int, whole: Sweep, found: list[Stretch]) -> None:
    """One order's memory regimes along the sizes, with the slopes in each."""
    centre = len(BOTH) - 1 - row
    spans = [whole.sizes[stretch.indices[[0, -1]]] for stretch in found]
    bands = [span for span, stretch in zip(spans, found, strict=True) if stretch.judged]
    for stretch, (low, high) in zip(found, spans, strict=True):
        slopes = f"{stretch.slope:.2f} / {stretch.expected:.2f}"
        if stretch.judged:
            shade = _SHADES[stretch.name]
            axes.barh(centre, high - low, left=low, height=0.86, linewidth=0, color=shade)
            texts = (f"{stretch.name} {slopes}", f"{stretch.name} {stretch.slope:.2f}")
            room = CHARACTERS * _share(axes, low, high)
            text = next((text for text in texts if len(text) <= room), stretch.name)
            place, align = np.sqrt(low * high), "center"
        else:
            before = any(high == start for start, _ in bands)
            after = any(low == stop for _, stop in bands)
            text = f"({stretch.slope:.2f})" if before and after else f"({slopes})"
            place, align = _beside(low, high, before=before, after=after)
        axes.text(place, centre, text, ha=align, va="center", fontsize=10.5,
                  color=None if stretch.judged else MUTED)  # fmt: skip


def _share(axes: Axes, low: float, high: float) -> float:
    """Share of the width that lies between two sizes, on a logarithmic axis."""
    left, right = axes.get_xlim()
    return float(np.log(high / low) / np.log(right / left))


def _beside(low: float, high: float, *, before: bool, after: bool) -> tuple[float, str]:
    """Where to write between two sizes without touching the band before or after them."""
    if before == after:
        return float(np.sqrt(low * high)), "center"
    return (float(high * 0.93), "right") if before else (float(low * 1.07), "left")


def _label_sizes(axes: Axes, grid: Grid) -> None:
    """The swept size, over the whole grid even where some of it was not measured."""
    unit = "layers" if grid.name == "depth" else "elements"
    sizes = [size for size, _ in grid.cells]
    power_scale(axes.xaxis, 2)
    axes.set_xlim(min(sizes) / 1.4, max(sizes) * 1.4)
    axes.set_xlabel(f"{mathtext(grid.variable)} ({unit})")


def _label(page: Canvas, ribbons: Axes, axes: Axes) -> None:
    if axes.lines:
        axes.plot([], [], color=MUTED, alpha=0.8, label="formula, scaled to the filled points")
        axes.plot([], [], ":", color=MUTED, linewidth=1.6, label=f"{LEAVING}, not judged")
        time_scale(axes.yaxis)
        legend_below(page, axes)
    axes.set_ylabel("time per evaluation (s)")
    ribbons.set_yticks(range(len(BOTH)), BOTH[::-1])
    for label, order in zip(ribbons.get_yticklabels(), BOTH[::-1], strict=True):
        label.set_color(LOOKS[order].colour)
    ribbons.set_ylim(-0.6, len(BOTH) - 0.4)
    ribbons.grid(visible=False)
    ribbons.spines[:].set_visible(False)
    ribbons.tick_params(length=0, labelbottom=False)
    ribbons.set_title(f"slope of time / formula by memory regime; ({LEAVING})",
                      fontsize=10.5, fontweight="normal", color=MUTED, pad=4)  # fmt: skip
