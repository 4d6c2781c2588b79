from math import log

import pytest

from jacchain.analysis.noise import regimes
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.chains.planners import plan
from jacchain.experiments.cells import BOTH, Cell
from jacchain.experiments.grids import all_grids, half_octaves, input_grid, plane_cells
from jacchain.experiments.prepare import working_set
from jacchain.experiments.profiles import PROFILES, chain_profile, fitted, profile_named
from jacchain.experiments.registry import chosen, experiments
from jacchain.experiments.workload import chain_workload, workload

MIB = 2**20
LADDER = [(4 * MIB, 1.0), (32 * MIB, 1.0), (48 * MIB, 0.3)]  # a share of 32 MiB
MACHINE = regimes(2 * MIB, 260 * MIB, LADDER)

each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


def sizes_in(grid, order, regime):
    return [
        size
        for size, dims in grid.cells
        if MACHINE.name(working_set(plan(dims, order, dtype="float64"), 8)) == regime
    ]


@each_profile
@pytest.mark.parametrize("name", ["x", "z1", "z2", "z3", "all_z", "depth"])
@pytest.mark.parametrize("order", BOTH)
def test_every_sweep_has_a_regime_to_be_judged_in(profile, name, order):
    grid = all_grids(profile)[name]
    found = [sizes_in(grid, order, regime) for regime in ("L2", "LLC", "memory")]
    assert any(
        len(sizes) >= LEAST_SIZES and log(sizes[-1] / sizes[0]) >= LEAST_SPAN for sizes in found
    ), found


NO_WINDOW = {"all_z"}  # grows so fast that half a decade of sizes needs a wide window


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("caches", [(1, 32), (2, 105), (1, 256), (2, 260)], ids=str)
@pytest.mark.parametrize("order", BOTH)
def test_a_sweep_gets_finer_where_the_caches_of_a_machine_ask_for_it(caches, dtype, order):
    l2, llc = (n * MIB for n in caches)
    profile = fitted(PROFILES["quick"], l2, llc, dtype)
    machine = regimes(l2, llc, [])
    for name, grid in all_grids(profile).items():
        found = [
            size
            for size, dims in grid.cells
            if machine.name(working_set(plan(dims, order), profile.itemsize)) == "LLC"
        ]
        judged = len(found) >= LEAST_SIZES and log(found[-1] / found[0]) >= LEAST_SPAN
        assert judged or name in NO_WINDOW, (name, found)
        assert set(all_grids(PROFILES["quick"])[name].cells) <= set(grid.cells)


def test_a_grid_stays_as_it_is_where_it_can_be_judged_or_no_cache_is_known():
    plain = all_grids(PROFILES["quick"])
    for caches in ((2 * MIB, 260 * MIB), (None, None)):
        assert all_grids(fitted(PROFILES["quick"], *caches, "float64")) == plain


@each_profile
def test_sizes_rise_and_their_rows_are_aligned(profile):
    for grid in all_grids(profile).values():
        sizes = [size for size, _ in grid.cells]
        assert sizes == sorted(set(sizes))
        assert all(dims[0] == 1 for _, dims in grid.cells)
        inner = {n for _, dims in grid.cells for n in dims[1:]}
        assert all(n % 16 == 0 for n in inner), grid.name


@each_profile
def test_only_the_swept_size_changes(profile):
    position = {"z3": 1, "z2": 2, "z1": 3, "x": 4}
    for name, grid in all_grids(profile).items():
        for size, dims in grid.cells:
            if name in position:
                assert dims[position[name]] == size
        if name in position:
            others = {dims[: position[name]] + dims[position[name] + 1 :] for _, dims in grid.cells}
            assert len(others) == 1
    assert all(d[1] == d[2] == d[3] == n for n, d in all_grids(profile)["all_z"].cells)
    assert all(len(d) - 2 == n for n, d in all_grids(profile)["depth"].cells)


def test_half_octaves_are_powers_of_two_and_one_and_a_half_times_them():
    assert half_octaves(96, 1024) == [96, 128, 192, 256, 384, 512, 768, 1024]
    assert half_octaves(5, 5) == []


@each_profile
def test_a_larger_profile_reaches_farther(profile):
    names = list(PROFILES)
    for smaller in names[: names.index(profile.name)]:
        for name, grid in all_grids(profile).items():
            assert grid.cells[-1][0] > all_grids(PROFILES[smaller])[name].cells[-1][0]
        assert PROFILES[smaller].blocks <= profile.blocks


@each_profile
def test_the_workload_visits_every_cell_once(profile):
    cells = workload(profile, experiments().values())
    assert len({cell.id for cell in cells}) == len(cells)
    dims = {cell.dims for cell in cells if cell.role == "cell"}
    for grid in all_grids(profile).values():
        assert {d for _, d in grid.cells} <= dims
    assert set(plane_cells(profile)) <= dims
    assert all(cell.orders == BOTH for cell in cells if cell.role == "cell")


@each_profile
def test_the_workload_has_controls_of_both_orders_small_middle_and_large(profile):
    cells = workload(profile, chosen(["C3"]))
    controls = [cell for cell in cells if cell.role == "control"]
    assert all(cell.orders[0] == cell.orders[1] for cell in controls)
    sizes = [size for size, _ in input_grid(profile).cells]
    for order in BOTH:
        found = [c.dims[-1] for c in controls if c.orders[0] == order]
        assert len(found) == 3
        assert found[0] == sizes[0]
        assert sizes[0] < found[1] < sizes[-1]
        assert found[2] == sizes[-1]
    assert [c.dims for c in cells if c.role == "overhead"] == [(1, 1, 1, 1, 1)]


def test_claims_that_time_nothing_have_an_empty_workload():
    assert workload(PROFILES["quick"], chosen(["C9"])) == ()


def test_a_chain_of_ones_own_is_measured_with_its_controls():
    cells = chain_workload((1, 5, 7))
    assert [cell.role for cell in cells] == ["cell", "control", "control"]
    assert cells[0] == Cell((1, 5, 7))
    assert chain_profile().blocks == PROFILES["standard"].blocks


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="unknown profile 'slow'; known are quick, standard, full"):
        profile_named("slow")
    with pytest.raises(ValueError, match=r"unknown claim 'C99'; known are C1, C2, C3"):
        chosen(["c1", "C99"])


def test_claims_are_chosen_in_their_own_order():
    assert [e.claim for e in chosen(["c5", "C1"])] == ["C1", "C5"]
    assert chosen([]) == tuple(e for e in experiments().values() if e.default)
    assert profile_named("full") is PROFILES["full"]
