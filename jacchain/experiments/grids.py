"""The sweeps that claims share: which sizes, and the dims of each.

Sizes are powers of two and the sizes halfway between (3 x 2^k): coarse where nothing is judged, by
half-octaves from where a slope can be. Their rows stay aligned, which odd sizes do not. Where the
caches of a machine hold too few of them for a slope, quarter-octaves are added.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import log

from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.chains.planners import plan
from jacchain.experiments.cells import BOTH, Cell, Dims
from jacchain.experiments.prepare import working_set
from jacchain.experiments.profiles import Profile

FARTHER = 4  # times the largest size of a profile: as far as a sweep may be extended


@dataclass(frozen=True)
class Grid:
    """One swept size: `cells` are (size, dims) pairs, dims loss first."""

    name: str
    variable: str  # as in the article, e.g. |x|
    cells: tuple[tuple[int, Dims], ...]
    law: str = "n"  # growth of the formula, one of `analysis.rivals.LAWS`


def half_octaves(low: int, high: int) -> list[int]:
    """Powers of two and three times powers of two from `low` to `high`.

    Examples
    --------
    >>> half_octaves(4, 16)
    [4, 6, 8, 12, 16]
    """
    powers = [2**k for k in range(high.bit_length())]
    return sorted(n for n in {*powers, *(3 * p for p in powers)} if low <= n <= high)


def quarter_octaves(low: int, high: int) -> list[int]:
    """Four to seven times powers of two from `low` to `high`.

    Examples
    --------
    >>> quarter_octaves(64, 160)
    [64, 80, 96, 112, 128, 160]
    """
    sizes = {m * 2**k for k in range(high.bit_length()) for m in (4, 5, 6, 7)}
    return sorted(n for n in sizes if low <= n <= high)


def _grid(
    profile: Profile, name: str, variable: str, coarse: tuple[int, ...], dense: list[int],
    dims: Callable[[int], Dims],
) -> Grid:  # fmt: skip
    sizes = {*coarse, *dense}
    for order in BOTH if profile.windows and dense else ():
        sizes |= _missing(profile, order, dense, dims)
    return Grid(name, variable, tuple((n, dims(n)) for n in sorted(sizes)))


def _missing(
    profile: Profile, order: str, dense: list[int], dims: Callable[[int], Dims]
) -> set[int]:
    """Sizes to add so that one window of this machine holds enough of them for a slope."""

    @cache
    def touched(size: int) -> int:
        return working_set(plan(dims(size), order), profile.itemsize)

    def enough(sizes: list[int]) -> bool:
        return len(sizes) >= LEAST_SIZES and log(sizes[-1] / sizes[0]) >= LEAST_SPAN

    def inside(sizes: list[int]) -> list[list[int]]:
        return [[n for n in sizes if low <= touched(n) <= high] for low, high in profile.windows]

    if any(map(enough, inside(dense))):
        return set()
    finer = inside(quarter_octaves(dense[0] // 4, FARTHER * dense[-1]))
    rows = (sizes[:count] for sizes in finer for count in range(len(sizes) + 1))
    return set(next(filter(enough, rows), ()))


@cache
def input_grid(profile: Profile) -> Grid:
    """Sweep over |x| of a classifier that narrows: 128, 32, 16."""
    dense = half_octaves(1024, profile.most_x)
    return _grid(profile, "x", "|x|", (16, 128), dense, lambda n: (1, 16, 32, 128, n))


@cache
def layer_grids(profile: Profile) -> tuple[Grid, Grid, Grid]:
    """Sweeps over |z1|, |z2| and |z3|, each beside wide neighbours so that its terms lead."""
    dense = half_octaves(1024, profile.most_z)
    return (
        _grid(profile, "z1", "|z_1|", (32, 256), dense, lambda n: (1, 64, 256, n, 256)),
        _grid(profile, "z2", "|z_2|", (32, 256), dense, lambda n: (1, 256, n, 256, 256)),
        _grid(profile, "z3", "|z_3|", (32, 256), dense, lambda n: (1, n, 512, 128, 256)),
    )


@cache
def all_layers_grid(profile: Profile) -> Grid:
    """Sweep over |z_1| = |z_2| = |z_3|."""
    dense = half_octaves(128, profile.most_all_z)
    grid = _grid(profile, "all_z", "|z_i|, all i", (32,), dense, lambda n: (1, n, n, n, 1536))
    return replace(grid, law="n^2")


@cache
def depth_grid(profile: Profile) -> Grid:
    """Sweep over the number of layers, all of 256."""
    dense = half_octaves(8, profile.most_depth)
    return _grid(profile, "depth", "L", (3,), dense, lambda n: (1, *(256,) * (n + 1)))


def plane_cells(profile: Profile) -> tuple[Dims, ...]:
    """The (|x|, |z|) plane, |z| being that of all three layers."""
    return tuple((1, z, z, z, x) for z in profile.plane_z for x in profile.plane_x)


def grid_cells(*grids: Grid) -> list[Cell]:
    """Every dims of the grids, in both orders."""
    return [Cell(dims, sweep=grid.name) for grid in grids for _, dims in grid.cells]


def all_grids(profile: Profile) -> dict[str, Grid]:
    """Every sweep by its name."""
    grids = (
        input_grid(profile), *layer_grids(profile), all_layers_grid(profile), depth_grid(profile)
    )  # fmt: skip
    return {grid.name: grid for grid in grids}
