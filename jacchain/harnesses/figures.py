"""Figures of what asv or pytest-benchmark measured: time over each size, and ratios.

Each point is the median of a harness's samples with its 95 % interval.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jacchain.analysis.evidence import BOTH, INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.analysis.intervals import difference_interval, median_interval
from jacchain.claims.c5_ratio import ratio_points, ratio_scatter
from jacchain.experiments.show import Axis, Curve, Figure, Lines, Panel, Scatter
from jacchain.harnesses.complexity import formula_through
from jacchain.harnesses.grids_file import TITLES, shared_grids
from jacchain.harnesses.readers import asv_table, one_run, pytest_table, read_asv
from jacchain.records.errors import RecordsError
from jacchain.report.publish import replacing
from jacchain.report.show import draw_figures

Triple = tuple[float, float, float]
Rows = Mapping[tuple[Dims, str], pd.Series]
"""Rows of a table of one harness, by dims and order."""


def plot_asv(
    results: str | Path, out: str | Path, *, machine: str = "", numpy: str = "", commit: str = ""
) -> list[Path]:
    """Draw one commit of asv's results; by default the latest, with its newest numpy.

    Raises RecordsError if there are no such results, or they are damaged, or the folder can't be
    written.

    Parameters
    ----------
    results
        asv's results folder.
    out
        Folder for the figures.
    machine, numpy, commit
        As `jacchain.harnesses.readers.one_run` takes them.

    Returns
    -------
    list of Path
        SVG and PNG of each figure.
    """
    table = asv_table(read_asv(results))
    table = one_run(table, machine=machine, numpy=numpy, commit=commit)
    first = table.iloc[0]
    versions = f"numpy {first['numpy']}, Python {first['python']}, commit {first['commit'][:8]}"
    return draw_table(table, f"asv, {first['machine']}, {versions}", out)


def plot_pytest(results: str | Path, out: str | Path) -> list[Path]:
    """Draw the results in one file of pytest-benchmark; returns and raises as `plot_asv`."""
    table = pytest_table(results)
    return draw_table(table, f"pytest-benchmark, numpy {table.iloc[0]['numpy']}", out)


def draw_table(table: pd.DataFrame, origin: str, out: str | Path) -> list[Path]:
    """Draw the sweeps and the ratios that a table of one harness holds; `origin` names it."""
    figures = list(table_figures(table, origin))
    with replacing(Path(out)) as draft:
        names = [path.name for path in draw_figures(figures, draft)]
    return [Path(out, name) for name in names]


def table_figures(table: pd.DataFrame, origin: str) -> Iterator[Figure]:
    """Show every sweep of which something was measured, then the ratios.

    Raises RecordsError if no shared cell was measured.
    """
    rows: Rows = {(row["dims"], row["order"]): row for _, row in table.iterrows()}
    measured = {dims for dims, _ in rows}
    sweeps = {
        name: grid
        for name, grid in shared_grids()["sweeps"].items()
        if any(tuple(dims) in measured for _, dims in grid["cells"])
    }
    if not sweeps:
        problem = f"none of the cells of benchmarks/grids.json is among these of {origin}"
        raise RecordsError(problem, "Measure some, as benchmarks/README.md tells.")
    for name, grid in sweeps.items():
        yield _sweep_figure(name, grid, rows, origin)
    yield _ratio_figure(rows, origin)


def _sweep_figure(name: str, grid: Mapping[str, Any], rows: Rows, origin: str) -> Lines:
    """Show time over one size, both orders, with the formula fitted to each."""
    formula = Curve("formula, fitted to the points", np.array([]), np.array([]))
    curves = [curve for order in BOTH for curve in _order_curves(order, grid, rows)]
    unit = "layers" if grid["parameter"] == "layers" else "elements"
    panel = Panel(
        origin,
        Axis(f"{grid['variable']} ({unit})", "powers of 2"),
        Axis("time per evaluation (s)", "seconds"),
        (*curves, formula),
    )
    title = TITLES[name]
    caption = "Medians with 95 % intervals; lines: the formula, fitted to the points of each order."
    return Lines(f"cost_{name}", f"Time {title[0].lower()}{title[1:]}", caption, ((panel,),))


def _order_curves(order: Any, grid: Mapping[str, Any], rows: Rows) -> list[Curve]:
    """Points of one order, and the formula through them; none where it was not measured."""
    cells = [(size, tuple(dims)) for size, dims in grid["cells"] if (tuple(dims), order) in rows]
    if not cells:
        return []
    sizes = np.array([size for size, _ in cells], dtype=float)
    times = np.array([_median(rows[dims, order]) for _, dims in cells])
    *_, line = formula_through([dims for _, dims in cells], order, times[:, 1].tolist())
    return [
        Curve("", sizes, np.array(line), look=order),
        Curve(order, sizes, times[:, 1], times[:, [0, 2]], order, marks="filled", line=""),
    ]


def _median(row: pd.Series) -> Triple:
    """Median of the samples as (low, median, high); a lone sample is all that is known."""
    samples = row["seconds"]
    if len(samples) < 2:
        return (samples[0],) * 3
    low, middle, high = median_interval(samples)
    return float(low), float(middle), float(high)


def _ratio_figure(rows: Rows, origin: str) -> Scatter:
    """Show ratios of times over ratios of multiplications; the two orders were measured apart."""
    both = [dims for dims, order in rows if order == LOSS_FIRST and (dims, INPUT_FIRST) in rows]
    if not both:
        return ratio_scatter(origin, ())
    formula = np.array([_formula_ratio(rows, dims) for dims in both])
    ratios = np.exp([_log_ratio(rows, dims) for dims in both])
    label = "one cell, with its 95 % interval"
    return ratio_scatter(origin, (ratio_points(label, formula, ratios),))


def _formula_ratio(rows: Rows, dims: Dims) -> float:
    loss, inputs = (rows[dims, order]["multiplications"] for order in BOTH)
    return float(inputs / loss)


def _log_ratio(rows: Rows, dims: Dims) -> NDArray[np.float64]:
    """Logarithm of input-first / loss-first, as (low, middle, high)."""
    loss, inputs = (np.log(_median(rows[dims, order])) for order in BOTH)
    return np.array(difference_interval(tuple(inputs), tuple(loss)))
