"""Layer normalisation, and blocks with a skip connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import DiagonalJacobian, IdentityJacobian
from jacchain.networks.arrays import Array, as_array, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.layers import Visit


class LayerNormalisation:
    """The layer `z = gamma n + beta`, where `n` is the input with mean 0 and variance 1.

    Ba, Kiros and Hinton, 2016, arXiv:1607.06450: `n = (z_in - mean) / sqrt(variance + epsilon)`.

    Parameters
    ----------
    gamma, beta
        Of shape (size,), of one dtype. Arrays are copied.
    epsilon
        Above 0.

    Raises
    ------
    TypeError, ValueError
        If they are not real, finite and of one shape, or epsilon is none.

    Examples
    --------
    >>> layer = LayerNormalisation([1.0, 1.0], [0.0, 0.0])
    >>> layer
    LayerNormalisation(2)
    >>> layer.forward(np.array([1.0, 3.0]))[1].round(4)
    array([-1.,  1.])
    """

    def __init__(self, gamma: npt.ArrayLike, beta: npt.ArrayLike, *, epsilon: float = 1e-5) -> None:
        scale = as_array(gamma, "gamma", (None,))
        shift = as_array(beta, "beta", scale.shape)
        if scale.dtype != shift.dtype:
            message = f"gamma is {scale.dtype}, but beta {shift.dtype}; expected one dtype for both"
            raise TypeError(message)
        if not 0 < epsilon < np.inf:
            message = f"epsilon is {epsilon}; expected a small number above 0, such as 1e-5"
            raise ValueError(message)
        self.gamma, self.beta, self.epsilon = frozen(scale), frozen(shift), float(epsilon)

    def __repr__(self) -> str:
        """Return the size."""
        return f"LayerNormalisation({self.input_size})"

    @property
    def input_size(self) -> int:
        """Elements of the input."""
        return len(self.gamma)

    @property
    def output_size(self) -> int:
        """As many."""
        return len(self.gamma)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of gamma and beta."""
        return self.gamma.dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """`gamma` and `beta` by these names."""
        return {"gamma": self.gamma, "beta": self.beta}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other parameters; raises as the class does."""
        return type(self)(parameters["gamma"], parameters["beta"], epsilon=self.epsilon)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `n` and `z`."""
        normalised = (inputs - inputs.mean(axis=-1, keepdims=True)) / self._deviation(inputs)
        return normalised, self.gamma * normalised + self.beta

    def _deviation(self, inputs: Array) -> Array:
        centred = inputs - inputs.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)  # also of complex steps
        deviation: Array = np.sqrt(variance + np.asarray(self.epsilon, self.dtype))
        return deviation

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(gamma) (I - 1/k - n n^T / k) / deviation` of k elements, dense."""
        size, n = self.input_size, visit.preactivations
        mixed = np.eye(size, dtype=self.dtype) - (1 + np.outer(n, n)) / size
        return DenseJacobian(self.gamma[:, None] * mixed / self._deviation(visit.inputs))

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dgamma = diag(n)`, and the identity by beta."""
        return {
            "gamma": DiagonalJacobian(visit.preactivations),
            "beta": IdentityJacobian(self.input_size, self.dtype),
        }

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of gamma and beta, and the adjoints of the inputs."""
        by_gamma = (adjoints * visit.preactivations).sum(axis=0)
        return {"gamma": by_gamma, "beta": adjoints.sum(axis=0)}, self.vjp(adjoints, visit)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, shape `(n, input_size)`."""
        return self._normalise(adjoints * self.gamma, visit)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times tangents, shape `(n, output_size)`."""
        return self._normalise(tangents, visit) * self.gamma

    def _normalise(self, rows: Array, visit: Visit) -> Array:
        """Rows times the symmetric `dn/dz_in`."""
        n = visit.preactivations
        along = (rows * n).mean(axis=-1, keepdims=True)
        centred = rows - rows.mean(axis=-1, keepdims=True) - along * n
        return np.asarray(centred / self._deviation(visit.inputs))
