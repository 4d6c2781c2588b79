"""Chains and gradients of random networks against complex steps and central differences."""

from functools import reduce
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.gradients import gradients
from jacchain.networks.layers import AffineLayer
from jacchain.networks.losses import LOSSES
from jacchain.networks.network import Network

STEP = 1e-30


@st.composite
def cases(draw):
    """Draw a network with random biases, a point and a target."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers = [
        AffineLayer(rng.normal(size=(rows, columns)), rng.normal(size=rows), name)
        for columns, rows in pairwise(sizes)
        for name in [draw(st.sampled_from(sorted(ACTIVATIONS)))]
    ]
    loss = draw(st.sampled_from(sorted(LOSSES)))
    target = rng.normal(size=sizes[-1])
    if loss == "cross_entropy":
        target = draw(st.sampled_from([rng.dirichlet(np.ones(sizes[-1])), sizes[-1] - 1]))
    return Network(layers, loss), rng.normal(size=sizes[0]), target


def loss_of(network, arrays, target):
    """Return the loss for `arrays`, W1, b1, ... and x, complex or not: no validation below."""
    z = arrays["x"]
    for number, layer in enumerate(network.layers, start=1):
        a = arrays[f"W{number}"] @ z + arrays[f"b{number}"]
        smooth = layer.activation.holomorphic
        z = layer.activation.function(a) if smooth else np.where(a.real > 0, a, 0)
    return network.loss.value(z, network.as_target(target))


def complex_step(network, arrays, name, target):
    """Return the gradient by the array `name`, one entry at a time."""
    gradient = np.empty(arrays[name].shape)
    for index in np.ndindex(gradient.shape):
        moved = arrays[name].astype(complex)
        moved[index] += 1j * STEP
        gradient[index] = loss_of(network, {**arrays, name: moved}, target).imag / STEP
    return gradient


@settings(deadline=None)
@given(cases())
def test_gradients_are_the_complex_steps(case):
    network, x, target = case
    arrays = {**network.parameters, "x": x}
    found = gradients(network, x, target)
    assert list(found) == list(arrays)
    for name, gradient in found.items():
        expected = complex_step(network, arrays, name, target)
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-10)


@settings(deadline=None)
@given(cases())
def test_product_of_the_chain_is_the_complex_step_by_the_input(case):
    network, x, target = case
    product = reduce(np.matmul, [f.to_dense() for f in network.chain(x, target).factors])
    expected = complex_step(network, {**network.parameters, "x": x}, "x", target)
    np.testing.assert_allclose(product, expected[None], rtol=1e-9, atol=1e-10)


@settings(deadline=None)
@given(cases())
def test_layer_jacobians_are_the_central_differences(case):
    network, x, target = case
    passed, h = network.forward(x), 1e-6
    jacobians = network.chain(x, target).factors[:0:-1]
    layers = zip(network.layers, jacobians, passed.outputs[:-1], passed.preactivations, strict=True)
    for layer, jacobian, z, a in layers:
        if not layer.activation.holomorphic and abs(a).min() < 1e-4:
            continue  # a difference across the kink of relu is no derivative
        moves = h * np.eye(z.size)
        differences = (layer.forward(z + moves)[1] - layer.forward(z - moves)[1]) / (2 * h)
        np.testing.assert_allclose(jacobian.to_dense(), differences.T, atol=1e-7)


@settings(deadline=None)
@given(cases())
def test_loss_value_is_that_of_the_formula(case):
    network, x, target = case
    expected = loss_of(network, {**network.parameters, "x": x}, target)
    np.testing.assert_allclose(network.loss_value(x, target), expected, rtol=1e-12, atol=1e-14)


def test_float32_stays_float32():
    double = Network([AffineLayer([[1.0, -2.0], [0.5, 3.0]], [0.1, 0.2], "gelu")], "cross_entropy")
    layers = [
        AffineLayer(layer.weight.astype("f4"), layer.bias.astype("f4"), layer.activation)
        for layer in double.layers
    ]
    single = Network(layers, double.loss)
    found, expected = (gradients(network, [0.3, -0.7], 1) for network in (single, double))
    for name, gradient in found.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-5)
