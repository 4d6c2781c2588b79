"""Layers: what a network is made of. Every kind of layer fits the protocol `Layer`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.matrices import DenseJacobian
from jacchain.jacobians.products import multiply
from jacchain.jacobians.structured import DiagonalJacobian, KroneckerJacobian
from jacchain.networks.activations import Activation, as_activation
from jacchain.networks.arrays import Array, as_array, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jacchain.jacobians.matrices import Jacobian


class Layer(Protocol):
    """One layer `z -> f(z; parameters)` of a network.

    A batch is an array `(n, size)`, one point a row. `forward` hands its preactivation back, so
    that `jacobian` and `pullback` need not compute it again.
    """

    @property
    def input_size(self) -> int:
        """The number of elements it takes."""

    @property
    def output_size(self) -> int:
        """The number of elements it gives."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of parameters and outputs."""

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The trainable arrays by name."""

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the same layer with other parameters."""

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return preactivation and output at a point `(input_size,)` or of a batch."""

    def jacobian(self, inputs: Array, preactivation: Array) -> Jacobian:
        """Return the derivative of output by input at a point, `(output_size, input_size)`."""

    def parameter_jacobians(self, inputs: Array, preactivation: Array) -> dict[str, Jacobian]:
        """Return the derivative of output by each parameter at a point, row by row of these."""

    def pullback(
        self, adjoints: Array, inputs: Array, preactivations: Array
    ) -> tuple[dict[str, Array], Array]:
        """Return parameter gradients, summed over the batch, and the adjoints of its inputs."""


class WithoutParameters:
    """What layers without parameters have in common."""

    @property
    def parameters(self) -> dict[str, Array]:
        """None."""
        return {}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer itself."""
        del parameters
        return self

    def parameter_jacobians(self, inputs: Array, preactivation: Array) -> dict[str, Jacobian]:
        """Return none."""
        del inputs, preactivation
        return {}


@dataclass(frozen=True, init=False, eq=False, repr=False)
class AffineLayer:
    """The layer `z = s(a)`, `a = W z_in + b`, with `s` elementwise.

    Parameters
    ----------
    weight
        `W`, of shape `(output_size, input_size)`. float32 and float64 are kept, integers become
        float64; arrays are copied.
    bias
        `b`, of shape `(output_size,)` and of the dtype of `W`.
    activation
        `s`, by name or as an `Activation`.

    Raises
    ------
    TypeError
        If `weight` or `bias` is not real, or their dtypes differ.
    ValueError
        If shapes do not fit, an entry is NaN or infinite, or the activation is unknown.

    Examples
    --------
    >>> layer = AffineLayer([[1, 2, 3], [4, 5, 6]], [0, -6], "relu")
    >>> layer
    AffineLayer(3 -> 2, relu)
    >>> preactivation, output = layer.forward(np.array([1.0, -1.0, 0.0]))
    >>> output
    array([0., 0.])
    >>> layer.jacobian(np.array([1.0, -1.0, 0.0]), np.array([-1.0, 2.0])).to_dense()
    array([[0., 0., 0.],
           [4., 5., 6.]])
    """

    weight: Array
    bias: Array
    activation: Activation

    def __init__(
        self,
        weight: npt.ArrayLike,
        bias: npt.ArrayLike,
        activation: str | Activation = "identity",
    ) -> None:
        W = as_array(weight, "the weight", (None, None))
        b = as_array(bias, "the bias", (W.shape[0],))
        if W.dtype != b.dtype:
            msg = f"the weight is {W.dtype}, but the bias {b.dtype}; expected one dtype for both"
            raise TypeError(msg)
        object.__setattr__(self, "weight", frozen(W))
        object.__setattr__(self, "bias", frozen(b))
        object.__setattr__(self, "activation", as_activation(activation))

    def __repr__(self) -> str:
        """Return the sizes and the activation."""
        return f"AffineLayer({self.input_size} -> {self.output_size}, {self.activation.name})"

    @property
    def input_size(self) -> int:
        """The columns of `W`."""
        return int(self.weight.shape[1])

    @property
    def output_size(self) -> int:
        """The rows of `W`."""
        return int(self.weight.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of `W` and `b`."""
        return self.weight.dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """`W` and `b` by these names."""
        return {"W": self.weight, "b": self.bias}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with `W` and `b` from `parameters`; raises as the class does."""
        return type(self)(parameters["W"], parameters["b"], self.activation)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `a` and `z = s(a)`, of shape `(..., output_size)`."""
        preactivations = inputs @ self.weight.T + self.bias
        return preactivations, self.activation.function(preactivations)

    def jacobian(self, inputs: Array, preactivation: Array) -> Jacobian:
        """Return `diag(s'(a)) W`, dense, of shape `(output_size, input_size)`."""
        del inputs
        slopes: Array = self.activation.derivative(preactivation)
        return DenseJacobian(slopes[:, np.newaxis] * self.weight)

    def parameter_jacobians(self, inputs: Array, preactivation: Array) -> dict[str, Jacobian]:
        """Return `dz/dW = diag(s'(a)) (I (x) z_in^T)`, by `vec(W)` row by row, and `dz/db`."""
        slopes = DiagonalJacobian(self.activation.derivative(preactivation))
        return {"W": multiply(slopes, KroneckerJacobian(inputs, self.output_size)), "b": slopes}

    def pullback(
        self, adjoints: Array, inputs: Array, preactivations: Array
    ) -> tuple[dict[str, Array], Array]:
        """Return the gradients of `W` and `b` and the adjoints `g diag(s'(a)) W` of the inputs."""
        deltas = adjoints * self.activation.derivative(preactivations)  # dl/da
        return {"W": deltas.T @ inputs, "b": deltas.sum(axis=0)}, deltas @ self.weight
