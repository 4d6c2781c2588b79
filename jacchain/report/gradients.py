"""C8's figure and table: all parameter gradients over depth, with and without a cache."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from jacchain.analysis.evidence import Series
from jacchain.analysis.paired import ratio
from jacchain.experiments.c8_caching import (
    CACHED,
    MEMORY,
    NARROW,
    SCRATCH,
    depths,
    name,
    pairs,
    series,
    wide,
)
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.experiments.ratios import formula_ratio
from jacchain.report.points import draw_points, whole_sizes
from jacchain.report.style import LOOKS, Axes, byte_scale, canvas, entitle, legend_below, time_scale
from jacchain.report.tables import Table
from jacchain.report.terminal import number, seconds

WAYS = [(order, label) for order in (LOSS_FIRST, INPUT_FIRST) for label in (CACHED, SCRATCH)]


def draw_gradients(figure: Figure, assessment: Assessment) -> Canvas:
    """Above, seconds over depth of both networks; below, bytes."""
    page = canvas(height=7.6)
    axes: dict[str, Axes] = page.subplot_mosaic([["narrow", "wide"], ["memory", "memory"]])
    for key, width in (("narrow", NARROW), ("wide", wide(assessment.profile))):
        for order, label in WAYS:
            found = series(assessment.evidence, assessment.profile, order, width, label)
            _draw(axes[key], found, order, label)
        axes[key].set_title(f"layers of {width}", fontweight="normal")
        shown = depths(assessment.profile, LOSS_FIRST, width)
        whole_sizes(axes[key].xaxis, [n for n in shown if n not in {3, 7}])
        axes[key].set_xlabel("depth L (layers)")
        if axes[key].lines:
            time_scale(axes[key].yaxis)
    axes["narrow"].set_ylabel("time, all gradients (s)")
    _draw_memory(axes["memory"], assessment.evidence.checks.get(MEMORY))
    if axes["narrow"].lines:
        legend_below(page, axes["narrow"])
    entitle(page, figure.title)
    return page


def _style(order: str, label: str) -> dict[str, Any]:
    look = LOOKS[order]
    face = look.colour if label == CACHED else "none"  # both ways may be in one place
    return {"color": look.colour, "marker": look.marker, "markerfacecolor": face}


def _draw(axes: Axes, found: list[tuple[int, Series]], order: str, label: str) -> None:
    """Points, and a line of the formula's growth through the last of them."""
    if not found:
        return
    sizes, each = [n for n, _ in found], [s for _, s in found]
    draw_points(axes, sizes, each, line="", label=f"{order}, {label}", **_style(order, label))
    growth = np.array([s.multiplications for s in each], dtype=float)
    axes.plot(sizes, growth * each[-1].time / growth[-1], color=LOOKS[order].colour, alpha=0.55,
              linewidth=1.3, linestyle="-" if label == CACHED else "--")  # fmt: skip


def _draw_memory(axes: Axes, held: Any) -> None:
    """What a call allocates at most, with the formula's peak as a line, and what is kept."""
    axes.set_title(f"memory, layers of {NARROW}", fontweight="normal")
    axes.set_xlabel("depth L (layers)")
    axes.set_ylabel("allocated at most (bytes)")
    if not held:
        return
    for order, label in WAYS:
        way = f"{order}, {label}"
        axes.plot(held["layers"], held["allocated"][way], linestyle="", markersize=6,
                  **_style(order, label))  # fmt: skip
        axes.plot(held["layers"], held["predicted"][way], color=LOOKS[order].colour, alpha=0.55,
                  linestyle="-" if label == CACHED else "--")  # fmt: skip
    kept = held["kept"][f"{LOSS_FIRST}, {CACHED}"]
    axes.plot(held["layers"], kept, "^-.", color=LOOKS[LOSS_FIRST].colour, markersize=6,
              label="of it adjoints kept, loss-first")  # fmt: skip
    whole_sizes(axes.xaxis, held["layers"])
    byte_scale(axes.yaxis)
    axes.legend(loc="best")


def gradients_table(assessment: Assessment) -> Table:
    """Times both ways at every depth, and the gain beside that of multiplications."""
    evidence, rows = assessment.evidence, []
    for order, width in pairs(assessment.profile):
        for layers in depths(assessment.profile, order, width):
            pair = evidence.comparisons.get(name(order, width, layers))
            if pair is not None:
                scratch, cached = pair
                low, gain, high = ratio(scratch, cached)
                rows.append(
                    (
                        f"{order}, {layers} layers of {width}", seconds(scratch.time),
                        seconds(cached.time), number(gain), f"{number(low)} to {number(high)}",
                        number(formula_ratio(cached, scratch)),
                    )
                )  # fmt: skip
    header = ("network", "from scratch", "with a cache", "gain", "95 % interval", "by the formula")
    return Table("Times of all parameter gradients", header, tuple(rows))
