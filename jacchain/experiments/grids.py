"""The sweeps that claims share: which sizes, and the dims of each.

Sizes are powers of two and the sizes halfway between (3 x 2^k): coarse where nothing is judged, by
half-octaves from where a slope can be. Their rows stay aligned, which odd sizes do not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from jacchain.experiments.cells import Cell, Dims
from jacchain.experiments.profiles import Profile


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


def _grid(
    name: str, variable: str, coarse: tuple[int, ...], dense: list[int],
    dims: Callable[[int], Dims],
) -> Grid:  # fmt: skip
    return Grid(name, variable, tuple((n, dims(n)) for n in (*coarse, *dense)))


def input_grid(profile: Profile) -> Grid:
    """Sweep over |x| of a classifier that narrows: 128, 32, 16."""
    dense = half_octaves(1024, profile.most_x)
    return _grid("x", "|x|", (16, 128), dense, lambda n: (1, 16, 32, 128, n))


def layer_grids(profile: Profile) -> tuple[Grid, Grid, Grid]:
    """Sweeps over |z1|, |z2| and |z3|, each beside wide neighbours so that its terms lead."""
    dense = half_octaves(1024, profile.most_z)
    return (
        _grid("z1", "|z_1|", (32, 256), dense, lambda n: (1, 64, 256, n, 256)),
        _grid("z2", "|z_2|", (32, 256), dense, lambda n: (1, 256, n, 256, 256)),
        _grid("z3", "|z_3|", (32, 256), dense, lambda n: (1, n, 512, 128, 256)),
    )


def all_layers_grid(profile: Profile) -> Grid:
    """Sweep over |z_1| = |z_2| = |z_3|."""
    dense = half_octaves(128, profile.most_all_z)
    grid = _grid("all_z", "|z_i|, all i", (32,), dense, lambda n: (1, n, n, n, 1536))
    return replace(grid, law="n^2")


def depth_grid(profile: Profile) -> Grid:
    """Sweep over the number of layers, all of 256."""
    dense = half_octaves(8, profile.most_depth)
    return _grid("depth", "L", (3,), dense, lambda n: (1, *(256,) * (n + 1)))


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
