"""Our layers by other functions, here numpy's; torch's and jax's are under tests/peers."""

import numpy as np
import pytest

import jacchain as jc
from jacchain.adapters.frameworks import Functions, forward

NUMPY = Functions(
    affine=lambda z, W, b: z @ W.T + b,
    convolve=lambda z, W, b, w: np.stack([jc_convolution(W, b, w, image) for image in z]),
    average=lambda z, w: z.reshape(*z.shape[:2], w.output[0], w.kernel[0], w.output[1], -1).mean(
        axis=(3, 5)
    ),
    tanh=np.tanh,
)


def jc_convolution(W, b, w, image):
    layer = jc.networks.ConvolutionLayer(W, b, w.size, padding=w.padding)
    return layer.forward(image.ravel())[1].reshape(len(W), *w.output)


def arrays(network, inputs):
    return {**network.parameters, "x": inputs}


def test_a_batch_goes_through_every_layer_and_its_activation():
    rng = np.random.default_rng(0)
    layers = [
        jc.networks.ConvolutionLayer(
            rng.normal(size=(2, 1, 3, 3)), np.ones(2), (6, 6), "tanh", padding=1
        ),
        jc.networks.AveragePoolingLayer(2, (6, 6), 2),
        jc.networks.AffineLayer(rng.normal(size=(3, 18)), np.ones(3), "tanh"),
        jc.networks.AffineLayer(rng.normal(size=(2, 3)), np.ones(2)),
    ]
    network, inputs = jc.networks.Network(layers), rng.normal(size=(4, 36))
    expected = [network.forward(x).output for x in inputs]
    np.testing.assert_allclose(forward(network, arrays(network, inputs), NUMPY), expected)


@pytest.mark.parametrize(
    "layer",
    [
        jc.networks.MaxPoolingLayer(1, (4, 4), 2),
        jc.networks.AffineLayer(np.ones((2, 16)), np.zeros(2), "relu"),
    ],
    ids=["layer", "activation"],
)
def test_what_has_no_translation_is_said_so_with_what_to_do(layer):
    network = jc.networks.Network([layer])
    with pytest.raises(TypeError, match=r"no translation of .*Layer\(.* add one here"):
        forward(network, arrays(network, np.zeros((1, 16))), NUMPY)
