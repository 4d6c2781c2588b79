"""The sweeps that claims share: which sizes, and the dims of each.

Sizes are powers of two and the sizes halfway between (3 x 2^k): coarse where nothing is judged, by
half-octaves from where a slope can be. Their rows stay aligned, which odd sizes do not. Where the
caches of a machine hold too few of them for a slope, quarter-octaves are added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import log

from jacchain.analysis.evidence import BOTH, Dims
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.chains.planners import plan
from jacchain.experiments.cell import Cell, chain_cell
from jacchain.experiments.sizes import Sizes

INPUTS = (1536, 2048, 3072, 4096, 8192)  # sizes of the input beside equal layers
FARTHER = 4  # times the largest size of a sweep: as far as it may be extended


@dataclass(frozen=True)
class Grid:
    """One swept size: `cells` are (size, dims) pairs, dims loss first."""

    name: str
    variable: str  # as in the article, e.g. |x|
    cells: tuple[tuple[int, Dims], ...]
    unit: str = "elements"
    over: str = ""  # all that is swept, in a title; by default the variable
    law: str = "n"  # growth of the formula, one of `analysis.rivals.LAWS`


def octaves(low: int, high: int, steps: int = 2) -> list[int]:
    """Return the sizes from `low` to `high` that are `steps` in each octave, evenly spaced.

    Examples
    --------
    >>> octaves(4, 16), octaves(64, 160, steps=4)
    ([4, 6, 8, 12, 16], [64, 80, 96, 112, 128, 160])
    """
    sizes = {m * 2**k for k in range(high.bit_length()) for m in range(steps, 2 * steps)}
    return sorted(n for n in sizes if low <= n <= high)


def _sizes(
    sizes: Sizes, coarse: tuple[int, ...], dense: list[int], dims: Callable[[int], Dims]
) -> tuple[tuple[int, Dims], ...]:
    swept = {*coarse, *dense}
    for order in BOTH if sizes.windows else ():
        swept |= _missing(sizes, order, dense, dims)
    return tuple((n, dims(n)) for n in sorted(swept))


@cache
def _working_set(dims: Dims, order: str, dtype: str) -> int:
    return plan(dims, order, dtype=dtype).cost.working_set


def _missing(sizes: Sizes, order: str, dense: list[int], dims: Callable[[int], Dims]) -> set[int]:
    """Return sizes to add so that one window of this machine holds enough for a slope."""
    if any(map(_enough, _inside(sizes, order, dense, dims))):
        return set()
    windows = _inside(sizes, order, _finer(dense), dims)
    heads = (some[:count] for some in windows for count in range(len(some) + 1))
    return set(next(filter(_enough, heads), ()))


def _finer(dense: list[int]) -> list[int]:
    return octaves(dense[0] // 8, FARTHER * dense[-1], steps=4)


def _enough(some: list[int]) -> bool:
    return len(some) >= LEAST_SIZES and log(some[-1] / some[0]) >= LEAST_SPAN


def _inside(
    sizes: Sizes, order: str, some: list[int], dims: Callable[[int], Dims]
) -> list[list[int]]:
    """Return those of some sizes whose working sets are in each window."""
    dtype = f"float{8 * sizes.itemsize}"
    sets = {n: _working_set(dims(n), order, dtype) for n in some}
    return [[n for n in some if low <= sets[n] <= high] for low, high in sizes.windows]


@cache
def input_grid(sizes: Sizes) -> Grid:
    """Sweep over `|x|` of a classifier that narrows: 128, 32, 16."""
    dense = octaves(1024, sizes.pick(quick=2**16, standard=2**20, full=2**22))
    return Grid("x", "|x|", _sizes(sizes, (16, 128), dense, lambda n: (1, 16, 32, 128, n)))


@cache
def layer_grids(sizes: Sizes) -> tuple[Grid, Grid, Grid]:
    """Sweep over `|z1|`, `|z2|` and `|z3|`, each beside wide neighbours so that its terms lead."""
    dense = octaves(1024, sizes.pick(quick=6144, standard=2**14, full=2**15))

    def grid(name: str, dims: Callable[[int], Dims]) -> Grid:
        cells = _sizes(sizes, (32, 256), dense, dims)
        return Grid(name, f"|{name[0]}_{name[1]}|", cells, over=f"|{name}|")

    return (
        grid("z1", lambda n: (1, 64, 256, n, 256)),
        grid("z2", lambda n: (1, 256, n, 256, 256)),
        grid("z3", lambda n: (1, n, 512, 128, 256)),
    )


@cache
def all_layers_grid(sizes: Sizes) -> Grid:
    """Sweep over `|z_1| = |z_2| = |z_3|`."""
    dense = octaves(128, sizes.pick(quick=384, standard=1024, full=1536))

    def dims(n: int, x: int) -> Dims:
        return (1, n, n, n, x)

    inputs = (x for x in INPUTS if _fits(sizes, dense, partial(dims, x=x)))
    cells = _sizes(sizes, (32,), dense, partial(dims, x=next(inputs, INPUTS[0])))
    return Grid("all_z", "|z_i|, all i", cells, over="|z1| = |z2| = |z3|", law="n^2")


def _fits(sizes: Sizes, dense: list[int], dims: Callable[[int], Dims]) -> bool:
    """Whether a window holds enough sizes of each order for a slope."""
    finer = _finer(dense)
    return all(any(map(_enough, _inside(sizes, order, finer, dims))) for order in BOTH)


@cache
def depth_grid(sizes: Sizes) -> Grid:
    """Sweep over the number of layers, all of 256."""
    dense = octaves(8, sizes.pick(quick=48, standard=96, full=192))
    cells = _sizes(sizes, (3,), dense, lambda n: (1, *(256,) * (n + 1)))
    return Grid("depth", "L", cells, unit="layers", over="depth L")


def plane(sizes: Sizes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes of `|x|` and of `|z|`, of all three layers, in the plane of both."""
    coarse, fine = (4, 64, 1024, 16384), tuple(4**k for k in range(1, 9))
    x = sizes.pick(quick=coarse, standard=fine, full=fine)
    fours, twos = tuple(4**k for k in range(1, 6)), tuple(2**k for k in range(2, 10))
    return x, sizes.pick(quick=fours[:-1], standard=fours, full=twos)


def grid_cells(*grids: Grid) -> list[Cell]:
    """Measure both orders of every chain of the grids."""
    return [chain_cell(dims, group=grid.name) for grid in grids for _, dims in grid.cells]


def all_grids(sizes: Sizes) -> dict[str, Grid]:
    """Return every sweep by its name."""
    grids = (input_grid(sizes), *layer_grids(sizes), all_layers_grid(sizes), depth_grid(sizes))
    return {grid.name: grid for grid in grids}
