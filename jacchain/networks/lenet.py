"""LeNet-5 with random weights."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import check_dtype
from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.layers import AffineLayer
from jacchain.networks.network import Network
from jacchain.networks.pooling import AveragePoolingLayer

if TYPE_CHECKING:
    from jacchain.networks.arrays import Array


def lenet5(
    *, rng: int | np.random.Generator | None = None, dtype: npt.DTypeLike = "float64"
) -> Network:
    """Return LeNet-5 for images of 28 x 28, padded by 2, with average pooling.

    LeCun et al., Proc. IEEE 86(11), 1998, doi:10.1109/5.726791, as it is built today: every channel
    of the second convolution reads all of the first, pooling has no parameters, hidden layers are
    tanh and the output is linear, for softmax cross-entropy. Weights are normal with variance
    `2 / (fan_in + fan_out)` (Glorot and Bengio, AISTATS 2010), biases zero.

    Parameters
    ----------
    rng
        Seed or generator of the weights.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If the dtype is another.

    Examples
    --------
    >>> lenet5(rng=0).sizes
    (784, 4704, 1176, 1600, 400, 120, 84, 10)
    """
    floats, generator = check_dtype(dtype), np.random.default_rng(rng)

    def weight(*shape: int) -> Array:
        """Outputs, inputs, and the taps of a kernel."""
        fans = (shape[0] + shape[1]) * prod(shape[2:])
        drawn: Array = generator.standard_normal(shape, dtype=floats.type)
        drawn *= (2 / fans) ** 0.5
        return drawn

    def zeros(size: int) -> npt.NDArray[Any]:
        return np.zeros(size, floats)

    return Network(
        [
            ConvolutionLayer(weight(6, 1, 5, 5), zeros(6), (28, 28), "tanh", padding=2),
            AveragePoolingLayer(6, (28, 28), 2, dtype=floats),
            ConvolutionLayer(weight(16, 6, 5, 5), zeros(16), (14, 14), "tanh"),
            AveragePoolingLayer(16, (10, 10), 2, dtype=floats),
            AffineLayer(weight(120, 400), zeros(120), "tanh"),
            AffineLayer(weight(84, 120), zeros(84), "tanh"),
            AffineLayer(weight(10, 84), zeros(10)),
        ],
        "cross_entropy",
    )
