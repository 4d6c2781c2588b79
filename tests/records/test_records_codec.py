"""One record as one line: the round trip, and what is refused."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.records.codec import decode, encode
from jacchain.records.errors import RecordsError
from jacchain.records.schema import (
    SCHEMA,
    Arm,
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    SessionRecord,
)

text = st.text(max_size=8)
counts = st.integers(0, 10**40)  # dims of 10**9 give counts beyond 64 bits
some = st.integers(1, 10**40)
times = st.floats(1e-15, 1e10)
amounts = st.floats(min_value=0, allow_infinity=False)


def chains(sizes):
    """Dims of chains."""
    return st.lists(sizes, min_size=2, max_size=4).map(lambda after: (1, *after))


nested = st.recursive(st.integers(0, 9), lambda inner: st.tuples(inner, inner), max_leaves=6)
objects = st.dictionaries(
    text,
    st.recursive(
        st.none() | st.booleans() | counts | amounts | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def values(record_type, **known):
    """Records of a type, fields by their names: counts where nothing else is said."""
    drawn = {field.name: counts for field in fields(record_type)} | known
    drawn.pop("kind", None)
    drawn.pop("schema", None)
    return st.builds(record_type, **drawn)


@st.composite
def arms_of(draw, order):
    """An arm of that order: its flops and its count go together."""
    rows, matrices = draw(st.integers(1, 10**38)), draw(st.integers(0, 10**38))
    counted = st.tuples(st.integers(0, 2**63 - 1), chains(st.integers(1, 10**5)))
    count, counted_dims = draw(st.just((None, None)) | counted)
    return draw(
        values(
            Arm,
            order=st.just(order),
            bracketing=st.none() | nested,
            regime=st.sampled_from(["L2", "LLC", "memory", "between", "unknown"]),
            products=some,
            multiplications=st.just(rows + matrices),
            flops=st.just(2 * (rows + matrices)),
            row_flops=st.just(2 * rows),
            matrix_flops=st.just(2 * matrices),
            bytes=some,
            working_set=some,
            counted=st.just(count),
            counted_dims=st.just(counted_dims),
            batch=st.integers(1, 10**6),
        )
    )


@st.composite
def cells(draw):
    role = draw(st.sampled_from(["cell", "control", "ceiling", "cause", "overhead"]))
    first, second = draw(st.lists(text, min_size=2, max_size=2, unique=True))
    orders = (first, first) if role == "control" else (first, second)[: draw(st.integers(1, 2))]
    shapes = st.tuples(some, some)
    return draw(
        values(
            CellRecord,
            identity=identities,
            cell=text,
            role=st.just(role),
            engine=text,
            dims=shapes if role == "ceiling" else chains(some),
            arms=st.tuples(*map(arms_of, orders)),
            error=st.none() | amounts,
            error_bound=st.none() | amounts,
            predicted_seconds=amounts,
            skipped=st.none() | text,
        )
    )


identities = values(
    Identity,
    **dict.fromkeys(("machine", "numpy", "blas", "jacchain", "dtype"), text),
    threads=st.integers(1, 64),
)
sessions = values(
    SessionRecord,
    identity=identities,
    started=text,
    profile=text,
    claims=st.lists(text, max_size=3).map(tuple),
    environment=objects,
)
checks = values(CheckRecord, identity=identities, check=text, values=objects)


@st.composite
def blocks(draw):
    sequence = draw(st.sampled_from(["AA", "ABBA", "BAAB"]))
    per_letter = {"min_size": len(sequence), "max_size": len(sequence)}
    return draw(
        values(
            BlockRecord,
            identity=identities,
            cell=text,
            sequence=st.just(sequence),
            seconds=st.lists(times, **per_letter).map(tuple),
            cpu_seconds=st.lists(amounts, **per_letter).map(tuple),
            steal=st.none() | amounts,
            flagged=st.booleans(),
        )
    )


@given(sessions | cells() | blocks() | checks)
def test_a_record_survives_the_round_trip(record):
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == record


def test_keys_tell_records_apart_and_sessions_have_none(run):
    keys = [record.key for record in run]
    assert keys[0] is None
    assert len(set(keys)) == len(run)


def edited(record, **changes):
    return json.dumps(json.loads(encode(record)) | changes).encode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"seconds": [1.0, -4.0, 5.0, 2.0]},
            r"block\.seconds\.1 is -4\.0: .*greater than or equal to 0",
        ),
        ({"seconds": [1.0, 0.0, 5.0, 2.0]}, r"seconds\.1 is 0\.0"),
        ({"seconds": [1.0, float("nan"), 5.0, 2.0]}, r"seconds\.1 is nan"),
        ({"seconds": [1.0, float("inf"), 5.0, 2.0]}, r"seconds\.1 is inf"),
        ({"seconds": [1.0, "4.0", 5.0, 2.0]}, r"seconds\.1 is '4\.0'"),
        ({"seconds": [1.0, 4.0]}, "4, 2 and 4 entries"),
        ({"seconds": [1.0, 5e-324, 5.0, 2.0]}, r"seconds\.1 is 5e-324"),
        ({"seconds": [1.0, 1e11, 5.0, 2.0]}, r"seconds\.1 is 100000000000\.0: .*less than"),
        ({"cpu_seconds": []}, "4, 4 and 0 entries"),
        ({"sequence": "ABBC"}, "sequence is 'ABBC': .*'AA', 'ABBA' or 'BAAB'"),
        ({"sequence": "ABAB"}, "sequence is 'ABAB'"),
        ({"sequence": "AA\n"}, "sequence is 'AA"),
        ({"process": -1}, "process is -1"),
        ({"flagged": 1}, "flagged is 1"),
        ({"kind": "blok"}, "'blok' .*'session', 'cell', 'block', 'check'"),
        ({"second": 1.0}, r"block\.second is 1\.0: Unexpected"),
    ],
)
def test_a_line_edited_by_hand_is_refused_with_its_value(block, changes, said):
    with pytest.raises(RecordsError, match=said) as caught:
        decode(edited(block, **changes))
    assert "Delete that line" in caught.value.remedy


@pytest.mark.parametrize("kind", range(4))
def test_every_field_is_needed(run, kind):
    whole = json.loads(encode(run[kind]))
    for name in whole:
        line = json.dumps({key: value for key, value in whole.items() if key != name}).encode()
        with pytest.raises(RecordsError, match=name):
            decode(line)


@pytest.mark.parametrize("line", [b"", b"7", b"[]", b"{", b"\x00\x00", b"\xff", b'{"schema": 1}'])
def test_what_is_no_record_is_refused(line):
    with pytest.raises(RecordsError):
        decode(line)


def test_a_schema_from_the_future_says_what_is_known(block):
    with pytest.raises(RecordsError, match=f"schema 99.* knows schema {SCHEMA}. Upgrade jacchain"):
        decode(edited(block, schema=99, new_field="?"))


@pytest.mark.parametrize("bracketing", [["0", 1], [0.5, 1], {"0": 1}, [True, 0]])
def test_a_bracketing_is_nested_integers(cell, bracketing):
    line = json.loads(encode(cell))
    line["arms"][0]["bracketing"] = bracketing
    with pytest.raises(RecordsError, match="nests integers"):
        decode(json.dumps(line).encode())


def test_what_could_not_be_read_is_not_written(block, check):
    with pytest.raises(RecordsError, match="JSON"):
        encode(replace(check, values={"order": float("nan")}))
    with pytest.raises(RecordsError, match="JSON"):
        encode(replace(check, values={"order": 1j}))
    with pytest.raises(RecordsError, match="seconds"):
        encode(replace(block, seconds=(1.0, 4.0, 5.0, -2.0)))


def test_a_block_has_a_time_for_each_letter(block):
    with pytest.raises(ValueError, match="3, 4 and 4 entries"):
        replace(block, sequence="ABB")
