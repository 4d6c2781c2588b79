"""All parameter gradients as one schedule: the same numbers, at the cost of the formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain.measuring.memory import allocated_bytes

WAYS = [(order, cache) for order in ("loss-first", "input-first") for cache in (True, False)]


def chains_of(*sizes):
    network = jc.mlp(*sizes, activation="tanh", rng=0)
    x, target = np.linspace(-1, 1, sizes[0]), np.zeros(sizes[-1])
    return network.parameter_chains(x, target), jc.gradients(network, x, target)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=6))
def test_all_ways_give_the_gradients_at_the_cost_that_is_counted(sizes):
    chains, expected = chains_of(*sizes)
    for order, cache in WAYS:
        found = jc.evaluate(chains, order, cache=cache)
        for name, row in found.items():
            np.testing.assert_allclose(row[0], expected[name].ravel(), rtol=1e-9, atol=1e-12)
        cost = jc.plan(chains, order, cache=cache)
        assert jc.count(chains, order, cache=cache) == cost.multiplications


@pytest.mark.parametrize("sizes", [(7, 5, 4, 3), (2, 3), (6, 5, 4, 3, 2)])
def test_costs_are_those_of_the_formulas(sizes):
    """Of L affine layers, z_0 the input: dz_i/dW_i has z_i z_{i-1} entries, dz_i/db_i has z_i."""
    chains, _ = chains_of(*sizes)
    layers = range(1, len(sizes))
    area = {i: sizes[i] * sizes[i - 1] for i in layers}
    own = sum(area[i] + sizes[i] for i in layers)
    adjoints = sum(area[i] for i in layers if i > 1)
    cached = jc.plan(chains, "loss-first")
    assert cached.multiplications == adjoints + own
    assert cached.kept_elements == sum(sizes[i - 1] for i in layers if i > 1)
    scratch = sum(2 * sum(area[j] for j in layers if j > i) for i in layers) + own
    assert jc.plan(chains, "loss-first", cache=False).multiplications == scratch


def test_with_a_cache_cost_grows_linearly_with_depth_and_without_it_quadratically():
    depths = range(1, 7)
    costs = {
        way: [
            jc.plan(chains_of(*(4,) * (depth + 1))[0], way[0], cache=way[1]).multiplications
            for depth in depths
        ]
        for way in WAYS
    }
    assert set(np.diff(costs["loss-first", True], 2)) == {0}
    assert set(np.diff(costs["loss-first", False], 2)) == {2 * 4 * 4}
    gains = np.divide(costs["loss-first", False], costs["loss-first", True])
    assert np.all(gains[2:] > 1)
    assert np.all(np.diff(gains) > 0)


def test_input_first_shares_nothing():
    chains, _ = chains_of(6, 5, 4, 3, 2)
    cached, scratch = (jc.plan(chains, "input-first", cache=c) for c in (True, False))
    assert cached.steps == scratch.steps
    assert cached.kept_elements == 0


def test_products_are_let_go_of_once_nobody_needs_them():
    chains, _ = chains_of(4, 4, 4, 4)
    one = jc.plan({"b1": chains["b1"]}, "loss-first")  # operand and result, four elements each
    assert (one.cost.products, one.peak_elements, one.kept_elements) == (3, 8, 0)
    assert jc.plan(chains, "loss-first").peak_elements == 3 * (
        16 + 4
    )  # of the gradients, all that is left


@given(st.data())
def test_chains_of_any_kinds_share_memory_without_harm(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    makers = [
        lambda: jc.jacobians.DenseJacobian(rng.normal(size=(4, 4))),
        lambda: jc.jacobians.DiagonalJacobian(rng.normal(size=4)),
        lambda: jc.jacobians.IdentityJacobian(4),
        lambda: jc.jacobians.BlockDiagonalJacobian(rng.normal(size=(2, 2)), 2),
    ]
    row = jc.jacobians.DenseJacobian(rng.normal(size=(1, 4)))
    pool = [data.draw(st.sampled_from(makers))() for _ in range(4)]
    picks = st.lists(st.sampled_from(pool), max_size=5)
    chains = {str(n): jc.Chain([row, *data.draw(picks)]) for n in range(3)}
    for order, cache in WAYS:
        run = jc.evaluator(chains, order, cache=cache)
        for _ in range(2):
            for name, found in run().items():
                np.testing.assert_allclose(found, jc.evaluate(chains[name]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cache", [True, False])
def test_memory_is_what_the_cost_says_it_is(cache):
    chains, _ = chains_of(*(64,) * 7)
    predicted = 8 * jc.plan(chains, "loss-first", cache=cache).peak_elements

    def run():
        return jc.evaluator(chains, cache=cache)()

    assert predicted <= allocated_bytes(run) < 1.2 * predicted + 50_000  # and objects of Python


def test_an_unknown_order_lists_the_known():
    chains, _ = chains_of(2, 2)
    with pytest.raises(ValueError, match=r"unknown order 'backwards'; .*'loss-first'"):
        jc.plan(chains, "backwards")


def test_each_chain_may_have_its_own_best_order():
    chains, expected = chains_of(5, 1, 6, 3)
    best = jc.plan(chains, "optimal")
    assert best.multiplications <= jc.plan(chains, "input-first").multiplications
    for name, row in jc.evaluate(chains, best).items():
        np.testing.assert_allclose(row[0], expected[name].ravel(), rtol=1e-9, atol=1e-12)
    assert jc.count(chains, best) == best.multiplications


def test_the_table_names_products_by_their_step_and_says_what_is_kept():
    chains, _ = chains_of(4, 4, 4)
    text = str(jc.plan(chains, "loss-first"))
    assert text.startswith("loss-first: 5 products over 4 chains, float64")
    assert "P1 J" in text
    assert "kept for others       4 elements" in text


def test_chains_that_can_not_be_multiplied_together_raise():
    with pytest.raises(ValueError, match="no chain to multiply"):
        jc.plan({}, "loss-first")
    both = {name: jc.random_chain((1, 2), dtype=name) for name in ("float32", "float64")}
    with pytest.raises(TypeError, match="chains of float32 and float64: expected one type"):
        jc.evaluate(both)
