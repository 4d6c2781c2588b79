"""Stored results of asv and of pytest-benchmark, in the columns of our own table.

Neither harness needs to be installed to read what it wrote.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any

import pandas as pd

from jacchain.analysis.evidence import Dims
from jacchain.chains.registry import Registry
from jacchain.harnesses.grids_file import asv_cells, cell_facts
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
    versions = {name: b["version"] for name, b in benchmarks.items() if isinstance(b, dict)}
    return [timing for path in paths for timing in _asv_file(path, versions)]


def _asv_file(path: Path, versions: Mapping[str, str]) -> Iterator[Timing]:
    """Yield the timings in a file, skipping benchmarks whose version has changed."""
    data = read_json(path)
    version = data.get("version")
    if version != ASV_VERSION:
        problem = f"{path}: results of version {version!r}; this jacchain knows {ASV_VERSION}"
        raise RecordsError(problem, "Measure them again with the asv of asv.conf.json.")
    try:
        for benchmark, columns in data["results"].items():
            if ".time_" in benchmark:
                row = dict(zip(data["result_columns"], columns, strict=False))
                version = row.get("version")
                if version == versions.get(benchmark, version):
                    yield from _asv_timings(path, data, benchmark, row)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        problem = f"{path}: damaged: {type(error).__name__}: {error}"
        raise RecordsError(problem, "Delete it, and measure that commit again.") from error


def _asv_timings(path: Path, data: Row, benchmark: str, row: Row) -> Iterator[Timing]:
    results = row["result"] or []
    for index, values in enumerate(product(*row["params"])):
        if index >= len(results) or results[index] is None or isnan(results[index]):
            continue  # it failed (null), or was not asked for (NaN)
        median = float(results[index])
        kept = row.get("samples")
        samples = _seconds((kept and kept[index]) or (median,))
        ends = (float(row[end][index]) for end in ("stats_ci_99_a", "stats_ci_99_b"))
        low, high = (end if isfinite(end) else median for end in ends)  # infinite of one sample
        yield Timing(
            machine=path.parent.name,
            commit=data["commit_hash"],
            date=int(data["date"]),
            env={key: str(value) for key, value in data["params"].items()},
            benchmark=benchmark,
            values=tuple(value.strip("'\"") for value in values),
            median=median,
            interval=(low, high),
            samples=samples,
            number=int(row["stats_number"][index]),
        )


def _seconds(samples: Iterable[Any]) -> tuple[float, ...]:
    """Return samples as numbers; raise ValueError unless all are finite times above 0."""
    times = tuple(map(float, samples))
    for seconds in times:
        if not 0 < seconds < inf:
            message = f"a time of {seconds} seconds; expected one above 0"
            raise ValueError(message)
    return times


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
    data = read_json(Path(path), remedy="Make it with `make bench-pytest`.")
    try:
        rows = [_pytest_row(data, item) for item in data["benchmarks"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem = f"{path}: not of this suite: {type(error).__name__}: {error}"
        raise RecordsError(problem, "Make it anew with `make bench-pytest`.") from error
    return _table(rows, f"benchmarks in {path}")


def _pytest_row(data: Row, item: Row) -> Row:
    info, stats = item["extra_info"], item["stats"]
    python = data.get("machine_info", {}).get("python_version", UNKNOWN)
    commit = data["commit_info"].get("id")
    origin = ("pytest", None, commit, data["datetime"], info["numpy"], python)
    samples = _seconds(stats.get("data") or [stats["median"]])
    return _row(origin, tuple(info["dims"]), info["order"], samples, stats["iterations"])


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
        return str(max(table[column], key=lambda v: [int(n) for n in re.findall(r"\d+", str(v))]))
    return str(table.sort_values("date", kind="stable")[column].iloc[-1])


def read_json(path: Path, *, remedy: str = "Name a file that is there.") -> Row:
    """Read one JSON object from a file; `remedy` is for one that can't be read.

    Raises RecordsError if it can't be read, or is none.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        problem = f"can't read {path}: {error.strerror}"
        raise RecordsError(problem, remedy) from error
    except ValueError as error:
        problem = f"{path}: damaged: {error}"
        raise RecordsError(problem, "Delete it, and measure again.") from error
    if not isinstance(data, dict):
        problem = f"{path}: no JSON object"
        raise RecordsError(problem, "Delete it, and measure again.")
    return data


SOURCES: Registry[Callable[[Path], pd.DataFrame]] = Registry(
    "source",
    {
        "own": _own_table,
        "asv": lambda path: one_run(asv_table(read_asv(path))),
        "pytest": pytest_table,
    },
)
