"""Windows that slide over an array of one or two axes: where each of their taps reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.structure import check_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Indices = NDArray[np.integer[Any]]

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Windows over an array with so many axes as `size` has, as convolution and pooling use.

    Parameters
    ----------
    size : tuple of int
        Of the array.
    kernel : tuple of int
        Taps along each axis.
    stride, padding, dilation : int or tuple of int
        Steps between windows, zeros added at either end, steps between taps.

    Raises
    ------
    TypeError
        If one is no integer.
    ValueError
        If a stride or dilation is below 1, a padding below 0, the axes differ in number, or a
        window is larger than the padded array.

    Examples
    --------
    >>> windows = Windows((5,), (3,), stride=2)
    >>> windows.output, windows.taps.tolist()
    ((2,), [[0, 1, 2], [2, 3, 4]])
    >>> Windows((3,), (3,), padding=1).taps.tolist()  # 3 stands for a zero of the padding
    [[3, 0, 1], [0, 1, 2], [1, 2, 3]]
    """

    size: Sizes
    kernel: Sizes
    stride: int | Sizes = 1
    padding: int | Sizes = 0
    dilation: int | Sizes = 1

    def __post_init__(self) -> None:
        """Validate once."""
        axes = len(self.size)
        for name in ("size", "kernel", "stride", "dilation"):
            object.__setattr__(self, name, _per_axis(name, getattr(self, name), axes))
        padding = _per_axis("padding", self.padding, axes, least=0)
        object.__setattr__(self, "padding", padding)
        for n, reach, zeros in zip(self.size, self._reach, padding, strict=True):
            if reach > n + 2 * zeros:
                msg = (
                    f"a kernel that spans {reach} does not fit into {n} elements and {zeros} of "
                    "padding at either end; make it smaller, or pad more"
                )
                raise ValueError(msg)

    @property
    def _reach(self) -> Sizes:
        """Elements from the first tap to the last, along each axis."""
        return tuple(
            d * (k - 1) + 1 for k, d in zip(self.kernel, _sizes(self.dilation), strict=True)
        )

    @property
    def output(self) -> Sizes:
        """Windows along each axis."""
        rows = zip(self.size, self._reach, _sizes(self.stride), _sizes(self.padding), strict=True)
        return tuple((n + 2 * p - reach) // s + 1 for n, reach, s, p in rows)

    @cached_property
    def taps(self) -> Indices:
        """Flat index that each tap of each window reads, shape (windows, taps).

        That of the padding is one past the last element of the array.
        """
        axes = [self._axis(axis) for axis in range(len(self.size))]
        flat, inside = axes[0]
        for n, (index, valid) in zip(self.size[1:], axes[1:], strict=True):
            flat = (flat[:, None, :, None] * n + index[None, :, None, :]).reshape(
                len(flat) * len(index), -1
            )
            inside = (inside[:, None, :, None] & valid[None, :, None, :]).reshape(flat.shape)
        return np.where(inside, flat, prod(self.size))

    def read(self, array: Array) -> Array:
        """What each window reads of flat arrays `(..., elements)`: `(..., windows, taps)`."""
        zeros = np.zeros((*array.shape[:-1], 1), array.dtype)
        return np.asarray(np.concatenate([array, zeros], axis=-1)[..., self.taps])

    def spread(self, shares: Array) -> Array:
        """The transpose of `read`: each element gets the sum of the shares of its readers.

        Examples
        --------
        >>> Windows((3,), (2,)).spread(np.array([[1.0, 2.0], [10.0, 20.0]]))
        array([ 1., 12., 20.])
        """
        batch, output = shares.shape[:-2], self.output
        axes = zip(self.size, self.output, *map(_sizes, (self.stride, self.padding)), strict=True)
        padded = np.zeros((*batch, *(n + 2 * p for n, _, _, p in axes)), shares.dtype)
        where: Any
        for tap, place in enumerate(np.ndindex(*self.kernel)):
            first = (t * d for t, d in zip(place, _sizes(self.dilation), strict=True))
            window = zip(first, output, _sizes(self.stride), strict=True)
            where = (..., *(slice(f, f + (count - 1) * s + 1, s) for f, count, s in window))
            padded[where] += shares[..., tap].reshape(*batch, *output)
        inner = zip(_sizes(self.padding), self.size, strict=True)
        where = (..., *(slice(p, p + n) for p, n in inner))
        return np.asarray(padded[where].reshape(*batch, -1))

    def _axis(self, axis: int) -> tuple[Indices, NDArray[np.bool_]]:
        """Index that each tap of each window reads along one axis, and whether it is inside."""
        stride, padding, dilation = (
            _sizes(value)[axis] for value in (self.stride, self.padding, self.dilation)
        )
        first = np.arange(self.output[axis])[:, None] * stride - padding
        index = first + np.arange(self.kernel[axis]) * dilation
        return index, (index >= 0) & (index < self.size[axis])


def _sizes(value: int | Sizes) -> Sizes:
    assert isinstance(value, tuple)
    return value


def _per_axis(name: str, value: int | Sizes, axes: int, *, least: int = 1) -> Sizes:
    given = value if isinstance(value, tuple) else (value,) * axes
    try:
        sizes = tuple(size - 1 + least for size in check_sizes(size + 1 - least for size in given))
    except ValueError:
        msg = f"{name} {value}: expected {least} or more along each axis"
        raise ValueError(msg) from None
    if len(sizes) != axes or axes not in {1, 2}:
        msg = f"{name} {value} for {axes} axes: expected one for each of one or two axes"
        raise ValueError(msg)
    return sizes
