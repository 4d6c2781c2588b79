"""One record as one line of JSON, checked in both directions."""

import json
import reprlib
from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from jacchain.records.errors import RecordsError
from jacchain.records.schema import SCHEMA, Record

DELETE: Final = (
    "Delete that line (only what it holds is measured again), or start anew with --fresh."
)

_RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def encode(record: Record) -> bytes:
    r"""One line of ASCII JSON, its line feed included.

    Raises
    ------
    RecordsError
        If the record holds what `decode` would refuse, so that no such line is ever written.
    """
    try:
        line = json.dumps(asdict(record), allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"the {record.kind} record can't be written as JSON: {error}"
        raise RecordsError(problem, "Give it finite Python numbers and strings.") from error
    decode(line)
    return line


def decode(line: bytes) -> Record:
    """Read one line, and check every field of it.

    Raises
    ------
    RecordsError
        If it isn't JSON, has another schema, or isn't a record of this one: an unknown kind, a
        missing or unknown field, a value that can't be (times <= 0, lengths that differ, a count
        without its dims).
    """
    try:
        _check_schema(json.loads(line))
        return _RECORD.validate_json(line)
    except ValidationError as error:
        raise RecordsError(describe(error), DELETE) from error
    except (ValueError, RecursionError) as error:
        problem = f"not JSON: {error}"
        raise RecordsError(problem, DELETE) from error


def _check_schema(data: Any) -> None:
    if not isinstance(data, dict) or "schema" not in data:
        problem = f"no record, for it has no field 'schema': {reprlib.repr(data)}"
        raise RecordsError(problem, DELETE)
    if data["schema"] != SCHEMA:
        problem = f"schema {reprlib.repr(data['schema'])}; this jacchain knows schema {SCHEMA}"
        raise RecordsError(problem, "Upgrade jacchain, or start anew with --fresh.")


def describe(error: ValidationError) -> str:
    """Say the first of the errors: which field, which value, what was expected."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "record"
    told = first["type"] in {"missing", "value_error"}  # our own errors name the value themselves
    value = "" if told else f" is {reprlib.repr(first['input'])}"
    return f"{field}{value}: {first['msg'].removeprefix('Value error, ')}"
