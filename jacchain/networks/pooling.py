"""Pooling over windows: averages, with a sparse Jacobian, and maxima, with a selection."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from jacchain.inputs import check_dtype, check_sizes
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.networks.arrays import Array
from jacchain.networks.layer import Layer, Visit
from jacchain.networks.windows import Sizes, Windows


class _PoolingLayer(Layer):
    """Windows over each channel separately; inputs and outputs are flat, channels first."""

    def __init__(
        self,
        channels: int,
        size: int | Sizes,
        kernel: int | Sizes,
        stride: int | Sizes | None = None,
        *,
        padding: int | Sizes = 0,
        ceil: bool = False,
        dtype: npt.DTypeLike = "float64",
    ) -> None:
        (self.channels,) = check_sizes([channels])
        steps = kernel if stride is None else stride
        self.windows = Windows(size, kernel, steps, padding, ceil=ceil)
        if (self.windows.taps == prod(self.windows.size)).all(axis=1).any():
            message = f"padding {self.windows.padding} for a kernel of {self.windows.kernel}: a "
            message += "window lies wholly in it; pad by half a kernel at most"
            raise ValueError(message)
        self.dtype = check_dtype(dtype)
        self.input_size = self.channels * prod(self.windows.size)
        self.output_size = self.channels * prod(self.windows.output)

    def __repr__(self) -> str:
        """Return the sizes."""
        return f"{type(self).__name__}({self.windows.describe(self.channels, self.channels)})"

    def _read(self, inputs: Array) -> Array:
        """Return the elements under windows, `(..., channels, windows, taps)`."""
        return self.windows.read(inputs.reshape(*inputs.shape[:-1], self.channels, -1))


class AveragePoolingLayer(_PoolingLayer):
    """The layer that averages each window; takes and raises what `MaxPoolingLayer` does.

    Padding counts as zeros. What a last window reaches beyond it does not count.

    Examples
    --------
    >>> layer = AveragePoolingLayer(1, (4,), kernel=2)
    >>> layer.forward(np.array([1.0, 3.0, 5.0, 9.0]))[1]
    array([2., 7.])
    >>> from jacchain.networks.layer import visit
    >>> layer.jacobian(visit(layer, np.zeros(4))).to_dense()
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the averages `(..., output_size)` twice: there is no activation."""
        means = self._average(inputs)
        return means, means

    def _average(self, inputs: Array) -> Array:
        """Return the averages `(..., output_size)` of inputs `(..., input_size)`."""
        means = self._read(inputs).sum(axis=-1) / self._counted
        return np.asarray(means.reshape(*inputs.shape[:-1], -1))

    @property
    def _counted(self) -> Array:
        """Elements that each window averages, `(windows,)`."""
        return self.windows.padded_taps.astype(self.dtype)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `dz/dz_in`, sparse, of shape `(output_size, input_size)`."""
        del visit  # the same at every point
        taps, length = self.windows.taps, prod(self.windows.size)
        inside = np.tile(taps < length, (self.channels, 1))
        columns = (np.arange(self.channels)[:, None, None] * length + taps).reshape(inside.shape)
        starts = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
        shares = np.tile(1 / self._counted, self.channels)[:, None]
        values = np.broadcast_to(shares, inside.shape)[inside]
        return SparseJacobian(Pattern(starts, columns[inside], self.input_size), values)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints spread equally over their windows, `(n, input_size)`."""
        del visit
        by_channel = adjoints.reshape(len(adjoints), self.channels, -1) / self._counted
        taps = self.windows.taps.shape[1]
        shares = np.broadcast_to(by_channel[..., None], (*by_channel.shape, taps))
        return self.windows.spread(shares).reshape(len(adjoints), -1)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the averages of the tangents, `(n, output_size)`."""
        del visit
        return self._average(tangents)


class MaxPoolingLayer(_PoolingLayer):
    """The layer that takes the largest element of each window; the first, if several are equal.

    Parameters
    ----------
    channels
        Channels of input and output; each is pooled separately.
    size
        Input elements along its one or two axes, without the channels.
    kernel
        Elements of a window, for all axes or along each.
    stride
        Steps between windows; by default the kernel, so that windows do not overlap.
    padding
        Places added at either end, for all axes or along each; no maximum lies there.
    ceil
        Whether a last window may reach beyond the padding, so that no element is left out.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError
        If a size is not an integer, or the dtype is another.
    ValueError
        If a size is below 1, the numbers of axes differ, a window is larger than the input, or
        lies wholly in the padding.

    Examples
    --------
    >>> layer = MaxPoolingLayer(1, (4,), kernel=2)
    >>> layer.forward(np.array([1.0, 3.0, 9.0, 5.0]))[1]
    array([3., 9.])
    >>> from jacchain.networks.layer import visit
    >>> layer.jacobian(visit(layer, np.array([1.0, 3.0, 9.0, 5.0]))).to_dense()
    array([[0., 1., 0., 0.],
           [0., 0., 1., 0.]])
    """

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the maxima `(..., output_size)` twice: there is no activation."""
        chosen = self._chosen(inputs)
        maxima = np.take_along_axis(inputs, chosen, axis=-1)
        return maxima, maxima

    def _chosen(self, inputs: Array) -> npt.NDArray[np.integer[Any]]:
        """Return the flat index of the largest element of each window, `(..., output_size)`."""
        taps = self.windows.taps
        inside = taps < prod(self.windows.size)
        tap = np.where(inside, self._read(inputs.real), -np.inf).argmax(axis=-1)
        within = taps[np.arange(len(taps)), tap]
        indices = np.arange(self.channels)[:, None] * prod(self.windows.size) + within
        return np.asarray(indices.reshape(*inputs.shape[:-1], -1))

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `dz/dz_in`, a selection, of shape `(output_size, input_size)`."""
        columns = self._chosen(visit.inputs)
        return SelectionJacobian.from_indices(columns, self.input_size, self.dtype)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return adjoints at the largest elements of their windows, `(n, input_size)`."""
        back = np.zeros((len(adjoints), self.input_size), adjoints.dtype)
        rows = np.arange(len(adjoints))[:, None]
        np.add.at(back, (rows, self._chosen(visit.inputs)), adjoints)  # windows may overlap
        return back

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the tangents of the largest elements, `(n, output_size)`."""
        chosen = np.broadcast_to(self._chosen(visit.inputs), (len(tangents), self.output_size))
        return np.take_along_axis(tangents, chosen, axis=-1)
