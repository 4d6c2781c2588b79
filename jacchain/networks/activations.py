"""Elementwise activations `z = s(a)` and their derivatives `s'(a)`.

Functions take arrays of any shape and keep shape and dtype. Derivatives take the output too, from
which some follow without another transcendental function. All functions but relu also take complex
arrays, so that complex steps can check their derivatives.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jacchain.chains.registry import Registry
from jacchain.networks.arrays import Array


@dataclass(frozen=True)
class Activation:
    """An elementwise function `s`; `derivative` returns a new array from `a` and `z = s(a)`.

    Examples
    --------
    >>> relu, a = as_activation("relu"), np.array([-1.0, 2.0])
    >>> relu.function(a), relu.derivative(a, relu.function(a))
    (array([0., 2.]), array([0., 1.]))
    """

    name: str
    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]


def _identity(a: Array) -> Array:
    return a


def _identity_derivative(a: Array, _z: Array) -> Array:
    return np.ones_like(a)


def _tanh_derivative(a: Array, _z: Array) -> Array:
    # 4 e^-2|a| / (1 + e^-2|a|)^2. 1 - z^2 would lose all digits where z rounds to 1.
    small = np.abs(a)
    small *= -2  # in place: a fraction of the traffic of a large batch
    np.exp(small, out=small)
    slopes = np.square(small + 1)
    np.divide(small, slopes, out=slopes)
    slopes *= 4
    return np.asarray(slopes)


def _sigmoid(a: Array) -> Array:
    # 1 / (1 + e^-a) = e^a / (1 + e^a): an exponential of at most 1 keeps both tails accurate.
    positive = a.real > 0
    small = np.exp(np.where(positive, -a, a))
    return np.asarray(np.where(positive, np.ones_like(a), small) / (1 + small))


def _sigmoid_derivative(a: Array, _z: Array) -> Array:
    # z (1 - z) would lose all digits where z rounds to 1.
    small = np.exp(-np.abs(a))
    return np.asarray(small / np.square(1 + small))


def _relu(a: Array) -> Array:
    return np.maximum(a, 0)


def _relu_derivative(a: Array, _z: Array) -> Array:
    return (a > 0).astype(a.dtype)  # 0 at the kink, by convention


def _softplus(a: Array) -> Array:
    # log(1 + e^a) = a + log(1 + e^-a): use the form whose exponential is at most 1.
    positive = a.real > 0
    return a * positive + np.log1p(np.exp(np.where(positive, -a, a)))


def _softplus_derivative(a: Array, _z: Array) -> Array:
    return _sigmoid(a)


def _normal_distribution(a: Array) -> Array:
    """Return the probability that a standard normal variable is at most `a`, of any shape."""
    from scipy.special import ndtr  # takes 0.2 s to import, and only gelu needs it

    return np.asarray(ndtr(a))


def _gelu(a: Array) -> Array:
    return a * _normal_distribution(a)


def _gelu_derivative(a: Array, _z: Array) -> Array:
    bounded = np.clip(a, -40, 40)  # beyond, the density is 0 in float64, and a^2 may overflow
    density = np.exp(-np.square(bounded) / 2) / math.sqrt(2 * math.pi)
    return np.asarray(_normal_distribution(a) + bounded * density)


ACTIVATIONS = Registry(
    "activation",
    {
        activation.name: activation
        for activation in (
            Activation("identity", _identity, _identity_derivative),
            Activation("tanh", np.tanh, _tanh_derivative),
            Activation("sigmoid", _sigmoid, _sigmoid_derivative),
            Activation("relu", _relu, _relu_derivative),
            Activation("softplus", _softplus, _softplus_derivative),
            Activation("gelu", _gelu, _gelu_derivative),
        )
    },
)


def as_activation(activation: str | Activation) -> Activation:
    """Return an activation by name; an `Activation` is returned unchanged."""
    return activation if isinstance(activation, Activation) else ACTIVATIONS[activation]
