"""Layer normalisation."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import DiagonalJacobian, IdentityJacobian
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.layer import Layer, Visit


class LayerNormalisation(Layer):
    """The layer `z = gamma n + beta`, where `n` is the input scaled to mean 0 and variance 1.

    Ba, Kiros and Hinton, 2016, arXiv:1607.06450: `n = (z_in - mean) / sqrt(variance + epsilon)`.

    Parameters
    ----------
    gamma, beta
        Arrays of shape `(size,)` and one dtype; they are copied.
    epsilon
        A number above 0 that keeps the division finite.

    Raises
    ------
    TypeError, ValueError
        If gamma or beta is not real, not finite, or of another shape or dtype, or if epsilon is
        not a finite number above 0.

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
        if as_array(epsilon, "epsilon", (), scale.dtype) <= 0:
            message = f"epsilon is {epsilon}; expected a small number, such as 1e-5, above 0 as a "
            message += f"{scale.dtype}"
            raise ValueError(message)
        self.gamma, self.beta = frozen(gamma=scale, beta=shift)
        self.epsilon, self.dtype = float(epsilon), scale.dtype
        self.input_size = self.output_size = len(scale)

    def __repr__(self) -> str:
        """Return the size."""
        return f"LayerNormalisation({self.input_size})"

    @property
    def parameters(self) -> dict[str, Array]:
        """`gamma` and `beta` by these names."""
        return {"gamma": self.gamma, "beta": self.beta}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other gamma and beta; raises as the class does."""
        return type(self)(parameters["gamma"], parameters["beta"], epsilon=self.epsilon)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `n` and `z`, both `(..., output_size)`."""
        centred, deviation, _ = self._scaled(inputs)
        normalised = centred / deviation
        return normalised, self.gamma * normalised + self.beta

    def _scaled(self, inputs: Array) -> tuple[Array, Array, Array]:
        """Return inputs less their mean, `sqrt(variance + epsilon)`, and a scale both are over.

        Of inputs `(..., input_size)`: the last two are `(..., 1)`. The scale, a power of two, keeps
        squares and sums of huge inputs finite.
        """
        largest = np.abs(inputs.real).max(axis=-1, keepdims=True)
        scale = np.ldexp(np.ones_like(largest), np.maximum(np.frexp(largest)[1] - 1, 0))
        unit = inputs / scale
        centred = unit - unit.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)  # `var` is wrong if complex
        epsilon = np.asarray(self.epsilon, self.dtype)
        spread = np.sqrt(variance + epsilon / scale / scale)  # where that underflows, below
        return centred, np.where(variance == 0, np.sqrt(epsilon) / scale, spread), scale

    def _over_deviation(self, rows: Array, inputs: Array) -> Array:
        """Divide rows `(..., k)` by `sqrt(variance + epsilon)`, which may be beyond the dtype."""
        _, deviation, scale = self._scaled(inputs)
        large = np.maximum(deviation, 1)
        return np.asarray(rows / large / (deviation / large * scale))

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(gamma) (I - 1/k - n n^T / k) / deviation`, `(k, k)` for k elements."""
        size, n = self.input_size, visit.preactivations
        mixed = np.eye(size, dtype=self.dtype) - (1 + np.outer(n, n)) / size
        return DenseJacobian(self._over_deviation(self.gamma[:, None] * mixed, visit.inputs))

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dgamma = diag(n)` and `dz/dbeta = I`."""
        return {
            "gamma": DiagonalJacobian(visit.preactivations),
            "beta": IdentityJacobian(self.input_size, self.dtype),
        }

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of gamma and beta, and the input adjoints."""
        by_gamma = (adjoints * visit.preactivations).sum(axis=0)
        return {"gamma": by_gamma, "beta": adjoints.sum(axis=0)}, self.vjp(adjoints, visit)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, of shape `(n, input_size)`."""
        return self._normalise(adjoints * self.gamma, visit)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times each tangent, of shape `(n, output_size)`."""
        return self._normalise(tangents, visit) * self.gamma

    def _normalise(self, rows: Array, visit: Visit) -> Array:
        """Return rows `(n, size)` times the symmetric `dn/dz_in`."""
        n = visit.preactivations
        along = (rows * n).mean(axis=-1, keepdims=True)
        centred = rows - rows.mean(axis=-1, keepdims=True) - along * n
        return self._over_deviation(centred, visit.inputs)
