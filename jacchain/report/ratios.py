"""Input-first over loss-first: over the (|x|, |z|) plane, and cell by cell."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from jacchain.analysis.evidence import Array, Evidence, Series, log_ratios
from jacchain.analysis.intervals import median_interval
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.experiments.profiles import Profile
from jacchain.experiments.ratios import CHEAPER, FAR_CHEAPER, LARGE_RATIO, LEAST_RATIO
from jacchain.report.style import (
    GREEN,
    INK,
    MUTED,
    ORANGE,
    POWERS,
    Axes,
    canvas,
    entitle,
    mathtext,
    ratio_scale,
)

COLOURS = "cividis"
MOST_BESIDE = 6  # columns; wider planes stand one above the other
UNIT = "input-first / loss-first"


def time_ratio(loss: Series, inputs: Series) -> float:
    """Median over the blocks of time(input-first) / time(loss-first)."""
    return float(np.exp(np.median(log_ratios(inputs, loss))))


def multiplication_ratio(loss: Series, inputs: Series) -> float:
    """The formula's ratio of the same two."""
    return inputs.multiplications / loss.multiplications


def measured_plane(evidence: Evidence, profile: Profile) -> Array:
    """Ratios of times, shape (len(plane_z), len(plane_x)); nan where nothing was measured."""
    found = {loss.dims: time_ratio(loss, inputs) for loss, inputs in evidence.pairs()}
    return np.array([[found.get(dims, np.nan) for dims in row] for row in _plane_dims(profile)])


def formula_plane(profile: Profile) -> Array:
    """Ratios of multiplications at the same sizes, measured or not."""
    return np.array(
        [
            [multiplications(INPUT_FIRST, d) / multiplications(LOSS_FIRST, d) for d in row]
            for row in _plane_dims(profile)
        ]
    )


def _plane_dims(profile: Profile) -> list[list[Dims]]:
    return [[(1, z, z, z, x) for x in profile.plane_x] for z in profile.plane_z]


def draw_plane(figure: Figure, assessment: Assessment) -> Canvas:
    """Two maps with one scale of colours: ratio of times, ratio of multiplications."""
    evidence, profile = assessment.evidence, assessment.profile
    maps = {
        "times, measured": measured_plane(evidence, profile),
        "multiplications, formula": formula_plane(profile),
    }
    beside = len(profile.plane_x) <= MOST_BESIDE
    page = canvas(height=4.3 if beside else 2.2 + 0.8 * len(profile.plane_z))
    panels = page.subplots(*((1, 2) if beside else (2, 1)), sharex=True, sharey=True)
    values = np.concatenate([grid.ravel() for grid in maps.values()])
    norm = _shared_norm(values[np.isfinite(values)])
    for axes, (name, grid) in zip(panels, maps.items(), strict=True):
        drawn = _draw_map(axes, grid, norm, profile)
        axes.set_title(name, fontweight="normal", fontsize=11.5)
    _label_plane(page, panels, drawn, beside=beside)
    entitle(page, figure.title)
    return page


def _shared_norm(values: Array) -> LogNorm:
    low, high = (values.min(), values.max()) if values.size else (1.0, 10.0)
    return LogNorm(low, max(high, 1.01 * low))


def _draw_map(axes: Axes, grid: Array, norm: LogNorm, profile: Profile) -> Any:
    """Coloured cells with their numbers; hatched where there is none."""
    drawn = axes.pcolormesh(
        np.ma.masked_invalid(grid), cmap=COLOURS, norm=norm, edgecolor="white", linewidth=1
    )
    for (row, column), value in np.ndenumerate(grid):
        if np.isnan(value):
            axes.fill(
                column + np.array([0, 1, 1, 0]), row + np.array([0, 0, 1, 1]),
                facecolor="#f6f8fa", edgecolor="#8c959f", hatch="////", linewidth=0,
            )  # fmt: skip
        else:
            dark = np.mean(colormaps[COLOURS](norm(value))[:3]) < 0.5
            axes.text(column + 0.5, row + 0.5, short(value), ha="center", va="center",
                      fontsize=11, color="white" if dark else INK)  # fmt: skip
    axes.set_xticks(np.arange(grid.shape[1]) + 0.5, _powers(profile.plane_x))
    axes.set_yticks(np.arange(grid.shape[0]) + 0.5, _powers(profile.plane_z))
    axes.tick_params(length=0, labelsize=POWERS)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return drawn


def _powers(sizes: tuple[int, ...]) -> list[str]:
    return [f"$2^{{{n.bit_length() - 1}}}$" if n & (n - 1) == 0 else str(n) for n in sizes]


def _label_plane(page: Canvas, panels: Any, drawn: Any, *, beside: bool) -> None:
    bar = page.colorbar(drawn, ax=list(panels), shrink=0.9, pad=0.02, aspect=24)
    bar.ax.yaxis.set_major_locator(LogLocator(numticks=6))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar.set_label(f"{UNIT} (ratio)")
    bar.outline.set_visible(False)
    for axes in panels if beside else panels[-1:]:
        axes.set_xlabel(mathtext("|x| (elements)"))
    for axes in panels[:1] if beside else panels:
        axes.set_ylabel(mathtext("|z1| = |z2| = |z3| (elements)"))


def short(value: float) -> str:
    """A ratio in at most four characters or so.

    Examples
    --------
    >>> [short(value) for value in (0.734, 4.21, 93.6, 1234, 56789)]
    ['0.73', '4.2', '94', '1234', '57k']
    """
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:.{digits}f}"


def draw_ratios(figure: Figure, assessment: Assessment) -> Canvas:
    """Ratio of times over ratio of multiplications, log-log, one point for each cell.

    Cells that were measured by einsum too, to remove the cause of a finding, have an open point.
    """
    page = canvas()
    axes = page.subplots()
    evidence = assessment.evidence
    cells, causes = evidence.pairs(), evidence.pairs("einsum")
    if cells:
        _draw_ratios(axes, cells, label="one cell, with its 95 % interval")
    if causes:
        open_look = {"markerfacecolor": "none", "color": ORANGE}
        _draw_ratios(axes, causes, label="by einsum, at one rate for all products", **open_look)
    if cells:
        formula = np.array([multiplication_ratio(*pair) for pair in cells])
        frame(axes, formula, np.array([time_ratio(*pair) for pair in cells + causes]))
    entitle(page, figure.title)
    axes.set_xlabel(f"ratio of multiplications, {UNIT}")
    axes.set_ylabel(f"ratio of times, {UNIT}")
    return page


def _draw_ratios(axes: Axes, pairs: list[tuple[Series, Series]], **look: Any) -> None:
    formula = np.array([multiplication_ratio(*pair) for pair in pairs])
    logs = [median_interval(log_ratios(inputs, loss)) for loss, inputs in pairs]
    scatter(axes, formula, np.exp(np.array(logs)), **look)


def scatter(axes: Axes, formula: Array, ratios: Array, **look: Any) -> None:
    """Ratios of times, rows of (low, middle, high), over those of multiplications."""
    low, middle, high = ratios.T
    house = {"fmt": "D", "color": GREEN, "markersize": 4.5, "elinewidth": 1.1, "alpha": 0.85}
    axes.errorbar(formula, middle, [middle - low, high - middle], **(house | look))


def frame(axes: Axes, formula: Array, times: Array) -> None:
    """The diagonal, and the region in which the claim fails."""
    low, high = min(0.5, formula.min() / 1.3), max(200.0, formula.max() * 1.3)
    axes.plot([low, high], [low, high], "--", color=MUTED, linewidth=1.2, label="equal ratios")
    corners = [LEAST_RATIO, LARGE_RATIO, LARGE_RATIO, high]
    axes.fill_between(
        corners, low, [CHEAPER, CHEAPER, FAR_CHEAPER, FAR_CHEAPER], facecolor="#f6dfd3",
        edgecolor="none", label="here the claim would fail", zorder=0.5,
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        ratio_scale(axis)
    axes.set(xlim=(low, high), ylim=(low, max(200.0, 5 * times.max())))
    axes.legend(loc="upper left")
