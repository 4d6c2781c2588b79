"""Records edited by hand: refused with a remedy, or judged; never a traceback."""

import copy
import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.experiments.judging import assess
from jacchain.records.codec import decode, encode
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records, whole_lines

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "records.jsonl.gz"
ROUNDS = 2
DEEP = b"[" * 100_000 + b"]" * 100_000


def set_at(data, path, value):
    """Set one value inside a record, in place."""
    *outer, last = path
    for key in outer:
        data = data[key]
    data[last] = value


def edited_line(record, path, value):
    data = json.loads(encode(record))
    set_at(data, path, value)
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["dims"], [1, 0, 3], r"dims\.1 is 0: .*greater than or equal to 1"),
        (["dims"], [1, 3], r"dims are \(1, 3\); expected at least three"),
        (["dims"], [2, 4, 3], r"dims are \(2, 4, 3\); .*beginning with 1"),
        (["dims"], [], r"dims is \[\]: .*at least 2"),
        (["arms"], [], r"arms is \[\]: .*at least 1"),
        (["role"], "control", r"control are \('loss-first', 'input-first'\); .*one order twice"),
        (["arms", 1, "order"], "loss-first", r"a cell are .*; expected different ones"),
        (["arms", 0, "counted"], None, r"counted is None, counted_dims \(1, .*both or none"),
        (["arms", 0, "counted_dims"], None, "counted is 20, counted_dims None; give both or none"),
        (["arms", 0, "counted_dims"], [1, 4, 0], r"counted_dims\.2 is 0"),
        (["arms", 0, "counted_dims"], [1, 4], r"arms\.0\.counted_dims: dims are \(1, 4\)"),
        (["arms", 0, "counted_dims"], [3, 4, 2], r"counted_dims: dims are \(3, 4, 2\)"),
        (["arms", 0, "counted_dims"], [1, 2**30, 2**30, 2**30], "too large to have been counted"),
        (["arms", 0, "counted"], 2**63, r"counted is 9223372036854775808: .*less than"),
        (["arms", 0, "flops"], 41, r"flops are 41; expected twice the 20 multiplications"),
        (["arms", 0, "matrix_flops"], 1, "row_flops 40 and matrix_flops 1"),
        (["arms", 0, "products"], 0, r"\(0, 20\).*only of a copy"),
        (["arms", 0, "working_set"], 0, "working_set is 0"),
        (["arms", 0, "bytes"], 10**41, "bytes is 1000.*less than or equal"),
        (["arms", 0, "order"], None, "order is None"),
    ],
)
def test_a_cell_that_can_not_be_is_refused_with_its_value(cell, path, value, said):
    with pytest.raises(RecordsError, match=said) as caught:
        decode(edited_line(cell, path, value))
    assert "Delete that line" in caught.value.remedy


@pytest.mark.parametrize("role", ["cell", "control", "cause", "overhead"])
def test_only_a_ceiling_is_no_chain(cell, role):
    data = json.loads(encode(cell)) | {"role": role, "dims": [128, 64], "engine": "copy"}
    data["arms"] = [data["arms"][0]] * (2 if role == "control" else 1)
    with pytest.raises(RecordsError, match=r"dims are \(128, 64\)"):
        decode(json.dumps(data).encode())
    data |= {"role": "ceiling"}
    assert decode(json.dumps(data).encode()).dims == (128, 64)


def test_only_a_copy_multiplies_nothing(cell):
    data = json.loads(encode(cell)) | {"role": "ceiling", "engine": "copy", "dims": [128, 64]}
    none = dict.fromkeys(("products", "multiplications", "flops", "row_flops"), 0)
    data["arms"] = [data["arms"][0] | none]
    assert decode(json.dumps(data).encode()).arms[0].flops == 0
    with pytest.raises(RecordsError, match=r"\(0, 0\).*only of a copy"):
        decode(json.dumps(data | {"engine": "matrix-matrix"}).encode())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["environment", "l2_bytes"], "2 MiB", "l2_bytes is '2 MiB'; expected a number of bytes"),
        (["environment", "memory_bytes"], -1, "memory_bytes is -1"),
        (["environment", "llc_bytes"], True, "llc_bytes is True"),
        (["environment", "caches"], [float("nan")], "nan is no number that JSON has"),
        (["environment", "caches"], {"l2": float("inf")}, "inf is no number that JSON has"),
        (["environment"], [], r"environment is \[\]"),
        (["profile"], "chain", r"claims of profile 'chain' are \('C1', 'C5'\); expected none"),
        (["seed"], -1, "seed is -1"),
    ],
)
def test_a_session_that_can_not_be_is_refused_with_its_value(session, path, value, said):
    with pytest.raises(RecordsError, match=said):
        decode(edited_line(session, path, value))


def test_what_is_nested_too_deeply_is_refused(check):
    line = encode(check).replace(b"2.01", DEEP)
    with pytest.raises(RecordsError, match="not JSON"):
        decode(line)
    assert whole_lines(b"{}\n" + line[:-1]) == b"{}\n"


def test_the_reference_is_read():
    assert read_records(REFERENCE)


def small_run():
    """The first cells of each role in the reference with some of their blocks, as JSON."""
    lines = map(json.loads, gzip.decompress(REFERENCE.read_bytes()).splitlines())
    kept = {kind: [] for kind in ("session", "cell", "check", "block")}
    for line in lines:
        kept[line["kind"]].append(line)
    cells = {}
    for cell in kept["cell"]:
        cells.setdefault((cell["role"], cell["arms"][0]["order"]), {})[cell["cell"]] = cell
    chosen = {name: cell for group in cells.values() for name, cell in list(group.items())[:3]}
    blocks = [b for b in kept["block"] if b["cell"] in chosen and b["round"] < ROUNDS]
    return [*kept["session"], *kept["check"], *chosen.values(), *blocks]


RUN = small_run()


def judge(folder, records):
    (folder / "records.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return assess(folder)


def find(records, **facts):
    return next(r for r in records if facts.items() <= r.items())


def edit(path, value, **facts):
    """Set a value in the first record with these facts."""
    return lambda records: set_at(find(records, **facts), path, value)


def same_dims(records):
    """Give a cell the dims of another, as a copied line has."""
    first, second = [r for r in records if r.get("role") == "cell"][:2]
    second["dims"] = first["dims"]


def without_cell(records):
    records.remove(find(records, role="cell"))


def without_session(records):
    records[:] = [r for r in records if r["kind"] != "session"]


def unpaired(records):
    block = next(r for r in records if r.get("sequence") in {"ABBA", "BAAB"})
    both = {name: block[name][:2] for name in ("seconds", "cpu_seconds")}
    block.update(both, sequence="AA")


def unknown_control(records):
    control = find(records, role="control")
    for arm in control["arms"]:
        arm["order"] = "sideways"


DAMAGES = {
    "an order that no planner has": (
        edit(["arms", 0, "order"], "sideways", role="cell"),
        "has an arm 'sideways'; known orders are loss-first, input-first.*Delete that line",
    ),
    "a control of an unknown order": (unknown_control, "'sideways'; known orders are"),
    "arms of a control that differ": (
        edit(["arms", 1, "order"], "sideways", role="control"),
        "expected one order twice.*Delete that line",
    ),
    "two cells of the same dims": (same_dims, "cells 'cell:.*' and 'cell:.*' both have .*Delete"),
    "blocks without their cell": (without_cell, "no line of its own.*Resume the run"),
    "a block of one arm": (unpaired, "has 2 arms, but a block 'AA'.*Delete the line"),
    "no session": (without_session, "no session.*Resume the run"),
    "a cache in words": (
        edit(["environment", "l2_bytes"], "2 MiB", kind="session"),
        "line 1: session.environment: l2_bytes is '2 MiB'.*Delete that line",
    ),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_records_are_refused_with_a_remedy(tmp_path, damage, said):
    records = copy.deepcopy(RUN)
    damage(records)
    with pytest.raises(RecordsError, match=re.compile(said, re.DOTALL)):
        judge(tmp_path, records)


@pytest.mark.parametrize("name", ["l2_bytes", "llc_bytes", "cpu_model"])
def test_an_environment_need_not_know_all(tmp_path, name):
    records = copy.deepcopy(RUN)
    del find(records, kind="session")["environment"][name]
    assert judge(tmp_path, records).verdicts


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


def places():
    """Every place of one record of each kind, role and order."""
    shown = {}
    for index, record in enumerate(RUN):
        arms = record.get("arms", [{}])
        key = (record["kind"], record.get("role"), arms[0].get("order"), record.get("sequence"))
        shown.setdefault(key, index)
    return [(index, path) for index in shown.values() for path in paths(RUN[index])]


NUMBERS = [0, 1, -1, 2**63, 10**39, 10**400, 0.0, 5e-324, 1e-15, 1.5, 1e300, float("nan")]
WORDS = ["", "x", "cell", "control", "ceiling", "overhead", "loss-first", "copy", "chain", "AA"]
OTHERS = [None, True, [], {}, [1], [1, 1, 1], [1, 2, 0], [[]], {"a": [None]}]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(places()), st.sampled_from([*NUMBERS, *WORDS, *OTHERS]))
def test_one_edit_anywhere_is_judged_or_refused(tmp_path_factory, place, value):
    index, path = place
    records = copy.copy(RUN)
    records[index] = copy.deepcopy(RUN[index])
    set_at(records[index], path, value)
    try:
        said = {v.verdict for v in judge(tmp_path_factory.mktemp("run"), records).verdicts}
        expected = {"agrees", "disagrees", "inconclusive"}
    except RecordsError as error:
        said, expected = {bool(error.problem), bool(error.remedy)}, {True}
    assert said
    assert said <= expected
