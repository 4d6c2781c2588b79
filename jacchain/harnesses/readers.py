"""Stored results of asv and of pytest-benchmark, in the columns of our own table.

Neither harness needs to be installed to read what it wrote.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
from packaging.version import InvalidVersion, Version

from jacchain.analysis.evidence import Dims
from jacchain.chains.registry import Registry
from jacchain.harnesses.files import (
    UNKNOWN,
    AsvFile,
    AsvRow,
    PytestFile,
    PytestItem,
    read_json,
    validated,
)
from jacchain.harnesses.grids_file import asv_cells, cell_facts
from jacchain.inputs import short
from jacchain.records.errors import RecordsError
from jacchain.records.table import CELL_COLUMNS, read_results

REMAKE = "Make it anew with `make bench-pytest`."
ORIGIN_COLUMNS = ("harness", "machine", "commit", "date", "numpy", "python")
HARNESS_COLUMNS = (*ORIGIN_COLUMNS, *CELL_COLUMNS)

Row = dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """One timed benchmark of asv at one combination of its parameters."""

    #: Names, the commit's in full
    machine: str
    commit: str
    date: int  #: of the commit, in milliseconds since 1970
    env: Mapping[str, str]  #: Versions of numpy and Python, among others
    benchmark: str
    values: tuple[str, ...]  #: the parameters as text
    #: Seconds per call; the ends of asv's 99 % interval
    median: float
    interval: tuple[float, float]
    #: Seconds per call of each sample; the median alone where asv kept none
    samples: tuple[float, ...]
    number: int  #: calls per sample


def read_source(source: str, path: str | Path) -> pd.DataFrame:
    """Read stored results of chains as one table, whichever harness measured them.

    The path is the folder of a run ("own"), asv's results folder ("asv") or a file of
    pytest-benchmark ("pytest"). The table has a row for each chain and order, in the columns of
    `jacchain.read_results`: ``dims``, ``order``, ``multiplications``, ``seconds`` (a list, per
    call) and more; asv's are those of one commit, as `one_run` picks it.

    Raises ValueError if the source is unknown; the message lists the known ones. Raises
    RecordsError if there are no results, or they are damaged.

    Examples
    --------
    >>> read_source("timeit", "results")
    Traceback (most recent call last):
    ValueError: unknown source 'timeit'; the known ones are ['asv', 'own', 'pytest']
    """
    return SOURCES[source](Path(path))


def _own_table(path: Path) -> pd.DataFrame:
    """Return the chains of a run of our own engine that were measured."""
    table = read_results(path)
    chains = table[(table["role"] == "chain") & table["seconds"].map(bool)]
    if chains.empty:
        problem = f"no chain was measured in {path}"
        raise RecordsError(problem, "Measure some with `jacchain run`.")
    return chains


def read_asv(folder: str | Path) -> list[Timing]:
    """Read every time in a results folder of asv, `<folder>/<machine>/<commit>-<environment>.json`.

    Times of another version of a benchmark than today's are left out.

    Raises RecordsError if there are no results, or a file is damaged or of another version of asv's
    format.
    """
    lists = {"machine.json", "benchmarks.json"}
    paths = sorted(path for path in Path(folder).glob("*/*.json") if path.name not in lists)
    if not paths:
        problem = f"no results of asv in {folder}"
        raise RecordsError(problem, "Measure some with `make bench-quick`.")
    index = Path(folder, "benchmarks.json")
    benchmarks = read_json(index) if index.is_file() else {}
    versions = {name: b.get("version") for name, b in benchmarks.items() if isinstance(b, dict)}
    return [timing for path in paths for timing in _asv_file(path, versions)]


def _asv_file(path: Path, versions: Mapping[str, object]) -> Iterator[Timing]:
    """Yield the timings in a file, skipping benchmarks whose version has changed."""
    file = validated(AsvFile, read_json(path), str(path))
    for benchmark, columns in file.results.items():
        if ".time_" not in benchmark:
            continue
        cells = columns if isinstance(columns, list) else []
        named = dict(zip(file.result_columns, cells, strict=False))
        row = validated(AsvRow, named, f"{path}: {short(benchmark)}")
        if row.version == (versions.get(benchmark) or row.version):
            yield from _asv_timings(path, file, benchmark, row)


def _asv_timings(path: Path, file: AsvFile, benchmark: str, row: AsvRow) -> Iterator[Timing]:
    combinations = zip(row.result or (), product(*row.params), strict=False)
    for index, (median, values) in enumerate(combinations):
        if median is None:
            continue  # it failed (null), or was not asked for (NaN)
        ends = (row.entry(name, index) for name in ("stats_ci_99_a", "stats_ci_99_b"))
        low, high = (median if end is None or not isfinite(end) else end for end in ends)
        yield Timing(
            machine=path.parent.name,
            commit=file.commit_hash,
            date=file.date,
            env={key: str(value) for key, value in file.params.items()},
            benchmark=benchmark,
            values=tuple(value.strip("'\"") for value in values),
            median=median,
            interval=(low, high),
            samples=row.entry("samples", index) or (median,),
            number=row.entry("stats_number", index) or 1,
        )


def asv_table(timings: Iterable[Timing]) -> pd.DataFrame:
    """Arrange asv's times of evaluations, a row each, in `HARNESS_COLUMNS`; leave out all else.

    Raises RecordsError if there is none, or an order is unknown.
    """
    cells = asv_cells()
    rows = []
    for timing in timings:
        key = timing.benchmark, timing.values[0] if timing.values else ""
        if key in cells and len(timing.values) == 2:
            versions = (timing.env.get(name, UNKNOWN) for name in ("numpy", "python"))
            origin = ("asv", timing.machine, timing.commit, timing.date, *versions)
            dims, order = cells[key][2], timing.values[1]
            try:
                rows.append(_row(origin, dims, order, timing.samples, timing.number))
            except ValueError as error:
                problem = f"{timing.benchmark} of commit {timing.commit[:8]}: {error}"
                raise RecordsError(problem, "Measure that commit again.") from error
    return _table(rows, "evaluations of asv")


def pytest_table(path: str | Path) -> pd.DataFrame:
    """Arrange the results in a file of pytest-benchmark in the same columns as `asv_table`.

    Benchmarks of other tests, which name no dims and no order, are left out. Raises RecordsError if
    there is no such file, it is damaged, or it holds none of this suite.
    """
    data = read_json(Path(path), remedy="Make it with `make bench-pytest`.")
    file = validated(PytestFile, data, str(path), REMAKE)
    rows = []
    for number, item in enumerate(file.benchmarks):
        info = item.get("extra_info")
        if isinstance(info, dict) and {"dims", "order"} <= info.keys():
            where = f"{path}: benchmark {number}"
            one = validated(PytestItem, item, where, REMAKE)
            python, commit = file.machine_info.python_version, file.commit_info.id
            origin = ("pytest", None, commit, file.datetime, one.extra_info.numpy, python)
            dims, order, stats = one.extra_info.dims, one.extra_info.order, one.stats
            try:
                rows.append(_row(origin, dims, order, stats.samples, stats.iterations))
            except ValueError as error:
                problem = f"{where}: {error}"
                raise RecordsError(problem, REMAKE) from error
    return _table(rows, f"benchmarks of this suite in {path}")


def _row(
    origin: tuple[Any, ...], dims: Dims, order: str, samples: tuple[float, ...], batch: int
) -> Row:
    """Return a row of the table; `origin` follows `ORIGIN_COLUMNS`, samples are in seconds."""
    count = len(samples)
    return {
        **dict(zip(ORIGIN_COLUMNS, origin, strict=True)),
        **cell_facts(dims, order),
        "cell": f"{origin[0]} {'x'.join(map(str, dims))}",
        "role": "chain",
        "dims": dims,
        "order": order,
        "batch": batch,
        "process": [0] * count,
        "round": list(range(count)),
        "block": list(range(count)),
        "seconds": list(samples),
        "flagged": [False] * count,
    }


def _table(rows: list[Row], what: str) -> pd.DataFrame:
    if not rows:
        problem = f"there are no {what}"
        raise RecordsError(problem, "Measure some, as benchmarks/README.md tells.")
    return pd.DataFrame(rows, columns=HARNESS_COLUMNS, dtype=object).infer_objects()


def one_run(
    table: pd.DataFrame, *, machine: str = "", numpy: str = "", commit: str = ""
) -> pd.DataFrame:
    """Return the rows of one machine, commit (its first digits will do), numpy and Python.

    By default those are the machine and commit latest in the history, and the newest numpy on the
    newest Python. Raises RecordsError if one is not there; the message lists those that are.
    """
    chosen = {"machine": machine, "commit": commit, "numpy": numpy, "python": ""}
    for column, value in chosen.items():
        wanted = value or _latest(table, column)
        is_commit = column == "commit"
        rows = table[table[column].str.startswith(wanted) if is_commit else table[column] == wanted]
        if rows.empty:
            width = 8 if is_commit else None
            present = ", ".join(sorted({str(name)[:width] for name in table[column]}))
            problem = f"no times of {column} {wanted!r}"
            raise RecordsError(problem, f"There are those of {present}.")
        table = rows
    return table


def _latest(table: pd.DataFrame, column: str) -> str:
    """Return the value of the latest commit; of numpy and Python the greatest version."""
    if column in {"numpy", "python"}:
        return str(max(table[column], key=_version))
    return str(table.sort_values("date", kind="stable")[column].iloc[-1])


def _version(text: str) -> Version:
    """Return a version to compare: a release candidate is before its release; 0 where unknown."""
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


SOURCES: Registry[Callable[[Path], pd.DataFrame]] = Registry(
    "source",
    {
        "own": _own_table,
        "asv": lambda path: one_run(asv_table(read_asv(path))),
        "pytest": pytest_table,
    },
)
