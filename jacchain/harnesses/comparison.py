"""Whether our own engine, asv and pytest-benchmark measure the same: each pair's ratios, judged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jacchain.analysis.evidence import Dims
from jacchain.analysis.intervals import Estimate, Triple, estimate
from jacchain.analysis.verdicts import Part, Statement, Verdict, judge, timed
from jacchain.experiments.experiment import Finding

PAIRS = (("asv", "own"), ("pytest", "own"), ("asv", "pytest"))
CONTROL = ("own again", "own")
ALONE = {"asv": ("asv", "own alone"), "pytest": ("pytest", "own alone")}  # the cause removed
LEAST_SECONDS = 1e-4  # per call: below, what each harness does around a call is part of the time
MARGIN = (1 / 1.1, 1.1)
SENTENCE = "Both measure the same time of every chain, within 10 %."

Pair = tuple[str, str]
Medians = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Compared:
    """One chain and order."""

    dims: Dims
    order: str
    #: Seconds per call by visit: median over rounds of a visit's median
    medians: Mapping[str, float]
    #: Logarithm of each pair's ratio, over rounds
    logs: Mapping[Pair, Estimate]

    @property
    def name(self) -> str:
        """Return the order and the dims, those of a deep chain in short."""
        sizes = self.dims
        deep = len(sizes) > 6 and len(set(sizes[1:])) == 1
        chain = f"{len(sizes) - 2} layers of {sizes[1]}" if deep else " x ".join(map(str, sizes))
        return f"{self.order} of {chain}"

    @cached_property
    def ratios(self) -> Mapping[Pair, Triple]:
        """Each pair's ratio as (low, middle, high), with its 95 % interval."""
        return {pair: log.exponential for pair, log in self.logs.items()}

    @property
    def judged(self) -> bool:
        """Whether a call takes long enough for all harnesses to measure the same."""
        return min(self.medians.values()) >= LEAST_SECONDS


@dataclass(frozen=True)
class Comparison:
    """All chains and orders, slowest last.

    `noise` is the root mean square of the logarithms of own again / own.
    """

    rows: tuple[Compared, ...]
    rounds: int
    noise: float
    verdicts: Mapping[Pair, Verdict]
    findings: tuple[Finding, ...]


def compare(table: pd.DataFrame) -> Comparison:
    """Judge rounds as `jacchain.harnesses.visits.read_rounds` returns them.

    A pair agrees on a cell if the interval of its ratio, widened by what the two visits of our
    own engine differ by, lies within 10 % of 1.
    """
    turns = int(table["turn"].max()) + 1
    groups: Iterable[Any] = table.groupby(["dims", "order"])
    cells = {(dims, order): _medians(rows, turns) for (dims, order), rows in groups}
    compared = (_compared(dims, order, medians) for (dims, order), medians in cells.items())
    rows = sorted(compared, key=lambda row: row.medians["own"])
    logs = [np.log(medians["own again"] / medians["own"]) for medians in cells.values()]
    noise = float(np.sqrt(np.nanmean(np.concatenate(logs) ** 2)))
    judged = {pair: [_part(pair, row, noise) for row in rows if row.judged] for pair in PAIRS}
    verdicts = {
        pair: judge(" / ".join(pair), [Statement(SENTENCE, tuple(judged[pair]))], noise)
        for pair in PAIRS
    }
    return Comparison(tuple(rows), turns, noise, verdicts, tuple(_findings(rows)))


def _medians(rows: pd.DataFrame, turns: int) -> Medians:
    """Return the median of each visit to a cell, by name; shape (turns,), nan where missing."""
    medians = rows.assign(seconds=rows["seconds"].map(np.median))
    table = medians.pivot(index="turn", columns="visit", values="seconds").reindex(range(turns))
    return {str(name): table[name].to_numpy(dtype=float) for name in table}


def _findings(rows: Sequence[Compared]) -> Iterator[Finding]:
    """Say where another harness and our own engine differ, and what is left without the pairing."""
    for row in rows:
        for name, alone in ALONE.items():
            if row.judged and not _is_inside(row.ratios[name, "own"]):
                yield Finding(
                    f"{name} / own is {ratio_text(row.ratios[name, 'own'])} for {row.name}.",
                    "Our own engine visits both orders and all cells in turns, and other data pass "
                    "through the caches in between.",
                    f"With one order of one cell in a process it is "
                    f"{ratio_text(row.ratios[alone])}.",
                    vanishes=_is_inside(row.ratios[alone]),
                )


def _is_inside(ratio: Triple) -> bool:
    return MARGIN[0] <= ratio[1] <= MARGIN[1]


def ratio_text(ratio: Triple) -> str:
    """Write a ratio with its interval.

    Examples
    --------
    >>> ratio_text((0.95, 1.0, 1.0526))
    '1.000 (0.950-1.053)'
    """
    low, middle, high = ratio
    return f"{middle:.3f} ({low:.3f}-{high:.3f})"


def _compared(dims: Dims, order: str, medians: Medians) -> Compared:
    pairs = (*PAIRS, CONTROL, *ALONE.values())
    logs = {(a, b): estimate(np.log(medians[a] / medians[b])) for a, b in pairs}
    overall = {name: float(np.nanmedian(values)) for name, values in medians.items()}
    return Compared(dims, order, overall, logs)


def _part(pair: Pair, row: Compared, noise: float) -> Part:
    unit = " / ".join(pair)
    return timed(row.name, row.logs[pair], 1.0, MARGIN, widening=noise, unit=unit, log=True)
