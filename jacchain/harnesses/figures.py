"""Figures of what asv or pytest-benchmark measured: time over each size, and ratios.

Each point is the median of a harness's samples with its 95 % interval.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jacchain.analysis.evidence import BOTH, INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.analysis.intervals import difference_interval, median_interval
from jacchain.claims.c5_ratio import ratio_points, ratio_scatter
from jacchain.experiments.show import Axis, Curve, Figure, Lines, Panel, Scatter
from jacchain.experiments.titles import brief, told_from_one
from jacchain.harnesses.complexity import formula_through
from jacchain.harnesses.grids_file import TITLES, shared_grids
from jacchain.harnesses.readers import asv_table, one_run, pytest_table, read_asv
from jacchain.records.errors import RecordsError
from jacchain.report.publish import write_figures
from jacchain.report.show import Progress

Triple = tuple[float, float, float]
Rows = Mapping[tuple[Dims, str], pd.Series]
"""Rows of a table of one harness, by dims and order."""


def plot_asv(
    results: str | Path,
    out: str | Path,
    *,
    machine: str = "",
    numpy: str = "",
    commit: str = "",
    progress: Progress | None = None,
) -> list[Path]:
    """Draw one commit of asv's results folder into the folder `out`; return SVG and PNG of each.

    Machine, numpy and commit are chosen as by `jacchain.harnesses.readers.one_run`: by default the
    latest commit, with its newest numpy. `progress` is called after each figure with how many are
    drawn, and how many there are.

    Raises RecordsError if there are no such results, or they are damaged, or the folder can't be
    written.
    """
    every = asv_table(read_asv(results))
    table = one_run(every, machine=machine, numpy=numpy, commit=commit)
    first = table.iloc[0]
    versions = f"numpy {first['numpy']}, Python {first['python']}, commit {first['commit'][:8]}"
    return draw_table(table, f"asv, {first['machine']}, {versions}", out, progress)


def plot_pytest(
    results: str | Path, out: str | Path, *, progress: Progress | None = None
) -> list[Path]:
    """Draw the results in one file of pytest-benchmark; takes, returns, raises as `plot_asv`."""
    table = pytest_table(results)
    origin = f"pytest-benchmark, numpy {table.iloc[0]['numpy']}"
    return draw_table(table, origin, out, progress)


def draw_table(
    table: pd.DataFrame, origin: str, out: str | Path, progress: Progress | None = None
) -> list[Path]:
    """Draw the sweeps and the ratios that a table of one harness holds; `origin` names it."""
    return write_figures(table_figures(table, origin), out, progress=progress)


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
    caption = "Medians with 95 % intervals; lines: the formula, fitted to the points of each order."
    return Lines(f"cost_{name}", _sweep_title(name, grid, rows), caption, ((panel,),))


def _sweep_title(name: str, grid: Mapping[str, Any], rows: Rows) -> str:
    """Say the ratio of both orders, measured apart, at the largest size that has both."""
    for size, cell in reversed(grid["cells"]):
        dims = tuple(cell)
        if all((dims, order) in rows for order in BOTH):
            loss, inputs = (rows[dims, order] for order in BOTH)
            logs = (tuple(np.log(_median(row))) for row in (inputs, loss))
            times = told_from_one(tuple(np.exp(difference_interval(*logs))), 0.0)
            law = brief(inputs["multiplications"] / loss["multiplications"])
            unit = "layers" if grid["parameter"] == "layers" else "elements"
            over = TITLES[name].removeprefix("over ")
            return (
                f"{over}, at {size:,} {unit}: input-first takes {times} times as long as "
                f"loss-first; formula {law}"
            )
    return f"Time {TITLES[name]}"


def _order_curves(order: Any, grid: Mapping[str, Any], rows: Rows) -> list[Curve]:
    """Show the points of one order, and the formula through them; none if not measured."""
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
    """Return the median of the samples as (low, median, high); of few samples, without a range."""
    samples = row["seconds"]
    return median_interval(samples)


def _ratio_figure(rows: Rows, origin: str) -> Scatter:
    """Show ratios of times over ratios of multiplications; the two orders were measured apart."""
    both = [dims for dims, order in rows if order == LOSS_FIRST and (dims, INPUT_FIRST) in rows]
    if not both:
        return ratio_scatter(origin, ())
    formula, logs = [], []
    for dims in both:
        loss, inputs = (rows[dims, order] for order in BOTH)
        formula.append(float(inputs["multiplications"] / loss["multiplications"]))
        logs.append(difference_interval(*(tuple(np.log(_median(row))) for row in (inputs, loss))))
    points = ratio_points("one cell, with its 95 % interval", np.array(formula), np.exp(logs))
    return ratio_scatter(origin, (points,))
