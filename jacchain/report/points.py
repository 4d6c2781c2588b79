"""Times of comparisons as points with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator

from jacchain.analysis.evidence import Array, Series
from jacchain.analysis.slopes import LEVELS, resampled
from jacchain.report.style import Axes


def span(series: Series) -> tuple[float, float, float]:
    """Lower end of the 95 % interval of the time, the time, and the upper end, in seconds."""
    rng = np.random.default_rng(series.seconds.size)
    low, high = np.quantile(resampled(series.best[None], rng)[:, 0], LEVELS)
    return float(low), series.time, float(high)


def draw_points(
    axes: Axes, sizes: Sequence[float], series: Sequence[Series], per: Array | float = 1.0,
    *, line: str = "-", **style: Any,
) -> None:  # fmt: skip
    """Times over sizes, each divided by `per`, joined by a thin line."""
    if not series:
        return
    low, middle, high = np.array([span(s) for s in series]).T / per
    colour = style["color"]
    errors = np.maximum(0, [middle - low, high - middle])
    axes.errorbar(sizes, middle, errors, fmt="none", ecolor=colour, elinewidth=1.4, zorder=2)
    axes.plot(sizes, middle, linestyle=line, linewidth=1.1, markersize=6, zorder=3, **style)


def whole_sizes(axis: Any, sizes: Sequence[int]) -> None:
    """A logarithmic axis with a tick at each of these sizes, written in full."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_ticks(list(sizes))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
