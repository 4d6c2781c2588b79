"""Records edited by hand: refused with the value and a remedy, or judged; never a traceback."""

import copy
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.table import read_results
from jacchain.runs.assess import assess
from tests.records.examples import WHOLE_RUN

READERS = (read_records, read_results, assess)


def set_at(data, path, value):
    """Set one value inside a record, in place."""
    *outer, last = path
    for key in outer:
        data = data[key]
    data[last] = value


def find(records, **facts):
    return next(record for record in records if facts.items() <= record.items())


@pytest.fixture
def lines():
    """The records of a run as JSON, to be edited."""
    return [json.loads(encode(record)) for record in WHOLE_RUN]


def test_the_run_is_read_and_judged_as_it_is(write):
    file = write(*WHOLE_RUN)
    assert read_records(file) == WHOLE_RUN
    assert len(read_results(file)) == 2 * 10 + 2
    verdicts = {verdict.claim: verdict for verdict in assess(file).verdicts}
    assert list(verdicts) == ["chain-1x2x4x3", "C5", "C9", "model"]
    assert verdicts["C9"].reason.startswith("1 of 5 statements agree; The article's example")
    assert verdicts["model"].parts[0].reason.endswith(" of 14 are")


EDITS = {  # place, value, and what is said of it
    "session": [
        (["schema"], 1, "schema 1; this jacchain reads schema 2"),
        (["environment", "l2_bytes"], "2 MiB", "l2_bytes is '2 MiB'; expected a number of bytes"),
        (
            ["environment", "forced_kernels"],
            [1],
            r"forced_kernels is \[1\]; expected a list of names",
        ),
        (["environment", "cpu_share_of_threads"], 0.5, "is 0.5; expected a list of numbers"),
        (["environment", "caches"], [float("nan")], "nan is no number that JSON has"),
        (["environment"], [], r"environment is \[\]"),
        (["claims"], [], r"claims is \[\]"),
        (["claims"], ["C5", 7], r"claims\.1 is 7"),
        (["seed"], -1, "seed is -1"),
        (["identity", "threads"], 0, r"identity\.threads is 0"),
        (["identity", "cores"], 4, r"identity\.cores is 4"),
    ],
    "cell": [
        (["dims"], [1, 0, 3], r"dims\.1 is 0"),
        (["dims"], [3], r"dims is \[3\]"),
        (["dims"], "1x2", "dims is '1x2'"),
        (["role"], "cell", "role is 'cell'"),
        (["role"], "control", r"control are \('loss-.*'input-first'\); expected one name twice"),
        (["engine"], "numpy", "engine is 'numpy'"),
        (["group"], None, "group is None"),
        (["error"], -1.0, r"error is -1\.0"),
        (["predicted_bytes"], 1.5, r"predicted_bytes is 1\.5"),
        (["skipped"], False, "skipped is False"),
        (["arms"], [], r"arms is \[\]"),
        (["arms", 1, "name"], "loss-first", r"a chain are .*; expected different ones"),
        (["arms", 0, "name"], None, r"arms\.0\.name is None"),
        (["arms", 0, "batch"], 0, r"arms\.0\.batch is 0"),
        (["arms", 0, "bracketing"], [[0, 1], 2], r"arms\.0\.bracketing is \[\[0, 1\], 2\]"),
        (["arms", 0, "counted"], None, r"counted is None, counted_dims \(1, .*give both or none"),
        (["arms", 0, "counted_dims"], None, "counted is 20, counted_dims None; give both or none"),
        (["arms", 0, "counted_dims"], [1, 4, 0], r"counted_dims\.2 is 0"),
        (["arms", 0, "counted"], 2**63, "counted is 9223372036854775808"),
        (["arms", 0, "cost"], 7, r"arms\.0\.cost is 7"),
        (["arms", 0, "cost", "flops"], 40, r"cost\.flops is 40"),
        (["arms", 0, "cost", "bytes"], "264", r"cost\.bytes is '264'"),
        (["arms", 0, "cost", "bytes"], 0, r"cost: bytes is 0; expected 1 to 1e\+40"),
        (["arms", 0, "cost", "row_multiplications"], 21, r"row_multiplications is 21; .* the 20"),
        (["arms", 0, "cost", "peak_bytes"], 10**50, r"peak_bytes is 10000.*; expected 0 to 1e\+40"),
        (["arms", 0, "cost", "products"], 0, r"\[\(0, 20\), \(2, 30\)\]; expected some of each"),
    ],
    "block": [
        (["seconds", 1], -4.0, r"seconds\.1 is -4\.0"),
        (["seconds", 1], float("nan"), r"seconds\.1 is nan"),
        (["seconds", 1], float("inf"), r"seconds\.1 is inf"),
        (["seconds", 1], "4.0", r"seconds\.1 is '4\.0'"),
        (["seconds"], [1.0, 4.0], "4, 2, 4 entries"),
        (["cpu_seconds"], [], "4, 4, 0 entries"),
        (["sequence"], "ABAB", "sequence is 'ABAB'"),
        (["sequence"], "AA\n", "sequence is 'AA"),
        (["sequence"], "AA", "2, 4, 4 entries"),
        (["process"], -1, "process is -1"),
        (["flagged"], 1, "flagged is 1"),
        (["kind"], "blok", "kind is 'blok'"),
        (["second"], 1.0, r"block\.second is 1\.0"),
    ],
    "check": [
        (["values"], [2.0], r"values is \[2\.0\]"),
        (["values", "orders", 0], float("nan"), "nan is no number that JSON has"),
        (["check"], 9, "check is 9"),
    ],
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("kind", "path", "value", "problem"),
    [(kind, *edit) for kind, edits in EDITS.items() for edit in edits],
)
def test_what_can_not_be_is_refused_with_its_value(write, lines, read, kind, path, value, problem):
    record = find(lines, kind=kind)
    set_at(record, path, value)
    where = f"records.jsonl, line {lines.index(record) + 1}: "
    with pytest.raises(RecordsError, match=re.escape(where) + f".*{problem}") as caught:
        read(write(*lines))
    remedy = "measure anew with --fresh" if path == ["schema"] else "Delete that line"
    assert remedy in caught.value.remedy


def test_only_a_ceiling_multiplies_nothing(write, lines):
    none = dict.fromkeys(("products", "multiplications", "row_multiplications"), 0)
    find(lines, role="ceiling")["arms"][0]["cost"] |= none
    for read in READERS:
        read(write(*lines))
    find(lines, role="overhead")["arms"][0]["cost"] |= none
    for read in READERS:
        with pytest.raises(RecordsError, match=r"\[\(0, 0\)\]; expected some of each"):
            read(write(*lines))


@pytest.mark.parametrize("name", ["l2_bytes", "llc_bytes", "cpu"])
def test_an_environment_need_not_know_all(write, lines, name):
    del find(lines, kind="session")["environment"][name]
    assert assess(write(*lines)).verdicts


def paths(value, path=()):
    """Every place inside a record; of long lists the first and the last."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list) and value:
        for index in {0, len(value) - 1}:
            yield from paths(value[index], (*path, index))


def places(records):
    """Every place of one record of each kind, role and sequence."""
    reverse = reversed(list(enumerate(records)))
    first = {(r["kind"], r.get("role"), r.get("sequence")): index for index, r in reverse}
    return [(index, path) for index in first.values() for path in paths(records[index])]


NUMBERS = [0, 1, -1, 2**63, 10**39, 10**40, 10**400, 0.0, 5e-324, 1e-15, 1.5, 1e10, 1e300]
WORDS = ["", "x", "chain", "control", "ceiling", "overhead", "loss-first", "input-first", "AA"]
OTHERS = [float("nan"), None, True, [], {}, [1], [1, 1, 1], [1, 2, 0], [[]], {"a": [None]}]


@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), value=st.sampled_from([*NUMBERS, *WORDS, *OTHERS]))
def test_one_edit_anywhere_is_judged_or_refused(write, lines, data, value):
    index, path = data.draw(st.sampled_from(places(lines)))
    edited = copy.deepcopy(lines[index])
    set_at(edited, path, value)
    file = write(*lines[:index], edited, *lines[index + 1 :])
    for read in READERS:
        try:
            read(file)
        except RecordsError as error:
            assert error.remedy  # noqa: PT017
