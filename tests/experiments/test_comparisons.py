"""Two ways of the same work: what they take by formula, and that only equal ones are timed."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.chains.planners import plan
from jacchain.costs.timemodel import Rates
from jacchain.experiments.cells import BOTH
from jacchain.experiments.compared import admit_ways, check_results, describe_comparison
from jacchain.experiments.comparison import Comparison
from jacchain.experiments.prepare import Session
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK
from jacchain.measure.caches import Caches
from jacchain.measure.timing import LEAST_SAMPLE_SECONDS
from jacchain.networks.batches import batch_chain
from jacchain.networks.mlp import mlp
from jacchain.records.codec import decode, encode
from jacchain.records.schema import Identity

INSTANT = Rates(0.0, *[float("inf")] * 3)
CLAIMS = ("C7", "C8", "C10")


@pytest.fixture
def session(tiny):
    identity = Identity(
        machine="4f1c", numpy="2", blas="some", jacchain="0", dtype="float64", threads=1
    )
    return Session(identity, Caches(2**20, 2**25), INSTANT, tiny, memory=2**30, seed=7)


def batch(samples, *, shared=True):
    """A batch of a network of sizes 5, 4, 3."""
    rng = np.random.default_rng(0)
    network = mlp(5, 4, 3, activation="tanh", loss="cross_entropy", rng=0)
    inputs = rng.standard_normal((samples, 5))
    return batch_chain(network, inputs, rng.integers(3, size=samples), shared=shared)


def described(comparison, session):
    ways = comparison.ways(session.dtype, session.seed)
    kernels = [way.prepare() for way in ways]
    return describe_comparison(comparison, ways, kernels, session)


def test_the_name_in_records_tells_what_it_is(make_comparison):
    assert make_comparison(1, 1).id == "comparison:C0 sum"


@pytest.mark.parametrize("profile", ["quick", "standard", "full"])
def test_names_are_unique_and_begin_with_their_claim(profile):
    found = {
        of.name: claim
        for claim in CLAIMS
        for of in experiments()[claim].comparisons(replace(QUICK, name=profile))
    }
    several = [experiments()[c].comparisons(replace(QUICK, name=profile)) for c in CLAIMS]
    assert len(found) == sum(map(len, several))
    assert all(name.startswith(f"{claim} ") for name, claim in found.items())


def test_the_work_of_a_dense_plan_can_be_done_by_hand():
    """Loss first 1 x 4 x 3, then 1 x 3 x 2; input first 4 x 3 x 2, then 1 x 4 x 2."""
    loss, inputs = (plan((1, 4, 3, 2), order, dtype="float64").cost for order in BOTH)
    assert (loss.products, loss.multiplications, loss.row_multiplications) == (2, 18, 18)
    assert (inputs.products, inputs.multiplications, inputs.row_multiplications) == (2, 32, 8)
    assert loss.held_bytes == inputs.held_bytes == 8 * (4 + 12 + 6)
    assert loss.bytes == 8 * (4 + 12 + 3) + 8 * (3 + 6 + 2)
    assert (loss.peak_bytes, inputs.peak_bytes) == (8 * (3 + 2), 8 * (8 + 2))


def test_a_batch_that_shares_its_matrix_is_no_product_of_a_row():
    one, four, each = (
        plan(chain, "loss-first").cost for chain in (batch(1), batch(4), batch(4, shared=False))
    )
    weights, diagonals = 3 * 4 + 4 * 5, 3 + 4
    assert one.row_multiplications == one.multiplications == weights + diagonals
    assert four.multiplications == 4 * one.multiplications
    assert four.row_multiplications == 4 * diagonals
    assert each.row_multiplications == each.multiplications


def test_repeated_work_grows_but_for_what_is_held_and_live(work):
    thrice = 3 * work
    assert thrice == replace(
        work, products=6, multiplications=72, row_multiplications=60, bytes=1200, held_bytes=600
    )
    assert thrice.peak_bytes == work.peak_bytes


def test_ways_that_fit_are_admitted_with_their_prediction(make_comparison, session):
    """4 blocks, each of 2 samples and a warm-up of both ways, none below 10 ms."""
    ways = make_comparison(1, 1).ways(session.dtype, 0)
    seconds, needed, skipped = admit_ways(ways, session)
    assert seconds == pytest.approx(4 * 3 * 2 * LEAST_SAMPLE_SECONDS)
    assert needed == 2 * (200 + 8 * 6)
    assert skipped is None


@pytest.mark.parametrize(
    ("rates", "one_call"),
    [
        (Rates(1.0, *[float("inf")] * 3), 2.0),  # two products
        (Rates(0.5, 12.0, float("inf"), 1.0), 1.0 + 4.0),  # 48 flops
        (Rates(0.0, 12.0, 50.0, 1.0), 8.0),  # 400 bytes, while the flops take 4 s
    ],
)
def test_slow_ways_take_their_predicted_calls(make_comparison, session, rates, one_call):
    ways = make_comparison(1, 1).ways(session.dtype, 0)
    slow = replace(session, rates=rates)
    seconds, _, skipped = admit_ways(ways, slow)
    assert seconds == pytest.approx(4 * 3 * 2 * one_call)
    assert skipped == f"would take {24 * one_call:.0f} s, over the profile's 15 s"


def test_ways_too_large_for_the_memory_are_skipped(make_comparison, session, work):
    large = replace(work, held_bytes=2**29)
    ways = make_comparison(1, 1, works=(work, large)).ways(session.dtype, 0)
    assert "needs 0.5 GiB, over half of the 1.0 GiB" in admit_ways(ways, session)[2]
    assert admit_ways(ways, replace(session, memory=2**31))[2] is None


def test_a_description_holds_the_facts_of_both_ways(make_comparison, session, work):
    works = (work, replace(work, multiplications=30, row_multiplications=0))
    of = make_comparison(np.ones(3), np.ones(3), works=works)
    record = described(of, session)
    assert (record.cell, record.role, record.dims) == (of.id, "comparison", of.dims)
    assert (record.error, record.skipped) == (0.0, None)
    slowly, quickly = record.arms
    assert (slowly.order, quickly.order) == ("slowly", "quickly")
    assert (slowly.row_flops, slowly.matrix_flops, slowly.flops) == (40, 8, 48)
    assert (quickly.row_flops, quickly.matrix_flops, quickly.flops) == (0, 60, 60)
    assert slowly.working_set == 200 + 8 * 6
    assert (slowly.bracketing, slowly.counted, slowly.regime) == (None, None, "L2")
    assert decode(encode(record)) == record


def test_a_call_too_short_to_be_timed_is_batched(make_comparison, session):
    for arm in described(make_comparison(np.ones(3), np.ones(3)), session).arms:
        assert arm.batch > 100  # a call returns what is there already


def test_a_skipped_comparison_prepares_nothing(make_comparison, session):
    def never():
        raise AssertionError

    of = make_comparison(1, 1)
    ways = tuple(replace(way, prepare=never) for way in of.ways(session.dtype, 0))
    budget = replace(session, profile=replace(session.profile, cell_seconds=0.0))
    record = describe_comparison(of, ways, (), budget)
    assert record.skipped == "would take 0 s, over the profile's 0 s"
    assert [arm.batch for arm in record.arms] == [1, 1]
    assert record.error is record.error_bound is None


def test_the_bound_is_16_eps_inner_sizes_and_the_largest_element(make_comparison):
    of = make_comparison(None, None)
    first, second = np.array([[1.0, -8.0]]), np.array([1.0, 8.0 - 16.0])
    error, bound = check_results(of, [lambda: first, lambda: second + 1e-14])
    assert 0 < error <= bound == 16 * 2.0**-52 * (4 + 3 + 2) * 8.0


EQUAL = {"W1": np.ones(3), "b1": np.ones(2)}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (EQUAL | {"b1": np.array([1.0, 1.0 + 1e-9])}, r"C0 sum: the ways differ by 1e-09"),
        (EQUAL | {"W1": -np.ones(3)}, "the ways differ by 2, rounding explains"),
        ({"W1": np.ones(3)}, r"results \['W1', 'b1'\] and \['W1'\], not the same"),
        (EQUAL | {"b2": np.ones(2)}, "not the same"),
        (EQUAL | {"W1": np.full(3, np.nan)}, "differ by nan"),
        (EQUAL | {"b1": np.full(2, np.nan)}, "differ by nan"),
        (EQUAL | {"b1": np.ones(1)}, r"C0 sum: .*sizes 2 and 1"),
    ],
)
def test_ways_that_do_not_give_the_same_are_not_timed(make_comparison, session, other, message):
    for pair in ((EQUAL, other), (other, EQUAL)):
        with pytest.raises(ArithmeticError, match=message if pair[0] is EQUAL else "C0 sum"):
            described(make_comparison(*pair), session)


def test_results_of_zeros_agree_and_one_that_is_not_zero_does_not(make_comparison):
    of, zeros = make_comparison(None, None), np.zeros(3)
    assert check_results(of, [lambda: zeros, lambda: zeros]) == (0.0, 0.0)
    with pytest.raises(ArithmeticError, match="differ"):
        check_results(of, [lambda: zeros, lambda: zeros + 1])


def test_a_way_may_use_the_memory_of_its_result_again(make_comparison):
    shared = np.zeros(2)

    def fills(value):
        def call():
            shared[:] = value
            return shared

        return call

    with pytest.raises(ArithmeticError, match="differ by 1,"):
        check_results(make_comparison(None, None), [fills(1.0), fills(2.0)])


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_ways_of_a_claim_give_the_same(claim, session, small_grids):
    """Of each kind of comparison the smallest, in the dtype in which rounding shows most."""
    single = replace(session, identity=replace(session.identity, dtype="float32"))
    for of in small_grids(claim):
        assert isinstance(of, Comparison)
        ways = of.ways(single.dtype, 3)
        assert len({way.name for way in ways}) == 2
        error, bound = check_results(of, [way.prepare() for way in ways])
        assert error <= bound
