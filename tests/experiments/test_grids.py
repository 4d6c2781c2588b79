"""Sweeps: each can be judged on every machine, and changes what it says it changes."""

from itertools import pairwise
from math import log

import pytest

from jacchain.analysis.noise import regimes
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.chains.planners import plan
from jacchain.experiments.cell import BOTH
from jacchain.experiments.grids import all_grids, grid_cells, plane
from jacchain.experiments.sizes import Sizes

MIB = 2**20
LADDER = [(4 * MIB, 1.0, 1.0), (32 * MIB, 1.0, 1.0), (48 * MIB, 0.3, 0.4)]  # a share of 32 MiB
MACHINE = regimes(2 * MIB, 260 * MIB, LADDER)
SCALES = ("quick", "standard", "full")

each_scale = pytest.mark.parametrize("scale", SCALES)


def can_be_judged(grid, order, machine, regime, itemsize=8):
    """Whether a regime of a machine holds enough sizes for a slope."""
    sizes = [
        size
        for size, dims in grid.cells
        if machine.name(plan(dims, order, dtype=f"f{itemsize}").cost.working_set) == regime
    ]
    return len(sizes) >= LEAST_SIZES and log(sizes[-1] / sizes[0]) >= LEAST_SPAN


@each_scale
@pytest.mark.parametrize("order", BOTH)
def test_every_sweep_has_a_regime_to_be_judged_in(scale, order):
    for name, grid in all_grids(Sizes(scale, 2 * MIB, 260 * MIB)).items():
        judged = [can_be_judged(grid, order, MACHINE, r) for r in ("L2", "LLC", "memory")]
        assert any(judged), name


@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("caches", [(1, 32), (2, 105), (1, 256), (2, 260)], ids=str)
@pytest.mark.parametrize("order", BOTH)
def test_a_sweep_gets_finer_where_the_caches_of_a_machine_ask_for_it(caches, itemsize, order):
    l2, llc = (n * MIB for n in caches)
    machine = regimes(l2, llc, [])
    for name, grid in all_grids(Sizes(l2=l2, llc=llc, itemsize=itemsize)).items():
        judged = can_be_judged(grid, order, machine, "LLC", itemsize)
        assert judged, name
        if name != "all_z":  # beside an input of another size
            assert set(all_grids(Sizes())[name].cells) <= set(grid.cells)


def test_a_grid_stays_as_it_is_where_it_can_be_judged_or_no_cache_is_known():
    fitted, usual = all_grids(Sizes(l2=2 * MIB, llc=260 * MIB)), all_grids(Sizes())
    assert [name for name, grid in fitted.items() if grid != usual[name]] == ["all_z"]


@each_scale
def test_sizes_rise_and_their_rows_are_aligned(scale):
    for grid in all_grids(Sizes(scale)).values():
        sizes = [size for size, _ in grid.cells]
        assert sizes == sorted(set(sizes))
        assert all(dims[0] == 1 for _, dims in grid.cells)
        inner = {n for _, dims in grid.cells for n in dims[1:]}
        assert all(n % 16 == 0 for n in inner), grid.name


@each_scale
def test_only_the_swept_size_changes(scale):
    grids = all_grids(Sizes(scale))
    for name, position in {"z3": 1, "z2": 2, "z1": 3, "x": 4}.items():
        cells = grids[name].cells
        assert all(dims[position] == size for size, dims in cells)
        assert len({dims[:position] + dims[position + 1 :] for _, dims in cells}) == 1
    assert all(d[1:] == (n, n, n, 1536) for n, d in grids["all_z"].cells)
    assert all(d == (1, *[256] * (n + 1)) for n, d in grids["depth"].cells)


def test_a_larger_scale_reaches_farther():
    for smaller, larger in pairwise(SCALES):
        for name, grid in all_grids(Sizes(larger)).items():
            assert grid.cells[-1][0] > all_grids(Sizes(smaller))[name].cells[-1][0]
        for small, large in zip(plane(Sizes(smaller)), plane(Sizes(larger)), strict=True):
            assert len(small) <= len(large)


def test_the_cells_of_a_grid_are_chains_in_both_orders_visited_in_a_row():
    grids = all_grids(Sizes())
    cells = grid_cells(grids["x"], grids["depth"])
    assert [cell.dims for cell in cells] == [d for g in ("x", "depth") for _, d in grids[g].cells]
    assert {cell.role for cell in cells} == {"chain"}
    assert [cell.group for cell in cells] == [g for g in ("x", "depth") for _ in grids[g].cells]
