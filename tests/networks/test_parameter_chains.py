"""The chain of the loss by each parameter: its product is the gradient, its cost the formula's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc

ORDERS = ("loss-first", "input-first", "optimal")


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_every_order_gives_the_gradient_at_its_planned_cost(sizes, seed):
    network = jc.mlp(*sizes, activation="tanh", rng=seed)
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=sizes[0]), rng.normal(size=sizes[-1])
    expected = jc.gradients(network, x, target)
    chains = network.parameter_chains(x, target)
    assert chains.keys() == network.parameters.keys()
    for name, chain in chains.items():
        for order in ORDERS:
            row = jc.evaluate(chain, order)
            np.testing.assert_allclose(row[0], expected[name].ravel(), rtol=1e-9, atol=1e-12)
            assert jc.count(chain, order) == jc.plan(chain, order).multiplications


@pytest.mark.parametrize("sizes", [(7, 5, 4, 3), (2, 3), (6, 5, 4, 3, 2)])
def test_costs_from_scratch_are_those_of_the_formulas(sizes):
    """Of W_i, with z_0 the input, all z dense and dz_i/dW_i of z_i z_{i-1} entries."""
    network = jc.mlp(*sizes, rng=0)
    chains = network.parameter_chains(np.ones(sizes[0]), np.zeros(sizes[-1]))
    last = len(sizes) - 1
    for i in range(1, last + 1):
        entries = sizes[i] * sizes[i - 1]
        later = sum(sizes[j] * sizes[j - 1] for j in range(i + 1, last + 1))
        assert jc.plan(chains[f"W{i}"], "loss-first").multiplications == later + entries
        assert jc.plan(chains[f"b{i}"], "loss-first").multiplications == later + sizes[i]
        # Input-first: the first product meets entries, then z_i z_{i-1} dense columns are carried.
        steps = [sizes[j] * sizes[j - 1] for j in range(i + 2, last + 1)]
        columns = entries * (sizes[i + 1] + sum(steps) + sizes[last]) if i < last else entries
        assert jc.plan(chains[f"W{i}"], "input-first").multiplications == columns


def test_the_chains_of_a_convolution_are_structured():
    network = jc.zoo.load("lenet-5", rng=0)
    chains = network.parameter_chains(np.random.default_rng(0).normal(size=784), 3)
    assert chains["W1"].structures[-1].kind == "block"
    assert chains["W5"].structures[-1].kind == "sparse"
    expected = jc.gradients(network, np.random.default_rng(0).normal(size=784), 3)
    for name in ("W1", "b3", "W7"):
        row = jc.evaluate(chains[name], "loss-first")[0]
        np.testing.assert_allclose(row, expected[name].ravel(), rtol=1e-9, atol=1e-12)
