"""A block with its skip connection: one factor of the chain."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.products import multiply
from jacchain.networks.network import check_layers, numbered
from jacchain.networks.passes import jacobians, pull_back, pull_rows, push_forward, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.arrays import Array
    from jacchain.networks.layers import Layer, Visit


class ResidualLayer:
    """The layer `z = z_in + f(z_in)`, where `f` is layers one after the other.

    He et al., CVPR 2016, arXiv:1512.03385. With the skip inside, the chain stays a chain: the
    block's Jacobian is `I + df/dz_in`. Preactivations inside are computed again where they are
    needed, and not kept.

    Parameters
    ----------
    layers
        At least one, that together give as many elements as they take.

    Raises
    ------
    TypeError, ValueError
        If sizes or dtypes do not fit.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer, visit
    >>> block = ResidualLayer([AffineLayer([[2.0, 0.0], [0.0, 3.0]], [0.0, 0.0])])
    >>> block.jacobian(visit(block, np.ones(2))).to_dense()
    array([[3., 0.],
           [0., 4.]])
    >>> sorted(block.parameters)
    ['W1_', 'b1_']
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = tuple(layers)
        check_layers(self.layers)
        if self.input_size != self.output_size:
            message = (
                f"the block takes {self.input_size} elements and gives {self.output_size}; "
                "a skip connection adds both, so make them equal"
            )
            raise ValueError(message)

    def __repr__(self) -> str:
        """Return what is inside."""
        return f"ResidualLayer({', '.join(map(repr, self.layers))})"

    @property
    def input_size(self) -> int:
        """That of the first layer inside."""
        return self.layers[0].input_size

    @property
    def output_size(self) -> int:
        """That of the last layer inside."""
        return self.layers[-1].output_size

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the layers inside."""
        return self.layers[0].dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """Those of the layers inside, counted from 1: `{"W1_": ..., "b1_": ...}`."""
        return _inside(layer.parameters for layer in self.layers)

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the block with other parameters; raises as its layers do."""
        return type(self)(
            layer.with_parameters({name: parameters[f"{name}{k}_"] for name in layer.parameters})
            for k, layer in enumerate(self.layers, start=1)
        )

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the output of the layers inside, and with the input added to it."""
        inner = trace(self.layers, inputs).output
        return inner, inputs + inner

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `I + df/dz_in`, dense."""
        inner = reduce(multiply, jacobians(self.layers, trace(self.layers, visit.inputs)))
        return DenseJacobian(inner.to_dense() + np.eye(self.input_size, dtype=self.dtype))

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return the derivative of output by each parameter inside."""
        passed = trace(self.layers, visit.inputs)
        factors = jacobians(self.layers, passed)
        found = []
        for k, (layer, seen) in enumerate(passed.steps(self.layers), start=1):
            later = factors[: len(self.layers) - k]
            own = layer.parameter_jacobians(seen)
            found.append({name: reduce(multiply, [*later, j]) for name, j in own.items()})
        return _inside(found)

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients inside, and the adjoints of the inputs, by both ways."""
        found, back = pull_back(self.layers, trace(self.layers, visit.inputs), adjoints)
        return _inside(found), adjoints + back

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints times Jacobian, by both ways."""
        return adjoints + pull_rows(self.layers, trace(self.layers, visit.inputs), adjoints)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return Jacobian times tangents, by both ways."""
        return tangents + push_forward(self.layers, trace(self.layers, visit.inputs), tangents)


def _inside(arrays: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Names of what is inside end in an underscore, so that the block's own number may follow."""
    return {f"{name}_": array for name, array in numbered(arrays).items()}
