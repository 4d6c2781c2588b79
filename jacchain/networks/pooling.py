"""Pooling over windows: averages, with a sparse Jacobian, and maxima, with a selection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.base import check_dtype
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.jacobians.structure import check_sizes
from jacchain.networks.layers import Visit, WithoutParameters
from jacchain.networks.windows import Sizes, Windows

if TYPE_CHECKING:
    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.arrays import Array


class _PoolingLayer(WithoutParameters, ABC):
    """What both have in common: no parameter, and windows over each channel by itself.

    Parameters
    ----------
    channels
        Of input and output.
    size
        Of the input along its one or two axes, without the channels.
    kernel
        Taps along each axis.
    stride
        By default the kernel, so that windows do not overlap.
    dtype
        float32 or float64.
    """

    def __init__(
        self,
        channels: int,
        size: Sizes,
        kernel: int | Sizes,
        stride: int | Sizes | None = None,
        *,
        dtype: npt.DTypeLike = "float64",
    ) -> None:
        (self.channels,) = check_sizes([channels])
        taps = kernel if isinstance(kernel, tuple) else (kernel,) * len(size)
        self.windows = Windows(tuple(size), taps, taps if stride is None else stride)
        self.dtype = check_dtype(dtype)

    def __repr__(self) -> str:
        """Return the sizes."""
        before = " x ".join(map(str, (self.channels, *self.windows.size)))
        after = " x ".join(map(str, (self.channels, *self.windows.output)))
        return f"{type(self).__name__}({before} -> {after})"

    @property
    def input_size(self) -> int:
        """Channels times elements of the input."""
        return self.channels * prod(self.windows.size)

    @property
    def output_size(self) -> int:
        """Channels times windows."""
        return self.channels * prod(self.windows.output)

    def _read(self, inputs: Array) -> Array:
        """What each window reads, shape (..., channels, windows, taps)."""
        return self.windows.read(inputs.reshape(*inputs.shape[:-1], self.channels, -1))

    @abstractmethod
    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the output twice: there is no activation."""


class AveragePoolingLayer(_PoolingLayer):
    """The average of each window.

    Parameters and errors are those of `Windows` and its channels: see `MaxPoolingLayer`.

    Examples
    --------
    >>> layer = AveragePoolingLayer(1, (4,), 2)
    >>> layer.forward(np.array([1.0, 3.0, 5.0, 9.0]))[1]
    array([2., 7.])
    >>> from jacchain.networks.layers import visit
    >>> layer.jacobian(visit(layer, np.zeros(4))).to_dense()
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the averages twice: there is no activation."""
        means = self._average(inputs)
        return means, means

    def _average(self, inputs: Array) -> Array:
        return np.asarray(self._read(inputs).mean(axis=-1).reshape(*inputs.shape[:-1], -1))

    def linear(self) -> SparseJacobian:
        """Return the Jacobian, the same at every point."""
        taps = self.windows.taps
        at = np.arange(self.channels)[:, None, None] * prod(self.windows.size) + taps
        counts = np.arange(self.channels * len(taps) + 1) * taps.shape[1]
        values = np.full(at.size, 1 / taps.shape[1], self.dtype)
        return SparseJacobian(Pattern(counts, at.ravel(), self.input_size), values)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the derivative of output by input, sparse."""
        del visit
        return self.linear()

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return each adjoint in equal shares to what its window reads."""
        del visit
        taps = self.windows.taps.shape[1]
        by_channel = adjoints.reshape(len(adjoints), self.channels, -1, 1) / taps
        shares = np.broadcast_to(by_channel, (*by_channel.shape[:-1], taps))
        return self.windows.spread(shares).reshape(len(adjoints), -1)

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the averages of the tangents."""
        del visit
        return self._average(tangents)


class MaxPoolingLayer(_PoolingLayer):
    """The largest element of each window; of equal ones the first, by convention.

    Raises
    ------
    TypeError, ValueError
        As `Windows`, or if there is no channel, or the dtype is another.

    Examples
    --------
    >>> layer = MaxPoolingLayer(1, (4,), 2)
    >>> layer.forward(np.array([1.0, 3.0, 9.0, 5.0]))[1]
    array([3., 9.])
    >>> from jacchain.networks.layers import visit
    >>> layer.jacobian(visit(layer, np.array([1.0, 3.0, 9.0, 5.0]))).to_dense()
    array([[0., 1., 0., 0.],
           [0., 0., 1., 0.]])
    """

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return the maxima twice: there is no activation."""
        chosen = self._chosen(inputs)
        maxima = np.take_along_axis(inputs, chosen, axis=-1)
        return maxima, maxima

    def _chosen(self, inputs: Array) -> npt.NDArray[np.integer[Any]]:
        """Flat index of each window's largest element, shape (..., output_size)."""
        tap = self._read(inputs.real).argmax(axis=-1)
        taps = self.windows.taps
        within = taps[np.arange(len(taps)), tap]
        at = np.arange(self.channels)[:, None] * prod(self.windows.size) + within
        return np.asarray(at.reshape(*inputs.shape[:-1], -1))

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return the derivative of output by input, a selection."""
        return SelectionJacobian.of(self._chosen(visit.inputs), self.input_size, self.dtype)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return each adjoint to the largest element of its window."""
        back = np.zeros((len(adjoints), self.input_size), adjoints.dtype)
        rows = np.arange(len(adjoints))[:, None]
        np.add.at(back, (rows, self._chosen(visit.inputs)), adjoints)  # windows may overlap
        return back

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return the tangent of the largest element of each window."""
        chosen = np.broadcast_to(self._chosen(visit.inputs), (len(tangents), self.output_size))
        return np.take_along_axis(tangents, chosen, axis=-1)
