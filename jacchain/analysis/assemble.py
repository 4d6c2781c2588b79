"""From the stored table to evidence: each series by its role."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from jacchain.analysis.evidence import Dims, Evidence, Series, all_series, by_key
from jacchain.analysis.noise import noise_floor, regimes
from jacchain.records.codec import DELETE
from jacchain.records.errors import RecordsError

ORDERS = ("loss-first", "input-first")
COMPARISON = "comparison:"  # what the cell names of comparisons begin with


def assemble(
    table: pd.DataFrame,
    environment: Mapping[str, Any],
    checks: Mapping[str, Mapping[str, Any]],
    *,
    adjust: Callable[[Series], Series | None] = lambda series: series,
) -> Evidence:
    """Arrange a run for judging.

    Parameters
    ----------
    table
        One row per cell and order, as `jacchain.load` returns it.
    environment
        That of the run's first session.
    checks
        Values of the untimed checks, by name.
    adjust
        Applied to every series, `unflagged` for example; None leaves one out.

    Raises
    ------
    RecordsError
        If an order is unknown, or two cells measured the same.
    """
    series = [s for s in map(adjust, all_series(table)) if s is not None]
    for s in series:
        _check_order(s)
    controls = _pairs([s for s in series if s.role == "control"])
    compared = _pairs([s for s in series if s.role == "comparison"])
    ceilings = {s.cell: s for s in series if s.role == "ceiling"}
    ladder = [
        (s.working_set, s.bytes / s.time)
        for s in ceilings.values()
        if s.engine == "row-matrix" and s.order == "v @ M"
    ]
    return Evidence(
        series=_by_key([s for s in series if s.role in {"cell", "cause"}]),
        comparisons={a.cell.removeprefix(COMPARISON): (a, b) for a, b in compared},
        controls=controls,
        ceilings=ceilings,
        checks=checks,
        counts=_counts(table),
        skipped=_skipped(table),
        regimes=regimes(environment.get("l2_bytes"), environment.get("llc_bytes"), ladder),
        noise_floor=noise_floor(controls),
        overhead=max((s.time / s.products for s in series if s.role == "overhead"), default=0.0),
    )


def _check_order(series: Series) -> None:
    if series.role not in {"ceiling", "comparison"} and series.order not in ORDERS:
        known = ", ".join(ORDERS)
        problem = f"cell {series.cell!r} has an arm {series.order!r}; known orders are {known}"
        raise RecordsError(problem, DELETE)


def _by_key(series: Sequence[Series]) -> dict[tuple[str, Dims, str], Series]:
    """Each series by its key; of two with the same, one would be paired with another cell's arm."""
    found = by_key(series)
    for s in series:
        other = found[s.engine, s.dims, s.order].cell
        if other != s.cell:
            dims = " ".join(map(str, s.dims))
            problem = f"cells {s.cell!r} and {other!r} both have {s.order} of {dims} by {s.engine}"
            raise RecordsError(problem, DELETE)
    return found


def _pairs(series: Sequence[Series]) -> tuple[tuple[Series, Series], ...]:
    arms = {(s.cell, s.arm): s for s in series}
    pairs = ((s, arms.get((s.cell, "B"))) for s in series if s.arm == "A")
    return tuple((a, b) for a, b in pairs if b is not None)


def _counts(table: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    counted = table[table["counted"].notna()]
    names = ("order", "dims", "counted", "counted_dims")
    columns = (counted[name] for name in names)
    return tuple(dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _skipped(table: pd.DataFrame) -> dict[str, str]:
    rows = table[table["skipped"].notna()]
    return dict(zip(rows["cell"], rows["skipped"], strict=True))
