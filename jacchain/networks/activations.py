"""Elementwise activations `z = s(a)` with their derivatives `s'(a)`.

The derivative takes the output too: that of tanh follows from it without another transcendental
function. Functions keep the dtype and take any shape. Where `holomorphic`, the function also takes
complex arrays, so that complex steps can check its derivative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jacchain.networks.arrays import Array


@dataclass(frozen=True)
class Activation:
    """An elementwise function `s`, and its derivative as a new array from `a` and `z = s(a)`."""

    name: str
    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    holomorphic: bool


def _identity(a: Array) -> Array:
    return a


def _identity_derivative(a: Array, z: Array) -> Array:
    del z
    return np.ones_like(a)


def _tanh_derivative(a: Array, z: Array) -> Array:
    del a
    slopes = np.square(z)
    np.subtract(1, slopes, out=slopes)  # in place: half the traffic of a large batch
    return slopes


def _sigmoid(a: Array) -> Array:
    # 1 / (1 + e^-a) = e^a / (1 + e^a): the one whose exponential is at most 1 keeps both tails.
    positive = a.real > 0
    small = np.exp(np.where(positive, -a, a))
    return np.asarray(np.where(positive, np.ones_like(a), small) / (1 + small))


def _sigmoid_derivative(a: Array, z: Array) -> Array:
    del z  # z (1 - z) loses all digits where z rounds to 1
    small = np.exp(-np.abs(a))
    return np.asarray(small / np.square(1 + small))


def _relu(a: Array) -> Array:
    return np.maximum(a, 0)


def _relu_derivative(a: Array, z: Array) -> Array:
    del z
    return (a > 0).astype(a.dtype)  # 0 at the kink, by convention


def _softplus(a: Array) -> Array:
    # log(1 + e^a) = a + log(1 + e^-a): of the two, take the one whose exponential is at most 1.
    positive = a.real > 0
    return a * positive + np.log1p(np.exp(np.where(positive, -a, a)))


def _softplus_derivative(a: Array, z: Array) -> Array:
    del z
    return _sigmoid(a)


def _normal_distribution(a: Array) -> Array:
    from scipy.special import ndtr  # 0.2 s to import, which only gelu is worth

    return np.asarray(ndtr(a))


def _gelu(a: Array) -> Array:
    return a * _normal_distribution(a)


def _gelu_derivative(a: Array, z: Array) -> Array:
    del z
    bounded = np.clip(a, -40, 40)  # beyond, the normal density is 0 in float64 and a^2 may overflow
    density = np.exp(-np.square(bounded) / 2) / math.sqrt(2 * math.pi)
    return np.asarray(_normal_distribution(a) + bounded * density)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        activation.name: activation
        for activation in (
            Activation("identity", _identity, _identity_derivative, holomorphic=True),
            Activation("tanh", np.tanh, _tanh_derivative, holomorphic=True),
            Activation("sigmoid", _sigmoid, _sigmoid_derivative, holomorphic=True),
            Activation("relu", _relu, _relu_derivative, holomorphic=False),
            Activation("softplus", _softplus, _softplus_derivative, holomorphic=True),
            Activation("gelu", _gelu, _gelu_derivative, holomorphic=True),
        )
    }
)


def as_activation(activation: str | Activation) -> Activation:
    """Return the activation of that name; an `Activation` is returned as it is.

    Raises
    ------
    ValueError
        If no activation has that name.

    Examples
    --------
    >>> as_activation("tanh").name
    'tanh'
    >>> as_activation("step")
    Traceback (most recent call last):
        ...
    ValueError: unknown activation 'step'; known: gelu, identity, relu, sigmoid, softplus, tanh
    """
    if isinstance(activation, Activation):
        return activation
    if activation not in ACTIVATIONS:
        msg = f"unknown activation {activation!r}; known: {', '.join(sorted(ACTIVATIONS))}"
        raise ValueError(msg)
    return ACTIVATIONS[activation]
