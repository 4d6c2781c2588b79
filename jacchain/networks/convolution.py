"""Convolution over one or two axes, as cross-correlation, with a sparse Jacobian."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.products import multiply
from jacchain.jacobians.sparse import SparseJacobian
from jacchain.networks.activations import Activation, as_activation
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.windows import Sizes, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.layers import Visit


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ConvolutionLayer:
    """The layer `z = s(a)`, where `a` correlates the input with a kernel for each channel.

    `a[k, o] = b[k] + sum over c and t of W[k, c, t] z_in[c, o stride - padding + t dilation]`.
    Inputs and outputs are flat: channels first, then the axes, row by row.

    Parameters
    ----------
    weight
        `W`, of shape `(channels out, channels in, kernel)` or `(..., kernel, kernel)`.
    bias
        `b`, of shape `(channels out,)`.
    size
        Of the input along its one or two axes, without the channels.
    activation
        `s`, by name or as an `Activation`.
    stride, padding, dilation
        As of `Windows`, one for all axes or one for each.

    Raises
    ------
    TypeError
        If `weight` or `bias` is not real, or their dtypes differ.
    ValueError
        If shapes do not fit, an entry is NaN or infinite, the kernel is larger than the padded
        input, a stride or dilation is below 1, or the activation is unknown.

    Examples
    --------
    >>> layer = ConvolutionLayer([[[1.0, 0.0, -1.0]]], [0.0], size=(5,))
    >>> layer
    ConvolutionLayer(1 x 5 -> 1 x 3, identity)
    >>> layer.forward(np.array([1.0, 2.0, 4.0, 8.0, 16.0]))[1]
    array([ -3.,  -6., -12.])
    >>> from jacchain.networks.layers import visit
    >>> layer.jacobian(visit(layer, np.zeros(5))).to_dense()
    array([[ 1.,  0., -1.,  0.,  0.],
           [ 0.,  1.,  0., -1.,  0.],
           [ 0.,  0.,  1.,  0., -1.]])
    """

    weight: Array
    bias: Array
    activation: Activation
    windows: Windows
    _pattern: Pattern = field(repr=False)
    _source: npt.NDArray[np.integer[Any]] = field(repr=False)

    def __init__(
        self,
        weight: npt.ArrayLike,
        bias: npt.ArrayLike,
        size: Sizes,
        activation: str | Activation = "identity",
        *,
        stride: int | Sizes = 1,
        padding: int | Sizes = 0,
        dilation: int | Sizes = 1,
    ) -> None:
        W = as_array(weight, "the weight", (None,) * (2 + len(size)))
        b = as_array(bias, "the bias", (W.shape[0],))
        if W.dtype != b.dtype:
            msg = f"the weight is {W.dtype}, but the bias {b.dtype}; expected one dtype for both"
            raise TypeError(msg)
        windows = Windows(tuple(size), W.shape[2:], stride, padding, dilation)
        object.__setattr__(self, "weight", frozen(W))
        object.__setattr__(self, "bias", frozen(b))
        object.__setattr__(self, "activation", as_activation(activation))
        object.__setattr__(self, "windows", windows)
        pattern, source = _linear_pattern(windows, *W.shape[:2])
        object.__setattr__(self, "_pattern", pattern)
        object.__setattr__(self, "_source", source)

    def __repr__(self) -> str:
        """Return the sizes and the activation."""
        before = " x ".join(map(str, (self.weight.shape[1], *self.windows.size)))
        after = " x ".join(map(str, (self.weight.shape[0], *self.windows.output)))
        return f"ConvolutionLayer({before} -> {after}, {self.activation.name})"

    @property
    def input_size(self) -> int:
        """Channels times elements of the input."""
        return int(self.weight.shape[1]) * prod(self.windows.size)

    @property
    def output_size(self) -> int:
        """Channels times elements of the output."""
        return int(self.weight.shape[0]) * prod(self.windows.output)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of `W` and `b`."""
        return self.weight.dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """`W` and `b` by these names."""
        return {"W": self.weight, "b": self.bias}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with `W` and `b` from `parameters`; raises as the class does."""
        windows = self.windows
        return type(self)(
            parameters["W"], parameters["b"], windows.size, self.activation,
            stride=windows.stride, padding=windows.padding, dilation=windows.dilation,
        )  # fmt: skip

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `a` and `z = s(a)`, of shape `(..., output_size)`."""
        preactivations = self._correlate(inputs)
        preactivations += np.repeat(self.bias, prod(self.windows.output))
        return preactivations, self.activation.function(preactivations)

    def _correlate(self, inputs: Array) -> Array:
        """`da/dz_in` times each input, shape (..., output_size)."""
        a = self._matrix @ np.swapaxes(self._columns(inputs), -1, -2)
        return np.asarray(a.reshape(*inputs.shape[:-1], -1))

    def _columns(self, inputs: Array) -> Array:
        """What each window reads, shape (..., windows, channels in * taps)."""
        by_channel = inputs.reshape(*inputs.shape[:-1], self.weight.shape[1], -1)
        read = np.moveaxis(self.windows.read(by_channel), -3, -2)
        return read.reshape(*read.shape[:-2], -1)

    @property
    def _matrix(self) -> Array:
        """`W` as (channels out, channels in * taps)."""
        return self.weight.reshape(len(self.weight), -1)

    def linear(self) -> SparseJacobian:
        """Return `da/dz_in`, the same at every point."""
        return SparseJacobian(self._pattern, self.weight.reshape(-1)[self._source])

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(s'(a)) da/dz_in`, sparse, of shape `(output_size, input_size)`."""
        return multiply(DiagonalJacobian(self._slopes(visit)), self.linear())

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dW` and `dz/db`, one block for each channel, by `vec(W)` row by row."""
        slopes = DiagonalJacobian(self._slopes(visit))
        channels, columns = self.weight.shape[0], self._columns(visit.inputs)
        ones = np.ones((len(columns), 1), self.dtype)
        return {
            "W": multiply(slopes, BlockDiagonalJacobian(columns, channels)),
            "b": multiply(slopes, BlockDiagonalJacobian(ones, channels)),
        }

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of `W` and `b`, and the adjoints of the inputs."""
        deltas = adjoints * self._slopes(visit)  # dl/da
        by_channel = deltas.reshape(len(deltas), self.weight.shape[0], -1)
        weight = np.tensordot(by_channel, self._columns(visit.inputs), axes=((0, 2), (0, 1)))
        gradients = {"W": weight.reshape(self.weight.shape), "b": by_channel.sum(axis=(0, 2))}
        return gradients, self._spread(deltas)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return `g diag(s'(a)) da/dz_in`, shape `(n, input_size)`."""
        return self._spread(adjoints * self._slopes(visit))

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return `diag(s'(a)) da/dz_in t`, shape `(n, output_size)`."""
        return self._correlate(tangents) * self._slopes(visit)

    def _slopes(self, visit: Visit) -> Array:
        return self.activation.derivative(visit.preactivations, visit.outputs)

    def _spread(self, deltas: Array) -> Array:
        """`dl/da` times `da/dz_in`: what each window read gets its share, summed."""
        channels, inputs = self.weight.shape[:2]
        by_channel = deltas.reshape(len(deltas), channels, -1)
        by_tap = self._matrix.T @ by_channel  # (n, channels in * taps, windows)
        shares = by_tap.reshape(len(deltas), inputs, -1, by_channel.shape[-1])
        return self.windows.spread(np.swapaxes(shares, -1, -2)).reshape(len(deltas), -1)


def _linear_pattern(
    windows: Windows, outputs: int, inputs: int
) -> tuple[Pattern, npt.NDArray[np.integer[Any]]]:
    """Where `da/dz_in` has entries, and of each the place of its weight in `vec(W)`."""
    taps, length = windows.taps, prod(windows.size)
    inside = taps < length
    # Within a window, flat indices increase with the taps: so do columns, channel after channel.
    at = np.arange(inputs)[:, None] * length + taps[:, None, :]
    weights = np.arange(inputs * taps.shape[1]).reshape(inputs, -1)
    kept = np.broadcast_to(inside[:, None, :], at.shape)
    columns = at[kept]
    source = np.broadcast_to(weights, at.shape)[kept]
    counts = np.tile(inputs * inside.sum(axis=1), outputs)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    pattern = Pattern(indptr, np.tile(columns, outputs), inputs * length)
    return pattern, (np.arange(outputs)[:, None] * weights.size + source).ravel()
