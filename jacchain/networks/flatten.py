"""Flattening: the axes of an array in another sequence, a permutation of its elements."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import check_dtype
from jacchain.jacobians.diagonal import IdentityJacobian
from jacchain.jacobians.sparse import SelectionJacobian
from jacchain.jacobians.structure import check_sizes
from jacchain.networks.layers import Visit, WithoutParameters

if TYPE_CHECKING:
    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.arrays import Array


class FlattenLayer(WithoutParameters):
    """The layer that lays the elements of an array in a row, its axes in a given sequence.

    All arrays here are flat already, channels first: with the axes as they are it is the identity.
    In another sequence, such as channels last, it is a permutation.

    Parameters
    ----------
    shape
        Of the input, channels first.
    axes
        A permutation of the axes; by default as they are.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If a size is no integer, or the dtype another.
    ValueError
        If a size is below 1, or the axes are no permutation.

    Examples
    --------
    >>> layer = FlattenLayer((2, 3), axes=(1, 0))
    >>> layer
    FlattenLayer(2 x 3, axes (1, 0))
    >>> layer.forward(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))[1]
    array([1., 4., 2., 5., 3., 6.])
    >>> from jacchain.networks.layers import visit
    >>> layer.jacobian(visit(layer, np.zeros(6))).structure.kind
    'selection'
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        axes: tuple[int, ...] | None = None,
        *,
        dtype: npt.DTypeLike = "float64",
    ) -> None:
        self.shape, self.dtype = check_sizes(shape), check_dtype(dtype)
        self.axes = tuple(range(len(self.shape))) if axes is None else tuple(axes)
        if sorted(self.axes) != list(range(len(self.shape))):
            message = f"axes {self.axes}: expected a permutation of 0 to {len(self.shape) - 1}"
            raise ValueError(message)
        self._chosen = np.arange(self.input_size).reshape(self.shape).transpose(self.axes).ravel()

    def __repr__(self) -> str:
        """Return the shape and the sequence of the axes."""
        return f"FlattenLayer({' x '.join(map(str, self.shape))}, axes {self.axes})"

    @property
    def input_size(self) -> int:
        """Elements of the array."""
        return prod(self.shape)

    @property
    def output_size(self) -> int:
        """As many."""
        return self.input_size

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the elements in their sequence twice: there is no activation."""
        moved = inputs[..., self._chosen]
        return moved, moved

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the identity, or the permutation as a selection."""
        del visit
        if self.axes == tuple(range(len(self.shape))):
            return IdentityJacobian(self.input_size, self.dtype)
        return SelectionJacobian.of(self._chosen, self.input_size, self.dtype)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return the adjoints in the sequence of the input."""
        del visit
        back = np.empty_like(adjoints)
        back[:, self._chosen] = adjoints
        return back

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the tangents in the sequence of the output."""
        del visit
        return np.asarray(tangents[:, self._chosen])
