"""Convolution over one or two axes, with a sparse Jacobian."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jacchain.inputs import check_sizes
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.products import multiply
from jacchain.jacobians.sparse import SparseJacobian
from jacchain.networks.activations import Activation, as_activation
from jacchain.networks.arrays import Array, as_array, frozen
from jacchain.networks.layer import Layer, Visit
from jacchain.networks.windows import Sizes, Windows, axes_of


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ConvolutionLayer(Layer):
    """The layer `z = s(a)`, where `a` is the cross-correlation of the input with kernels.

    `a[k, o] = b[k] + sum over c and t of W[k, c, t] z_in[c, o stride - padding + t dilation]`.
    Inputs and outputs are flat: channels first, then the axes, row-major.

    Parameters
    ----------
    weight
        `W`, of shape `(channels out, channels in, kernel)` or `(..., kernel, kernel)`; of several
        groups, `channels in` are those of one.
    bias
        `b`, of shape `(channels out,)` and the dtype of `W`.
    size
        Input elements along its one or two axes, without the channels.
    activation
        `s`, by name or as an `Activation`.
    stride, padding, dilation
        Steps between windows, zeros added at either end, and steps between taps, for all axes or
        along each. Padding may be "same" or "valid".
    groups
        Into how many equal parts the channels are divided: channels out of one part read the
        channels in of the same part only.

    Raises
    ------
    TypeError
        If `weight` or `bias` is not real, or their dtypes differ.
    ValueError
        If shapes do not fit, an entry is NaN or infinite, the kernel is larger than the padded
        input, a stride or dilation is below 1, the groups do not divide the channels out, or the
        activation is unknown.

    Examples
    --------
    >>> layer = ConvolutionLayer([[[1.0, 0.0, -1.0]]], [0.0], size=(5,))
    >>> layer
    ConvolutionLayer(1 x 5 -> 1 x 3, identity)
    >>> layer.forward(np.array([1.0, 2.0, 4.0, 8.0, 16.0]))[1]
    array([ -3.,  -6., -12.])
    >>> from jacchain.networks.layer import visit
    >>> layer.jacobian(visit(layer, np.zeros(5))).to_dense()
    array([[ 1.,  0., -1.,  0.,  0.],
           [ 0.,  1.,  0., -1.,  0.],
           [ 0.,  0.,  1.,  0., -1.]])
    """

    weight: Array
    bias: Array
    activation: Activation
    windows: Windows
    groups: int
    _pattern: Pattern
    _source: npt.NDArray[np.integer[Any]]

    def __init__(
        self,
        weight: npt.ArrayLike,
        bias: npt.ArrayLike,
        size: int | Sizes,
        activation: str | Activation = "identity",
        *,
        stride: int | Sizes = 1,
        padding: int | str | Sizes = 0,
        dilation: int | Sizes = 1,
        groups: int = 1,
    ) -> None:
        W = as_array(weight, "the weight", (None,) * (2 + axes_of(size)))
        b = as_array(bias, "the bias", W.shape[:1])
        W, b = frozen(weight=W, bias=b)
        (parts,) = check_sizes([groups])
        if len(W) % parts:
            message = f"{len(W)} channels out in {parts} groups; expected a multiple of the groups"
            raise ValueError(message)
        windows = Windows(size, W.shape[2:], stride, padding, dilation)
        pattern, source = _linear_pattern(windows, W.shape[0], W.shape[1], parts)
        vars(self).update(  # the class refuses `self.weight = W`
            weight=W,
            bias=b,
            activation=as_activation(activation),
            windows=windows,
            groups=parts,
            dtype=W.dtype,
            input_size=parts * W.shape[1] * prod(windows.size),
            output_size=W.shape[0] * prod(windows.output),
            _pattern=pattern,
            _source=source,
        )

    def __repr__(self) -> str:
        """Return the sizes and the activation."""
        outputs, inputs = self.weight.shape[:2]
        sizes = self.windows.describe(self.groups * inputs, outputs)
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        return f"ConvolutionLayer({sizes}, {self.activation.name}{groups})"

    @property
    def parameters(self) -> dict[str, Array]:
        """`W` and `b` by these names."""
        return {"W": self.weight, "b": self.bias}

    def with_parameters(self, parameters: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the layer with other `W` and `b`; raises as the class does."""
        windows = self.windows
        options = {name: getattr(windows, name) for name in ("stride", "padding", "dilation")}
        arrays = parameters["W"], parameters["b"]
        return type(self)(*arrays, windows.size, self.activation, **options, groups=self.groups)

    def forward(self, inputs: Array) -> tuple[Array, Array]:
        """Return `a` and `z = s(a)`, both `(..., output_size)`."""
        preactivations = self._correlate(inputs)
        preactivations += np.repeat(self.bias, prod(self.windows.output))
        return preactivations, self.activation.function(preactivations)

    def _correlate(self, inputs: Array) -> Array:
        """Return `da/dz_in` times inputs `(..., input_size)`: `(..., output_size)`."""
        a = self._matrix @ np.swapaxes(self._columns(inputs), -1, -2)
        return np.asarray(a.reshape(*inputs.shape[:-1], -1))

    def _columns(self, inputs: Array) -> Array:
        """Return the elements under windows, `(..., groups, windows, channels in * taps)`."""
        by_channel = inputs.reshape(*inputs.shape[:-1], self.groups, self.weight.shape[1], -1)
        read = np.moveaxis(self.windows.read(by_channel), -3, -2)
        return read.reshape(*read.shape[:-2], -1)

    @property
    def _matrix(self) -> Array:
        """`W` of shape `(groups, channels out of one, channels in of one * taps)`."""
        return self.weight.reshape(self.groups, len(self.weight) // self.groups, -1)

    def jacobian(self, visit: Visit) -> Jacobian:
        """Return `diag(s'(a)) da/dz_in`, sparse, of shape `(output_size, input_size)`."""
        by_input = SparseJacobian(self._pattern, self.weight.reshape(-1)[self._source])
        return multiply(DiagonalJacobian(visit.slopes(self.activation)), by_input)

    def parameter_jacobians(self, visit: Visit) -> dict[str, Jacobian]:
        """Return `dz/dW`, with `W` row-major, and `dz/db`, one block for each channel out."""
        slopes = DiagonalJacobian(visit.slopes(self.activation))
        channels, columns = self.weight.shape[0], self._columns(visit.inputs)
        ones = np.ones((columns.shape[1], 1), self.dtype)
        shared = self.groups == 1  # one block for all channels out
        read = columns[0] if shared else np.repeat(columns, channels // self.groups, axis=0)
        return {
            "W": multiply(slopes, BlockDiagonalJacobian(read, channels)),
            "b": multiply(slopes, BlockDiagonalJacobian(ones, channels)),
        }

    def pullback(self, adjoints: Array, visit: Visit) -> tuple[dict[str, Array], Array]:
        """Return the gradients of `W` and `b`, and the input adjoints."""
        deltas = adjoints * visit.slopes(self.activation)  # dl/da
        by_channel = deltas.reshape(len(deltas), self.weight.shape[0], -1)
        by_group = by_channel.reshape(len(deltas), *self._matrix.shape[:2], -1)
        left = np.moveaxis(by_group, 0, 2).reshape(*self._matrix.shape[:2], -1)
        columns = np.moveaxis(self._columns(visit.inputs), 0, 1)
        weight = left @ columns.reshape(self.groups, left.shape[2], -1)
        gradients = {"W": weight.reshape(self.weight.shape), "b": by_channel.sum(axis=(0, 2))}
        return gradients, self._spread(deltas)

    def vjp(self, adjoints: Array, visit: Visit) -> Array:
        """Return `g diag(s'(a)) da/dz_in`, of shape `(n, input_size)`."""
        return self._spread(adjoints * visit.slopes(self.activation))

    def jvp(self, tangents: Array, visit: Visit) -> Array:
        """Return `diag(s'(a)) da/dz_in t`, of shape `(n, output_size)`."""
        return self._correlate(tangents) * visit.slopes(self.activation)

    def _spread(self, deltas: Array) -> Array:
        """Return `dl/da`, `(n, output_size)`, times `da/dz_in`: `(n, input_size)`."""
        matrix = self._matrix
        by_channel = deltas.reshape(len(deltas), *matrix.shape[:2], -1)
        by_tap = matrix.swapaxes(-1, -2) @ by_channel  # (n, groups, channels in * taps, windows)
        inputs = self.groups * self.weight.shape[1]
        shares = by_tap.reshape(len(deltas), inputs, -1, by_channel.shape[-1])
        return self.windows.spread(np.swapaxes(shares, -1, -2)).reshape(len(deltas), -1)


def _linear_pattern(
    windows: Windows, outputs: int, inputs: int, groups: int
) -> tuple[Pattern, npt.NDArray[np.integer[Any]]]:
    """Return the pattern of `da/dz_in`, and for each entry the index of its weight in flat `W`.

    `inputs` are the channels in of one group.
    """
    taps, length = windows.taps, prod(windows.size)
    inside = taps < length
    # Flat indices increase with the taps of a window, so columns are sorted within a row.
    columns = np.arange(inputs)[:, None] * length + taps[:, None, :]
    weights = np.arange(inputs * taps.shape[1]).reshape(inputs, -1)
    valid = np.broadcast_to(inside[:, None, :], columns.shape)
    source = np.broadcast_to(weights, columns.shape)[valid]
    counts = np.tile(inputs * inside.sum(axis=1), outputs)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    starts = np.arange(outputs) // (outputs // groups) * inputs * length
    places = (starts[:, None] + columns[valid]).ravel()
    pattern = Pattern(indptr, places, groups * inputs * length)
    return pattern, (np.arange(outputs)[:, None] * weights.size + source).ravel()
