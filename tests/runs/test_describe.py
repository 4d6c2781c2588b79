"""Nothing is timed that was not admitted, compared and counted."""

from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest

from jacchain.chains.chain import Chain
from jacchain.chains.evaluate import evaluator
from jacchain.experiments.cell import BOTH, chain_cell
from jacchain.records.codec import decode, encode
from jacchain.runs.admission import admit
from jacchain.runs.describe import check_agreement, describe
from jacchain.units import seconds
from tests.runs.tiny_claims import COMPARISON, INSTANT, TINY, WORK, comparison

DIMS = (1, 4, 3, 2)


def described(cell, session=INSTANT):
    arms = session.arms(cell)
    admission = admit(cell, arms, session)
    kernels = () if admission.skipped else [arm.prepare() for arm in arms]
    return describe(cell, arms, kernels, admission, session)


@pytest.mark.parametrize("dims", [DIMS, (1, 40, 50, 60, 7)])
def test_the_record_of_a_chain_holds_its_costs_and_counts(dims):
    cell = chain_cell(dims, group="x")
    record = described(cell)
    assert (record.cell, record.role, record.group, record.dims) == (cell.name, "chain", "x", dims)
    for arm, expected in zip(record.arms, INSTANT.arms(cell), strict=True):
        assert (arm.name, arm.cost) == (expected.name, expected.cost)
        assert (arm.counted, arm.counted_dims) == (expected.cost.multiplications, dims)
        assert arm.batch > 1
    assert 0 <= record.error <= record.error_bound
    admission = admit(cell, INSTANT.arms(cell), INSTANT)
    predicted = (record.predicted_seconds, record.predicted_bytes, record.skipped)
    assert predicted == (admission.seconds, admission.bytes, None)
    assert decode(encode(record)) == record


def test_a_comparison_is_not_counted_and_a_short_call_is_batched():
    costs = (WORK, replace(WORK, multiplications=30, row_multiplications=0))
    record = described(comparison(np.ones(3), np.ones(3), costs=costs))
    facts = [(arm.name, arm.cost, arm.counted, arm.counted_dims) for arm in record.arms]
    assert facts == [("slowly", costs[0], None, None), ("quickly", costs[1], None, None)]
    assert record.error == 0
    assert min(arm.batch for arm in record.arms) > 100  # a call returns what is there already
    assert decode(encode(record)) == record


def test_a_skipped_cell_is_described_without_being_prepared():
    never = Mock(side_effect=AssertionError)
    arms = tuple(replace(arm, prepare=never, count=never) for arm in INSTANT.arms(COMPARISON))
    cell = replace(COMPARISON, arms=lambda _dtype, _seed: arms)
    budget = replace(INSTANT, sampling=replace(TINY, cell_seconds=0.0))
    record = described(cell, budget)
    assert (
        record.skipped
        == f"would take {seconds(record.predicted_seconds)}, over the profile's 0\u00a0s"
    )
    assert [(arm.batch, arm.counted) for arm in record.arms] == [(1, None)] * 2
    assert record.error is record.error_bound is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [DIMS, (1, 1, 1), (1, 60, 1, 50), (1, *(30,) * 40)])
def test_orders_agree_up_to_rounding(dims, dtype):
    cell = chain_cell(dims)
    kernels = [arm.prepare() for arm in cell.arms(np.dtype(dtype), 7)]
    error, bound = check_agreement(cell, kernels)
    assert 0 <= error <= bound


@pytest.mark.parametrize(
    ("dims", "wrong"),
    [
        (DIMS, lambda result: result + 1e-9),
        (DIMS, lambda result: result * np.nan),
        ((1, *(30,) * 40), lambda result: result * (1 + 1e-6)),
    ],
)
def test_a_wrong_order_is_not_timed(dims, wrong):
    cell = chain_cell(dims)
    right = cell.arms(np.dtype("float64"), 7)[0].prepare()
    with pytest.raises(ArithmeticError, match=r"chain 1x.*: the arms differ by .*, rounding"):
        check_agreement(cell, [right, lambda: wrong(right())])


def test_the_bound_is_16_eps_inner_sizes_and_the_largest_element():
    first, second = np.array([[1.0, -8.0]]), np.array([1.0, 8.0 - 16.0])
    error, bound = check_agreement(COMPARISON, [lambda: first, lambda: second + 1e-14])
    assert 0 < error <= bound == 16 * 2.0**-52 * (4 + 3 + 2) * 8.0


EQUAL = {"W1": np.ones(3), "b1": np.ones(2)}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (EQUAL | {"b1": np.array([1.0, 1.0 + 1e-9])}, r"C0 sum: the arms differ by 1e-09"),
        (EQUAL | {"W1": -np.ones(3)}, "the arms differ by 2, rounding explains"),
        ({"W1": np.ones(3)}, r"results \['W1', 'b1'\] and \['W1'\], not the same"),
        (EQUAL | {"b2": np.ones(2)}, "not the same"),
        (EQUAL | {"W1": np.full(3, np.nan)}, "differ by nan"),
        (EQUAL | {"b1": np.full(2, np.nan)}, "differ by nan"),
        (EQUAL | {"b1": np.ones(1)}, r"C0 sum: .*sizes 2 and 1"),
    ],
)
def test_arms_that_do_not_give_the_same_are_not_timed(result, message):
    with pytest.raises(ArithmeticError, match=message):
        described(comparison(EQUAL, result))
    with pytest.raises(ArithmeticError, match="C0 sum"):
        described(comparison(result, EQUAL))


def test_one_array_may_be_of_zeros():
    zeros = EQUAL | {"b1": np.zeros(2)}
    assert check_agreement(COMPARISON, [lambda: zeros, lambda: zeros])[0] == 0
    with pytest.raises(ArithmeticError, match="differ by 1e-300"):
        check_agreement(COMPARISON, [lambda: zeros, lambda: zeros | {"b1": np.full(2, 1e-300)}])


def test_an_arm_may_use_the_memory_of_its_result_again():
    memory = np.zeros(2)
    add_one = partial(np.add, memory, 1.0, memory)
    with pytest.raises(ArithmeticError, match="differ by 1,"):
        check_agreement(COMPARISON, [add_one, add_one])


@pytest.mark.parametrize("scale", [1e-200, 1e-154, 0.0])  # to zero, to a subnormal, and of zeros
def test_what_falls_into_subnormals_is_not_timed(scale):
    chain = Chain([[[scale]], [[scale]]])
    kernels = [evaluator(chain, order) for order in BOTH]
    with pytest.raises(ArithmeticError, match=r"chain 1x1x1: .*subnormals.*rescale"):
        check_agreement(chain_cell((1, 1, 1)), kernels)
