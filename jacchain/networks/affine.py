"""The affine layer, as in a multilayer perceptron."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import DiagonalJacobian, KroneckerJacobian
from jacchain.jacobians.products import multiply
from jacchain.networks.activations import Activation, as_activation
from jacchain.networks.arrays import Array, Buffers, as_array, frozen
from jacchain.networks.layer import Layer, Visit


@dataclass(frozen=True, init=False, eq=False, repr=False)
class AffineLayer(Layer):
    """The layer `z = s(a)`, `a = W z_in + b`, with `s` elementwise.

    Parameters
    ----------
    weight
        `W`, of shape `(output_size, input_size)`. float32 and float64 are kept, integers become
        float64; arrays are copied.
    bias
        `b`, of shape `(output_size,)` and the dtype of `W`.
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
    >>> from jacchain.networks.layer import visit
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
    _weight_gradients: Buffers

    def __init__(
        self,
        weight: npt.ArrayLike,
        bias: npt.ArrayLike,
        activation: str | Activation = "identity",
    ) -> None:
        W = as_array(weight, "the weight", (None, None))
        b = as_array(bias, "the bias", W.shape[:1])
        W, b = frozen(weight=W, bias=b)
        vars(self).update(  # the class refuses `self.weight = W`
            weight=W,
            bias=b,
            activation=as_activation(activation),
            dtype=W.dtype,
            input_size=W.shape[1],
            output_size=W.shape[0],
            _weight_gradients=Buffers(W.shape, W.dtype),
        )

    def __repr__(self) -> str:
        """Return the sizes and the activation."""
        return f"AffineLayer({self.input_size} -> {self.output_size}, {self.activation.name})"

    @property
    def parameters(self) -> dict[str, Array]:
        """`W` and `b` by these names."""
        return {"W": self.weight, "b": self.bias}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other `W` and `b`; raises as the class does."""
        return type(self)(parameters["W"], parameters["b"], self.activation)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `a` and `z = s(a)`, both `(..., output_size)`."""
        preactivations = inputs @ self.weight.T
        preactivations += self.bias
        return preactivations, self.activation.function(preactivations)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(s'(a)) W`, dense, of shape `(output_size, input_size)`."""
        return DenseJacobian(visit.slopes(self.activation)[:, np.newaxis] * self.weight)

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dW = diag(s'(a)) (I (x) z_in^T)`, with `W` row-major, and `dz/db`."""
        slopes = DiagonalJacobian(visit.slopes(self.activation))
        by_weight = KroneckerJacobian(visit.inputs, self.output_size)
        return {"W": multiply(slopes, by_weight), "b": slopes}

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return `g diag(s'(a)) W`, of shape `(n, input_size)`."""
        return (adjoints * visit.slopes(self.activation)) @ self.weight

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return `diag(s'(a)) W t`, of shape `(n, output_size)`."""
        return (tangents @ self.weight.T) * visit.slopes(self.activation)

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of `W` and `b`, and the input adjoints `g diag(s'(a)) W`."""
        deltas = adjoints * visit.slopes(self.activation)  # dl/da
        # For a batch of one, `dot` passes the outer product to BLAS, unlike `matmul`: 5 x faster.
        by_weight = np.dot(deltas.T, visit.inputs, out=self._weight_gradients.take())
        return {"W": by_weight, "b": deltas.sum(axis=0)}, deltas @ self.weight
