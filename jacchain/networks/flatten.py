"""Flattening an array, with its axes in a chosen sequence."""

from math import prod

import numpy as np
import numpy.typing as npt

from jacchain.inputs import as_integers, check_dtype, check_sizes, short
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.diagonal import IdentityJacobian
from jacchain.jacobians.sparse import SelectionJacobian
from jacchain.limits import check_room
from jacchain.networks.arrays import Array
from jacchain.networks.layer import Layer, Visit


class FlattenLayer(Layer):
    """The layer that flattens an array row-major, its axes permuted first.

    Inputs of all layers are flat already, channels first. So without a permutation this is the
    identity; with one, such as channels last, it permutes the elements.

    Parameters
    ----------
    shape
        Shape of the input, channels first.
    axes
        A permutation of the axes, as `numpy.transpose` takes it; by default none.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If a size is not an integer, or the dtype is another.
    ValueError
        If a size is below 1, or the axes are not a permutation.

    Examples
    --------
    >>> layer = FlattenLayer((2, 3), axes=(1, 0))
    >>> layer
    FlattenLayer(2 x 3, axes (1, 0))
    >>> layer.forward(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))[1]
    array([1., 4., 2., 5., 3., 6.])
    >>> from jacchain.networks.layer import visit
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
        all_axes = tuple(range(len(self.shape)))
        self.axes = all_axes if axes is None else as_integers(axes, "axes")
        if sorted(self.axes) != list(all_axes):
            message = f"axes {short(self.axes)}: expected a permutation of 0 to {len(all_axes) - 1}"
            raise ValueError(message)
        self.input_size = self.output_size = prod(self.shape)
        check_room(np.intp(0).itemsize * self.input_size, "the permutation", "make it smaller")
        self._chosen = np.arange(self.input_size).reshape(self.shape).transpose(self.axes).ravel()

    def __repr__(self) -> str:
        """Return the shape and the axes."""
        return f"FlattenLayer({' x '.join(map(str, self.shape))}, axes {self.axes})"

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the permuted elements `(..., output_size)` twice: there is no activation."""
        moved = inputs[..., self._chosen]
        return moved, moved

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the identity, or a selection that permutes, `(output_size, input_size)`."""
        del visit
        if self.axes == tuple(range(len(self.shape))):
            return IdentityJacobian(self.input_size, self.dtype)
        return SelectionJacobian.from_indices(self._chosen, self.input_size, self.dtype)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return the adjoints in the order of the input, `(n, input_size)`."""
        del visit
        back = np.empty_like(adjoints)
        back[:, self._chosen] = adjoints
        return back

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the tangents in the order of the output, `(n, output_size)`."""
        del visit
        return np.asarray(tangents[:, self._chosen])
