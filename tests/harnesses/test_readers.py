"""Results of asv and pytest-benchmark, read as our own table."""

import json

import pytest

from jacchain.harnesses.readers import asv_table, pytest_table, read_asv
from jacchain.records.errors import RecordsError
from jacchain.records.table import CELL_COLUMNS

BENCHMARK = "evaluation.OverX.time_evaluate"
DIMS = (1, 16, 32, 128, 16)
COLUMNS = [
    "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b",
    "stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile",
]  # fmt: skip
ROW = [
    [2e-6, None, 8e-6, 9e-6],
    [["4", "no size"], ["'loss-first'", "'input-first'"]],
    "1", 0, 1.0,
    [1e-6, None, 7e-6, 8e-6], [3e-6, None, 9e-6, 10e-6],
    [1.5e-6, None, 8e-6, 9e-6], [2.5e-6, None, 8e-6, 9e-6],
    [900, None, 400, 300], [2, None, 1, 1],
    [[1.5e-6, 2.5e-6, 2e-6, 2e-6], None, [8e-6], None],
]  # fmt: skip


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "machine.json").write_text("{}")
    data = {
        "commit_hash": "ab" * 20, "env_name": "virtualenv", "date": 1700000000000,
        "params": {"numpy": "2.0.2", "machine": "desk"}, "python": "3.11", "requirements": {},
        "env_vars": {}, "result_columns": COLUMNS, "durations": {}, "version": 2,
        "results": {BENCHMARK: ROW, "counting.OverX.track_multiplications": [[1]]},
    }  # fmt: skip
    (folder / "abababab-virtualenv.json").write_text(json.dumps(data))
    return tmp_path


def test_every_time_is_read_with_what_it_was_taken_at(results):
    first, second, third = read_asv(results)
    assert (first.machine, first.commit[:4], first.env["numpy"]) == ("desk", "abab", "2.0.2")
    assert (first.values, first.median, first.number) == (("4", "loss-first"), 2e-6, 900)
    assert (first.interval, first.samples[:2]) == ((1e-6, 3e-6), (1.5e-6, 2.5e-6))
    assert (second.values, second.samples) == (("no size", "loss-first"), (8e-6,))
    assert third.samples == (9e-6,)  # asv kept none: the median alone


def test_times_become_rows_of_our_own_table(results):
    table = asv_table(read_asv(results))
    assert set(CELL_COLUMNS) < set(table.columns)
    (row,) = table.to_dict("records")
    assert (row["harness"], row["dims"], row["order"]) == ("asv", DIMS, "loss-first")
    assert (row["multiplications"], row["batch"], row["numpy"]) == (6656, 900, "2.0.2")
    assert row["seconds"] == [1.5e-6, 2.5e-6, 2e-6, 2e-6]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda d: d | {"version": 3}, r"version 3; this jacchain knows 2"),
        (lambda d: d | {"results": {BENCHMARK: ROW[:1]}}, r"damaged: KeyError: 'params'"),
        (lambda d: d | {"date": "yesterday"}, r"damaged: ValueError"),
        (lambda d: [d], r"no JSON object"),
    ],
)
def test_a_damaged_file_is_refused_by_name(results, damage, named):
    file = results / "desk/abababab-virtualenv.json"
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    with pytest.raises(RecordsError, match=rf"abababab-virtualenv.json.*{named}"):
        read_asv(results)


def test_cells_that_asv_was_not_asked_for_are_left_out(results):
    file = results / "desk/abababab-virtualenv.json"
    data = json.loads(file.read_text())
    row = data["results"][BENCHMARK]
    row[0][0] = float("nan")
    for index in (5, 6, 7, 8, 9, 10, 11):
        row[index][0] = None
    file.write_text(json.dumps(data))
    assert [timing.values[0] for timing in read_asv(results)] == ["no size", "no size"]


def edit(results, change):
    file = results / "desk/abababab-virtualenv.json"
    data = json.loads(file.read_text())
    change(data["results"][BENCHMARK])
    file.write_text(json.dumps(data))


def test_of_a_lone_sample_the_interval_is_the_sample(results):
    def lone(row):
        row[5][0], row[6][0] = float("-inf"), float("inf")  # as asv writes it

    edit(results, lone)
    assert read_asv(results)[0].interval == (2e-6, 2e-6)


def test_times_of_another_version_of_a_benchmark_are_left_out(results):
    listed = results / "benchmarks.json"
    listed.write_text(json.dumps({BENCHMARK: {"version": "1"}, "version": 2}))
    assert len(read_asv(results)) == 3
    listed.write_text(json.dumps({BENCHMARK: {"version": "2"}, "version": 2}))
    assert read_asv(results) == []


@pytest.mark.parametrize("seconds", [0.0, -1e-6, float("inf")])
def test_a_time_that_is_none_is_refused(results, seconds):
    def damage(row):
        row[11][0] = [seconds, 1e-6]

    edit(results, damage)
    with pytest.raises(RecordsError, match=r"a time of .* seconds; expected one above 0"):
        read_asv(results)


def test_no_results_name_the_command_that_makes_some(tmp_path):
    with pytest.raises(RecordsError, match=r"no results of asv.*make bench-quick"):
        read_asv(tmp_path)


def test_results_of_pytest_benchmark_become_the_same_table(tmp_path):
    info = {"dims": list(DIMS), "order": "input-first", "numpy": "2.4.6"}
    data = {
        "machine_info": {}, "commit_info": {"id": "abab"}, "datetime": "2026-11-25T00:00:00",
        "benchmarks": [
            {"extra_info": info, "stats": {"data": [1e-6, 2e-6, 3e-6, 4e-6], "iterations": 7}},
            {"extra_info": info, "stats": {"median": 5e-6, "iterations": 1}},
        ],
    }  # fmt: skip
    file = tmp_path / "results.json"
    file.write_text(json.dumps(data))
    first, second = pytest_table(file).to_dict("records")
    assert (first["harness"], first["dims"], first["multiplications"]) == ("pytest", DIMS, 73984)
    assert (first["seconds"], first["batch"]) == ([1e-6, 2e-6, 3e-6, 4e-6], 7)
    assert second["seconds"] == [5e-6]
    file.write_text(json.dumps(data | {"benchmarks": [{"stats": {}}]}))
    with pytest.raises(RecordsError, match=r"not of this suite.*make bench-pytest"):
        pytest_table(file)


@pytest.mark.parametrize(
    ("text", "named"), [("{", "damaged"), (None, "can't read")], ids=["torn", "missing"]
)
def test_an_unreadable_file_is_refused_by_name(tmp_path, text, named):
    file = tmp_path / "results.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RecordsError, match=named):
        pytest_table(file)
