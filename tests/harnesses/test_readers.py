"""Results of asv and pytest-benchmark, read as our own table."""

import json
import math

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
INFO = {"dims": list(DIMS), "order": "input-first", "numpy": "2.4.6"}
STATS = {"data": [1.0], "iterations": 1}


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
    assert first.samples == tuple(ROW["samples"][0])
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
        (lambda d: d | {"version": 3}, r"version 3; this jacchain knows 2"),
        (lambda d: d | {"version": None}, r"version None; this jacchain knows 2"),
        (lambda d: d | {"version": 1}, r"version 1; .*`asv update`"),
        (lambda d: d | {"results": {BENCHMARK: [[1, 2]]}}, r"result has 2 values; expected 1"),
        (lambda d: d | {"results": {BENCHMARK: 3}}, r"time_evaluate is 3; expected a list"),
        (lambda d: d | {"date": "yesterday"}, r"date is 'yesterday': .*integer"),
        (lambda d: d | {"date": math.inf}, r"date is inf: .*integer"),
        (lambda d: d | {"date": 10**15}, r"date is 1000000000000000: .*less than"),
        (lambda d: d | {"commit_hash": None}, r"commit_hash is None: .*string"),
        (lambda d: d | {"commit_hash": "--help"}, r"commit_hash is '--help': .*pattern"),
        (lambda d: d | {"params": {"numpy": "\ud800"}}, r"params.numpy is '\\ud800'"),
        (lambda d: {k: d[k] for k in d if k != "results"}, r"results is missing"),
        (lambda d: [d], r"is no JSON object"),
    ],
)
def test_a_damaged_file_is_refused_by_name(file, damage, message):
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    with pytest.raises(RecordsError, match=rf"abababab-virtualenv.json.*{message}"):
        read_asv(file.parents[1])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("result", 0.0, "is 0.0: .*greater than"),
        ("result", math.inf, "is inf: .*finite"),
        ("result", "fast", "is 'fast': .*number"),
        ("stats_number", 0, "is 0: .*greater than"),
        ("params", "4", r"is '4'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(file, column, value, message):
    place = rf"json: results.{BENCHMARK}.{column}.0 {message}.* measure anew"
    with pytest.raises(RecordsError, match=place):
        read_asv(edit(file, **{column: (0, value)}))


def test_more_combinations_than_results_are_refused_and_not_gone_through(file):
    data = json.loads(file.read_text())
    data["results"][BENCHMARK][1] = [["a"] * 3000] + [["a"] * 3] * 40
    file.write_text(json.dumps(data))
    with pytest.raises(RecordsError, match=r"result has 4 values; expected 364\d+, .* 3000 x 3 x"):
        read_asv(file.parents[1])


def test_results_without_statistics_or_samples_are_read_as_they_are(file):
    """As asv writes them where a benchmark returns its own time, or was stored without more."""
    data = json.loads(file.read_text())
    data["results"] = {
        BENCHMARK: list(ROW.values())[:3],
        "evaluation.OverZ1.time_evaluate": [None, [["5"], ["'loss-first'"]], "1"],
        "evaluation.OverZ2.time_evaluate": [],
    }
    file.write_text(json.dumps(data))
    first, *others = read_asv(file.parents[1])
    assert len(others) == 2
    assert (first.interval, first.samples, first.number) == ((2e-6, 2e-6), (2e-6,), None)
    (row,) = asv_table([first, *others]).to_dict("records")
    assert (row["seconds"], row["batch"]) == ([2e-6], None)


def test_an_environment_that_names_no_version_is_unknown(file):
    data = json.loads(file.read_text()) | {"params": {"numpy": "", "python": None}}
    file.write_text(json.dumps(data))
    assert set(asv_table(read_asv(file.parents[1]))["numpy"]) == {"unknown"}


def test_a_machine_whose_name_cannot_be_shown_is_refused(file):
    file.parent.rename(file.parents[1] / "de\nsk")
    with pytest.raises(RecordsError, match=r"'de\\nsk' is no name of a machine"):
        read_asv(file.parents[1])


def test_cells_that_asv_was_not_asked_for_are_left_out(file):
    folder = edit(file, result=(0, float("nan")), stats_number=(0, None), samples=(0, None))
    assert [timing.values[0] for timing in read_asv(folder)] == ["5", "5"]


def test_the_interval_is_of_95_percent_from_six_samples_on(file):
    assert read_asv(file.parents[1])[0].interval == (2e-6, 2e-6)  # of four
    samples = [k * 1e-6 for k in range(1, 11)]
    (low, high), *_ = (t.interval for t in read_asv(edit(file, samples=(0, samples))))
    # of ten values [x2, x9] holds the median in 1 - 2 * 11 / 1024 = 97.9 %, [x3, x8] in 89.1 %
    assert 2e-6 < low < 3e-6
    assert 8e-6 < high < 9e-6


@pytest.mark.parametrize(("version", "count"), [("1", 3), ("2", 0)])
def test_times_of_another_version_of_a_benchmark_are_left_out(file, version, count):
    index = file.parents[1] / "benchmarks.json"
    index.write_text(json.dumps({BENCHMARK: {"version": version}, "version": 2}))
    assert len(read_asv(file.parents[1])) == count


@pytest.mark.parametrize("seconds", [0.0, -1e-6, float("inf")])
def test_a_time_that_cannot_be_is_refused(file, seconds):
    with pytest.raises(RecordsError, match=rf"samples.0.0 is {seconds}: .*(greater|finite)"):
        read_asv(edit(file, samples=(0, [seconds, 1e-6])))


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
        ([({}, {})], r"no benchmarks of this suite in .*benchmarks/README.md"),
        ([], "there are no benchmarks of this suite in"),
        ([(INFO | {"order": None}, STATS)], "benchmarks.0.extra_info.order is None: .*string"),
        ([(INFO | {"order": "sideways"}, STATS)], "unknown order 'sideways'.*make bench-pytest"),
        ([(INFO | {"dims": [1, 0, 4]}, STATS)], "extra_info.dims.1 is 0: .*greater than"),
        ([(INFO | {"dims": [10] * 2000}, STATS)], "extra_info.dims is .*at most 1000"),
        ([(INFO, {"iterations": 1})], "stats is .*neither data nor median; expected one of them"),
        ([(INFO, STATS | {"iterations": 0})], "stats.iterations is 0: .*greater than"),
        ([(INFO, STATS | {"median": math.nan})], "stats.median is nan: .*finite"),
        ([(INFO, STATS | {"data": [-1.0]})], "stats.data.0 is -1.0: .*greater than"),
    ],
)
def test_a_file_of_another_suite_or_with_bad_values_is_refused(write_pytest, benchmarks, message):
    with pytest.raises(RecordsError, match=message):
        pytest_table(write_pytest(*benchmarks))


def test_tests_of_other_suites_are_left_out(write_pytest):
    path = write_pytest(({}, {"median": 1.0}), (INFO, STATS), ({"order": 3}, {}))
    (row,) = pytest_table(path).to_dict("records")
    assert (row["dims"], row["seconds"]) == (DIMS, [1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datetime": "yesterday"}, "datetime is 'yesterday': expected a date in ISO 8601"),
        ({"datetime": None}, "datetime is None"),
        ({"benchmarks": {}}, "benchmarks is {}"),
        (
            {"machine_info": {"python_version": "\x1b[31m"}},
            "python_version is .*control characters",
        ),
        ({"commit_info": {"id": 3}}, "commit_info.id is 3"),
    ],
)
def test_the_head_of_a_file_is_checked(write_pytest, change, message):
    path = write_pytest((INFO, STATS))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RecordsError, match=rf"results.json: .*{message}"):
        pytest_table(path)


def test_an_unreadable_file_is_refused_by_name(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(RecordsError, match=r"can't read .*results.json"):
        pytest_table(path)
    path.write_text("{")
    with pytest.raises(RecordsError, match=r"results.json: damaged"):
        pytest_table(path)


def test_the_latest_commit_and_the_newest_numpy_come_first():
    history = ("a", "1", 1), ("b", "2", 3), ("b", "3", 2)
    rows = [("asv", *commit, numpy, "3.11") for commit in history for numpy in ("2.9.1", "2.10.0")]
    (row,) = one_run(pd.DataFrame(rows, columns=readers.ORIGIN_COLUMNS)).to_dict("records")
    assert (row["machine"], row["commit"], row["numpy"]) == ("b", "2", "2.10.0")


def test_a_candidate_is_older_than_its_release():
    versions = ("main", "2.5.0rc1", "2.5.0", "2.5.0.dev3", "9" * 5000)
    rows = [("asv", "a", "1", 1, numpy, "3.11") for numpy in versions]
    (row,) = one_run(pd.DataFrame(rows, columns=readers.ORIGIN_COLUMNS)).to_dict("records")
    assert row["numpy"] == "2.5.0"


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
