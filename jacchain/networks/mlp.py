"""Multilayer perceptrons with random weights."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import check_dtype
from jacchain.jacobians.structure import check_sizes
from jacchain.networks.layers import AffineLayer
from jacchain.networks.network import Network


def mlp(
    *sizes: int,
    activation: str = "tanh",
    output: str = "identity",
    loss: str = "squared_error",
    rng: int | np.random.Generator | None = None,
    dtype: npt.DTypeLike = "float64",
) -> Network:
    """Return a multilayer perceptron with random weights and zero biases.

    Weights are normal with the variance of Glorot and Bengio, AISTATS 2010, `2 / (fan_in +
    fan_out)`, and before relu and gelu with that of He et al., ICCV 2015, `2 / fan_in`.

    Parameters
    ----------
    *sizes
        `|x|, |z_1|, ..., |z_L|`, at least two, each at least 1.
    activation, output
        The activation of the hidden layers, and of the last one.
    loss
        "squared_error" or "cross_entropy".
    rng
        Seed or generator of the weights.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If a size is no integer, or the dtype another.
    ValueError
        If a size is below 1, there are fewer than two, or a name is unknown.

    Examples
    --------
    >>> mlp(784, 512, 256, 10, loss="cross_entropy", rng=0)
    Network(784 -> 512 -> 256 -> 10, cross_entropy, float64)
    """
    checked, floats = check_sizes(sizes), check_dtype(dtype)
    if len(checked) < 2:
        msg = f"sizes {sizes}: a network has at least two; give (|x|, |z_1|, ...), input first"
        raise ValueError(msg)
    generator = np.random.default_rng(rng)
    names = [activation] * (len(checked) - 2) + [output]
    layers = [
        _random_layer(fan_in, fan_out, name, generator, floats)
        for (fan_in, fan_out), name in zip(pairwise(checked), names, strict=True)
    ]
    return Network(layers, loss)


def _random_layer(
    fan_in: int, fan_out: int, name: str, rng: np.random.Generator, dtype: np.dtype[Any]
) -> AffineLayer:
    fans = fan_in if name in {"relu", "gelu"} else fan_in + fan_out
    weight = rng.standard_normal((fan_out, fan_in), dtype=dtype) * (2 / fans) ** 0.5
    return AffineLayer(weight, np.zeros(fan_out, dtype), name)
