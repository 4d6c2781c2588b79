"""One record as one line of JSON."""

import json
import reprlib
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter, ValidationError

from jacchain.records.errors import RecordsError
from jacchain.records.schema import (
    SCHEMA,
    BlockRecord,
    CellRecord,
    CheckRecord,
    Record,
    SessionRecord,
)

DELETE = "Delete that line (only what it holds is measured again), or start anew with --fresh."
_KINDS = ("session", "cell", "block", "check")


def _kind(data: Any) -> str | None:
    """Return the kind of a record; None without a schema, which a default would hide."""
    return data.get("kind") if isinstance(data, dict) and "schema" in data else None


_RECORD: TypeAdapter[Record] = TypeAdapter(
    Annotated[
        Annotated[SessionRecord, Tag("session")]
        | Annotated[CellRecord, Tag("cell")]
        | Annotated[BlockRecord, Tag("block")]
        | Annotated[CheckRecord, Tag("check")],
        Discriminator(_kind),
    ]
)


def encode(record: Record) -> bytes:
    r"""Write a record as one line of ASCII JSON, its line feed included.

    Raises RecordsError if it holds a number that JSON has no word for, or an object of another
    type.
    """
    try:
        return json.dumps(asdict(record), allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError) as error:
        problem = f"the {record.kind} record can't be written as JSON: {error}"
        raise RecordsError(problem, "Give it finite Python numbers and strings.") from error


def decode(line: bytes) -> Record:
    """Read one line, and validate every field of it: the one place where records are checked.

    Raises RecordsError if it isn't JSON, has another schema, or isn't a record of this one: an
    unknown kind, a missing or unknown field, a value that can't be (times <= 0, lengths that
    differ, a count without its dims).
    """
    try:
        return _RECORD.validate_json(line)
    except ValidationError as error:
        raise _explain(line, error) from error


def _explain(line: bytes, error: ValidationError) -> RecordsError:
    """Say of a line that is no record what is the matter with it."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as broken:
        return RecordsError(f"not JSON: {broken}", DELETE)
    if not isinstance(data, dict) or "schema" not in data:
        return RecordsError(f"no record: it has no field 'schema': {reprlib.repr(data)}", DELETE)
    if data["schema"] != SCHEMA:
        problem = f"schema {reprlib.repr(data['schema'])}; this jacchain reads schema {SCHEMA}"
        remedy = "Read it with the jacchain that wrote it, or measure anew with --fresh."
        return RecordsError(problem, remedy)
    if data.get("kind") not in _KINDS:
        problem = f"kind is {reprlib.repr(data.get('kind'))}; expected one of {', '.join(_KINDS)}"
        return RecordsError(problem, DELETE)
    return RecordsError(describe(error), DELETE)


def describe(error: ValidationError) -> str:
    """Say the first of the errors: which field, which value, what was expected."""
    first: Any = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "record"
    is_told = first["type"] in {"missing", "value_error"}  # our own errors name the value
    value = "" if is_told else f" is {reprlib.repr(first['input'])}"
    return f"{field}{value}: {first['msg'].removeprefix('Value error, ')}"
