"""What C3 and C4 share: the parts that judge one sweep."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Array, Evidence
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.slopes import MARGIN, judged_regimes, slope_part, sweep
from jacchain.analysis.verdicts import Part, exact, undecided
from jacchain.chains.chain import random_chain
from jacchain.chains.count import count
from jacchain.experiments.cells import BOTH, Dims
from jacchain.experiments.experiment import Finding
from jacchain.experiments.grids import Grid
from jacchain.records.values import Executed

COUNTED_SIZES = (3, 4, 7, 9)
_SMALL = {"z3": 5, "z2": 4, "z1": 6, "x": 3, "z": 4}


def time_parts(evidence: Evidence, grid: Grid, order: str) -> list[Part]:
    """Slope and rivals of one order, in each memory regime that can be judged."""
    label = f"{order} over {grid.variable}"
    whole = sweep(evidence, grid.name, grid.variable, grid.cells, order, grid.law)
    if whole is None:
        return [undecided(f"slope of {label}", "not measured in this run", unit="exponent")]
    regimes = judged_regimes(whole, evidence)
    if not regimes:
        reason = "no memory regime holds four sizes over half a decade above the fixed overhead"
        return [undecided(f"slope of {label}", reason, unit="exponent")]
    floor = evidence.noise_floor
    return [
        judged
        for regime, part in regimes.items()
        for judged in (
            slope_part(part, floor, f"slope of {label}, {regime}"),
            rival_part(part, floor, f"rivals of {label}, {regime}"),
        )
    ]


def cache_finding(evidence: Evidence, grid: Grid) -> list[Finding]:
    """The slope of loss-first over all sizes, against that in one memory regime."""
    whole = sweep(evidence, grid.name, grid.variable, grid.cells, "loss-first")
    regimes = judged_regimes(whole, evidence) if whole else {}
    if whole is None or not regimes:
        return []
    beyond = whole.part(whole.sizes >= next(iter(regimes.values())).sizes[0])
    across = slope_part(beyond, evidence.noise_floor, "")
    inside = {name: slope_part(part, evidence.noise_floor, "") for name, part in regimes.items()}
    if abs(across.measured - across.expected) <= MARGIN:
        return []
    figures = ", ".join(f"{p.measured:.2f} in {name}" for name, p in inside.items())
    return [
        Finding(
            f"From {beyond.sizes[0]:.0f} on, the time of loss-first over {grid.variable} has the "
            f"slope {across.measured:.2f}, the formula {across.expected:.2f}.",
            "The factors leave the cache, and every element is read from further away.",
            f"Within one memory regime the slopes are {figures}.",
            vanishes=all(abs(p.measured - p.expected) <= MARGIN for p in inside.values()),
        )
    ]


@dataclass(frozen=True)
class Counts:
    """Executed multiplications at `sizes`, by the name of the sweep and the order."""

    sizes: list[Executed]
    counts: dict[str, dict[str, list[Executed]]]

    def __post_init__(self) -> None:
        """Refuse what no difference can be taken of."""
        counted = [row for orders in self.counts.values() for row in orders.values()]
        different = len(set(self.sizes)) == len(self.sizes) >= 3
        if not different or any(len(row) != len(self.sizes) for row in counted):
            message = (
                f"{counted} multiplications at sizes {self.sizes}; expected one for each size, "
                "at three or more different ones"
            )
            raise ValueError(message)


def count_growth(names: Iterable[str], seed: int) -> dict[str, Any]:
    """Count the multiplications of small chains over the swept size: the values of `Counts`.

    The chains are small ones with different sizes: the law is the same at every size.
    """
    counts = {
        name: {
            order: [
                count(random_chain(small_dims(name, size), rng=seed), order)
                for size in COUNTED_SIZES
            ]
            for order in BOTH
        }
        for name in names
    }
    return {"sizes": list(COUNTED_SIZES), "counts": counts}


def small_dims(swept: str, size: int) -> Dims:
    """Dims of a chain small enough to count, all sizes different but those swept together.

    Examples
    --------
    >>> small_dims("z2", 9), small_dims("all_z", 9)
    ((1, 5, 9, 6, 3), (1, 9, 9, 9, 3))
    """
    if swept == "depth":
        return (1, *(_SMALL["z"],) * size, _SMALL["x"])
    layers = ("z3", "z2", "z1")
    sizes = _SMALL | (dict.fromkeys(layers, size) if swept == "all_z" else {swept: size})
    return (1, *(sizes[name] for name in layers), sizes["x"])


def difference_parts(
    found: Mapping[str, Any] | None, grid: Grid, expected: Mapping[str, str]
) -> list[Part]:
    """Finite differences of executed counts over the swept size, against the formula's slope.

    `found` are the values of `count_growth`, None where they are missing. `expected` maps an order
    to a sum of products of sizes, such as "z2 z1 + z3 z2 + z3".
    """
    counts = found["counts"].get(grid.name, {}) if found else {}
    return [
        _difference(np.array(found["sizes"]), counts[order], grid, order, growth)
        if found and order in counts
        else undecided(f"count of {order} over {grid.variable}", "not counted in this run")
        for order, growth in expected.items()
    ]


def _difference(sizes: Array, counts: list[int], grid: Grid, order: str, growth: str) -> Part:
    """One divided difference of counts: of degree 2 where the formula is quadratic in the size."""
    degree = 2 if grid.law == "n^2" else 1
    slopes = np.array(counts, dtype=float)
    for step in range(1, degree + 1):
        slopes = np.diff(slopes) / (sizes[step:] - sizes[:-step])
    expected = sum(prod(_SMALL.get(f, 0) or int(f) for f in t.split()) for t in growth.split("+"))
    measured = float(slopes[0]) if np.all(slopes == slopes[0]) else float("nan")
    power = " squared" if degree == 2 else ""
    name = f"count of {order} grows by {growth} for each {grid.variable}{power}"
    return exact(name, measured, expected, unit="multiplications")
