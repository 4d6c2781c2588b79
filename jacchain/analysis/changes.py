"""Two runs side by side: the cells that both measured, with the ratio of their times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Dims, Evidence, Series
from jacchain.analysis.intervals import difference_interval, median_interval

SLOWER, FASTER, WITHIN_NOISE = "B slower", "B faster", "within noise"
NO_NOISE = "noise not measured"


@dataclass(frozen=True)
class Change:
    """Time in run B over time in run A of one arm of a cell, with its 95 % interval."""

    dims: Dims
    name: str
    before: float
    after: float
    interval: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Above 1 where B is slower."""
        return self.after / self.before

    def beyond(self, floor: float) -> bool:
        """Whether the interval, widened by a noise floor, leaves 1 outside."""
        return self.interval[0] / (1 + floor) > 1 or self.interval[1] * (1 + floor) < 1

    def direction(self, floor: float) -> str:
        """Say in words which run is slower, beyond a noise floor; nan where none was measured."""
        if np.isnan(floor):
            return NO_NOISE
        if not self.beyond(floor):
            return WITHIN_NOISE
        return SLOWER if self.ratio > 1 else FASTER


def change(before: Series, after: Series) -> Change:
    """Compare two measurements of one arm, from separate runs and so unpaired."""
    first, second = (median_interval(series.log_times) for series in (before, after))
    low, _, high = np.exp(difference_interval(second, first))
    return Change(before.dims, before.name, before.time, after.time, (float(low), float(high)))


def changes(before: Evidence, after: Evidence) -> list[Change]:
    """Return every order of every chain that both runs measured, the largest change first."""
    matched = [
        change(first, second)
        for dims, pair in before.chains.items()
        for first, second in zip(pair, after.chains.get(dims, ()), strict=False)
    ]
    return sorted(matched, key=lambda c: -abs(np.log(c.ratio)))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two environments, by its name."""
    names = sorted(before.keys() | after.keys())
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
