"""JSON files of asv and of pytest-benchmark: read up to a bound, and checked, field by field.

Only the fields that are used are checked; a harness may write more. Neither harness needs to be
installed to read what it wrote.
"""

import json
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isnan, prod
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
)

from jacchain.inputs import short
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_at_most
from jacchain.records.values import Positive, Seconds

MOST_BYTES: Final = 2**25  # of one file: asv's have kilobytes, pytest-benchmark's some megabytes
MOST_DIGITS: Final = 40  # of an integer: counts of multiplications have some 30
LAST_DATE: Final = 253402300799999  # the end of the year 9999, in milliseconds since 1970
AGAIN = "Restore it from where it came from, as by `git checkout`, or measure anew."
ASV_VERSIONS: Final = {"results": 2, "benchmarks": 2, "machine": 1}  # of asv's formats

Object = dict[str, Any]
_T = TypeVar("_T")


def read_json(path: Path, *, remedy: str = "Name a file that is there.") -> Object:
    """Read one JSON object from a file; `remedy` is for one that can't be read.

    Raises RecordsError if it can't be read, is over 32 MiB, is no JSON object, or one that says
    the same key twice: which of the two values is meant, nobody knows.
    """
    data = _read(path, remedy)
    try:
        value = json.loads(
            data.decode("utf-8-sig"), parse_int=_integer, object_pairs_hook=_without_repetition
        )
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else error
        problem = f"{path}: damaged: {reason}"
        raise RecordsError(problem, AGAIN) from error
    if not isinstance(value, dict):
        problem = f"{path}: {_shown(value)} is no JSON object"
        raise RecordsError(problem, AGAIN)
    return value


def _read(path: Path, remedy: str) -> bytes:
    """Return the bytes of a regular file, up to the bound."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            problem = f"{path} is no regular file"
            raise RecordsError(problem, remedy)
        with path.open("rb") as file:
            data = read_at_most(file, MOST_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        problem = f"can't read {path}: {getattr(error, 'strerror', None) or error}"
        raise RecordsError(problem, remedy) from error
    if len(data) > MOST_BYTES:
        problem = f"{path}: more than {MOST_BYTES >> 20} MiB"
        raise RecordsError(problem, "Measure fewer benchmarks into one file, or fewer rounds.")
    return data


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        message = f"{short(digits)} has {len(digits)} digits; expected {MOST_DIGITS} at most"
        raise ValueError(message)
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> Object:
    """Return an object; raise ValueError if it repeats a key, or one can't be written as UTF-8."""
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        message = f"the key {short(twice)} stands twice in one object; expected once"
        raise ValueError(message)
    for key in value:
        if not key.isascii():
            _as_utf8(key)
    return value


def _as_utf8(text: str) -> str:
    """Return a text that can be written; raise ValueError for half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        message = f"{short(text)} holds half of a character; expected Unicode text"
        raise ValueError(message) from None
    return text


def _name(text: str) -> str:
    """Return a text that a terminal and a page can show as it is."""
    if not text.isprintable():
        message = "expected text without control characters"
        raise ValueError(message)
    return _as_utf8(text)


def _date(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        message = "expected a date in ISO 8601, such as 2026-11-25T00:00:00+00:00"
        raise ValueError(message) from None
    return text


def _asked_for(median: Any) -> Any:
    """Return None for the NaN that asv writes where a combination was not asked for."""
    return None if isinstance(median, float) and isnan(median) else median


_STRICT = Field(strict=True)
_NULL = BeforeValidator(lambda value: () if value is None else value)  # what asv leaves out
Name = Annotated[str, Field(max_length=200), AfterValidator(_name)]
Number = Annotated[Positive, _STRICT]
Time = Annotated[Seconds, _STRICT]
Median = Annotated[Time | None, BeforeValidator(_asked_for)]
Texts = Annotated[tuple[Annotated[str, AfterValidator(_as_utf8)], ...], FailFast()]
Times = Annotated[tuple[Time, ...], FailFast(), _NULL]
Sizes = Annotated[tuple[Number, ...], FailFast(), Field(min_length=2, max_length=1000)]


@dataclass(frozen=True)
class Environment:
    """What asv says of an environment, as far as it is used."""

    numpy: Name | None = None
    python: Name | None = None

    @property
    def versions(self) -> dict[str, str]:
        """Return the versions that are known, by library."""
        return {name: version for name, version in vars(self).items() if version}


@dataclass(frozen=True)
class AsvFile:
    """A result file of asv: one commit in one environment; `results` has a row by benchmark."""

    commit_hash: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{7,64}$")]
    date: Annotated[int, _STRICT, Field(ge=0, le=LAST_DATE)]
    result_columns: Annotated[tuple[Name, ...], FailFast(), Field(max_length=100)]
    results: dict[str, Any]
    params: Environment = Environment()


@dataclass(frozen=True)
class AsvRow:
    """One benchmark in a result file of asv: a value for each combination of its parameters.

    A column is empty where asv has nothing to write into it: of a benchmark that failed, or of one
    without samples or statistics.
    """

    result: Annotated[tuple[Median, ...], FailFast(), _NULL] = ()
    params: Annotated[tuple[Texts, ...], FailFast(), Field(max_length=50), _NULL] = ()
    version: Name | None = None
    stats_number: Annotated[tuple[Number | None, ...], FailFast(), _NULL] = ()
    samples: Annotated[tuple[Times, ...], FailFast(), _NULL] = ()

    def __post_init__(self) -> None:
        """Check that each column that is there has a value for each combination."""
        sizes = [len(values) for values in self.params]
        combinations = prod(sizes)
        for name in ("result", "stats_number", "samples"):
            count = len(getattr(self, name))
            if self.result and count not in {0, combinations}:
                product = " x ".join(map(str, sizes))
                message = (
                    f"{name} has {count} values; expected {short(combinations)}, one for each "
                    f"combination of {product} parameters"
                )
                raise ValueError(message)


@dataclass(frozen=True)
class _Versioned:
    version: Name | None = None


@dataclass(frozen=True)
class _Machine:
    machine: Name


@dataclass(frozen=True)
class CommitInfo:
    """What pytest-benchmark says of the commit."""

    id: Name | None = None


@dataclass(frozen=True)
class MachineInfo:
    """What pytest-benchmark says of the machine, as far as it is used."""

    python_version: Name | None = None


@dataclass(frozen=True)
class PytestFile:
    """A file of pytest-benchmark; its benchmarks may be of other suites beside ours."""

    benchmarks: Annotated[tuple[dict[str, Any], ...], FailFast()]
    datetime: Annotated[str, AfterValidator(_date)]  #: in ISO 8601
    commit_info: CommitInfo = CommitInfo()
    machine_info: MachineInfo = MachineInfo()


@dataclass(frozen=True)
class PytestInfo:
    """What our suite notes beside a time."""

    dims: Sizes
    order: Name
    numpy: Name


@dataclass(frozen=True)
class PytestStats:
    """Times of a benchmark, in seconds per call; `data` has those of each round, if kept."""

    iterations: Number
    data: Times = ()
    median: Time | None = None

    def __post_init__(self) -> None:
        """Check that there is a time."""
        if not self.samples:
            message = "neither data nor median; expected one of them"
            raise ValueError(message)

    @property
    def samples(self) -> tuple[float, ...]:
        """Return the time of each round; the median alone where no others were kept."""
        return self.data or ((self.median,) if self.median else ())


@dataclass(frozen=True)
class PytestBenchmark:
    """One test of ours."""

    extra_info: PytestInfo
    stats: PytestStats


_ASV_FILE = TypeAdapter(AsvFile)
_ASV_ROW = TypeAdapter(AsvRow)
_VERSIONED = TypeAdapter(_Versioned)
_MACHINE = TypeAdapter(_Machine)
_PYTEST_FILE = TypeAdapter(PytestFile)
_PYTEST_BENCHMARK = TypeAdapter(PytestBenchmark)


def read_asv_file(path: Path) -> AsvFile:
    """Read a result file of asv, but for its rows: `asv_row` checks each.

    Raises RecordsError if it is damaged or of another version of asv's format; the message names
    the place, the value and the remedy.
    """
    return _checked(_ASV_FILE, _of_version(path, "results", remedy="Name a folder of asv."), path)


def asv_row(path: Path, file: AsvFile, benchmark: str) -> AsvRow:
    """Return the row of a benchmark; raises RecordsError as `read_asv_file` does."""
    columns, place = file.result_columns, ("results", benchmark)
    values = file.results[benchmark]
    if not isinstance(values, list) or len(values) > len(columns):
        expected = f"expected a list of at most {len(columns)} columns"
        raise _damaged(path, place, f"is {_shown(values)}; {expected}")
    return _checked(_ASV_ROW, dict(zip(columns, values, strict=False)), path, place)


def read_asv_versions(path: Path) -> dict[str, str]:
    """Read the version of each benchmark in asv's list of them, but for those without one.

    Raises RecordsError as `read_asv_file` does.
    """
    data = _of_version(path, "benchmarks", remedy="Fetch it with git, or `make bench-quick`.")
    entries = {name: entry for name, entry in data.items() if isinstance(entry, dict)}
    versions = {name: _checked(_VERSIONED, entries[name], path, (name,)) for name in entries}
    return {name: entry.version for name, entry in versions.items() if entry.version}


def check_asv_machine(path: Path) -> None:
    """Raise RecordsError unless a file describes a machine, as asv's pages need it to."""
    remedy = "Write it with `asv machine`, or fetch it with git."
    _checked(_MACHINE, _of_version(path, "machine", remedy=remedy), path)


def _of_version(path: Path, kind: str, *, remedy: str) -> Object:
    """Read a file of asv; raise RecordsError unless it has the version that is known here."""
    data, known = read_json(path, remedy=remedy), ASV_VERSIONS[kind]
    version = data.get("version")
    if type(version) is int and version == known:
        return data
    problem = f"{path}: {kind} of version {_shown(version)}; this jacchain knows {known}"
    if version == 1:
        raise RecordsError(problem, "Convert what an older asv wrote with `asv update`.")
    raise RecordsError(problem, "Write it with the asv that asv.conf.json is for.")


def read_pytest_file(path: Path) -> tuple[PytestFile, list[PytestBenchmark]]:
    """Read a file of pytest-benchmark and the tests of our suite in it; leave out all others.

    Ours note `dims` and `order` in their `extra_info`. Raises RecordsError if the file is damaged;
    the message names the place, the value and the remedy.
    """
    data = read_json(path, remedy="Make it with `make bench-pytest`.")
    file = _checked(_PYTEST_FILE, data, path)
    ours = (pair for pair in enumerate(file.benchmarks) if _is_ours(pair[1]))
    return file, [
        _checked(_PYTEST_BENCHMARK, item, path, ("benchmarks", place)) for place, item in ours
    ]


def _is_ours(benchmark: Mapping[str, Any]) -> bool:
    info = benchmark.get("extra_info")
    return isinstance(info, dict) and {"dims", "order"} <= info.keys()


def _checked(
    adapter: TypeAdapter[_T], value: Any, path: Path, place: tuple[str | int, ...] = ()
) -> _T:
    """Return what an adapter makes of a value; raise RecordsError for the first that is wrong."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        is_missing = first["type"] == "missing"
        text = "is missing" if is_missing else f"is {_shown(first['input'])}: {message}"
        raise _damaged(path, (*place, *first["loc"]), text) from error


def _damaged(path: Path, place: tuple[str | int, ...], text: str) -> RecordsError:
    where = ".".join(_plain(part) for part in place) or "its content"
    return RecordsError(f"{path}: {where} {text}", AGAIN)


def _plain(part: str | int) -> str:
    """Return a part of a place as it is; one that is long or can't be shown, shortened."""
    text = str(part)
    return text if len(text) <= 80 and text.isprintable() else short(text)


def _shown(value: Any) -> str:
    """Return a value for a message: a list or an object too, in a line or two."""
    text = short(value)
    return text if len(text) <= 160 else f"{text[:160]}..."
