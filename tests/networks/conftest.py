"""Layers and networks compared with their definitions, which complex steps differentiate."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st

import jacchain as jc
from jacchain import networks
from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.layer import Visit, visit
from jacchain.networks.losses import LOSSES

STEP = 1e-30


def _jacobian(function, arrays, name):
    """Return the Jacobian of `function(**arrays)` by one real array, both of them flattened."""
    columns = []
    for index in np.ndindex(arrays[name].shape):
        moved = arrays[name].astype(complex)
        moved[index] += 1j * STEP
        columns.append(np.ravel(function(**{**arrays, name: moved}).imag) / STEP)
    return np.transpose(columns)


def _check_products(layer, points, rng, **close):
    """Compare products with rows, for a batch and at a point, with the layer's Jacobians."""
    batch = visit(layer, points)
    visits = list(map(Visit, *batch))
    jacobians = [layer.jacobian(at).to_dense() for at in visits]
    adjoints = rng.normal(size=(len(points), layer.output_size))
    tangents = rng.normal(size=points.shape)
    gradients, back = layer.pullback(adjoints, batch)
    expected = np.einsum("no,noi->ni", adjoints, jacobians)
    np.testing.assert_allclose(back, expected, **close)
    np.testing.assert_allclose(layer.vjp(adjoints, batch), expected, **close)
    expected = np.einsum("noi,ni->no", jacobians, tangents)
    np.testing.assert_allclose(layer.jvp(tangents, batch), expected, **close)
    at, jacobian = visits[0], jacobians[0]
    np.testing.assert_allclose(layer.vjp(adjoints, at), adjoints @ jacobian, **close)
    np.testing.assert_allclose(layer.jvp(tangents, at), tangents @ jacobian.T, **close)
    by_name = [layer.parameter_jacobians(at) for at in visits]
    for name, gradient in gradients.items():
        rows = [
            g @ jacobians[name].to_dense() for g, jacobians in zip(adjoints, by_name, strict=True)
        ]
        np.testing.assert_allclose(gradient.ravel(), np.sum(rows, axis=0), **close)


@pytest.fixture(scope="session")
def check_layer():
    """A function that compares a layer with its definition, a function of x and parameters."""

    def check(layer, definition, rng, *, rtol=1e-10, atol=1e-12):
        close = {"rtol": rtol, "atol": atol}
        x = rng.normal(size=layer.input_size)
        arrays, at = {"x": x, **layer.parameters}, visit(layer, x)
        np.testing.assert_allclose(at.outputs, np.ravel(definition(**arrays)).real, **close)
        jacobians = {"x": layer.jacobian(at), **layer.parameter_jacobians(at)}
        assert jacobians.keys() == arrays.keys()
        for name, jacobian in jacobians.items():
            expected = _jacobian(definition, arrays, name)
            np.testing.assert_allclose(jacobian.to_dense(), expected, **close)
        points = np.stack([x, 1 - x, -x])
        np.testing.assert_allclose(visit(layer, points).outputs[0], at.outputs, **close)
        _check_products(layer, points, rng, **close)
        again = layer.with_parameters(layer.parameters)
        assert repr(again) == repr(layer)
        np.testing.assert_array_equal(visit(again, x).outputs, at.outputs)

    return check


@pytest.fixture(scope="session")
def check_orders():
    """A function that compares a chain's products with a row, and its counts with its plans."""

    def check(chain, row, orders=("loss-first", "input-first", "optimal")):
        for order in orders:
            product = jc.evaluate(chain, order)[0]
            np.testing.assert_allclose(product, row.ravel(), rtol=1e-9, atol=1e-12)
            assert jc.count(chain, order) == jc.plan(chain, order).multiplications

    return check


def affine(rng, inputs, outputs, activation="identity"):
    arrays = rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
    return networks.AffineLayer(*arrays, activation)


@pytest.fixture(scope="session")
def make_affine():
    """A function that returns an affine layer of two sizes with random weight and bias."""
    return affine


@st.composite
def _cases(draw):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = st.sampled_from(sorted(ACTIVATIONS.entries))
    layers = [affine(rng, *fans, draw(names)) for fans in pairwise(sizes)]
    network = networks.Network(layers, draw(st.sampled_from(sorted(LOSSES.entries))))
    target = rng.normal(size=sizes[-1])
    if network.loss.name == "cross_entropy":
        target = draw(st.sampled_from([rng.dirichlet(np.ones(sizes[-1])), sizes[-1] - 1]))
    return network, rng.normal(size=sizes[0]), target


@pytest.fixture(scope="session")
def cases():
    """A strategy: perceptrons with any activations and loss, a point and a target."""
    return _cases()


def _loss(network, target, x, **parameters):
    """Return the loss from its definition, without validation, of arrays that may be complex."""
    for number, layer in enumerate(network.layers, start=1):
        a = parameters[f"W{number}"] @ x + parameters[f"b{number}"]
        kinked = layer.activation.name == "relu"
        x = np.where(a.real > 0, a, 0) if kinked else layer.activation.function(a)
    return network.loss.value(x, network.as_target(target))


@pytest.fixture(scope="session")
def definition():
    """A function that returns a perceptron's loss and, by complex steps, its gradients."""

    def loss_and_gradients(network, x, target):
        arrays, loss = {**network.parameters, "x": x}, partial(_loss, network, target)
        gradients = {n: _jacobian(loss, arrays, n).reshape(a.shape) for n, a in arrays.items()}
        return loss(**arrays), gradients

    return loss_and_gradients


@pytest.fixture(scope="session")
def deep_network():
    """A network with a layer of every class, for images of 6 x 6 and 3 classes."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(2, 1, 3, 3))
    recurrent = [rng.normal(size=shape) for shape in ((4, 2), (4, 4), 4)]
    gru = [rng.normal(size=shape) for shape in ((12, 4), (12, 4), 16)]
    lstm = [rng.normal(size=shape) for shape in ((12, 4), (12, 3), 12)]
    return networks.Network(
        [
            networks.ConvolutionLayer(weight, np.ones(2), (6, 6), "tanh", padding=1),
            networks.AveragePoolingLayer(2, (6, 6), 2),
            networks.FlattenLayer((2, 3, 3), (1, 2, 0)),
            networks.FlattenLayer((18,)),
            networks.MaxPoolingLayer(1, (18,), 3, 2),
            networks.LSTMLayer(*lstm, steps=2),
            networks.ResidualLayer([affine(rng, 3, 2, "sigmoid"), affine(rng, 2, 3)]),
            networks.LayerNormalisation(rng.normal(size=3), rng.normal(size=3)),
            affine(rng, 3, 6, "softplus"),
            networks.RecurrentLayer(*recurrent, steps=3, sequence=True),
            networks.GRULayer(*gru, steps=3),
            affine(rng, 4, 3),
        ],
        "cross_entropy",
    )
