"""One record as one line: the round trip, and what is no record."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.records.codec import decode, encode
from jacchain.records.errors import RecordsError
from tests.records.examples import BLOCK, CELL, CHECK, HERE, RUN, SESSION, WHOLE_RUN

text = st.text(max_size=8)
counts = st.integers(0, 10**40)  # dims of 10**9 give counts beyond 64 bits
positive = st.integers(1, 10**40)
amounts = st.floats(min_value=0, allow_infinity=False)
maybe = st.none() | amounts
dims = st.lists(positive, min_size=2, max_size=4).map(tuple)
claims = st.lists(text, min_size=1, max_size=3).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | counts | amounts | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, json_values, max_size=3)


def vary(record, *fields, **others):
    """Records that differ from this one in these fields: counts where no strategy is named."""
    return st.builds(replace, st.just(record), **dict.fromkeys(fields, counts), **others)


software = dict.fromkeys(("machine", "numpy", "blas", "jacchain", "dtype"), text)
place = {"identity": vary(HERE, **software, threads=positive), "cell": text}
sizes = dict.fromkeys(("products", "bytes", "held_bytes"), positive)
most = {"multiplications": st.just(10**40)}
work = vary(CELL.arms[0].cost, "peak_bytes", "row_multiplications", **sizes, **most)
executed = {"counted": st.integers(0, 2**63 - 1), "counted_dims": dims}
first, second = (
    vary(arm, name=text.map(letter.__add__), cost=work, batch=positive, **counted)
    for letter, arm, counted in zip("AB", CELL.arms, (executed, {}), strict=True)
)
arms = {"arms": st.tuples(first, second), "dims": dims, "group": text}
admission = {"predicted_seconds": amounts, "skipped": st.none() | text}
cells = vary(CELL, "predicted_bytes", **place, **arms, **admission, error=maybe, error_bound=maybe)
seconds = [st.floats(1e-15, 1e10)] * 4
times = {"seconds": st.tuples(*seconds), "cpu_seconds": st.tuples(*[amounts] * 4), "steal": maybe}
blocks = vary(BLOCK, "process", "round", "switches", **place, **times, flagged=st.booleans())
start = {"started": text, "profile": text, "claims": claims, "environment": objects}
sessions = vary(SESSION, "seed", identity=place["identity"], **start)
checks = vary(CHECK, identity=place["identity"], check=text, values=objects)


@given(st.sampled_from(WHOLE_RUN) | sessions | cells | blocks | checks)
def test_a_record_survives_the_round_trip(record):
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decode(line) == record


@pytest.mark.parametrize("record", RUN[:4], ids=lambda record: record.kind)
def test_every_field_is_needed(record):
    whole = json.loads(encode(record))
    for name in whole:
        line = json.dumps({key: value for key, value in whole.items() if key != name}).encode()
        with pytest.raises(RecordsError, match=name):
            decode(line)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\x00\x00", "not JSON"),
        (b"\xff", "not JSON"),
        (DEEP, "not JSON"),
        (b'{"kind": "check", "schema": 2, "values": {"a": %s}}' % DEEP, "not JSON"),
        (b"7", "no field 'schema': 7"),
        (b"[]", r"no field 'schema': \[\]"),
        (b'{"kind": "check"}', "no field 'schema'"),
        (b'{"schema": 2}', "kind is None; expected one of session, cell, block, check"),
        (b'{"schema": 2, "kind": "blok"}', "kind is 'blok'"),
        (b'{"schema": 2, "kind": []}', r"kind is \[\]"),
    ],
    ids=range(12),
)
def test_what_is_no_record_is_refused(line, problem):
    with pytest.raises(RecordsError, match=problem) as caught:
        decode(line)
    assert "Delete that line" in caught.value.remedy


@pytest.mark.parametrize("schema", [1, 3, 99, 2**70, True, None, "2", [2]])
def test_another_schema_is_refused_whatever_else_the_line_holds(schema):
    line = json.loads(encode(BLOCK)) | {"schema": schema, "engine": "numpy"}
    with pytest.raises(RecordsError, match="this jacchain reads schema 2") as caught:
        decode(json.dumps(line).encode())
    assert repr(schema) in caught.value.problem
    assert "measure anew with --fresh" in caught.value.remedy


def test_only_decoding_validates():
    line = encode(replace(BLOCK, seconds=(1.0, 4.0, 5.0, -2.0)))
    with pytest.raises(RecordsError, match=r"block\.seconds\.3 is -2\.0"):
        decode(line)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j, {1}])
def test_what_json_has_no_word_for_is_not_written(value):
    with pytest.raises(RecordsError, match="the check record can't be written as JSON"):
        encode(replace(CHECK, values={"order": value}))
