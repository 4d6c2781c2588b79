"""The measured records, arranged for judging: one `Series` for each arm of each cell.

A block's two samples of an arm are summarised by their sum for ratios (paired, robust to a drift
inside the block), whose median over the blocks of a process stands for that process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.intervals import Interval, median_interval, quantile
from jacchain.cost import Cost

Array = NDArray[np.float64]
Dims = tuple[int, ...]
Pair = tuple["Series", "Series"]

LOSS_FIRST: Final = "loss-first"
INPUT_FIRST: Final = "input-first"
BOTH: Final = (LOSS_FIRST, INPUT_FIRST)
LOWER_QUARTILE = 0.25
REGIMES = ("L2", "leaving L2", "LLC", "leaving LLC", "memory")


@dataclass(frozen=True)
class Series:
    """All samples of one arm of one cell.

    `seconds` has shape (processes, blocks, 2): seconds per call, two samples in each block, nan
    where a process has no such block; `flagged` the same.
    """

    cell: str
    role: str
    group: str
    dims: Dims
    name: str
    cost: Cost
    seconds: Array
    flagged: NDArray[np.bool_]

    @cached_property
    def log_times(self) -> Array:
        """Logarithm of each process's lower quartile of seconds per call, shape (processes,).

        What disturbs a sample makes it slower, so the lower quartile is steadier than the median.
        """
        samples = self.seconds.reshape(len(self.seconds), -1)
        return np.asarray(np.log(quantile(samples, LOWER_QUARTILE)))

    @property
    def time(self) -> float:
        """Seconds per call: median over processes of each one's lower quartile."""
        return float(np.exp(median_interval(self.log_times)[1]))

    @property
    def interval(self) -> Interval:
        """95 % interval of `time`, by order statistics over processes."""
        low, _, high = np.exp(median_interval(self.log_times))
        return float(low), float(high)


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
        """Return one of `REGIMES`.

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
class Noise:
    """How far A/A pairs lie apart, in log units (fractions when small); nan if there are none.

    `floor` is the root mean square over pairs and processes. Its parts are standard deviations:
    what the samples `within` a block explain, and what `processes` and the `shapes` of the pairs
    add to it.
    """

    floor: float = np.nan
    within: float = np.nan
    processes: float = np.nan
    shapes: float = np.nan


@dataclass(frozen=True)
class Count:
    """Multiplications really executed by one order, at `dims`: the cell's own, or a twin's."""

    order: str
    cell_dims: Dims
    dims: Dims
    multiplications: int


@dataclass(frozen=True)
class Evidence:
    """Everything a claim is judged on."""

    #: The arms of every measured cell, by its name
    cells: Mapping[str, tuple[Series, ...]] = field(default_factory=dict)
    #: Values of the untimed checks, by name, each of the type that its claim says
    checks: Mapping[str, Any] = field(default_factory=dict)
    counts: tuple[Count, ...] = ()  #: Executed multiplications
    #: Reasons by the names of cells that were not measured
    skipped: Mapping[str, str] = field(default_factory=dict)
    #: Of this machine in this run; the overhead in seconds per product
    regimes: Regimes = Regimes()
    noise: Noise = Noise()
    overhead: float = 0.0

    @property
    def noise_floor(self) -> float:
        """How far equal work lies apart on this machine, by which intervals are widened (log)."""
        return self.noise.floor

    def pair(self, cell: str) -> Pair | None:
        """Return both arms of a cell; None where it was not measured."""
        arms = self.cells.get(cell, ())
        return (arms[0], arms[1]) if len(arms) == 2 else None

    @cached_property
    def chains(self) -> dict[Dims, Pair]:
        """(loss-first, input-first) of every chain that was measured in both, by its dims."""
        arms = (arms for arms in self.of_role("chain") if tuple(s.name for s in arms) == BOTH)
        return {arms[0].dims: (arms[0], arms[1]) for arms in arms}

    @property
    def controls(self) -> list[Pair]:
        """The A/A pairs."""
        return [(arms[0], arms[1]) for arms in self.of_role("control")]

    @property
    def ceilings(self) -> list[Series]:
        """The reference kernels."""
        return [series for arms in self.of_role("ceiling") for series in arms]

    def of_role(self, role: str) -> list[tuple[Series, ...]]:
        """Return the arms of every cell of a role."""
        return [arms for arms in self.cells.values() if arms[0].role == role]

    def regime(self, series: Series) -> str:
        """Return the memory regime of a series, one of `REGIMES`."""
        return self.regimes.name(series.cost.working_set)


def unflagged(series: Series) -> Series | None:
    """Return the series without its flagged blocks; None where nothing would remain.

    Both arms of a cell share their blocks, and so lose the same ones.
    """
    seconds = np.where(series.flagged, np.nan, series.seconds)
    return replace(series, seconds=seconds) if np.isfinite(seconds).any() else None
