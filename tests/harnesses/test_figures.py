"""Figures of what asv and pytest-benchmark measured."""

import json

import pandas as pd
import pytest

from jacchain.harnesses.figures import draw_table, plot_asv, plot_pytest
from jacchain.harnesses.grids_file import asv_cells, cell_facts
from jacchain.harnesses.readers import HARNESS_COLUMNS, asv_table, one_run, pytest_table, read_asv
from jacchain.records.errors import RecordsError

ORDERS = ("loss-first", "input-first")
FIGURES = [*(f"cost_{name}" for name in ("x", "z1", "z2", "z3", "all_z", "depth")), "ratio_cells"]


@pytest.fixture
def asv_results(tmp_path):
    """All evaluations at two commits by two versions of numpy, each a nanosecond a product."""
    benchmarks = {}
    for (benchmark, value), (_, _, dims) in asv_cells().items():
        benchmarks.setdefault(benchmark, []).append((value, dims))
    for commit, date in (("ab" * 20, 1000), ("cd" * 20, 2000)):
        for numpy in ("2.4.6", "2.10.0"):
            results = {}
            for benchmark, cells in benchmarks.items():
                times = [
                    cell_facts(dims, order)["multiplications"] * 1e-9
                    for _, dims in cells
                    for order in ORDERS
                ]
                samples = [[0.9 * t, t, 1.1 * t, t] for t in times]
                results[benchmark] = [
                    times, [[value for value, _ in cells], [repr(order) for order in ORDERS]],
                    times, times, [10] * len(times), samples,
                ]  # fmt: skip
            data = {
                "commit_hash": commit, "date": date, "version": 2,
                "params": {"numpy": numpy, "python": "3.11"},
                "result_columns": ["result", "params", "stats_ci_99_a", "stats_ci_99_b",
                                   "stats_number", "samples"],
                "results": results,
            }  # fmt: skip
            file = tmp_path / f"asv/desk/{commit[:8]}-{numpy}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(data))
    return tmp_path / "asv"


def test_asv_becomes_a_figure_of_every_sweep_and_of_the_ratios(asv_results, tmp_path):
    paths = plot_asv(asv_results, tmp_path / "plots")
    assert sorted({path.stem for path in paths}) == sorted(FIGURES)
    assert {path.suffix for path in paths} == {".svg", ".png"}
    text = (tmp_path / "plots/cost_x.svg").read_text()
    assert "asv, desk, numpy 2.10.0, Python 3.11, commit cdcdcdcd" in text
    for order in ORDERS:
        assert order in text


def test_the_same_results_draw_the_same_bytes(asv_results, tmp_path):
    once = [path.read_bytes() for path in plot_asv(asv_results, tmp_path / "a")]
    assert once == [path.read_bytes() for path in plot_asv(asv_results, tmp_path / "b")]


def test_machine_numpy_and_commit_can_be_chosen(asv_results, tmp_path):
    plot_asv(asv_results, tmp_path, numpy="2.4.6", commit="abab", machine="desk")
    assert "numpy 2.4.6, Python 3.11, commit abababab" in (tmp_path / "cost_depth.svg").read_text()
    for wanted, named in (
        ({"numpy": "1.0"}, r"no times of numpy '1.0'. There are those of 2.10.0, 2.4.6"),
        ({"commit": "ef"}, r"no times of commit 'ef'. There are those of abababab, cdcdcdcd"),
        ({"machine": "lab"}, r"no times of machine 'lab'. There are those of desk"),
    ):
        with pytest.raises(RecordsError, match=named):
            plot_asv(asv_results, tmp_path, **wanted)


def test_the_latest_commit_and_the_greatest_numpy_come_first():
    rows = [
        ("asv", machine, commit, date, numpy, "3.11")
        for machine, commit, date in (("a", "1", 1), ("b", "2", 3), ("b", "3", 2))
        for numpy in ("2.9.1", "2.10.0")
    ]
    table = pd.DataFrame(rows, columns=HARNESS_COLUMNS[:6])
    (row,) = one_run(table).to_dict("records")
    assert (row["machine"], row["commit"], row["numpy"]) == ("b", "2", "2.10.0")


def test_pytest_benchmark_is_drawn_too(tmp_path):
    dims = [1, 16, 32, 128]
    results = [
        {"extra_info": {"dims": [*dims, size], "order": order, "numpy": "2.4.6"},
         "stats": {"data": [1e-6 * size, 1.1e-6 * size], "iterations": 3}}
        for size in (1024, 2048) for order in ORDERS
    ]  # fmt: skip
    file = tmp_path / "results.json"
    head = {"commit_info": {}, "datetime": "2026-11-25T00:00:00"}
    file.write_text(json.dumps(head | {"benchmarks": results}))
    paths = plot_pytest(file, tmp_path / "plots")
    assert {path.stem for path in paths} == {"cost_x", "ratio_cells"}
    assert "pytest-benchmark, numpy 2.4.6" in paths[0].read_text()


@pytest.mark.parametrize("order", ["sideways", None])
def test_an_order_that_no_benchmark_has_is_refused(tmp_path, order):
    info = {"dims": [1, 2, 3], "order": order, "numpy": "2.4.6"}
    file = tmp_path / "results.json"
    stats = {"data": [1.0, 2.0], "iterations": 1}
    file.write_text(json.dumps({
        "commit_info": {}, "datetime": "", "benchmarks": [{"extra_info": info, "stats": stats}]
    }))  # fmt: skip
    with pytest.raises(RecordsError, match=r"not of this suite.*unknown order"):
        pytest_table(file)
    file.write_text(json.dumps({"commit_info": {}, "datetime": "", "benchmarks": []}))
    with pytest.raises(RecordsError, match="there are no benchmarks in"):
        pytest_table(file)


def test_asv_results_without_an_evaluation_are_refused():
    with pytest.raises(RecordsError, match="there are no evaluations of asv"):
        asv_table([])


def test_an_order_measured_alone_is_drawn_without_ratios(asv_results, tmp_path):
    table = one_run(asv_table(read_asv(asv_results)))
    paths = draw_table(table[table["order"] == "loss-first"], "asv", tmp_path / "one")
    assert len(paths) == 2 * len(FIGURES)
