"""The measured table, arranged for judging: one `Series` per cell and order.

A block's two samples of an order are summarised by their sum for ratios (paired, robust to a
drift inside the block) and by the smaller one for absolute times.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Dims = tuple[int, ...]

REGIMES = ("L2", "leaving L2", "LLC", "leaving LLC", "memory")


@dataclass(frozen=True)
class Series:
    """All samples of one order of one cell.

    `seconds` has shape (processes, blocks, 2): seconds per call, two samples in each block.
    """

    cell: str
    role: str
    engine: str
    dims: Dims
    order: str
    arm: str
    products: int
    multiplications: int
    row_flops: int
    matrix_flops: int
    bytes: int
    working_set: int
    seconds: Array
    flagged: NDArray[np.bool_]

    @property
    def best(self) -> Array:
        """The smaller sample of each block, shape (processes, blocks)."""
        return np.asarray(self.seconds.min(axis=-1))

    @property
    def time(self) -> float:
        """Seconds per call: minimum within a process, median across processes."""
        return float(np.median(self.best.min(axis=-1)))

    @property
    def median(self) -> float:
        """Seconds per call: the median of all samples, noise included."""
        return float(np.median(self.seconds))


@dataclass(frozen=True)
class Regimes:
    """Working sets, in bytes, that fit in one place: at most `l2`, `llc` from-to, or from `memory`.

    `llc_high` is the share of the last-level cache that this process really gets, which a
    virtual machine or a busy neighbour makes smaller than the size the CPU reports.
    """

    l2: float = 0.0
    llc_low: float = np.inf
    llc_high: float = 0.0
    memory: float = np.inf

    def name(self, working_set: float) -> str:
        """One of `REGIMES`.

        Examples
        --------
        >>> regimes = Regimes(l2=1, llc_low=4, llc_high=8, memory=64)
        >>> [regimes.name(size) for size in (1, 2, 4, 8, 9, 64)]
        ['L2', 'leaving L2', 'LLC', 'LLC', 'leaving LLC', 'memory']
        """
        if working_set <= self.l2:
            return "L2"
        if working_set >= self.memory:
            return "memory"
        if working_set < self.llc_low:
            return "leaving L2"
        return "LLC" if working_set <= self.llc_high else "leaving LLC"


@dataclass(frozen=True)
class Evidence:
    """Everything a claim is judged on."""

    series: Mapping[tuple[str, Dims, str], Series]  # by engine, dims and order; roles cell, cause
    comparisons: Mapping[str, tuple[Series, Series]] = field(default_factory=dict)  # by name
    controls: tuple[tuple[Series, Series], ...] = ()
    ceilings: Mapping[str, Series] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    counts: tuple[Mapping[str, Any], ...] = ()  # order, dims, counted, counted_dims
    skipped: Mapping[str, str] = field(default_factory=dict)
    regimes: Regimes = Regimes()
    noise_floor: float = 0.05
    overhead: float = 0.0  # seconds per product, measured on a chain of ones

    def get(self, dims: Dims, order: str, engine: str = "numpy") -> Series | None:
        """The series of one cell and order, or None where it was not measured."""
        return self.series.get((engine, tuple(dims), order))

    def pairs(self, engine: str = "numpy") -> list[tuple[Series, Series]]:
        """(loss-first, input-first) of every cell that has both."""
        firsts = [
            s for key, s in self.series.items() if key[0] == engine and key[2] == "loss-first"
        ]
        both = ((s, self.get(s.dims, "input-first", engine)) for s in firsts)
        return [(loss, inputs) for loss, inputs in both if inputs is not None]


def log_ratios(numerator: Series, denominator: Series) -> Array:
    """Per block `log((A1 + A2) / (B1 + B2))`, shape (processes * blocks,)."""
    ratios = numerator.seconds.sum(axis=-1) / denominator.seconds.sum(axis=-1)
    return np.asarray(np.log(ratios).ravel())


def series_of(row: Mapping[str, Any]) -> Series | None:
    """One row of `jacchain.load` as a `Series`; None while it has fewer than two rounds.

    Processes are cut to the same number of rounds; one that was interrupted before half of the
    rounds of the longest is left out, so that the others keep theirs.
    """
    process = np.asarray(row["process"])
    seconds, flagged = np.asarray(row["seconds"], dtype=float), np.asarray(row["flagged"])
    groups = [np.flatnonzero(process == p) for p in np.unique(process)]
    longest = max(map(len, groups), default=0)
    kept = [g for g in groups if len(g) >= longest / 2]
    rounds = min(map(len, kept), default=0) // 2
    if rounds < 2:
        return None
    rows = np.stack([g[: 2 * rounds] for g in kept])
    shape = (len(kept), rounds, 2)
    facts = {name: row[name] for name in Series.__dataclass_fields__ if name in row}
    arrays = {"seconds": seconds[rows].reshape(shape), "flagged": flagged[rows].reshape(shape)}
    return Series(**(facts | arrays))


def all_series(table: pd.DataFrame) -> list[Series]:
    """Every measured row of the table of `jacchain.load`, in order."""
    rows: Iterable[Any] = table.to_dict("records")
    return [s for s in map(series_of, rows) if s is not None]


def unflagged(series: Series) -> Series | None:
    """The series without its flagged rounds; None where fewer than two would remain.

    Both orders of a cell share their blocks, and so lose the same rounds.
    """
    keep = ~series.flagged.any(axis=(0, 2))
    if np.count_nonzero(keep) < 2:
        return None
    return replace(series, seconds=series.seconds[:, keep], flagged=series.flagged[:, keep])


def by_key(series: Sequence[Series]) -> dict[tuple[str, Dims, str], Series]:
    """Series by engine, dims and order."""
    return {(s.engine, s.dims, s.order): s for s in series}
