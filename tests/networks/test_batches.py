"""The chain of a batch: the adjoints of all its inputs, in every order, shared or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain.networks.batches import batch_chain
from jacchain.networks.gradients import sweep

ORDERS = ("loss-first", "input-first", "optimal")


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_both_forms_give_the_adjoints_of_every_sample(sizes, samples, seed):
    network = jc.mlp(*sizes, activation="tanh", rng=seed)
    rng = np.random.default_rng(seed)
    inputs, targets = rng.normal(size=(samples, sizes[0])), rng.normal(size=(samples, sizes[-1]))
    _, expected = sweep(network, inputs, targets)
    for shared in (True, False):
        chain = batch_chain(network, inputs, targets, shared=shared)
        for order in ORDERS:
            row = jc.evaluate(chain, order)
            np.testing.assert_allclose(row[0], expected.ravel(), rtol=1e-9, atol=1e-12)
            assert jc.count(chain, order) == jc.plan(chain, order).multiplications


def test_costs_are_those_of_the_samples():
    """Loss-first: of each sample one product by W, and by the slopes where these are apart."""
    network = jc.mlp(5, 4, 3, rng=0)
    inputs, targets = np.ones((7, 5)), np.zeros((7, 3))
    explicit = batch_chain(network, inputs, targets, shared=False)
    assert jc.plan(explicit, "loss-first").multiplications == 7 * (3 * 4 + 4 * 5)
    shared = batch_chain(network, inputs, targets)
    assert jc.plan(shared, "loss-first").multiplications == 7 * (3 + 3 * 4 + 4 + 4 * 5)
    assert [s.kind for s in shared.structures] == ["dense", *("diagonal", "block") * 2]
    assert shared.nbytes == 8 * (7 * 3 + 7 * 3 + 3 * 4 + 7 * 4 + 4 * 5)
    assert explicit.nbytes == 8 * (7 * 3 + 7 * (3 * 4 + 4 * 5))


def test_a_network_of_other_layers_has_blocks_too():
    rng = np.random.default_rng(0)
    network = jc.Network(
        [
            jc.ConvolutionLayer(rng.normal(size=(2, 1, 3)), np.zeros(2), (6,), "tanh"),
            jc.MaxPoolingLayer(2, (4,), 2),
            jc.AffineLayer(rng.normal(size=(3, 4)), np.zeros(3)),
        ],
        "cross_entropy",
    )
    inputs = rng.normal(size=(5, 6))
    _, expected = sweep(network, *network.as_batch(inputs, [0, 1, 2, 0, 1]))
    chain = batch_chain(network, inputs, [0, 1, 2, 0, 1])
    np.testing.assert_allclose(jc.evaluate(chain)[0], expected.ravel(), rtol=1e-10, atol=1e-14)


def test_an_empty_batch_is_refused():
    network = jc.mlp(2, 2, rng=0)
    with pytest.raises(ValueError, match=r"the batch of inputs has shape \(0, 2\)"):
        batch_chain(network, np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="3 inputs, but 2 targets"):
        batch_chain(network, np.zeros((3, 2)), np.zeros((2, 2)))
