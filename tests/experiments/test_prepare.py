"""Nothing is timed that was not admitted, checked and counted."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.count import twin_dims
from jacchain.chains.planners import plan
from jacchain.costs.closed_forms import multiplications
from jacchain.costs.machine import ceilings
from jacchain.costs.timemodel import Rates
from jacchain.experiments.cells import BOTH, Cell
from jacchain.experiments.prepare import (
    Session,
    admit,
    build_chain,
    build_kernels,
    check_agreement,
    counted,
    describe,
    describe_ceiling,
)
from jacchain.measure.caches import Caches
from jacchain.records.schema import Identity

INSTANT = Rates(0.0, *[float("inf")] * 3)
SMALL = Cell((1, 4, 3, 2))


@pytest.fixture
def session(tiny):
    identity = Identity(
        machine="4f1c", numpy="2", blas="some", jacchain="0", dtype="float64", threads=1
    )
    return Session(identity, Caches(2**20, 2**25), INSTANT, tiny, memory=2**30, seed=7)


def prepared(cell, session):
    chain = build_chain(cell, session)
    return chain, build_kernels(cell, chain)


def test_a_cell_that_fits_is_admitted_with_its_prediction(session):
    """4 blocks, each of 2 samples and a warm-up of both orders, none below 10 ms."""
    seconds, needed, skipped = admit(SMALL, session)
    assert seconds == pytest.approx(4 * 3 * 2 * 0.010)
    assert needed == 8 * (4 + 12 + 6) + 8 * (3 + 2) + 8 * (8 + 2)
    assert skipped is None


def test_slow_cells_take_their_predicted_calls(session):
    slow = replace(session, rates=Rates(1.0, *[float("inf")] * 3))
    seconds, _, skipped = admit(SMALL, slow)
    assert seconds == 4 * 3 * 2 * 2.0  # two products in each order
    assert skipped == "would take 48 s, over the profile's 15 s"


def test_a_cell_too_large_for_the_memory_is_skipped(session):
    _, needed, skipped = admit(Cell((1, 20_000, 20_000)), session)
    assert needed == 8 * (20_000 + 20_000**2 + 2 * 20_000)
    assert skipped == "needs 3.0 GiB, over half of the 1.0 GiB available"


def test_skipping_for_memory_goes_by_the_dtype(session):
    cell = Cell((1, 5000, 5000))  # 0.19 GiB of float64, its factors counted once
    half = replace(session, identity=replace(session.identity, dtype="float32"))
    assert admit(cell, session)[1] == 2 * admit(cell, half)[1]
    tight = {"memory": admit(cell, half)[1] * 3}
    assert admit(cell, replace(session, **tight))[2]
    assert admit(cell, replace(half, **tight))[2] is None


def test_a_chain_is_the_same_in_every_process_of_a_run(session):
    first, again = build_chain(SMALL, session), build_chain(SMALL, replace(session))
    other = build_chain(SMALL, replace(session, seed=8))
    np.testing.assert_array_equal(first.factors[1].array, again.factors[1].array)
    assert not np.array_equal(first.factors[1].array, other.factors[1].array)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dims", [(1, 4, 3, 2), (1, 1, 1), (1, 60, 1, 50), (1, *(30,) * 40)])
def test_orders_that_agree_pass(session, dims, dtype):
    session = replace(session, identity=replace(session.identity, dtype=dtype))
    cell = Cell(dims)
    error, bound = check_agreement(cell, *prepared(cell, session))
    assert 0 <= error <= bound


def test_a_wrong_kernel_is_not_timed(session):
    chain, (right, _) = prepared(SMALL, session)
    kernels = [right, lambda: right() + 1e-9]
    with pytest.raises(ArithmeticError, match=r"1x4x3x2.*differ by 1e-09, rounding explains"):
        check_agreement(SMALL, chain, kernels)


def test_a_wrong_kernel_of_a_deep_chain_is_not_timed(session):
    cell = Cell((1, *(30,) * 40))
    chain, (right, _) = prepared(cell, session)
    with pytest.raises(ArithmeticError, match="rounding explains"):
        check_agreement(cell, chain, [right, lambda: right() * (1 + 1e-6)])


def test_the_bound_is_16_eps_inner_dims_and_norms_over_the_roots_of_inner_dims(session):
    chain, (right, _) = prepared(SMALL, session)
    _, bound = check_agreement(SMALL, chain, [right, right])
    norms = [np.sqrt((factor.to_dense() ** 2).sum()) for factor in chain.factors]
    norm = np.prod(norms) / np.sqrt(4 * 3)
    assert bound == pytest.approx(16 * 2.0**-52 * (4 + 3) * norm, rel=1e-9, abs=0)


def test_a_kernel_of_nans_is_not_timed(session):
    chain, (right, _) = prepared(SMALL, session)
    with pytest.raises(ArithmeticError, match="differ by nan"):
        check_agreement(SMALL, chain, [right, lambda: right() * np.nan])


@pytest.mark.parametrize("scale", [1e-200, 1e-154])  # to zero, and to a subnormal
def test_a_chain_that_falls_into_subnormals_is_not_timed(scale):
    cell, chain = Cell((1, 1, 1)), Chain([[[scale]], [[scale]]])
    with pytest.raises(ArithmeticError, match=r"subnormals.*rescale"):
        check_agreement(cell, chain, build_kernels(cell, chain))


@pytest.mark.parametrize("order", BOTH)
def test_small_chains_are_counted_as_they_are(order):
    dims = (1, 30, 20, 10)
    assert counted(random_chain(dims), order, 0) == (multiplications(order, dims), dims)


def test_above_ten_million_multiplications_a_twin_is_counted():
    dims = (1, 100, 100, 100, 1000)  # input-first takes 20,100,000, loss-first 120,000
    chain = random_chain(dims)
    assert counted(chain, "loss-first", 0) == (120_000, dims)
    count, at = counted(chain, "input-first", 0)
    assert at == twin_dims(dims) != dims
    assert count == multiplications("input-first", at)


@pytest.mark.parametrize("dims", [(1, 4, 3, 2), (1, 40, 50, 60, 7)])
def test_the_record_holds_the_figures_of_the_plans(session, dims):
    cell = Cell(dims)
    record = describe(cell, *prepared(cell, session), session)
    assert [arm.order for arm in record.arms] == list(BOTH)
    for arm in record.arms:
        planned = plan(dims, arm.order)
        names = ("bracketing", "multiplications", "flops", "bytes", "peak_elements")
        assert {n: getattr(arm, n) for n in names} == {n: getattr(planned, n) for n in names}
        assert (arm.counted, arm.counted_dims) == (planned.multiplications, dims)
        assert arm.products == len(dims) - 2
        assert arm.row_flops + arm.matrix_flops == arm.flops
        assert arm.regime == "L2"
        assert arm.batch > 1
    assert record.error <= record.error_bound
    assert (record.cell, record.dims, record.skipped) == (cell.id, dims, None)


def test_row_and_matrix_flops_by_hand(session):
    """Loss-first: rows alone. Input-first: (4, 3) (3, 2) first, then the row (1, 4) (4, 2)."""
    loss, inputs = describe(SMALL, *prepared(SMALL, session), session).arms
    assert (loss.row_flops, loss.matrix_flops) == (2 * (12 + 6), 0)
    assert (inputs.row_flops, inputs.matrix_flops) == (2 * 8, 2 * 24)
    assert (loss.working_set, inputs.working_set) == (8 * (22 + 5), 8 * (22 + 10))


@pytest.mark.parametrize("role", ["control", "overhead"])
def test_only_cells_are_counted(session, role):
    cell = Cell((1, 4, 3, 2), ("loss-first", "loss-first"), role=role)
    record = describe(cell, *prepared(cell, session), session)
    assert [arm.counted for arm in record.arms] == [None, None]


def test_a_skipped_cell_is_described_without_being_built(session):
    record = describe(Cell((1, 20_000, 20_000)), None, [], session)
    assert "over half of the 1.0 GiB" in record.skipped
    assert (record.error, record.error_bound) == (None, None)
    assert [(arm.batch, arm.counted) for arm in record.arms] == [(1, None)] * 2
    assert record.arms[0].multiplications == 20_000**2


def test_a_ceiling_is_described_like_a_cell(session):
    found = ceilings(2**16, 2**18, dtype="float64", memory=2**18)
    for ceiling in found:
        kernel = ceiling.build(ceiling.shape, session.dtype)
        record = describe_ceiling(ceiling, kernel, session)
        (arm,) = record.arms
        assert (record.cell, record.role, record.engine) == (ceiling.id, "ceiling", ceiling.kind)
        assert (arm.flops, arm.bytes) == (ceiling.flops, ceiling.bytes)
        assert arm.row_flops == (ceiling.flops if ceiling.kind == "row-matrix" else 0)
        assert arm.row_flops + arm.matrix_flops == arm.flops
    assert {c.kind for c in found} >= {"row-matrix", "copy", "empty call"}
