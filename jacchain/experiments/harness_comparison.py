"""Do our own engine, asv and pytest-benchmark measure the same? Ratios of each pair, judged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jacchain.analysis.intervals import median_interval, p_beyond
from jacchain.analysis.verdicts import Part, Verdict, judge
from jacchain.experiments.cells import Dims
from jacchain.experiments.experiment import Finding

PAIRS = (("asv", "own"), ("pytest", "own"), ("asv", "pytest"))
CONTROL = ("own again", "own")
ALONE = {"asv": ("asv", "own alone"), "pytest": ("pytest", "own alone")}  # the cause removed
LEAST_SECONDS = 1e-4  # per call: below, what each harness does around a call is part of the time
MARGIN = (1 / 1.1, 1.1)

Pair = tuple[str, str]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Compared:
    """One cell and order: seconds per call by harness, and the ratio of each pair.

    `medians` are medians over rounds of the medians of a visit; `ratios` the median of the
    rounds' ratios between the ends of its 95 % interval.
    """

    dims: Dims
    order: str
    medians: Mapping[str, float]
    ratios: Mapping[Pair, Triple]

    @property
    def name(self) -> str:
        """Order and dims, those of a deep chain in short."""
        sizes = self.dims
        deep = len(sizes) > 6 and len(set(sizes[1:])) == 1
        chain = f"{len(sizes) - 2} layers of {sizes[1]}" if deep else " x ".join(map(str, sizes))
        return f"{self.order} of {chain}"

    @property
    def judged(self) -> bool:
        """Whether a call takes long enough for all harnesses to measure the same."""
        return min(self.medians.values()) >= LEAST_SECONDS


@dataclass(frozen=True)
class Comparison:
    """All cells, slowest last; `noise` is the half-width of own again / own, a fraction."""

    rows: tuple[Compared, ...]
    rounds: int
    noise: float
    verdicts: Mapping[Pair, Verdict]
    findings: tuple[Finding, ...]


def compare(table: pd.DataFrame) -> Comparison:
    """Judge the rounds of `harness_visits.read_rounds`.

    A pair agrees on a cell if the interval of its ratio, widened by what the two visits of our
    own engine differ by, lies within 10 % of 1.
    """
    turns = int(table["turn"].max()) + 1
    cells: dict[tuple[Dims, str], dict[str, NDArray[np.float64]]] = {}
    samples: Iterable[Any] = table.to_dict("records")
    for row in samples:
        found = cells.setdefault((row["dims"], row["order"]), {})
        medians = found.setdefault(row["visit"], np.full(turns, np.nan))
        medians[row["turn"]] = np.median(row["seconds"])
    rows = sorted((_compared(*key, found) for key, found in cells.items()), key=_slowness)
    logs = [np.log(c["own again"] / c["own"]) for c in cells.values()]
    low, _, high = median_interval(np.concatenate(logs))
    noise = float(np.expm1(max(abs(low), abs(high))))
    verdicts = {pair: _verdict(pair, rows, noise) for pair in PAIRS}
    return Comparison(tuple(rows), turns, noise, verdicts, tuple(_findings(rows)))


def _findings(rows: list[Compared]) -> Iterator[Finding]:
    """Where another harness and our own engine differ, and what they do without the pairing."""
    for row in rows:
        for name, alone in ALONE.items():
            if row.judged and not _inside(row.ratios[name, "own"]):
                yield Finding(
                    f"{name} / own is {shown(row.ratios[name, 'own'])} for {row.name}.",
                    "Our own engine visits both orders and all cells in turns, and other data pass "
                    "through the caches in between.",
                    f"With one order of one cell in a process it is {shown(row.ratios[alone])}.",
                    vanishes=_inside(row.ratios[alone]),
                )


def _inside(ratio: Triple) -> bool:
    return MARGIN[0] <= ratio[1] <= MARGIN[1]


def shown(ratio: Triple) -> str:
    """A ratio with its interval.

    Examples
    --------
    >>> shown((0.95, 1.0, 1.0526))
    '1.000 (0.950-1.053)'
    """
    low, middle, high = ratio
    return f"{middle:.3f} ({low:.3f}-{high:.3f})"


def _slowness(row: Compared) -> float:
    return row.medians["own"]


def _compared(dims: Dims, order: str, found: Mapping[str, NDArray[np.float64]]) -> Compared:
    ratios = {}
    for a, b in (*PAIRS, CONTROL, *ALONE.values()):
        low, middle, high = np.exp(median_interval(np.log(found[a] / found[b])))
        ratios[a, b] = (float(low), float(middle), float(high))
    medians = {name: float(np.median(values)) for name, values in found.items()}
    return Compared(dims, order, medians, ratios)


def _verdict(pair: Pair, rows: list[Compared], noise: float) -> Verdict:
    parts = [_part(pair, row, noise) for row in rows if row.judged]
    return judge(f"{pair[0]} / {pair[1]}", parts, noise)


def _part(pair: Pair, row: Compared, noise: float) -> Part:
    low, middle, high = row.ratios[pair]
    beyond = abs(np.log(middle)) - np.log(MARGIN[1]) - np.log1p(noise)
    return Part(
        row.name,
        middle,
        1.0,
        MARGIN,
        unit=f"{pair[0]} / {pair[1]}",
        interval=(low, high),
        widened=(low / (1 + noise), high * (1 + noise)),
        p=p_beyond(float(beyond), (float(np.log(low)), float(np.log(high)))),
    )
