"""Sliding windows over an array of one or two axes, for convolution and pooling."""

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from jacchain.inputs import as_integers, check_flag, short
from jacchain.limits import check_room
from jacchain.networks.arrays import Array

INDEX_BYTES = np.dtype(np.intp).itemsize
Indices = NDArray[np.integer[Any]]
Sizes = tuple[int, ...]


@dataclass(frozen=True, init=False)
class Windows:
    """Windows over an array of one or two axes, and the elements that their taps read.

    Raises TypeError if a value is not an integer. Raises ValueError if a stride or dilation is
    below 1, a padding below 0, the numbers of axes differ, a window is larger than the padded
    array, or no padding leaves the size as it is where "same" asks for it.

    Examples
    --------
    >>> windows = Windows((5,), (3,), stride=2)
    >>> windows.output, windows.taps.tolist()
    ((2,), [[0, 1, 2], [2, 3, 4]])
    >>> Windows(3, 3, padding="same").taps.tolist()  # 3 stands for the padding
    [[3, 0, 1], [0, 1, 2], [1, 2, 3]]
    >>> Windows(3, 2, stride=2, ceil=True).taps.tolist()
    [[0, 1], [2, 3]]
    """

    size: Sizes  #: Elements of the array along each axis
    kernel: Sizes  #: Taps of a window along each axis
    #: Steps between windows, zeros added at either end, and steps between taps, for all axes or
    #: along each. Padding may be "valid", none, or "same", such that there are as many windows as
    #: elements.
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    #: Whether a last window that begins in the array or before it may reach beyond the padding
    ceil: bool

    def __init__(
        self,
        size: int | Sizes,
        kernel: int | Sizes,
        stride: int | Sizes = 1,
        padding: int | str | Sizes = 0,
        dilation: int | Sizes = 1,
        *,
        ceil: bool = False,
    ) -> None:
        options = {"size": size, "kernel": kernel, "stride": stride, "dilation": dilation}
        check_flag(ceil, "ceil")
        number = axes_of(size)
        axes = {name: _per_axis(name, value, number) for name, value in options.items()}
        vars(self).update(axes, ceil=ceil)
        added = self._named_padding(padding) if isinstance(padding, str) else padding
        vars(self).update(padding=_per_axis("padding", added, number, least=0))
        for n, reach, zeros in zip(self.size, self._reach, self.padding, strict=True):
            if reach > n + 2 * zeros:
                room = f"{n} elements and {zeros} of padding at either end"
                remedy = "make it smaller, or pad more"
                message = f"a kernel that spans {reach} does not fit into {room}; {remedy}"
                raise ValueError(message)
        taps = prod(self.output) * prod(self.kernel)
        padded = (n + sum(ends) for n, ends in zip(self.size, self._ends, strict=True))
        needed = INDEX_BYTES * (taps + prod(padded))
        check_room(needed, f"windows {self.kernel} over {self.size}", "make them smaller")

    def _named_padding(self, name: str) -> Sizes:
        """Return the padding that a name means."""
        if name == "same" and all(s == 1 for s in self.stride) and all(r % 2 for r in self._reach):
            return tuple(reach // 2 for reach in self._reach)
        if name == "valid":
            return (0,) * len(self.size)
        message = (
            f"padding {short(name)} for kernels that span {self._reach}, stride {self.stride}: "
            "expected numbers, 'valid', or, for odd kernels and stride 1, 'same'"
        )
        raise ValueError(message)

    @property
    def _reach(self) -> Sizes:
        """Elements from the first tap to the last along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @cached_property
    def output(self) -> Sizes:
        """Windows along each axis."""
        axes = zip(self.size, self._reach, self.stride, self.padding, strict=True)
        return tuple(self._windows(*axis) for axis in axes)

    def _windows(self, size: int, reach: int, stride: int, padding: int) -> int:
        room = size + 2 * padding - reach
        if self.ceil and -(-room // stride) * stride < size + padding:
            return -(-room // stride) + 1
        return room // stride + 1

    @property
    def _ends(self) -> tuple[tuple[int, int], ...]:
        """Places added before and after the array along each axis."""
        axes = zip(self.size, self._reach, self.stride, self.padding, self.output, strict=True)
        return tuple((p, max(p, (o - 1) * s + reach - n - p)) for n, reach, s, p, o in axes)

    @cached_property
    def taps(self) -> Indices:
        """Flat indices that windows read, `(windows, taps)`; the array's length is the padding."""
        length = prod(self.size)
        return self._under(np.arange(length).reshape(self.size), self._ends, length)

    @cached_property
    def padded_taps(self) -> Indices:
        """Taps of each window on the array or its padding, `(windows,)`; others are beyond both."""
        after = tuple((0, after - p) for (p, after) in self._ends)
        padded = np.ones([n + 2 * p for n, p in zip(self.size, self.padding, strict=True)], int)
        return np.asarray(self._under(padded, after, 0).sum(axis=1))

    def _under(self, array: Indices, ends: tuple[tuple[int, int], ...], fill: int) -> Indices:
        """Return what an array, with places added at its ends, holds under windows."""
        padded = np.pad(array, ends, constant_values=fill)
        steps = (slice(None, None, step) for step in (*self.stride, *self.dilation))
        windows = sliding_window_view(padded, self._reach)[tuple(steps)]
        return windows.reshape(-1, prod(self.kernel))

    def describe(self, inputs: int, outputs: int) -> str:
        """Return the sizes of input and output with their channels, as in "1 x 5 -> 2 x 3"."""
        return " -> ".join(
            " x ".join(map(str, sizes)) for sizes in ((inputs, *self.size), (outputs, *self.output))
        )

    def read(self, array: Array) -> Array:
        """Return the elements under windows, `(..., windows, taps)`, of arrays `(..., length)`."""
        zeros = np.zeros((*array.shape[:-1], 1), array.dtype)
        return np.asarray(np.concatenate([array, zeros], axis=-1)[..., self.taps])

    def spread(self, shares: Array) -> Array:
        """Return sums of shares `(..., windows, taps)` by element read, `(..., length)`.

        This is the transpose of `read`.

        Examples
        --------
        >>> Windows((3,), (2,)).spread(np.array([[1.0, 2.0], [10.0, 20.0]]))
        array([ 1., 12., 20.])
        """
        batch = shares.shape[:-2]
        padded_size = (n + sum(ends) for n, ends in zip(self.size, self._ends, strict=True))
        padded = np.zeros((*batch, *padded_size), shares.dtype)
        where: Any
        for tap, place in enumerate(np.ndindex(*self.kernel)):
            axes = zip(place, self.dilation, self.output, self.stride, strict=True)
            where = (..., *(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in axes))
            padded[where] += shares[..., tap].reshape(*batch, *self.output)
        inner = zip(self.padding, self.size, strict=True)
        where = (..., *(slice(p, p + n) for p, n in inner))
        return np.asarray(padded[where].reshape(*batch, -1))


def axes_of(size: int | Sizes) -> int:
    """Return the number of axes of a size: one, if it is a number."""
    return len(size) if isinstance(size, list | tuple) else 1


def _per_axis(name: str, value: int | Sizes, axes: int, *, least: int = 1) -> Sizes:
    """Return one value for each axis, all at least `least`; takes an int, or one for each."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
    sizes = as_integers(values, name)
    if any(size < least for size in sizes):
        message = f"{name} {short(value)}: expected {least} or more along each axis"
        raise ValueError(message)
    if len(sizes) != axes or axes not in {1, 2}:
        message = f"{name} {short(value)} for {axes} axes: expected one for each of one or two axes"
        raise ValueError(message)
    return sizes
