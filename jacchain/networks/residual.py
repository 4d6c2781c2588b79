"""Blocks of layers with a skip connection."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from jacchain.inputs import as_tuple
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.products import multiply
from jacchain.networks import passes
from jacchain.networks.arrays import Array
from jacchain.networks.layer import Layer, Visit
from jacchain.networks.network import check_layers, numbered, with_parameters

T = TypeVar("T")


class ResidualLayer(Layer):
    """The layer `z = z_in + f(z_in)`, where `f` is a sequence of layers.

    He et al., CVPR 2016, arXiv:1512.03385. The block is one factor of the chain, `I + df/dz_in`.
    Values inside the block are not stored: derivatives run its forward pass again.

    Parameters
    ----------
    layers
        At least one; the last gives as many elements as the first takes.

    Raises
    ------
    TypeError, ValueError
        If sizes or dtypes do not fit.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> from jacchain.networks.layer import visit
    >>> block = ResidualLayer([AffineLayer([[2.0, 0.0], [0.0, 3.0]], [0.0, 0.0])])
    >>> block.jacobian(visit(block, np.ones(2))).to_dense()
    array([[3., 0.],
           [0., 4.]])
    >>> sorted(block.parameters)
    ['W1_', 'b1_']
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = as_tuple(layers, Layer, "the layers")
        check_layers(self.layers)
        self.dtype, self.input_size = self.layers[0].dtype, self.layers[0].input_size
        self.output_size = self.layers[-1].output_size
        if self.input_size != self.output_size:
            message = (
                f"the block takes {self.input_size} elements and gives {self.output_size}; "
                "the skip connection adds input and output, so make the sizes equal"
            )
            raise ValueError(message)

    def __repr__(self) -> str:
        """Return the layers inside."""
        return f"ResidualLayer({', '.join(map(repr, self.layers))})"

    @property
    def parameters(self) -> dict[str, Array]:
        """Parameters of the layers inside, counted from 1: `{"W1_": ..., "b1_": ...}`."""
        return _inside(layer.parameters for layer in self.layers)

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the block with other parameters; raises as its layers do."""
        inside = {name.removesuffix("_"): value for name, value in parameters.items()}
        return type(self)(with_parameters(self.layers, inside))

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `f(z_in)` and `z_in + f(z_in)`, both `(..., output_size)`."""
        inner = passes.trace(self.layers, inputs).output
        return inner, inputs + inner

    def _inner(self, visit: Visit) -> passes.ForwardPass:
        """Return the forward pass inside the block."""
        return passes.trace(self.layers, visit.inputs)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `I + df/dz_in`, dense, of shape `(output_size, input_size)`."""
        inner = reduce(multiply, passes.jacobians(self.layers, self._inner(visit)))
        return DenseJacobian(inner.to_dense() + np.eye(self.input_size, dtype=self.dtype))

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dp` for each parameter inside, of shape `(output_size, p.size)`."""
        by_name = _inside(passes.parameter_factors(self.layers, self._inner(visit)))
        return {name: reduce(multiply, factors) for name, factors in by_name.items()}

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the parameter gradients inside, and the input adjoints."""
        by_layer, back = passes.pull_back(self.layers, self._inner(visit), adjoints)
        return _inside(by_layer), adjoints + back

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, of shape `(n, input_size)`."""
        return adjoints + passes.pull_rows(self.layers, self._inner(visit), adjoints)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times each tangent, of shape `(n, output_size)`."""
        return tangents + passes.push_forward(self.layers, self._inner(visit), tangents)


def _inside(by_layer: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return values by numbered names with an underscore, after which a network puts its number."""
    return {f"{name}_": value for name, value in numbered(by_layer).items()}
