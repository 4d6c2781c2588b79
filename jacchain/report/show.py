"""Drawings of what claims show: one for each kind of figure in `jacchain.experiments.show`."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Canvas

from jacchain.chains.registry import Registry
from jacchain.experiments import show
from jacchain.report import style
from jacchain.report.hover import note, reading
from jacchain.report.units import short

Progress = Callable[[int, int], None]

COLOURS = "cividis"
HATCHED = {"facecolor": style.BARE, "edgecolor": style.HATCH, "hatch": "////", "linewidth": 0}
TIME = show.Axis("time per evaluation (s)", "seconds")
LEAVING = "leaves the cache"
CHARACTERS = 52  # that fit side by side into the width of a ribbon
MOST_BESIDE = 6  # columns of a map; wider maps stand one above the other
LEGEND_ROW = 0.25  # inches
MANY = 20  # points of one line; beyond, they are drawn smaller


def draw_figures(
    figures: Iterable[show.Figure], folder: str | Path, progress: Progress | None = None
) -> list[Path]:
    """Write figures as SVG and PNG, the same bytes for the same data; return each's two files.

    `progress` is called after each figure with how many are drawn, and how many there are.
    """
    target, every = Path(folder), list(figures)
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    with style.house_style():
        for done, figure in enumerate(every, start=1):
            paths += style.save(draw(figure), target / figure.name)
            if progress:
                progress(done, len(every))
    return paths


def draw(figure: show.Figure) -> Canvas:
    """Draw one figure, inside of `style.house_style`.

    Raises ValueError if there is no drawing of its kind; the message lists the known kinds.
    """
    page = DRAWINGS[type(figure).__name__](figure)
    style.entitle(page, figure.title)
    return page


# Panels


def _draw_lines(figure: show.Lines) -> Canvas:
    page = style.canvas(figure.inches)
    if figure.shared:
        _draw_shared(page, figure)
        return page
    heights = figure.heights or (1,) * len(figure.panels)
    parts: Any = page.subfigures(len(figure.panels), 1, height_ratios=heights, squeeze=False)
    for part, panels in zip(parts[:, 0], figure.panels, strict=True):
        widths = figure.widths if len(figure.widths) == len(panels) else None
        row = part.subplots(1, len(panels), width_ratios=widths, squeeze=False)[0]
        for axes, panel in zip(row, panels, strict=True):
            _draw_panel(axes, panel)
        style.legend_below(part, row)
    return page


def _draw_shared(page: Canvas, figure: show.Lines) -> None:
    shape = len(figure.panels), len(figure.panels[0])
    grid: Any = page.subplots(
        *shape,
        sharex="col",
        sharey="row",
        squeeze=False,
        height_ratios=figure.heights or None,
        width_ratios=figure.widths or None,
    )
    panels = [panel for row in figure.panels for panel in row]
    for axes, panel in zip(grid.flat, panels, strict=True):
        _plot_data(axes, panel)
    for axes, panel in zip(grid.flat, panels, strict=True):
        _frame(axes, panel)
        axes.label_outer()
    style.legend_below(page, grid.flat)


def _draw_scatter(figure: show.Scatter) -> Canvas:
    page = style.canvas()
    axes: style.Axes = page.subplots()
    _draw_panel(axes, figure.panel, opening="white")
    if figure.diagonal and _measured(figure.panel):
        ends = style.ends_of(axes.xaxis)
        line: dict[str, Any] = {"color": style.MUTED, "linewidth": 1.2, "zorder": 1}
        axes.plot(ends, ends, "--", label=figure.diagonal, **line)
    _add_legend(page, [axes])
    return page


def _add_legend(page: Canvas, axes: Sequence[style.Axes]) -> None:
    """Write the legend below, on so much more paper."""
    page.set_figheight(page.get_figheight() + LEGEND_ROW * style.legend_below(page, axes))


def _draw_panel(axes: style.Axes, panel: show.Panel, opening: str = "none") -> None:
    _plot_data(axes, panel, opening)
    _frame(axes, panel)


def _plot_data(axes: style.Axes, panel: show.Panel, opening: str = "none") -> None:
    """Draw curves and levels; `opening` fills hollow points: "none" shows what is behind them."""
    for curve in panel.curves:
        _plot_curve(axes, curve, "white" if curve.line else opening)
        if curve.marks:
            _note_points(axes, curve, panel.x, panel.y)
    for level in panel.levels:
        _plot_level(axes, level, level.axis)


def _note_points(axes: style.Axes, curve: show.Curve, x: show.Axis, y: show.Axis) -> None:
    ends = curve.ends if curve.ends is not None else [None] * len(curve.x)
    texts = (
        f"{reading(curve.label, y, up, spread)}, {reading('', x, right)}"
        for right, up, spread in zip(curve.x, curve.y, ends, strict=True)
    )
    note(axes, curve.x, curve.y, texts)


def _measured(panel: show.Panel) -> bool:
    return any(len(curve.x) for curve in panel.curves)


def _leave_empty(axes: style.Axes, side: str = "both") -> None:
    axes.tick_params(side, length=0, labelbottom=False, labelleft=side == "x")
    place = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, "not measured", color=style.MUTED, **place)


def _plot_curve(axes: style.Axes, curve: show.Curve, opening: str) -> None:
    look = style.LOOKS[curve.look]
    pale = not curve.marks and curve.look != "muted"
    if curve.ends is not None and len(curve.x):
        _plot_ends(axes, curve.x, curve.y, curve.ends, look.colour)
    axes.plot(
        curve.x,
        curve.y,
        color=look.colour,
        linestyle=curve.line or "none",
        linewidth=1.1 if curve.marks else 1.4,
        alpha=0.6 if pale else 1,
        marker=look.marker if curve.marks else "",
        markerfacecolor=opening if curve.marks == "hollow" else look.colour,
        markeredgewidth=1.3 if curve.marks == "hollow" else 1,
        markersize=_marker_size(curve),
        label=curve.label or "_curve",
        zorder=3 if curve.marks else 1.5,
    )


def _marker_size(curve: show.Curve) -> float:
    """Return points: open ones are larger, so that they ring what they would hide."""
    if curve.marks == "hollow":
        return 8
    return 4 if curve.line and len(curve.x) > MANY else 5.5


def _plot_ends(
    axes: style.Axes, x: show.Array, y: show.Array, ends: show.Array, colour: str
) -> None:
    """Draw intervals; x and y have shape (n,), `ends` (n, 2)."""
    errors = np.maximum(0, [y - ends[:, 0], ends[:, 1] - y])
    axes.errorbar(x, y, errors, fmt="none", ecolor=colour, elinewidth=1.3, zorder=2)


def _plot_level(axes: style.Axes, level: show.Level, across: str) -> None:
    draw_line = axes.axvline if across == "x" else axes.axhline
    line: dict[str, Any] = {"linestyle": level.line, "linewidth": 1.6 if level.line == ":" else 1.2}
    colour, label = style.LOOKS[level.look].colour, level.label or "_level"
    draw_line(level.value, color=colour, label=label, zorder=1.2, **line)


def _frame(axes: style.Axes, panel: show.Panel) -> None:
    """Scale the axes to the data, then shade and write what stands beside them."""
    axes.set_title(style.mathtext(panel.title), fontweight="normal", fontsize=style.TEXT)
    if not _measured(panel):
        axes.set(xlabel=style.mathtext(panel.x.label), ylabel=style.mathtext(panel.y.label))
        _leave_empty(axes)
        return
    _set_scale(axes.xaxis, panel.x)
    _set_scale(axes.yaxis, panel.y)
    if panel.y.limits is None and any(b.inside and b.axis == "x" for b in panel.bands):
        axes.margins(y=0.14)  # room for the names above the data
    axes.autoscale(enable=False)
    for band in panel.bands:
        _shade(axes, band, band.axis)
    for region in panel.regions:
        _shade_below(axes, region)
    if panel.note:
        axes.text(0.97, 0.95, panel.note, ha="right", va="top", transform=axes.transAxes)


def _set_scale(axis: Any, spec: show.Axis) -> None:
    axis.set_label_text(style.mathtext(spec.label))
    if spec.limits is not None:
        axis.axes.set(**{f"{axis.axis_name}lim": spec.limits})
    if spec.scale == "sizes":
        low, high = spec.limits or (0, np.inf)
        style.size_scale(axis, [tick for tick in spec.ticks if low <= tick <= high])
        return
    style.SCALES[spec.scale](axis)
    if spec.ticks:
        style.keep_ticks(axis, spec.ticks)


def _shade(axes: style.Axes, band: show.Band, across: str) -> None:
    """Shade a stretch of an axis as far as it is shown, with its name at the upper or right end."""
    axis = axes.xaxis if across == "x" else axes.yaxis
    start, stop = style.ends_of(axis)
    low, high = max(band.low, start), min(band.high, stop)
    if low >= high:
        return
    span = axes.axvspan if across == "x" else axes.axhspan
    span(low, high, color=style.SHADE, linewidth=0, zorder=0.5, label=band.label or "_band")
    scale = axis.get_transform()
    middle = float(scale.inverted().transform(np.mean(scale.transform([low, high]))))
    if across == "x":
        place, align, frame = (middle, 0.985), ("center", "top"), axes.get_xaxis_transform()
    else:
        place, align, frame = (0.985, middle), ("right", "center"), axes.get_yaxis_transform()
    axes.text(*place, band.inside, ha=align[0], va=align[1], color=style.MUTED, transform=frame)


def _shade_below(axes: style.Axes, region: show.Region) -> None:
    colours: dict[str, Any] = {"facecolor": style.FAILING, "edgecolor": "none"}
    label, bottom = region.label or "_region", axes.get_ylim()[0]
    axes.fill_between(region.x, bottom, region.y, label=label, zorder=0.6, **colours)


# Rows


def _draw_rows(figure: show.Rows) -> Canvas:
    lines = max((name.count("\n") + 1 for name in figure.rows), default=1)
    inches = 0.75 + max(len(figure.rows), 2) * (0.3 + 0.08 * lines)
    page = style.canvas(0.4 + inches * len(figure.panels))
    panels: Any = page.subplots(len(figure.panels), 1, sharey=True, squeeze=False)
    for axes, (axis, rows) in zip(panels.flat, figure.panels, strict=True):
        for place, marks in enumerate(rows):
            for mark in marks:
                _plot_mark(axes, -place, mark)
                text = reading(mark.label, axis, mark.value, mark.ends)
                note(axes, [mark.value], [-place], [f"{figure.rows[place]}, {text}"])
        for level in figure.levels:
            _plot_level(axes, level, "x")
        _set_scale(axes.xaxis, axis)
        if not any(rows):
            _leave_empty(axes, "x")
        axes.autoscale(enable=False)
        for band in figure.bands:
            _shade(axes, band, "x")
        axes.set_ylim(-len(figure.rows) + 0.4, 0.6)
        axes.grid(visible=not any(mark.strip is not None for m in rows for mark in m), axis="y")
    panels[0, 0].set_yticks([-n for n in range(len(figure.rows))], map(style.mathtext, figure.rows))
    _add_legend(page, panels.flat)
    return page


def _plot_mark(axes: style.Axes, place: int, mark: show.Mark) -> None:
    look = style.LOOKS[mark.look]
    if mark.strip is not None:
        muted: dict[str, Any] = {"color": style.MUTED, "markersize": 9, "alpha": 0.8}
        places = np.full(len(mark.strip), place)
        axes.plot(mark.strip, places, "|", label="one block", **muted)
    if mark.bar:
        axes.barh(place, mark.value, height=0.5, color=look.colour, alpha=0.3, linewidth=0)
    if mark.ends is not None:
        axes.plot(mark.ends, (place, place), color=look.colour, linewidth=2.2)
    label = mark.label or "_mark"
    rings = mark.look == "muted"  # open and larger: it rings what it would hide
    drawn: dict[str, Any] = {"markersize": 7}
    if rings:
        drawn = {"markersize": 12, "fillstyle": "none"}
    axes.plot(mark.value, place, look.marker, color=look.colour, label=label, zorder=3, **drawn)


# Sweeps


def _draw_sweep(figure: show.Sweep) -> Canvas:
    """Draw time over one size, log-log; above it, in which memory regime each order is."""
    page = style.canvas(style.HEIGHT + 0.4 + 0.2 * len(figure.orders))
    ratios = {"height_ratios": [0.5 * max(len(figure.orders), 1), 4.4], "hspace": 0.02}
    ribbons, axes = page.subplots(2, 1, sharex=True, gridspec_kw=ratios)
    sizes = [size for swept in figure.orders for size in swept.sizes]
    axes.set_xlim(figure.x.limits or ((min(sizes) / 1.4, max(sizes) * 1.4) if sizes else (1, 2)))
    _set_scale(axes.xaxis, figure.x)
    for row, swept in enumerate(figure.orders):
        _draw_swept(axes, swept)
        points = show.Curve(swept.order, swept.sizes, swept.times, swept.ends)
        _note_points(axes, points, figure.x, TIME)
        _draw_ribbon(ribbons, -row, swept)
    if sizes:
        muted = {"color": style.MUTED, "linewidth": 1.6}
        axes.plot([], [], label="formula, scaled to the filled points", **muted)
        axes.plot([], [], ":", label=f"{LEAVING}, not judged", **muted)
        style.time_scale(axes.yaxis)
    else:
        _leave_empty(axes)
    axes.set_ylabel(TIME.label)
    _label_ribbons(ribbons, figure.orders)
    _add_legend(page, [axes])
    return page


def scaled_formula(swept: show.Swept, stretch: show.Stretch | None) -> show.Array:
    """Return the formula as seconds, scaled to the times of a stretch, or to all; shape (n,)."""
    chosen = slice(None) if stretch is None else stretch.indices
    ratios = np.log(swept.times / swept.multiplications)[chosen]
    return np.asarray(swept.multiplications * np.exp(ratios.mean()))


def _draw_swept(axes: style.Axes, swept: show.Swept) -> None:
    """Draw formula, points with their intervals, and the dotted way out of a cache."""
    look = style.LOOKS[swept.order]
    judged = [stretch for stretch in swept.stretches if stretch.judged]
    widest = max(judged, key=lambda stretch: len(stretch.indices), default=None)
    line: dict[str, Any] = {"color": look.colour, "linewidth": 1.4, "alpha": 0.55, "zorder": 1.5}
    axes.plot(swept.sizes, scaled_formula(swept, widest), **line)
    for stretch in swept.stretches:
        sizes, times = swept.sizes[stretch.indices], swept.times[stretch.indices]
        if not stretch.judged:
            axes.plot(sizes, times, ":", color=style.MUTED, linewidth=1.6, zorder=1.8)
        elif stretch is not widest:
            axes.plot(sizes, scaled_formula(swept, stretch)[stretch.indices], **line)
    _plot_ends(axes, swept.sizes, swept.times, swept.ends, look.colour)
    filled = np.isin(np.arange(len(swept.sizes)), [i for s in judged for i in s.indices])
    faces = ((filled, look.colour, swept.order), (~filled, "white", "_hollow"))
    for mask, face, label in faces:
        marks: dict[str, Any] = {"color": look.colour, "markersize": 6, "markerfacecolor": face}
        points = swept.sizes[mask], swept.times[mask]
        axes.plot(*points, look.marker, label=label, zorder=3, **marks)


def _draw_ribbon(axes: style.Axes, place: int, swept: show.Swept) -> None:
    """Draw the memory regimes of one order along the sizes, with the slopes in each."""
    judged = [stretch.indices for stretch in swept.stretches if stretch.judged]
    for stretch in swept.stretches:
        first, last = stretch.indices[[0, -1]]
        low, high = swept.sizes[first], swept.sizes[last]
        if stretch.judged:
            shade = style.REGIME_SHADES.get(stretch.name, style.SHADE)
            axes.barh(place, high - low, left=low, height=0.86, linewidth=0, color=shade)
            text = _named_slopes(stretch, CHARACTERS * _share(axes, low, high))
            middle, align = float(np.sqrt(low * high)), "center"
        else:
            before = any(indices[-1] == first for indices in judged)
            after = any(indices[0] == last for indices in judged)
            text = f"({stretch.slope:.2f} / {stretch.expected:.2f})"
            if (before and after) or len(text) > CHARACTERS * _share(axes, low, high):
                text = f"({stretch.slope:.2f})"
            middle, align = _beside(low, high, before=before, after=after)
        colour = style.INK if stretch.judged else style.MUTED
        axes.text(middle, place, text, ha=align, va="center", fontsize=style.TEXT, color=colour)


def _named_slopes(stretch: show.Stretch, characters: float) -> str:
    """Return as much as fits of a regime's name, the slope of time, and that of the formula."""
    name = f"{stretch.name} {stretch.slope:.2f}"
    texts = (f"{name} / {stretch.expected:.2f}", name)
    return next((text for text in texts if len(text) <= characters), stretch.name)


def _share(axes: style.Axes, low: float, high: float) -> float:
    """Return the share of the width between two sizes, on a logarithmic axis."""
    left, right = axes.get_xlim()
    return float(np.log(high / low) / np.log(right / left))


def _beside(low: float, high: float, *, before: bool, after: bool) -> tuple[float, str]:
    """Return where to write between two sizes: clear of a judged band before or after them."""
    if before == after:
        return float(np.sqrt(low * high)), "center"
    return (float(low * 1.07), "left") if before else (float(high * 0.93), "right")


def _label_ribbons(ribbons: style.Axes, orders: Sequence[show.Swept]) -> None:
    ribbons.set_yticks([-row for row in range(len(orders))], [swept.order for swept in orders])
    for label, swept in zip(ribbons.get_yticklabels(), orders, strict=True):
        label.set_color(style.LOOKS[swept.order].colour)
    ribbons.set_ylim(-len(orders) + 0.4, 0.6)
    ribbons.grid(visible=False)
    ribbons.spines[:].set_visible(False)
    ribbons.tick_params(length=0, labelbottom=False)
    title = f"slope of time / formula; ({LEAVING})" if orders else ""
    ribbons.set_title(title, fontsize=style.TEXT, fontweight="normal", color=style.MUTED, pad=4)


# Maps


def _draw_plane(figure: show.Plane) -> Canvas:
    beside = len(figure.x) <= MOST_BESIDE
    count = len(figure.maps)
    page = style.canvas(
        height=style.HEIGHT if beside else 1.4 + count * (0.4 + 0.4 * len(figure.y))
    )
    shape = (1, count) if beside else (count, 1)
    panels: Any = page.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    norm = _shared_norm(np.concatenate([values.ravel() for _, values in figure.maps]))
    for axes, (title, values) in zip(panels.flat, figure.maps, strict=True):
        mesh = _draw_map(axes, values, norm)
        axes.set_xticks(np.arange(len(figure.x)) + 0.5, map(_power, figure.x))
        axes.set_yticks(np.arange(len(figure.y)) + 0.5, map(_power, figure.y))
        axes.set_title(style.mathtext(title), fontweight="normal", fontsize=style.TEXT)
    for axes in panels[-1]:
        axes.set_xlabel(style.mathtext(figure.labels[0]))
    page.supylabel(style.mathtext(figure.labels[1]), fontsize=style.TEXT)
    bar = page.colorbar(mesh, ax=list(panels.flat), shrink=0.9, pad=0.02, aspect=24)
    style.ratio_scale(bar.ax.yaxis)
    bar.set_label(figure.labels[2])
    bar.outline.set_visible(False)
    return page


def _shared_norm(values: show.Array) -> LogNorm:
    shown = values[np.isfinite(values)]
    low, high = (shown.min(), shown.max()) if shown.size else (1.0, 10.0)
    return LogNorm(low, max(high, 1.01 * low))


def _draw_map(axes: style.Axes, values: show.Array, norm: LogNorm) -> Any:
    """Draw coloured cells with their numbers, hatched where there is none; (rows, columns)."""
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=COLOURS, norm=norm, edgecolor="white", linewidth=1
    )
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            corners = column + np.array([0, 1, 1, 0]), row + np.array([0, 0, 1, 1])
            axes.fill(*corners, **HATCHED)
        else:
            dark = np.mean(colormaps[COLOURS](norm(value))[:3]) < 0.5
            colour = "white" if dark else "black"  # on either page
            place = column + 0.5, row + 0.5
            axes.text(
                *place, short(value), ha="center", va="center", fontsize=style.TEXT, color=colour
            )
    axes.tick_params(length=0, labelsize=style.POWERS)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return mesh


def _power(size: int) -> str:
    """Write a power of two as one, any other size in full."""
    return style.power(size, 2) if size & (size - 1) == 0 else str(size)


DRAWINGS: Registry[Callable[[Any], Canvas]] = Registry(
    "kind of figure",
    {
        "Lines": _draw_lines,
        "Rows": _draw_rows,
        "Scatter": _draw_scatter,
        "Sweep": _draw_sweep,
        "Plane": _draw_plane,
    },
)
