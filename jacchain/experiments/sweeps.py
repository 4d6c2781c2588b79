"""What C3 and C4 share: the parts that judge one sweep."""

from collections.abc import Mapping

import numpy as np

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.slopes import judged_regimes, slope_parts, sweep
from jacchain.analysis.verdicts import Part, exact
from jacchain.chains.chain import random_chain
from jacchain.chains.counting import count
from jacchain.experiments.grids import Grid

_COUNTED_SIZES = (3, 4, 7)


def time_parts(evidence: Evidence, grid: Grid, order: str) -> list[Part]:
    """Slope and rivals of one order, in each memory regime that can be judged."""
    label = f"{order} over {grid.variable}"
    whole = sweep(evidence, grid.name, grid.variable, grid.cells, order)
    parts = slope_parts(whole, evidence, f"slope of {label}")
    if whole is None:
        return parts
    rivals = [
        rival_part(part, evidence.noise_floor, f"rivals of {label}, {regime}")
        for regime, part in judged_regimes(whole, evidence).items()
    ]
    return parts + rivals


def difference_parts(grid: Grid, expected: Mapping[str, str]) -> list[Part]:
    """Finite differences of executed counts over the swept size, against the formula's slope.

    `expected` maps an order to a sum of products of sizes, such as "z2 z1 + z3 z2 + z3". The
    chains counted are small ones with different sizes: the law is the same at every size.
    """
    return [_difference(grid, order, slope) for order, slope in expected.items()]


def _difference(grid: Grid, order: str, slope: str) -> Part:
    dims = {"z3": 5, "z2": 4, "z1": 6, "x": 3}
    counts = [_counted({**dims, grid.name: size}, order) for size in _COUNTED_SIZES]
    slopes = np.diff(counts) / np.diff(_COUNTED_SIZES)
    expected = sum(
        int(np.prod([dims[symbol] for symbol in term.split()])) for term in slope.split("+")
    )
    measured = slopes[0] if np.all(slopes == slopes[0]) else float("nan")
    name = f"count of {order} grows by {slope} for each element of {grid.variable}"
    return exact(name, float(measured), expected, unit="multiplications")


def _counted(sizes: Mapping[str, int], order: str) -> int:
    dims = (1, sizes["z3"], sizes["z2"], sizes["z1"], sizes["x"])
    return count(random_chain(dims, rng=0), order)
