"""Convolution and pooling against loops written from their definition, by complex steps."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.flatten import FlattenLayer
from jacchain.networks.gradients import gradients
from jacchain.networks.layers import AffineLayer, visit
from jacchain.networks.network import Network
from jacchain.networks.pooling import AveragePoolingLayer, MaxPoolingLayer
from jacchain.networks.windows import Windows

STEP = 1e-30


def read(z, index):
    """The element at an index of all axes, 0 where the padding is."""
    inside = all(0 <= i < n for i, n in zip(index, z.shape, strict=True))
    return z[index] if inside else 0


def convolve(z, W, b, windows):
    """By the definition, one product at a time; z is (channels, *size)."""
    result = np.zeros((len(W), *windows.output), np.result_type(z, W, b))
    for k, *o in np.ndindex(result.shape):
        result[(k, *o)] = b[k]
        for c, *t in np.ndindex(W.shape[1:]):
            at = np.multiply(o, windows.stride) - windows.padding + np.multiply(t, windows.dilation)
            result[(k, *o)] += W[(k, c, *t)] * read(z[c], tuple(at.tolist()))
    return result


def complex_step(function, point):
    """Jacobian of a function of a real array, both flat, one column for each element."""
    columns = []
    for index in np.ndindex(point.shape):
        moved = point.astype(complex)
        moved[index] += 1j * STEP
        columns.append(function(moved).imag.ravel() / STEP)
    return np.transpose(columns)


@st.composite
def convolutions(draw):
    """A layer, its windows, and a point."""
    axes = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    stride, dilation = (tuple(draw(st.integers(1, 2)) for _ in range(axes)) for _ in range(2))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(axes))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(max(1, r - 2 * p) + draw(st.integers(0, 3))
                 for r, p in zip(reach, padding, strict=True))  # fmt: skip
    inputs, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = sorted(name for name, a in ACTIVATIONS.items() if a.holomorphic)
    layer = ConvolutionLayer(
        rng.normal(size=(outputs, inputs, *kernel)), rng.normal(size=outputs), size,
        draw(st.sampled_from(smooth)), stride=stride, padding=padding, dilation=dilation,
    )  # fmt: skip
    return layer, rng.normal(size=layer.input_size), rng


@settings(deadline=None)
@given(convolutions())
def test_a_convolution_and_its_jacobians_are_those_of_the_definition(check_products, case):
    layer, x, rng = case
    shape = (layer.weight.shape[1], *layer.windows.size)

    def output(x=x, W=layer.weight, b=layer.bias):
        a = convolve(x.reshape(shape), W, b, layer.windows)
        return layer.activation.function(a)

    at = visit(layer, x)
    np.testing.assert_allclose(at.outputs, output().ravel(), rtol=1e-12, atol=1e-13)
    close = {"rtol": 1e-11, "atol": 1e-13}
    by_input = layer.jacobian(at).to_dense()
    np.testing.assert_allclose(by_input, complex_step(lambda m: output(x=m), x), **close)
    by_name = layer.parameter_jacobians(at)
    for name, array in layer.parameters.items():
        expected = complex_step(lambda m, name=name: output(**{name: m}), array)
        np.testing.assert_allclose(by_name[name].to_dense(), expected, **close)

    check_products(layer, np.stack([x, x + 1, x - 2]), rng, rtol=1e-10, atol=1e-12)


def pool(z, windows, reduce):
    """By the definition; z is (channels, *size)."""
    result = np.zeros((len(z), *windows.output), z.dtype)
    for c, *o in np.ndindex(result.shape):
        spans = (range(oi * s, oi * s + k)
                 for oi, s, k in zip(o, windows.stride, windows.kernel, strict=True))  # fmt: skip
        result[(c, *o)] = reduce([z[(c, *index)] for index in product(*spans)])
    return result


def largest(values):
    """The element with the largest real part: so the maximum can be stepped along."""
    return max(values, key=np.real)


@settings(deadline=None)
@given(st.data())
def test_pooling_and_its_jacobian_are_those_of_the_definition(check_products, data):
    axes = data.draw(st.integers(1, 2))
    kernel = tuple(data.draw(st.integers(1, 3)) for _ in range(axes))
    size = tuple(k + data.draw(st.integers(0, 4)) for k in kernel)
    stride = data.draw(st.one_of(st.none(), st.integers(1, 3)))
    kind, reduce = data.draw(st.sampled_from(
        [(AveragePoolingLayer, np.mean), (MaxPoolingLayer, largest)]
    ))  # fmt: skip
    layer = kind(data.draw(st.integers(1, 3)), size, kernel, stride)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(size=layer.input_size)

    def output(x):
        return pool(x.reshape(layer.channels, *size), layer.windows, reduce)

    at = visit(layer, x)
    np.testing.assert_allclose(at.outputs, output(x).ravel(), rtol=1e-13)
    jacobian = layer.jacobian(at)
    np.testing.assert_allclose(jacobian.to_dense(), complex_step(output, x), rtol=1e-12)
    assert jacobian.structure.kind in {"sparse", "selection"}
    check_products(layer, np.stack([x, -x, 1 - x]), rng, rtol=1e-12, atol=1e-13)
    assert layer.parameters == layer.parameter_jacobians(at) == {}


@pytest.mark.parametrize("axes", [None, (0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_flattening_is_a_permutation(check_products, axes):
    layer = FlattenLayer((2, 3, 4), axes)
    x = np.random.default_rng(0).normal(size=24)
    at = visit(layer, x)
    expected = x.reshape(2, 3, 4).transpose(axes or (0, 1, 2)).ravel()
    np.testing.assert_array_equal(at.outputs, expected)
    jacobian = layer.jacobian(at)
    np.testing.assert_array_equal(jacobian.to_dense() @ x, expected)
    assert jacobian.structure.kind == ("identity" if axes in {None, (0, 1, 2)} else "selection")
    check_products(layer, np.stack([x, -x]), np.random.default_rng(1), rtol=1e-13)
    with pytest.raises(ValueError, match="expected a permutation of 0 to 2"):
        FlattenLayer((2, 3, 4), (0, 0, 1))


def test_a_network_of_images_has_the_gradients_of_its_chain():
    rng = np.random.default_rng(0)
    network = Network(
        [
            ConvolutionLayer(rng.normal(size=(2, 1, 3, 3)), np.zeros(2), (6, 6), "tanh", padding=1),
            AveragePoolingLayer(2, (6, 6), 2),
            ConvolutionLayer(rng.normal(size=(3, 2, 2, 2)), np.ones(3), (3, 3), "sigmoid"),
            FlattenLayer((3, 2, 2), (1, 2, 0)),
            FlattenLayer((12,)),
            MaxPoolingLayer(1, (12,), 4),
            AffineLayer(rng.normal(size=(4, 3)), np.zeros(4)),
        ],
        "cross_entropy",
    )
    x = rng.normal(size=36)
    chain = network.chain(x, 2)
    kinds = [structure.kind for structure in chain.structures]
    moved = ["selection", "identity", "selection"]
    assert kinds == ["dense", "dense", *moved, *["sparse"] * 3]
    from jacchain import count, evaluate, plan

    row = gradients(network, x, 2)["x"]
    for order in ("loss-first", "input-first", "optimal"):
        np.testing.assert_allclose(evaluate(chain, order)[0], row, rtol=1e-10)
        assert count(chain, order) == plan(chain, order).multiplications


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"kernel": (6,)}, "spans 6 does not fit into 5 elements and 0 of padding"),
        ({"kernel": (3,), "dilation": 3}, "spans 7 does not fit into 5"),
        ({"stride": 0}, "stride 0: expected 1 or more"),
        ({"dilation": 0}, "dilation 0: expected 1 or more"),
        ({"padding": -1}, "padding -1: expected 0 or more"),
        ({"kernel": (2, 2)}, "kernel .* for 1 axes"),
        ({"size": (5, 5, 5), "kernel": (1, 1, 1)}, "one or two axes"),
    ],
)
def test_windows_that_do_not_fit_are_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        Windows(**({"size": (5,), "kernel": (2,)} | wrong))


def test_channels_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="layer 2 takes 12 elements, but layer 1 gives 8"):
        Network([
            ConvolutionLayer(np.ones((2, 1, 1)), np.zeros(2), (4,)),
            ConvolutionLayer(np.ones((2, 3, 1)), np.zeros(2), (4,)),
        ])  # fmt: skip
    with pytest.raises(ValueError, match="the bias has shape"):
        ConvolutionLayer(np.ones((2, 1, 1)), np.zeros(3), (4,))
