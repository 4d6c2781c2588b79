from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.chain import random_chain
from jacchain.chains.plan import carry_out
from jacchain.chains.planners import plan

DIMS = st.lists(st.integers(1, 7), min_size=2, max_size=6)


def peaks(tree, dims):
    """Peak of live elements and span of a tree, for every sequence of its subtrees."""
    if isinstance(tree, int):
        return [(0, 0, tree, tree + 1)]
    found = []
    for left, right in product(peaks(tree[0], dims), peaks(tree[1], dims)):
        result = dims[left[2]] * dims[right[3]]
        for (peak1, held1, *_), (peak2, held2, *_) in [(left, right), (right, left)]:
            peak = max(peak1, held1 + peak2, held1 + held2 + result)
            found.append((peak, result, left[2], right[3]))
    return found


@given(DIMS)
def test_peak_is_the_least_of_all_sequences(dims):
    for bracketing in all_bracketings(len(dims) - 1):
        planned = plan(dims, bracketing)
        assert planned.peak_elements == min(peak for peak, *_ in peaks(bracketing, dims))


@given(DIMS)
def test_live_elements_are_those_alive_when_steps_run_in_turn(dims):
    for bracketing in all_bracketings(len(dims) - 1):
        steps, alive = plan(dims, bracketing), {}
        for step in steps.steps:
            alive[step.result] = steps.schedule.structures[step.result].elements
            assert step.live_elements == sum(alive.values())
            for place in (step.left, step.right):
                alive.pop(place, None)
            assert set(step.freed).isdisjoint(alive)


def test_numbers_by_hand():
    planned = plan((1, 2, 3, 4), "input-first", dtype="float32")
    first, last = planned.steps
    assert (first.is_row, last.is_row) == (False, True)
    assert (first.multiplications, last.multiplications) == (2 * 3 * 4, 1 * 2 * 4)
    assert (first.elements_moved, last.elements_moved) == (6 + 12 + 8, 2 + 8 + 4)
    assert (first.live_elements, last.live_elements) == (8, 8 + 4)
    assert (planned.multiplications, planned.flops) == (32, 64)
    assert planned.bytes == 4 * (26 + 14)
    assert planned.peak_elements == 12
    assert planned.gain == pytest.approx((6 + 12) / 32)
    assert planned.dims == (1, 2, 3, 4)


def test_the_operand_with_the_higher_peak_goes_first():
    # (J0 J1) holds 1 element; J2 (J3 J4) peaks at 200. Done last, J2 (J3 J4) would peak at 201.
    planned = plan((1, 5, 1, 10, 10, 10), ((0, 1), (2, (3, 4))))
    pairs = [(step.left, step.right) for step in planned.steps]
    assert pairs == [(3, 4), (2, 5), (0, 1), (7, 6)]
    assert planned.peak_elements == 110


def test_the_table_shows_steps_and_totals():
    text = str(plan((10, 100, 5, 50), "input-first"))
    assert "J0 (J1 J2)  (10, 100) (100, 50)" in text
    assert "multiplications       75,000" in text
    assert "loss-first takes      0.1 x as many" in text
    assert "largest intermediate  5,000 elements" in text


def test_one_factor_needs_no_step():
    planned = plan((3, 4))
    assert planned.steps == ()
    assert (planned.multiplications, planned.bytes, planned.peak_elements) == (0, 0, 0)
    assert planned.gain == 1
    assert "0 products" in str(planned)


def test_huge_dims_are_exact():
    planned = plan(np.full(4, 10**9), "loss-first")
    assert planned.multiplications == 2 * 10**27
    assert planned.bytes == 8 * 6 * 10**18


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_long_chains_do_not_recurse(order):
    planned = plan([2] * 5001, order)
    assert planned.multiplications == 4999 * 8
    assert planned.peak_elements == 8
    assert hash(planned) == hash(plan([2] * 5001, order))
    assert planned == plan([2] * 5001, order)
    assert repr(planned) == f"Plan({order!r}, dims=(2, 2, 2, ..., 2, 2, 2), multiplications=39992)"
    assert str(planned).count("J4999") == (4999 if order == "input-first" else 1)


def test_carry_out_multiplies_in_the_bracketing_given():
    bracketing = ((0, 1), (2, (3, 4)))
    text = carry_out(plan([1, 5, 1, 9, 9, 9], bracketing), "01234", lambda a, b: f"({a}, {b})")
    assert text == str(bracketing)


def test_a_plan_of_a_chain_takes_its_dtype():
    assert plan(random_chain((1, 2), dtype="float32", rng=0)).dtype == "float32"


def test_unfit_dtype_raises():
    with pytest.raises(TypeError, match="int32: expected float32 or float64"):
        plan((1, 2), dtype="int32")
