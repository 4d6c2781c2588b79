"""Convolution compared with loops over its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.convolution import ConvolutionLayer


def element(z, index):
    """Return the element at an index of all axes, 0 in the padding."""
    inside = all(0 <= i < n for i, n in zip(index, z.shape, strict=True))
    return z[index] if inside else 0


def convolve(z, W, b, windows):
    """Return the preactivations of `z`, `(channels, *size)`, one product at a time."""
    a = np.zeros((len(W), *windows.output), np.result_type(z, W, b))
    for k, *o in np.ndindex(a.shape):
        a[(k, *o)] = b[k]
        for c, *t in np.ndindex(W.shape[1:]):
            at = np.multiply(o, windows.stride) - windows.padding + np.multiply(t, windows.dilation)
            a[(k, *o)] += W[(k, c, *t)] * element(z[c], tuple(at.tolist()))
    return a


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    stride, dilation = (tuple(draw(st.integers(1, 2)) for _ in range(axes)) for _ in range(2))
    padding = tuple(draw(st.integers(0, 2)) for _ in range(axes))
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    inputs, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    smooth = sorted(ACTIVATIONS.entries.keys() - {"relu"})
    arrays = rng.normal(size=(outputs, inputs, *kernel)), rng.normal(size=outputs)
    windows = {"stride": stride, "padding": padding, "dilation": dilation}
    return ConvolutionLayer(*arrays, size, draw(st.sampled_from(smooth)), **windows), rng


@settings(deadline=None)
@given(convolutions())
def test_derivatives_match_the_definition(check_layer, case):
    layer, rng = case
    shape = (layer.weight.shape[1], *layer.windows.size)

    def definition(x, W, b):
        return layer.activation.function(convolve(x.reshape(shape), W, b, layer.windows))

    check_layer(layer, definition, rng)


def test_unfit_parameters_are_refused():
    weight = np.ones((2, 1, 1))
    with pytest.raises(ValueError, match=r"the bias has shape \(3,\); expected \(2,\)"):
        ConvolutionLayer(weight, np.zeros(3), (4,))
    with pytest.raises(TypeError, match="weight is float64, bias is float32"):
        ConvolutionLayer(weight, np.zeros(2, "float32"), (4,))
