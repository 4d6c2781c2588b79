"""Do our own engine, asv and pytest-benchmark measure the same? Ratios of each pair, judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jacchain.analysis.intervals import median_interval, p_beyond
from jacchain.analysis.verdicts import Part, Verdict, judge
from jacchain.experiments.cells import Dims

PAIRS = (("asv", "own"), ("pytest", "own"), ("asv", "pytest"))
CONTROL = ("own again", "own")
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
    def judged(self) -> bool:
        """Whether a call takes long enough for all harnesses to measure the same."""
        return min(self.medians.values()) >= LEAST_SECONDS


@dataclass(frozen=True)
class Comparison:
    """All cells, slowest last; `noise` is the half-width of own / own again, a fraction."""

    rows: tuple[Compared, ...]
    rounds: int
    noise: float
    verdicts: Mapping[Pair, Verdict]


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
    return Comparison(tuple(rows), turns, noise, verdicts)


def _slowness(row: Compared) -> float:
    return row.medians["own"]


def _compared(dims: Dims, order: str, found: Mapping[str, NDArray[np.float64]]) -> Compared:
    ratios = {}
    for a, b in chain(PAIRS, [CONTROL]):
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
        f"{row.order} of {' x '.join(map(str, row.dims))}",
        middle,
        1.0,
        MARGIN,
        unit=f"{pair[0]} / {pair[1]}",
        interval=(low, high),
        widened=(low / (1 + noise), high * (1 + noise)),
        p=p_beyond(float(beyond), (float(np.log(low)), float(np.log(high)))),
    )
