"""One record as one line: the round trip, and what is no record."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.cost import Cost
from jacchain.records.codec import decode, encode
from jacchain.records.errors import RecordsError
from jacchain.records.schema import (
    ArmRecord,
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    SessionRecord,
)

text = st.text(max_size=8)
counts = st.integers(0, 10**40)  # dims of 10**9 give counts beyond 64 bits
positive = st.integers(1, 10**40)
times = st.floats(1e-15, 1e10)
amounts = st.floats(min_value=0, allow_infinity=False)
dims = st.lists(positive, min_size=2, max_size=4).map(tuple)
objects = st.dictionaries(
    text,
    st.recursive(
        st.none() | st.booleans() | counts | amounts | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def build(record_type, **strategies):
    """Records of a type: counts where no strategy is named."""
    names = {field.name for field in fields(record_type)} - {"kind", "schema"}
    return st.builds(record_type, **dict.fromkeys(names, counts) | strategies)


@st.composite
def costs(draw):
    rows, others = draw(st.integers(1, 10**38)), draw(st.integers(0, 10**38))
    return Cost(
        products=draw(positive),
        multiplications=rows + others,
        row_multiplications=rows,
        bytes=draw(positive),
        held_bytes=draw(positive),
        peak_bytes=draw(counts),
    )


@st.composite
def arms(draw, name):
    count, counted_dims = draw(st.just((None, None)) | st.tuples(st.integers(0, 2**63 - 1), dims))
    return ArmRecord(
        name=name,
        cost=draw(costs()),
        counted=count,
        counted_dims=counted_dims,
        batch=draw(positive),
    )


@st.composite
def cells(draw):
    role = draw(st.sampled_from(["chain", "comparison", "control", "cause", "ceiling", "overhead"]))
    first, second = draw(st.lists(text, min_size=2, max_size=2, unique=True))
    names = (first, first) if role == "control" else (first, second)[: draw(st.integers(1, 2))]
    cell = build(
        CellRecord,
        identity=identities,
        cell=text,
        role=st.just(role),
        group=text,
        dims=dims,
        arms=st.tuples(*map(arms, names)),
        error=st.none() | amounts,
        error_bound=st.none() | amounts,
        predicted_seconds=amounts,
        skipped=st.none() | text,
    )
    return draw(cell)


@st.composite
def blocks(draw):
    sequence = draw(st.sampled_from(["AA", "ABBA", "BAAB"]))
    size = {"min_size": len(sequence), "max_size": len(sequence)}
    block = build(
        BlockRecord,
        identity=identities,
        cell=text,
        sequence=st.just(sequence),
        seconds=st.lists(times, **size).map(tuple),
        cpu_seconds=st.lists(amounts, **size).map(tuple),
        steal=st.none() | amounts,
        flagged=st.booleans(),
    )
    return draw(block)


identities = build(
    Identity,
    **dict.fromkeys(("machine", "numpy", "blas", "jacchain", "dtype"), text),
    threads=st.integers(1, 64),
)
sessions = build(
    SessionRecord,
    identity=identities,
    started=text,
    profile=text,
    claims=st.lists(text, min_size=1, max_size=3).map(tuple),
    environment=objects,
)
checks = build(CheckRecord, identity=identities, check=text, values=objects)


@given(sessions | cells() | blocks() | checks)
def test_a_record_survives_the_round_trip(record):
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decode(line) == record


@pytest.mark.parametrize("kind", range(4))
def test_every_field_is_needed(run, kind):
    whole = json.loads(encode(run[kind]))
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
def test_another_schema_is_refused_whatever_else_the_line_holds(block, schema):
    line = json.loads(encode(block)) | {"schema": schema, "engine": "numpy"}
    with pytest.raises(RecordsError, match="this jacchain reads schema 2") as caught:
        decode(json.dumps(line).encode())
    assert repr(schema) in caught.value.problem
    assert "measure anew with --fresh" in caught.value.remedy


def test_only_decoding_validates(block):
    line = encode(replace(block, seconds=(1.0, 4.0, 5.0, -2.0)))
    with pytest.raises(RecordsError, match=r"block\.seconds\.3 is -2\.0"):
        decode(line)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j, {1}])
def test_what_json_has_no_word_for_is_not_written(check, value):
    with pytest.raises(RecordsError, match="the check record can't be written as JSON"):
        encode(replace(check, values={"order": value}))
