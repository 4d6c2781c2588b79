"""The comparison figures of what asv or pytest-benchmark measured: time over each size, and ratios.

Each point is the median of a harness's samples with its 95 % interval.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from jacchain.analysis.intervals import difference_interval, median_interval
from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.experiments.published import TITLES, asv_dims, cell_facts, published_grids
from jacchain.records.errors import RecordsError
from jacchain.records.harness import asv_table, one_run, pytest_table, read_asv
from jacchain.report.complexity import formula_through
from jacchain.report.publish import replacing
from jacchain.report.ratios import UNIT, frame, scatter
from jacchain.report.style import (
    LOOKS,
    MUTED,
    Axes,
    canvas,
    entitle,
    house_style,
    legend_below,
    mathtext,
    power_scale,
    save,
    time_scale,
)

Triple = tuple[float, float, float]
Found = Mapping[tuple[Dims, str], pd.Series]


def plot_asv(
    results: str | Path, out: str | Path, *, machine: str = "", numpy: str = "", commit: str = ""
) -> list[Path]:
    """Draw one commit of asv's results; by default the latest, with its newest numpy.

    Returns
    -------
    list of Path
        SVG and PNG of each figure.

    Raises
    ------
    RecordsError
        If there are no such results, or they are damaged, or the folder can't be written.
    """
    table = asv_table(read_asv(results), asv_dims(), cell_facts)
    table = one_run(table, machine=machine, numpy=numpy, commit=commit)
    first = table.iloc[0]
    made = f"numpy {first['numpy']}, Python {first['python']}, commit {first['commit'][:8]}"
    origin = f"asv, {first['machine']}, {made}"
    return draw_table(table, origin, out)


def plot_pytest(results: str | Path, out: str | Path) -> list[Path]:
    """Draw the results of one file of pytest-benchmark; returns and raises as `plot_asv`."""
    table = pytest_table(results, cell_facts)
    return draw_table(table, f"pytest-benchmark, numpy {table.iloc[0]['numpy']}", out)


def draw_table(table: pd.DataFrame, origin: str, out: str | Path) -> list[Path]:
    """Draw the sweeps and the ratios that a table of one harness holds; `origin` names it."""
    found: Found = {(row["dims"], row["order"]): row for _, row in table.iterrows()}
    with house_style(), replacing(Path(out)) as draft:
        drawn = [
            (f"cost_{name}", _draw_sweep(TITLES[name], grid, found, origin))
            for name, grid in published_grids()["sweeps"].items()
            if any(key[0] == tuple(dims) for key in found for _, dims in grid["cells"])
        ]
        if not drawn:
            problem = f"none of the cells of benchmarks/grids.json is among these of {origin}"
            raise RecordsError(problem, "Measure some, as benchmarks/README.md tells.")
        drawn.append(("ratio_cells", _draw_ratios(found, origin)))
        names = [path.name for name, page in drawn for path in save(page, draft / name)]
    return [Path(out, name) for name in names]


def _median(row: pd.Series) -> Triple:
    """(low, median, high) of the samples; a lone one is all that is known."""
    samples = row["seconds"]
    if len(samples) < 2:
        return (samples[0],) * 3
    low, middle, high = median_interval(samples)
    return float(low), float(middle), float(high)


def _draw_sweep(title: str, grid: Mapping[str, Any], found: Found, origin: str) -> Canvas:
    """Time over one size, log-log, both orders, with the formula fitted to each."""
    page = canvas()
    axes = page.subplots()
    for order in BOTH:
        cells = [(size, tuple(dims)) for size, dims in grid["cells"]]
        shown = [(size, dims) for size, dims in cells if (dims, order) in found]
        if shown:
            medians = [_median(found[dims, order]) for _, dims in shown]
            _draw_order(axes, order, [s for s, _ in shown], [d for _, d in shown], medians)
    unit = "layers" if grid["parameter"] == "layers" else "elements"
    axes.plot([], [], color=MUTED, alpha=0.8, label="formula, fitted to the points")
    power_scale(axes.xaxis, 2)
    time_scale(axes.yaxis)
    axes.set_xlabel(f"{mathtext(grid['variable'])} ({unit})")
    axes.set_ylabel("time per evaluation (s)")
    axes.set_title(origin, fontsize=10.5, fontweight="normal", color=MUTED)
    legend_below(page, axes)
    entitle(page, f"Time {title[0].lower()}{title[1:]}")
    return page


def _draw_order(
    axes: Axes, order: str, sizes: list[int], dims: list[Dims], medians: list[Triple]
) -> None:
    look = LOOKS[order]
    low, middle, high = np.array(medians).T
    *_, line = formula_through(dims, order, middle.tolist())
    axes.plot(sizes, line, color=look.colour, linewidth=1.4, alpha=0.55, zorder=1.5)
    axes.errorbar(
        sizes, middle, [middle - low, high - middle], fmt=look.marker, color=look.colour,
        markersize=6, elinewidth=1.4, label=order,
    )  # fmt: skip


def _draw_ratios(found: Found, origin: str) -> Canvas:
    """Ratio of times over ratio of multiplications; the two orders were measured apart."""
    page = canvas()
    axes = page.subplots()
    both = [dims for dims, order in found if order == LOSS_FIRST and (dims, INPUT_FIRST) in found]
    if both:
        formula, ratios = np.array([_formula_ratio(found, d) for d in both]), _ratios(found, both)
        scatter(axes, formula, ratios, label="one cell, with its 95 % interval")
        frame(axes, formula, ratios[:, 1])
    axes.set_xlabel(f"ratio of multiplications, {UNIT}")
    axes.set_ylabel(f"ratio of times, {UNIT}")
    axes.set_title(origin, fontsize=10.5, fontweight="normal", color=MUTED)
    entitle(page, "Ratio of times against ratio of multiplications")
    return page


def _formula_ratio(found: Found, dims: Dims) -> float:
    loss, inputs = (found[dims, order]["multiplications"] for order in BOTH)
    return float(inputs / loss)


def _ratios(found: Found, both: list[Dims]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(low, middle, high) of time(input-first) / time(loss-first) at each of the dims."""
    rows = []
    for dims in both:
        loss, inputs = (np.log(_median(found[dims, order])) for order in BOTH)
        rows.append(difference_interval(tuple(inputs), tuple(loss)))
    return np.exp(rows)
