"""Figures of what asv and pytest-benchmark measured."""

from itertools import product

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH
from jacchain.chains.planners import plan
from jacchain.harnesses.figures import draw_table, plot_asv, plot_pytest, table_figures
from jacchain.harnesses.grids_file import shared_grids
from jacchain.harnesses.readers import asv_table, one_run, read_asv
from jacchain.records.errors import RecordsError

NAMES = [*(f"cost_{name}" for name in shared_grids()["sweeps"]), "ratio_cells"]


@pytest.fixture(scope="module")
def table(asv_results):
    return one_run(asv_table(read_asv(asv_results)))


def test_points_have_intervals_and_the_formula_passes_through_them(table):
    *sweeps, ratios = table_figures(table, "asv")
    assert [figure.name for figure in (*sweeps, ratios)] == NAMES
    grids = shared_grids()["sweeps"].values()
    for figure, grid in zip(sweeps, grids, strict=True):
        curves = figure.panels[0][0].curves
        assert [curve.label for curve in curves[1::2]] == list(BOTH)
        for order, line, points in zip(BOTH, curves[::2], curves[1::2], strict=False):
            truth = [1e-9 * plan(dims, order).multiplications for _, dims in grid["cells"]]
            assert list(points.x) == [size for size, _ in grid["cells"]]
            assert points.y == pytest.approx(truth)
            assert line.y == pytest.approx(truth)
            assert np.all((points.ends[:, 0] < points.y) & (points.y < points.ends[:, 1]))
    (points,) = (c for c in ratios.panel.curves if c.ends is not None)
    assert points.y == pytest.approx(points.x)  # ratios of times and of multiplications


def test_files_name_their_origin_which_can_be_chosen(asv_results, tmp_path):
    paths = plot_asv(asv_results, tmp_path, numpy="2.4.6", commit="abab", machine="desk")
    assert sorted(path.name for path in paths) == sorted(
        f"{name}.{ending}" for name in NAMES for ending in ("svg", "png")
    )
    origin = "asv, desk, numpy 2.4.6, Python 3.11, commit abababab"
    assert origin in (tmp_path / "cost_depth.svg").read_text()


def test_pytest_benchmark_is_drawn_too(write_pytest, tmp_path):
    results = [
        (
            {"dims": [1, 16, 32, 128, size], "order": order, "numpy": "2.4.6"},
            {"data": [1e-6 * size, 1.1e-6 * size], "iterations": 3},
        )
        for size, order in product((1024, 2048), BOTH)
    ]
    paths = plot_pytest(write_pytest(*results), tmp_path / "plots")
    assert {path.stem for path in paths} == {"cost_x", "ratio_cells"}
    assert "pytest-benchmark, numpy 2.4.6" in paths[0].read_text()


def test_an_order_measured_alone_is_drawn_without_ratios(table, tmp_path):
    assert table["order"].iloc[0] == "loss-first"
    paths = draw_table(table[:1], "asv", tmp_path)
    assert {path.stem for path in paths} == {"cost_x", "ratio_cells"}


def test_cells_of_no_sweep_are_refused(table):
    with pytest.raises(RecordsError, match=r"none of the cells of benchmarks/grids.json.*of asv"):
        list(table_figures(table[:0], "asv"))
