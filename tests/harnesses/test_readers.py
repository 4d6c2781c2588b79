"""Results of asv and pytest-benchmark, read as our own table."""

import json

import pandas as pd
import pytest

from jacchain.harnesses import readers
from jacchain.harnesses.readers import asv_table, one_run, pytest_table, read_asv, read_source
from jacchain.records.errors import RecordsError

BENCHMARK = "evaluation.OverX.time_evaluate"
DIMS = (1, 16, 32, 128, 16)  # of the cell that asv calls 4; none is called 5
ROW = {
    "result": [2e-6, None, 8e-6, 9e-6],
    "params": [["4", "5"], ["'loss-first'", "'input-first'"]],
    "version": "1",
    "stats_ci_99_a": [1e-6, None, 7e-6, 8e-6],
    "stats_ci_99_b": [3e-6, None, 9e-6, 10e-6],
    "stats_number": [900, None, 400, 300],
    "samples": [[1.5e-6, 2.5e-6, 2e-6, 2e-6], None, [8e-6], None],
}
MEDIAN = {"median": 5e-6, "iterations": 1}
INFO = {"dims": list(DIMS), "order": "input-first", "numpy": "2.4.6"}


@pytest.fixture
def file(tmp_path):
    """The only result file in a folder of asv."""
    data = {
        "version": 2,
        "commit_hash": "ab" * 20,
        "date": 1700000000000,
        "params": {"numpy": "2.0.2", "machine": "desk"},
        "result_columns": list(ROW),
        "results": {BENCHMARK: list(ROW.values()), "counting.OverX.track_multiplications": [[1]]},
    }
    path = tmp_path / "desk/abababab-virtualenv.json"
    path.parent.mkdir()
    path.write_text(json.dumps(data))
    path.with_name("machine.json").write_text("{}")
    return path


def edit(file, **cells):
    """Change entries of columns: the first combination of parameters has index 0."""
    data = json.loads(file.read_text())
    for column, (index, value) in cells.items():
        data["results"][BENCHMARK][list(ROW).index(column)][index] = value
    file.write_text(json.dumps(data))
    return file.parents[1]


def test_every_time_is_read_with_its_origin(file):
    first, second, third = read_asv(file.parents[1])
    assert (first.machine, first.commit[:4], first.env["numpy"]) == ("desk", "abab", "2.0.2")
    assert (first.values, first.median, first.number) == (("4", "loss-first"), 2e-6, 900)
    assert (first.interval, first.samples) == ((1e-6, 3e-6), tuple(ROW["samples"][0]))
    assert (second.values, second.samples) == (("5", "loss-first"), (8e-6,))
    assert third.samples == (9e-6,)  # asv kept none: the median alone


def test_times_become_rows_of_our_own_table(file):
    table = asv_table(read_asv(file.parents[1]))
    assert tuple(table.columns) == readers.HARNESS_COLUMNS
    (row,) = table.to_dict("records")
    assert (row["harness"], row["dims"], row["order"]) == ("asv", DIMS, "loss-first")
    assert (row["multiplications"], row["batch"]) == (16 * 32 + 32 * 128 + 128 * 16, 900)
    assert (row["numpy"], row["python"]) == ("2.0.2", "unknown")
    assert row["seconds"] == ROW["samples"][0]
    assert row["round"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d | {"version": 3}, "version is 3: Input should be 2"),
        (lambda d: d | {"results": {BENCHMARK: [[1]]}}, "params: Field required"),
        (lambda d: d | {"results": {BENCHMARK: 7}}, "OverX.*result: Field required"),
        (lambda d: d | {"date": "yesterday"}, "date is 'yesterday': .* integer"),
        (lambda d: d | {"date": float("inf")}, "date is inf: .* finite"),
        (lambda d: d | {"date": 10**400}, "date is 1000.*000"),
        (lambda d: d | {"commit_hash": None}, "commit_hash is None"),
        (lambda d: {k: v for k, v in d.items() if k != "version"}, "version: Field required"),
        (lambda d: [d], r"no JSON object"),
    ],
)
def test_a_damaged_file_is_refused_by_name(file, damage, message):
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    with pytest.raises(RecordsError, match=rf"abababab-virtualenv.json.*{message}"):
        read_asv(file.parents[1])


def test_cells_that_asv_was_not_asked_for_are_left_out(file):
    folder = edit(file, result=(0, float("nan")), stats_number=(0, None), samples=(0, None))
    assert [timing.values[0] for timing in read_asv(folder)] == ["5", "5"]


def test_the_interval_of_a_lone_sample_is_the_sample(file):
    infinity = float("inf")  # as asv writes it
    folder = edit(file, stats_ci_99_a=(0, -infinity), stats_ci_99_b=(0, infinity))
    assert read_asv(folder)[0].interval == (2e-6, 2e-6)


@pytest.mark.parametrize(("version", "count"), [("1", 3), ("2", 0)])
def test_times_of_another_version_of_a_benchmark_are_left_out(file, version, count):
    index = file.parents[1] / "benchmarks.json"
    index.write_text(json.dumps({BENCHMARK: {"version": version}, "version": 2}))
    assert len(read_asv(file.parents[1])) == count


@pytest.mark.parametrize("seconds", [0.0, -1e-6, float("inf")])
def test_a_time_that_cannot_be_is_refused(file, seconds):
    with pytest.raises(RecordsError, match=rf"OverX.*samples\.0\.0 is {seconds}: Input"):
        read_asv(edit(file, samples=(0, [seconds, 1e-6])))
    with pytest.raises(RecordsError, match=r"OverX.*result.0 is"):
        read_asv(edit(file, samples=(0, [1e-6]), result=(0, seconds)))


def test_an_order_that_no_plan_has_is_refused(file):
    folder = edit(file, params=(1, ["'sideways'", "'input-first'"]))
    with pytest.raises(RecordsError, match=r"OverX.* of commit abababab: unknown order 'sideways'"):
        asv_table(read_asv(folder))


def test_no_results_name_the_command_that_makes_some(tmp_path):
    with pytest.raises(RecordsError, match=r"no results of asv.*make bench-quick"):
        read_asv(tmp_path)
    with pytest.raises(RecordsError, match="there are no evaluations of asv"):
        asv_table([])


def test_results_of_pytest_benchmark_become_the_same_table(write_pytest):
    samples, median = [1e-6, 2e-6, 3e-6, 4e-6], {"median": 5e-6, "iterations": 1}
    path = write_pytest((INFO, {"data": samples, "iterations": 7}), (INFO, median))
    first, second = pytest_table(path).to_dict("records")
    assert (first["harness"], first["dims"]) == ("pytest", DIMS)
    assert first["multiplications"] == 32 * 128 * 16 + 16 * 32 * 16 + 16 * 16
    assert (first["seconds"], first["batch"]) == (samples, 7)
    assert second["seconds"] == [5e-6]


@pytest.mark.parametrize(
    ("benchmarks", "message"),
    [
        ([({}, {})], "there are no benchmarks of this suite in"),
        ([(INFO | {"order": None}, MEDIAN)], r"benchmark 0: extra_info.order is None"),
        ([(INFO | {"order": "up"}, MEDIAN)], r"benchmark 0: unknown order 'up'.*make bench-pytest"),
        ([(INFO, MEDIAN | {"median": -1.0})], r"stats.median is -1.0"),
        ([(INFO, {"iterations": 1})], "stats: no times; expected data or a median"),
        ([], "there are no benchmarks of this suite in"),
    ],
)
def test_a_file_without_times_of_this_suite_is_refused(write_pytest, benchmarks, message):
    with pytest.raises(RecordsError, match=message):
        pytest_table(write_pytest(*benchmarks))


def test_benchmarks_of_other_tests_are_left_out(write_pytest):
    path = write_pytest(({}, {}), (INFO, MEDIAN), ({"order": "input-first"}, {"median": "fast"}))
    (row,) = pytest_table(path).to_dict("records")
    assert (row["order"], row["seconds"]) == ("input-first", [5e-6])


def test_rows_of_asv_without_statistics_are_read(file):
    data = json.loads(file.read_text())
    data["result_columns"] = ["result", "params", "version"]
    data["results"] = {BENCHMARK: list(ROW.values())[:3]}
    file.write_text(json.dumps(data))
    first, *_ = read_asv(file.parents[1])
    assert (first.median, first.interval, first.samples) == (2e-6, (2e-6, 2e-6), (2e-6,))
    assert first.number == 1


def test_as_many_combinations_as_there_are_results_are_looked_at(file):
    data = json.loads(file.read_text())
    data["results"][BENCHMARK][1] = [["4", "5"]] * 3000
    file.write_text(json.dumps(data))
    assert len(read_asv(file.parents[1])) == 3


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, "9" * 5000, "\ufeff{}", "[]", ""])
def test_what_is_no_json_object_is_refused(file, text):
    file.write_text(text)
    with pytest.raises(RecordsError, match=r"abababab.*json: (damaged|no JSON).*Restore it"):
        read_asv(file.parents[1])


def test_an_unreadable_file_is_refused_by_name(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(RecordsError, match=r"can't read .*results.json"):
        pytest_table(path)
    path.write_text("{")
    with pytest.raises(RecordsError, match=r"results.json: damaged"):
        pytest_table(path)


def test_a_release_candidate_is_older_than_its_release():
    versions = ["2.5.0rc1", "2.5.0", "2.4.9", "unknown"]
    rows = [("asv", "a", "1", 1, version, "3.11") for version in versions]
    (row,) = one_run(pd.DataFrame(rows, columns=readers.ORIGIN_COLUMNS)).to_dict("records")
    assert row["numpy"] == "2.5.0"


def test_the_latest_commit_and_the_newest_numpy_come_first():
    history = ("a", "1", 1), ("b", "2", 3), ("b", "3", 2)
    rows = [("asv", *commit, numpy, "3.11") for commit in history for numpy in ("2.9.1", "2.10.0")]
    (row,) = one_run(pd.DataFrame(rows, columns=readers.ORIGIN_COLUMNS)).to_dict("records")
    assert (row["machine"], row["commit"], row["numpy"]) == ("b", "2", "2.10.0")


@pytest.mark.parametrize(
    ("name", "present"),
    [("numpy", "2.10.0, 2.4.6"), ("commit", "abababab, cdcdcdcd"), ("machine", "desk")],
)
def test_a_choice_that_is_not_there_lists_those_that_are(asv_results, name, present):
    message = f"no times of {name} '0'. There are those of {present}"
    with pytest.raises(RecordsError, match=message):
        one_run(asv_table(read_asv(asv_results)), **{name: "0"})


def test_sources_are_read_by_their_names(asv_results, write_pytest, tmp_path):
    asv = read_source("asv", asv_results)
    assert set(asv["commit"]) == {"cd" * 20}
    stats = {"median": 5e-6, "iterations": 1}
    assert len(read_source("pytest", write_pytest((INFO, stats)))) == 1
    (tmp_path / "records.jsonl").touch()
    with pytest.raises(RecordsError, match=r"no chain was measured.*jacchain run"):
        read_source("own", tmp_path)
