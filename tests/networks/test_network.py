"""Networks: their chains at a point, and what they refuse."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain import networks


@settings(deadline=None)
@given(data=st.data())
def test_the_loss_and_the_chains_match_the_definition(cases, definition, data):
    network, x, target = data.draw(cases)
    loss, expected = definition(network, x, target)
    np.testing.assert_allclose(network.loss_value(x, target), loss, rtol=1e-12, atol=1e-14)
    chains = {**network.parameter_chains(x, target), "x": network.chain(x, target)}
    assert chains.keys() == expected.keys()
    for name, chain in chains.items():
        product = reduce(np.matmul, [factor.to_dense() for factor in chain.factors])
        np.testing.assert_allclose(product[0], expected[name].ravel(), rtol=1e-9, atol=1e-10)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_every_order_of_a_parameter_chain_costs_what_it_plans(check_orders, sizes, seed):
    network, rng = networks.mlp(*sizes, rng=seed), np.random.default_rng(seed)
    x, target = rng.normal(size=sizes[0]), rng.normal(size=sizes[-1])
    rows = networks.gradients(network, x, target)
    for name, chain in network.parameter_chains(x, target).items():
        check_orders(chain, rows[name])


@pytest.mark.parametrize("sizes", [(7, 5, 4, 3), (2, 3), (6, 5, 4, 3, 2)])
def test_the_costs_of_parameter_chains_match_the_formulas(sizes):
    """For dense `z_i` and `dz_i/dW_i` with `z_i z_{i-1}` entries, `z_0` being the input."""
    chains = networks.mlp(*sizes, rng=0).parameter_chains(np.ones(sizes[0]), np.zeros(sizes[-1]))
    last = len(sizes) - 1
    for i in range(1, last + 1):
        entries = sizes[i] * sizes[i - 1]
        later = sum(sizes[j] * sizes[j - 1] for j in range(i + 1, last + 1))
        assert jc.plan(chains[f"W{i}"], "loss-first").multiplications == later + entries
        assert jc.plan(chains[f"b{i}"], "loss-first").multiplications == later + sizes[i]
        # Input-first, the first product multiplies entries, later ones `z_i z_{i-1}` dense columns.
        steps = [sizes[j] * sizes[j - 1] for j in range(i + 2, last + 1)]
        columns = entries * (sizes[i + 1] + sum(steps) + sizes[last]) if i < last else entries
        assert jc.plan(chains[f"W{i}"], "input-first").multiplications == columns


def test_every_layer_has_chains_that_match_the_gradients(check_orders, deep_network):
    x = np.random.default_rng(1).normal(size=36)
    rows, chain = networks.gradients(deep_network, x, 2), deep_network.chain(x, 2)
    assert [structure.kind for structure in chain.structures] == (
        ["dense"] * 8 + ["selection", "identity", "selection", "sparse", "sparse"]
    )
    check_orders(chain, rows["x"])
    chains = deep_network.parameter_chains(x, 2)
    assert chains.keys() == deep_network.parameters.keys() == rows.keys() - {"x"}
    assert chains["W1"].structures[-1].kind == "block"
    for name, parameter_chain in chains.items():
        row = jc.evaluate(parameter_chain)[0]
        np.testing.assert_allclose(row, rows[name].ravel(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(4, 3, 2), (1, 1), (5, 1, 7, 1)])
def test_the_chain_has_the_networks_dims_and_dtype(dtype, sizes):
    network = networks.mlp(*sizes, activation="gelu", output="softplus", rng=0, dtype=dtype)
    chain = network.chain(np.ones(sizes[0]), np.zeros(sizes[-1]))
    assert chain.dims == network.dims == (1, *reversed(sizes))
    assert chain.dtype == network.dtype == dtype


def test_parameters_are_numbered_from_the_input():
    shapes = {name: array.shape for name, array in networks.mlp(4, 3, 2, rng=0).parameters.items()}
    assert shapes == {"W1": (3, 4), "b1": (3,), "W2": (2, 3), "b2": (2,)}


def layer(inputs, outputs, dtype="float64"):
    return networks.AffineLayer(np.ones((outputs, inputs), dtype), np.zeros(outputs, dtype))


TWICE = layer(2, 2)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], ValueError, "no layers; expected at least one"),
        ([layer(2, 3), layer(3, 4), layer(5, 1)], ValueError, "3 takes 5 .* layer 2 gives 4"),
        (
            [
                networks.ConvolutionLayer(np.ones((2, channels, 1)), np.zeros(2), (4,))
                for channels in (1, 3)
            ],
            ValueError,
            "layer 2 takes 12 elements, but layer 1 gives 8",
        ),
        ([layer(2, 3), layer(3, 1, "float32")], TypeError, "layer 2 is float32, but layer 1 flo"),
        ([TWICE, layer(2, 2), TWICE], ValueError, "layer 3 is layer 1 again"),
    ],
)
def test_unfit_layers_are_refused(layers, error, message):
    with pytest.raises(error, match=message):
        networks.Network(layers)


def test_a_layer_without_parameters_may_occur_twice():
    pooling = networks.AveragePoolingLayer(1, (3,), 1)
    assert networks.Network([pooling, pooling]).sizes == (3, 3, 3)


@pytest.mark.parametrize("method", ["forward", "chain", "parameter_chains", "loss_value"])
def test_unfit_inputs_are_refused(method):
    target = () if method == "forward" else ([0.0],)
    with pytest.raises(ValueError, match=r"the input has shape \(1,\); expected \(2,\)"):
        getattr(networks.mlp(2, 3, 1, rng=0), method)([1.0], *target)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.ones((2, 3)), [0, 1], r"batch of inputs has shape \(2, 3\); expected \(any >= 1, 2\)"),
        (np.ones((0, 2)), [], r"batch of inputs has shape \(0, 2\)"),
        (np.ones(2), [0], r"batch of inputs has shape \(2,\)"),
        (np.full((2, 2), np.nan), [0, 1], r"batch of inputs is nan at index \(0, 0\)"),
        (np.ones((2, 2)), [0], "2 inputs, but 1 targets"),
        (np.ones((2, 2)), 0, "2 inputs, but 1 targets"),
        (np.ones((2, 2)), [0, 2], "the target is .*2.*; expected a class index"),
    ],
)
def test_unfit_batches_are_refused(inputs, targets, message):
    with pytest.raises(ValueError, match=message):
        networks.mlp(2, 2, loss="cross_entropy", rng=0).as_batch(inputs, targets)


def test_a_chain_that_overflows_is_refused():
    network = networks.Network(
        [networks.AffineLayer([[1e200]], [0.0]), networks.AffineLayer([[1e200]], [0.0], "relu")]
    )
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="factor 0 holds inf"):
        network.chain([1.0], [0.0])
