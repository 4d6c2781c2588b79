"""Cells of chains: their names, their arms, and one chain for all arms of the same dims."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.chains.count import twin_dims
from jacchain.chains.planners import plan
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments import cell as cell_module
from jacchain.experiments.cell import BOTH, chain_cell, counted, unique

FLOAT64 = np.dtype("float64")
DIMS = (1, 4, 3, 2)
SMALL = chain_cell(DIMS)


def results(cell, dtype=FLOAT64, seed=7):
    """What the arms of a cell return."""
    return [np.array(arm.prepare()()) for arm in cell.arms(np.dtype(dtype), seed)]


def test_cells_of_other_work_have_other_names():
    cells = [
        SMALL,
        chain_cell((1, 4, 3)),
        chain_cell(DIMS, BOTH[:1]),
        chain_cell(DIMS, (BOTH[0],) * 2, role="control"),
        chain_cell(DIMS, (BOTH[1],) * 2, role="control"),
        chain_cell(DIMS, role="cause", engine="einsum"),
        chain_cell(DIMS, role="overhead"),
    ]
    assert len({cell.name for cell in cells}) == len(cells)
    assert chain_cell(DIMS, group="x").name == SMALL.name


def test_a_cell_that_several_claims_name_is_visited_once_where_it_came_first():
    again, other = replace(SMALL, group="x"), chain_cell((1, 1, 1))
    assert unique([SMALL, other, again]) == (SMALL, other)


@pytest.mark.parametrize("dims", [DIMS, (1, 40, 50, 60, 7)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_arms_of_a_chain_are_its_orders_with_their_plans_costs(dims, dtype):
    arms = chain_cell(dims).arms(np.dtype(dtype), 0)
    assert tuple(arm.name for arm in arms) == BOTH
    for arm in arms:
        assert arm.cost == plan(dims, arm.name, dtype=dtype).cost
        assert arm.count() == (arm.cost.multiplications, dims)


def test_the_work_of_both_orders_can_be_done_by_hand():
    """Loss first 1 x 4 x 3, then 1 x 3 x 2; input first 4 x 3 x 2, then 1 x 4 x 2."""
    loss, inputs = (arm.cost for arm in SMALL.arms(FLOAT64, 0))
    assert (loss.products, loss.multiplications, loss.row_multiplications) == (2, 18, 18)
    assert (inputs.products, inputs.multiplications, inputs.row_multiplications) == (2, 32, 8)
    assert loss.held_bytes == inputs.held_bytes == 8 * (4 + 12 + 6)
    assert loss.bytes == 8 * (4 + 12 + 3) + 8 * (3 + 6 + 2)
    assert (loss.peak_bytes, inputs.peak_bytes) == (8 * (3 + 2), 8 * (8 + 2))


@pytest.mark.parametrize("role", ["control", "cause", "overhead"])
def test_only_chains_are_counted(role):
    cell = chain_cell(DIMS, (BOTH[0],) * 2, role=role)
    assert [arm.count for arm in cell.arms(FLOAT64, 0)] == [None, None]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [DIMS, (1, 1, 1), (1, 60, 1, 50), (1, *(30,) * 40)])
@pytest.mark.parametrize("engine", ["numpy", "einsum"])
def test_both_orders_give_the_same_in_the_dtype_asked_for(dims, dtype, engine):
    first, second = results(chain_cell(dims, engine=engine), dtype)
    assert first.dtype == second.dtype == dtype
    assert first.size == dims[-1]
    scale = np.abs(first).max()
    np.testing.assert_allclose(first, second, rtol=0, atol=1000 * np.finfo(dtype).eps * scale)


def test_a_chain_is_the_same_whenever_it_is_drawn_again_and_another_with_another_seed():
    first, again, other = results(SMALL), results(chain_cell(DIMS)), results(SMALL, seed=8)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_arms_and_cells_of_the_same_dims_hold_one_chain(monkeypatch):
    drawn, factor = [], cell_module._factor
    monkeypatch.setattr(cell_module, "_factor", lambda *args: drawn.append(1) or factor(*args))
    arms = [arm for cell in (SMALL, SMALL) for arm in cell.arms(FLOAT64, 99)]
    assert drawn == []  # nothing is allocated before an arm is prepared
    for arm in arms:
        arm.prepare()
    assert len(drawn) == len(DIMS) - 1


def test_entries_of_a_large_factor_repeat(monkeypatch):
    pool = np.arange(1.0, 11)
    monkeypatch.setattr(cell_module, "_normal_entries", lambda *_: pool)
    factor = cell_module._factor((6, 4), FLOAT64, 0, np.random.default_rng(0)).ravel()
    np.testing.assert_array_equal(factor[:10], factor[10:20])
    np.testing.assert_array_equal(factor[:4], factor[20:])
    np.testing.assert_allclose(sorted(factor[:10]), pool / 2)  # over the root of the inner size


def test_above_ten_million_multiplications_a_twin_is_counted():
    dims = (1, 100, 100, 100, 1000)  # input-first takes 20,100,000, loss-first 120,000
    assert counted(dims, "loss-first") == (120_000, dims)
    count, twin = counted(dims, "input-first")
    assert twin == twin_dims(dims) != dims
    assert count == multiplications("input-first", twin)
