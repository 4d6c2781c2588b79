"""Chains of batches and of sequences: gradients in every order, at exact costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain import networks


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_both_forms_of_a_batch_chain_give_all_adjoints(check_orders, sizes, samples, seed):
    network, rng = networks.mlp(*sizes, activation="tanh", rng=seed), np.random.default_rng(seed)
    inputs, targets = rng.normal(size=(samples, sizes[0])), rng.normal(size=(samples, sizes[-1]))
    expected = networks.batch_gradients(network, inputs, targets)["x"]
    for shared in (True, False):
        check_orders(networks.batch_chain(network, inputs, targets, shared=shared), expected)


def test_a_batch_chain_costs_n_times_its_samples():
    """Loss-first, a product by W for each sample, and one by the slopes if these are a factor."""
    network = networks.mlp(5, 4, 3, rng=0)
    inputs, targets = np.ones((7, 5)), np.zeros((7, 3))
    explicit = networks.batch_chain(network, inputs, targets, shared=False)
    assert jc.plan(explicit, "loss-first").multiplications == 7 * (3 * 4 + 4 * 5)
    shared = networks.batch_chain(network, inputs, targets)
    assert jc.plan(shared, "loss-first").multiplications == 7 * (3 + 3 * 4 + 4 + 4 * 5)
    assert [s.kind for s in shared.structures] == ["dense", *("diagonal", "block") * 2]
    assert shared.nbytes == 8 * (7 * 3 + 7 * 3 + 3 * 4 + 7 * 4 + 4 * 5)
    assert explicit.nbytes == 8 * (7 * 3 + 7 * (3 * 4 + 4 * 5))


def test_any_layer_gives_a_block_for_each_sample(deep_network):
    inputs, targets = np.random.default_rng(0).normal(size=(3, 36)), [0, 1, 2]
    chain = networks.batch_chain(deep_network, inputs, targets)
    expected = networks.batch_gradients(deep_network, inputs, targets)["x"]
    np.testing.assert_allclose(jc.evaluate(chain)[0], expected.ravel(), rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_an_unrolled_chain_gives_the_gradient(check_orders, size, read, steps, seed):
    rng = np.random.default_rng(seed)
    arrays = (rng.normal(size=shape) for shape in ((size, read), (size, size), size))
    last = networks.AffineLayer(rng.normal(size=(2, size)), np.zeros(2))
    network = networks.Network([networks.RecurrentLayer(*arrays, steps=steps), last])
    x, target = rng.normal(size=steps * read), np.zeros(2)
    chain = networks.unrolled_chain(network, x, target)
    assert len(chain.factors) == steps + 2
    check_orders(chain, networks.gradients(network, x, target)["x"])


def test_only_a_recurrent_layer_is_unrolled():
    with pytest.raises(TypeError, match="expected a RecurrentLayer"):
        networks.unrolled_chain(networks.mlp(2, 2, rng=0), [1, 2], [1, 2])
