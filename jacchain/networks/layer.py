"""What a layer is, and what a forward pass stores at one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import Jacobian
from jacchain.networks.activations import Activation
from jacchain.networks.arrays import Array


class Visit(NamedTuple):
    """What a forward pass stored at one layer: `(size,)` at a point, `(n, size)` for a batch."""

    inputs: Array
    preactivations: Array
    outputs: Array

    def slopes(self, activation: Activation) -> Array:
        """Return `s'(a)`, of the shape of the preactivations."""
        return activation.derivative(self.preactivations, self.outputs)


class Layer(ABC):
    """One layer `z = f(z_in; parameters)` of a network.

    A batch is an array `(n, size)`, one point a row. Derivatives are taken at a `Visit`. Adjoints
    and tangents are rows: one for each sample of a batch, or any number at a point. A layer
    without parameters defines the abstract methods only.

    Attributes
    ----------
    input_size, output_size
        Elements of the input and of the output.
    dtype
        The dtype of parameters and outputs.
    """

    input_size: int
    output_size: int
    dtype: np.dtype[Any]

    @property
    def parameters(self) -> dict[str, Array]:
        """The trainable arrays by name."""
        return {}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the same layer with other parameters; raises as the class does."""
        del parameters
        return self

    @abstractmethod
    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return preactivation and output, `(..., size)`, of inputs `(..., input_size)`."""

    @abstractmethod
    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `dz/dz_in` at a point, `(output_size, input_size)`."""

    @abstractmethod
    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, `(n, input_size)`, without the Jacobian."""

    @abstractmethod
    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times each tangent, `(n, output_size)`, without the Jacobian."""

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dp` at a point for each parameter p, `(output_size, p.size)`, p row-major."""
        del visit
        return {}

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return parameter gradients, summed over the batch, and the result of `vjp`."""
        return {}, self.vjp(adjoints, visit)


def visit(layer: Layer, inputs: Array) -> Visit:
    """Return what a forward pass stores at one layer; inputs are `(size,)` or `(n, size)`.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> visit(AffineLayer([[2.0]], [1.0], "relu"), np.array([-3.0]))
    Visit(inputs=array([-3.]), preactivations=array([-5.]), outputs=array([0.]))
    """
    return Visit(inputs, *layer.forward(inputs))
