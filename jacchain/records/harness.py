"""Results of asv and of pytest-benchmark, in the columns of our own table.

Nothing of either harness needs to be installed to read what it wrote.
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

from jacchain.records.errors import RecordsError
from jacchain.records.load import CELL_COLUMNS

ASV_VERSION = 2  # of a result file
UNKNOWN = "unknown"  # where the environment of asv names no version
ORIGIN_COLUMNS = ("harness", "machine", "commit", "date", "numpy", "python")
HARNESS_COLUMNS = (*ORIGIN_COLUMNS, *CELL_COLUMNS)

Dims = tuple[int, ...]
Facts = Callable[[Dims, str], Mapping[str, Any]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """One timed benchmark of asv at one combination of its parameters.

    `date` is that of the commit, in milliseconds since 1970. `median` is seconds per call,
    `samples` likewise (the median alone where asv kept none), `number` calls per sample.
    """

    machine: str
    commit: str
    date: int
    env: Mapping[str, str]
    benchmark: str
    values: tuple[str, ...]
    median: float
    interval: tuple[float, float]
    samples: tuple[float, ...]
    number: int


def read_asv(folder: str | Path) -> list[Timing]:
    """Every time in a results folder of asv, `<folder>/<machine>/<commit>-<environment>.json`.

    Raises
    ------
    RecordsError
        If there are no results, or a file is damaged or of another version of asv's format.
    """
    found = [
        path
        for path in sorted(Path(folder).glob("*/*.json"))
        if path.name not in {"machine.json", "benchmarks.json"}
    ]
    if not found:
        problem = f"no results of asv in {folder}"
        raise RecordsError(problem, "Measure some with `make bench-quick`.")
    listed = Path(folder, "benchmarks.json")
    known = read_json(listed) if listed.is_file() else {}
    versions = {name: b["version"] for name, b in known.items() if isinstance(b, dict)}
    return [timing for path in found for timing in _asv_file(path, versions)]


def _asv_file(path: Path, versions: Mapping[str, str]) -> Iterator[Timing]:
    """The times of one file, but for those of another version of a benchmark than today's."""
    data = read_json(path)
    version = data.get("version")
    if version != ASV_VERSION:
        problem = f"{path}: results of version {version!r}; this jacchain knows {ASV_VERSION}"
        raise RecordsError(problem, "Measure them again with the asv of asv.conf.json.")
    try:
        for benchmark, cells in data["results"].items():
            if ".time_" in benchmark:
                row = dict(zip(data["result_columns"], cells, strict=False))
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
        samples = tuple(float(s) for s in kept[index]) if kept and kept[index] else (median,)
        check_seconds(samples)
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


def check_seconds(samples: Iterable[float]) -> None:
    """Raise ValueError unless all are finite times above 0."""
    for seconds in samples:
        if not 0 < seconds < inf:
            message = f"a time of {seconds} seconds; expected one above 0"
            raise ValueError(message)


def asv_table(
    timings: list[Timing], cells: Mapping[tuple[str, str], Dims], facts: Facts
) -> pd.DataFrame:
    """The times of evaluations in the columns of our own table, and where each comes from.

    Parameters
    ----------
    timings
        As `read_asv` returns them; those of no known cell are left out.
    cells
        Dims, loss first, by benchmark and the value of its first parameter; its second is the
        order.
    facts
        What follows from dims and order: multiplications, bytes, ...

    Raises
    ------
    RecordsError
        If there is none, or an order is unknown to `facts`.
    """
    rows = []
    for timing in timings:
        dims = cells.get((timing.benchmark, timing.values[0] if timing.values else ""))
        if dims is not None and len(timing.values) == 2:
            made = (timing.env.get(name, UNKNOWN) for name in ("numpy", "python"))
            origin = ("asv", timing.machine, timing.commit, timing.date, *made)
            try:
                known = facts(dims, timing.values[1])
            except ValueError as error:
                problem = f"{timing.benchmark} of commit {timing.commit[:8]}: {error}"
                raise RecordsError(problem, "Measure that commit again.") from error
            rows.append(_row(origin, dims, timing.values[1], timing.samples, timing.number, known))
    return _table(rows, "evaluations of asv")


def pytest_table(path: str | Path, facts: Facts) -> pd.DataFrame:
    """The results of one file of pytest-benchmark, in the same columns.

    Raises
    ------
    RecordsError
        If there is no such file, it is empty, or it isn't one of this suite.
    """
    data = read_json(Path(path), remedy="Make it with `make bench-pytest`.")
    try:
        rows = [_pytest_row(data, item, facts) for item in data["benchmarks"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        problem = f"{path}: not of this suite: {type(error).__name__}: {error}"
        raise RecordsError(problem, "Make it anew with `make bench-pytest`.") from error
    return _table(rows, f"benchmarks in {path}")


def _pytest_row(data: Row, item: Row, facts: Facts) -> Row:
    info, stats = item["extra_info"], item["stats"]
    dims, order = tuple(info["dims"]), info["order"]
    python = data.get("machine_info", {}).get("python_version", UNKNOWN)
    commit = data["commit_info"].get("id")
    origin = ("pytest", None, commit, data["datetime"], info["numpy"], python)
    samples = tuple(float(s) for s in stats.get("data") or [stats["median"]])
    check_seconds(samples)
    return _row(origin, dims, order, samples, stats["iterations"], facts(dims, order))


def _table(rows: list[Row], what: str) -> pd.DataFrame:
    if not rows:
        problem = f"there are no {what}"
        raise RecordsError(problem, "Measure some, as benchmarks/README.md tells.")
    return pd.DataFrame(rows, columns=HARNESS_COLUMNS, dtype=object).infer_objects()


def one_run(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """The rows of one machine, commit and numpy.

    Parameters
    ----------
    table
        As `asv_table` returns it.
    wanted
        ``machine``, ``commit`` (its first digits do) and ``numpy``; without them the machine and
        commit measured last in the history, and the newest numpy, on the newest Python.

    Raises
    ------
    RecordsError
        If one is not there; the message lists those that are.
    """
    for column in ("machine", "commit", "numpy", "python"):
        value = wanted.get(column) or _latest(table, column)
        kept = table[table[column].str.startswith(value) if column == "commit" else
                     table[column] == value]  # fmt: skip
        if kept.empty:
            width = 8 if column == "commit" else None
            known = ", ".join(sorted({str(v)[:width] for v in table[column]}))
            problem = f"no times of {column} {value!r}"
            raise RecordsError(problem, f"There are those of {known}.")
        table = kept
    return table


def _latest(table: pd.DataFrame, column: str) -> str:
    """The value of the latest commit; of numpy and Python the greatest version."""
    if column in {"numpy", "python"}:
        return str(max(table[column], key=lambda v: [int(n) for n in re.findall(r"\d+", str(v))]))
    return str(table.sort_values("date", kind="stable")[column].iloc[-1])


def _row(
    origin: tuple[Any, ...], dims: Dims, order: str, samples: tuple[float, ...], batch: int,
    facts: Mapping[str, Any],
) -> Row:  # fmt: skip
    count = len(samples)
    return {
        **dict(zip(ORIGIN_COLUMNS, origin, strict=True)),
        **facts,
        "cell": f"{origin[0]}:{'x'.join(map(str, dims))}",
        "role": "cell",
        "dims": dims,
        "order": order,
        "batch": batch,
        "process": [0] * count,
        "round": list(range(count)),
        "block": list(range(count)),
        "seconds": list(samples),
        "flagged": [False] * count,
    }


def read_json(path: Path, *, remedy: str = "Name a file that is there.") -> Row:
    """One JSON object from a file; `remedy` is for one that can't be read.

    Raises
    ------
    RecordsError
        If it can't be read, or is none.
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
