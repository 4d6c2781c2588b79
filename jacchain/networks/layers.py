"""Layers: what a network is made of. Every kind of layer fits the protocol `Layer`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import DiagonalJacobian, KroneckerJacobian
from jacchain.jacobians.products import multiply
from jacchain.networks.activations import Activation, as_activation
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.recycled import Recycled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jacchain.jacobians.base import Jacobian


class Visit(NamedTuple):
    """What a forward pass left at one layer, at a point `(size,)` or of a batch `(n, size)`."""

    inputs: Array
    preactivations: Array
    outputs: Array


class Layer(Protocol):
    """One layer `z -> f(z; parameters)` of a network.

    A batch is an array `(n, size)`, one point a row. `forward` hands its preactivation back: with
    inputs and outputs it makes the `Visit` that derivatives are taken at. Adjoints and tangents are
    rows, one for each sample of a visited batch, or any number of them at a visited point.
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

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the derivative of output by input at a point, `(output_size, input_size)`."""

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, which is not built: `(n, input_size)`."""

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times tangents, each a row: `(n, output_size)`."""

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return the derivative of output by each parameter at a point, row by row of these."""

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return parameter gradients, summed over the batch, and what `vjp` returns."""


class WithoutParameters(ABC):
    """What layers without parameters have in common."""

    @property
    def parameters(self) -> dict[str, Array]:
        """None."""
        return {}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer itself."""
        del parameters
        return self

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return none."""
        del visit
        return {}

    @abstractmethod
    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, which is not built: `(n, input_size)`."""

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return no gradient, and what `vjp` returns."""
        return {}, self.vjp(adjoints, visit)


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
    >>> layer = AffineLayer([[1, 2, 3], [4, 5, 6]], [-10, 0], "relu")
    >>> layer
    AffineLayer(3 -> 2, relu)
    >>> at = visit(layer, np.array([1.0, -1.0, 3.0]))
    >>> at.outputs
    array([ 0., 17.])
    >>> layer.jacobian(at).to_dense()
    array([[0., 0., 0.],
           [4., 5., 6.]])
    """

    weight: Array
    bias: Array
    activation: Activation
    _by_weight: Recycled

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
        object.__setattr__(self, "_by_weight", Recycled(W.shape, W.dtype))

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
        preactivations = inputs @ self.weight.T
        preactivations += self.bias
        return preactivations, self.activation.function(preactivations)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(s'(a)) W`, dense, of shape `(output_size, input_size)`."""
        return DenseJacobian(self._slopes(visit)[:, np.newaxis] * self.weight)

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dW = diag(s'(a)) (I (x) z_in^T)`, by `vec(W)` row by row, and `dz/db`."""
        slopes = DiagonalJacobian(self._slopes(visit))
        by_weight = KroneckerJacobian(visit.inputs, self.output_size)
        return {"W": multiply(slopes, by_weight), "b": slopes}

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return `g diag(s'(a)) W`, shape `(n, input_size)`."""
        return self._deltas(adjoints, visit) @ self.weight

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return `diag(s'(a)) W t`, shape `(n, output_size)`."""
        return self._deltas(tangents @ self.weight.T, visit)

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of `W` and `b` and the adjoints `g diag(s'(a)) W` of the inputs."""
        deltas = self._deltas(adjoints, visit)  # dl/da
        # Unlike matmul, dot gives an outer product, of a batch of one, to BLAS: five times faster.
        by_weight = np.dot(deltas.T, visit.inputs, out=self._by_weight.take())
        return {"W": by_weight, "b": deltas.sum(axis=0)}, deltas @ self.weight

    def _slopes(self, visit: Visit) -> Array:
        return self.activation.derivative(visit.preactivations, visit.outputs)

    def _deltas(self, rows: Array, visit: Visit) -> Array:
        return rows * self._slopes(visit)


def visit(layer: Layer, inputs: Array) -> Visit:
    """Return what a forward pass leaves at one layer.

    Examples
    --------
    >>> visit(AffineLayer([[2.0]], [1.0], "relu"), np.array([-3.0]))
    Visit(inputs=array([-3.]), preactivations=array([-5.]), outputs=array([0.]))
    """
    return Visit(inputs, *layer.forward(inputs))
