"""Networks with random weights: perceptrons of any sizes, and published networks by name."""

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jacchain.chains.registry import Registry
from jacchain.inputs import as_generator, check_dtype, check_sizes
from jacchain.limits import check_room
from jacchain.networks.activations import as_activation
from jacchain.networks.affine import AffineLayer
from jacchain.networks.arrays import Array, as_array
from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.network import Network
from jacchain.networks.pooling import AveragePoolingLayer


class Architecture(NamedTuple):
    """A perceptron without its weights: sizes, input first, hidden activation and loss."""

    sizes: tuple[int, ...]
    activation: str
    loss: str


ZOO: Mapping[str, Architecture] = MappingProxyType(
    {
        # Three layers; the article gives no sizes, so small ones that all differ.
        "article": Architecture((8, 6, 5, 3), "tanh", "squared_error"),
        # LeCun et al., Proc. IEEE 86(11), 1998, doi:10.1109/5.726791, with softmax cross-entropy.
        "lenet-300-100": Architecture((784, 300, 100, 10), "tanh", "cross_entropy"),
        # For the 8 x 8 images of scikit-learn's load_digits.
        "digits": Architecture((64, 64, 32, 10), "tanh", "cross_entropy"),
    }
)


_NETWORKS: Registry[Architecture | None] = Registry("network", {**ZOO, "lenet-5": None})


def mlp(
    *sizes: int,
    activation: str = "tanh",
    output: str = "identity",
    loss: str = "squared_error",
    rng: int | np.random.Generator | None = None,
    dtype: npt.DTypeLike = "float64",
) -> Network:
    """Return a multilayer perceptron with random weights and zero biases.

    Weights are normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, AISTATS 2010), or
    `2 / fan_in` if the layer's activation is relu or gelu (He et al., ICCV 2015).

    Parameters
    ----------
    *sizes
        `|x|, |z_1|, ..., |z_L|`, at least two, each at least 1.
    activation, output
        Activation of the hidden layers, and of the last layer.
    loss
        "squared_error" or "cross_entropy".
    rng
        Seed or generator of the weights.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If a size is not an integer, or the dtype is another.
    ValueError
        If a size is below 1, there are fewer than two, or a name is unknown.

    Examples
    --------
    >>> mlp(784, 512, 256, 10, loss="cross_entropy", rng=0)
    Network(784 -> 512 -> 256 -> 10, cross_entropy, float64)
    """
    checked, floats = check_sizes(sizes), check_dtype(dtype)
    if len(checked) < 2:
        message = f"sizes {sizes}: expected at least two, (|x|, |z_1|, ...), input first"
        raise ValueError(message)
    for name in (activation, output):  # also where no layer has it
        as_activation(name)
    needed = floats.itemsize * sum(n * m for n, m in pairwise(checked))
    check_room(needed, "a perceptron of these sizes", "make it smaller")
    generator = as_generator(rng)
    names = [activation] * (len(checked) - 2) + [output]
    layers = [
        _random_affine(*fans, name, generator, floats)
        for fans, name in zip(pairwise(checked), names, strict=True)
    ]
    return Network(layers, loss)


def load_network(
    name: str, *, rng: int | np.random.Generator | None = None, dtype: npt.DTypeLike = "float64"
) -> Network:
    """Return a network by name, with random weights as in `mlp` and zero biases.

    "lenet-5" takes images of 28 x 28, padded by 2. It is the network of LeCun et al., Proc. IEEE
    86(11), 1998, doi:10.1109/5.726791, as it is built today: every channel of the second
    convolution reads all channels of the first, average pooling has no parameters, hidden layers
    are tanh, and the output is linear, for softmax cross-entropy.

    Parameters
    ----------
    name
        "lenet-5", or a perceptron in `ZOO`: "article", "lenet-300-100" or "digits".
    rng, dtype
        As in `mlp`.

    Raises
    ------
    TypeError, ValueError
        If the dtype is another, or the name unknown.

    Examples
    --------
    >>> load_network("lenet-300-100", rng=0, dtype="float32")
    Network(784 -> 300 -> 100 -> 10, cross_entropy, float32)
    >>> load_network("lenet-5", rng=0).sizes
    (784, 4704, 1176, 1600, 400, 120, 84, 10)
    """
    architecture = _NETWORKS[name]
    if architecture is None:
        return _lenet5(as_generator(rng), check_dtype(dtype))
    sizes, activation, loss = architecture
    return mlp(*sizes, activation=activation, loss=loss, rng=rng, dtype=dtype)


def article_product(x: float, y: float) -> tuple[float, Array]:
    """Return the article's example `f(x, y) = x y` and its gradient row `(y, x)`, `(1, 2)`.

    Examples
    --------
    >>> article_product(2, -6)
    (-12.0, array([[-6.,  2.]]))
    """
    point = as_array([x, y], "the point (x, y)", (2,))
    return float(point[0] * point[1]), point[np.newaxis, ::-1]


def _lenet5(rng: np.random.Generator, dtype: np.dtype[Any]) -> Network:
    def convolution(inputs: int, outputs: int, size: int, padding: int) -> ConvolutionLayer:
        weight = _random_weight((outputs, inputs, 5, 5), "tanh", rng, dtype)
        bias = np.zeros(outputs, dtype)
        return ConvolutionLayer(weight, bias, (size, size), "tanh", padding=padding)

    return Network(
        [
            convolution(1, 6, size=28, padding=2),
            AveragePoolingLayer(6, (28, 28), 2, dtype=dtype),
            convolution(6, 16, size=14, padding=0),
            AveragePoolingLayer(16, (10, 10), 2, dtype=dtype),
            _random_affine(400, 120, "tanh", rng, dtype),
            _random_affine(120, 84, "tanh", rng, dtype),
            _random_affine(84, 10, "identity", rng, dtype),
        ],
        "cross_entropy",
    )


def _random_affine(
    inputs: int, outputs: int, activation: str, rng: np.random.Generator, dtype: np.dtype[Any]
) -> AffineLayer:
    weight = _random_weight((outputs, inputs), activation, rng, dtype)
    return AffineLayer(weight, np.zeros(outputs, dtype), activation)


def _random_weight(
    shape: tuple[int, ...], activation: str, rng: np.random.Generator, dtype: np.dtype[Any]
) -> Array:
    """Return normal weights of shape `(outputs, inputs, *kernel)`, scaled for the activation."""
    outputs, inputs, *taps = shape
    fans = prod(taps) * (inputs if activation in {"relu", "gelu"} else inputs + outputs)
    return np.asarray(rng.standard_normal(shape, dtype=dtype.type) * (2 / fans) ** 0.5)
