"""The files of asv and of pytest-benchmark, validated: what of them is read, and its bounds.

What is not read may be anything: other versions of these tools write more, or less.
"""

import json
from math import isnan
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from jacchain.records.codec import describe
from jacchain.records.errors import RecordsError
from jacchain.records.read import bounded
from jacchain.records.values import Positive, Seconds

UNKNOWN = "unknown"  # where an environment names no version
RESTORE = "Restore it, or put it elsewhere and measure again."

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Milliseconds = Annotated[int, Field(ge=0, le=10**14)]

M = TypeVar("M", bound=BaseModel)


def _measured(value: Any) -> Any:
    """Return a value; None for NaN, as asv writes what it was not asked for."""
    return None if isinstance(value, float) and isnan(value) else value


Median = Annotated[Seconds | None, BeforeValidator(_measured)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class AsvFile(_Model):
    """Results of one commit in one environment; its rows are read one by one."""

    version: Literal[2]
    commit_hash: Name
    date: Milliseconds  #: of the commit, since 1970
    params: dict[str, Any]  #: of machine and environment, by name
    result_columns: tuple[Name, ...]
    results: dict[str, Any]


class AsvRow(_Model):
    """Results of one benchmark, an entry for each combination of its parameters.

    A failed combination is null, one that was not asked for NaN; statistics may be missing.
    """

    result: list[Median] | None
    params: tuple[tuple[str, ...], ...]
    version: str | None = None
    stats_ci_99_a: list[float | None] | None = None
    stats_ci_99_b: list[float | None] | None = None
    stats_number: list[Annotated[int, Field(ge=1, le=10**12)] | None] | None = None
    samples: list[tuple[Seconds, ...] | None] | None = None

    @model_validator(mode="after")
    def _equally_many(self) -> "AsvRow":
        """Check that all columns have an entry where the result has one."""
        names = ("stats_ci_99_a", "stats_ci_99_b", "stats_number", "samples")
        for name, column in ((name, getattr(self, name)) for name in names):
            if column is not None and len(column) < len(self.result or ()):
                message = f"{name} has {len(column)} entries for {len(self.result or ())} results"
                raise ValueError(message)
        return self

    def entry(self, name: str, index: int) -> Any:
        """Return the entry of a column, or None where it has none."""
        column = getattr(self, name)
        return None if column is None else column[index]


class PytestInfo(_Model):
    """What this suite says of its benchmarks."""

    dims: Annotated[tuple[Positive, ...], Field(min_length=2, max_length=1000)]
    order: Name
    numpy: Name = UNKNOWN


class PytestStats(_Model):
    """Seconds per call: all samples, or their median alone."""

    data: tuple[Seconds, ...] = ()
    median: Seconds | None = None
    iterations: Annotated[int, Field(ge=1, le=10**12)] = 1

    @model_validator(mode="after")
    def _some(self) -> "PytestStats":
        if not (self.data or self.median):
            message = "no times; expected data or a median"
            raise ValueError(message)
        return self

    @property
    def samples(self) -> tuple[float, ...]:
        """All samples, or their median alone where they were not kept."""
        return self.data or (self.median or 0.0,)


class PytestItem(_Model):
    """One benchmark of this suite."""

    extra_info: PytestInfo
    stats: PytestStats


class _Machine(_Model):
    python_version: Name = UNKNOWN


class _Commit(_Model):
    id: Name | None = None


class PytestFile(_Model):
    """A run of pytest-benchmark, which may hold the benchmarks of other tests too."""

    machine_info: _Machine = _Machine()
    commit_info: _Commit = _Commit()
    datetime: Name
    benchmarks: tuple[dict[str, Any], ...]


def read_json(path: Path, *, remedy: str = "Name a file that is there.") -> dict[str, Any]:
    """Read one JSON object from a file; `remedy` is for one that can't be read.

    Raises RecordsError if it can't be read, is no regular file or over 128 MiB, or is none.
    """
    if path.exists() and not path.is_file():
        problem = f"{path} is no regular file"
        raise RecordsError(problem, remedy)
    try:
        with path.open("rb") as stream:
            text = bounded(stream, path).decode("utf-8")
    except OSError as error:
        problem = f"can't read {path}: {error.strerror}"
        raise RecordsError(problem, remedy) from error
    except UnicodeDecodeError as error:
        problem = f"{path}: damaged: {error.reason}"
        raise RecordsError(problem, RESTORE) from error
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"{path}: damaged: {error}"
        raise RecordsError(problem, RESTORE) from error
    if not isinstance(data, dict):
        problem = f"{path}: no JSON object"
        raise RecordsError(problem, RESTORE)
    return data


def validated(model: type[M], data: Any, where: str, remedy: str = RESTORE) -> M:
    """Return data as a model; raise RecordsError with the place and the value that is unfit."""
    try:
        return model.model_validate(data)
    except (ValidationError, RecursionError) as error:
        what = describe(error) if isinstance(error, ValidationError) else "nested too deeply"
        problem = f"{where}: {what}"
        raise RecordsError(problem, remedy) from error
