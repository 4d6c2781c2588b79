"""Stored results of asv and of pytest-benchmark, in the columns of our own table.

Neither harness needs to be installed to read what it wrote.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from packaging.version import Version

from jacchain.analysis.evidence import Dims
from jacchain.analysis.intervals import median_interval
from jacchain.chains.registry import Registry
from jacchain.harnesses.grids_file import asv_cells, cell_facts
from jacchain.harnesses.json_files import (
    AsvFile,
    AsvRow,
    asv_row,
    read_asv_file,
    read_asv_versions,
    read_pytest_file,
)
from jacchain.inputs import short
from jacchain.records.errors import RecordsError
from jacchain.records.table import CELL_COLUMNS, read_results

ASV_VERSION = 2  # of a result file
UNKNOWN = "unknown"  # where the environment of asv names no version
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
    env: Mapping[str, str]  #: Versions of numpy and Python, as far as they are known
    benchmark: str
    values: tuple[str, ...]  #: the parameters as text
    median: float  #: seconds per call
    #: Seconds per call of each sample; the median alone where asv kept none
    samples: tuple[float, ...]
    number: int | None  #: calls per sample; None where asv kept none

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the median in seconds; twice the median for fewer than six samples."""
        low, _, high = median_interval(self.samples)
        return (self.median, self.median) if isnan(low) else (low, high)


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
    versions = read_asv_versions(index) if index.exists() else {}
    return [timing for path in paths for timing in _asv_file(path, versions)]


def _asv_file(path: Path, versions: Mapping[str, str]) -> Iterator[Timing]:
    """Yield the timings in a file, skipping benchmarks whose version has changed."""
    machine = path.parent.name
    if not machine.isprintable():
        problem = f"{path.parent}: {short(machine)} is no name of a machine"
        raise RecordsError(problem, "Rename the folder, and the machine in its machine.json.")
    file = read_asv_file(path)
    for benchmark in file.results:
        if ".time_" in benchmark:
            row = asv_row(path, file, benchmark)
            if row.version is None or row.version == versions.get(benchmark, row.version):
                yield from _asv_timings(machine, file, benchmark, row)


def _asv_timings(machine: str, file: AsvFile, benchmark: str, row: AsvRow) -> Iterator[Timing]:
    """Yield the timing of each combination of parameters in a row."""
    nothing = (None,) * len(row.result)
    columns = (row.stats_number, row.samples)
    kept = zip(row.result, *(column or nothing for column in columns), strict=False)
    for values, (median, number, samples) in zip(product(*row.params), kept, strict=False):
        if median is not None:  # it failed (null), or was not asked for (NaN)
            yield Timing(
                machine=machine,
                commit=file.commit_hash,
                date=file.date,
                env=file.params.versions,
                benchmark=benchmark,
                values=tuple(value.strip("'\"") for value in values),
                median=median,
                samples=samples or (median,),
                number=number,
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

    Raises RecordsError if there is no such file, it is empty, or it isn't one of this suite.
    """
    file, benchmarks = read_pytest_file(Path(path))
    python = file.machine_info.python_version or UNKNOWN
    rows = []
    for benchmark in benchmarks:
        info, stats = benchmark.extra_info, benchmark.stats
        origin = ("pytest", None, file.commit_info.id, file.datetime, info.numpy, python)
        try:
            rows.append(_row(origin, info.dims, info.order, stats.samples, stats.iterations))
        except ValueError as error:
            problem = f"{path}: {error}"
            raise RecordsError(problem, "Make it anew with `make bench-pytest`.") from error
    return _table(rows, f"benchmarks of this suite in {path}")


def _row(
    origin: tuple[Any, ...], dims: Dims, order: str, samples: tuple[float, ...], batch: int | None
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
        return str(max(table[column], key=_age))
    return str(table.sort_values("date", kind="stable")[column].iloc[-1])


def _age(version: Any) -> tuple[bool, Version]:
    """Order versions: a candidate before its release, and first what is no version at all."""
    try:
        return True, Version(str(version))
    except ValueError:
        return False, Version("0")


SOURCES: Registry[Callable[[Path], pd.DataFrame]] = Registry(
    "source",
    {
        "own": _own_table,
        "asv": lambda path: one_run(asv_table(read_asv(path))),
        "pytest": pytest_table,
    },
)
