"""Validated arrays of real numbers: the one gate through which data enters a network."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# float32 or float64. Only activations and losses also take complex arrays, called directly.
Array: TypeAlias = npt.NDArray[Any]

_FLOATS = (np.dtype("float32"), np.dtype("float64"))


def as_array(
    value: npt.ArrayLike,
    what: str,
    shape: tuple[int | None, ...],
    dtype: np.dtype[Any] | None = None,
) -> Array:
    """Return `value` as a C-contiguous array of finite float32 or float64 numbers.

    Parameters
    ----------
    value
        Real numbers. Integers and booleans become float64 where `dtype` is None.
    what
        What the array is, for error messages.
    shape
        The expected shape; None stands for any size of at least 1.
    dtype
        The dtype to convert to; None keeps float32 and float64 as they are.

    Raises
    ------
    TypeError
        If the entries are complex, of another float type, or no numbers.
    ValueError
        If the shape differs, or an entry is NaN or infinite after conversion.

    Examples
    --------
    >>> as_array([1, 2], "the input", (2,))
    array([1., 2.])
    >>> as_array([1, 2], "the input", (3,))
    Traceback (most recent call last):
        ...
    ValueError: the input has shape (2,); expected (3,)
    """
    given = np.asarray(value)
    if given.dtype.kind not in "biu" and given.dtype not in _FLOATS:
        msg = f"{what} has dtype {given.dtype}; expected float32, float64 or integers"
        raise TypeError(msg)
    _check_shape(given.shape, what, shape)
    if dtype is None:
        dtype = given.dtype if given.dtype in _FLOATS else np.dtype(np.float64)
    with np.errstate(over="ignore"):  # what overflows in conversion is found just below
        array = np.ascontiguousarray(given, dtype=dtype)
    _check_finite(array, what)
    return array


def frozen(array: Array) -> Array:
    """Return a copy that neither the caller nor anyone else can change.

    Examples
    --------
    >>> frozen(np.ones(2)).flags.writeable
    False
    """
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _check_shape(found: tuple[int, ...], what: str, shape: tuple[int | None, ...]) -> None:
    fits = len(found) == len(shape) and all(
        size >= 1 if expected is None else size == expected
        for size, expected in zip(found, shape, strict=True)
    )
    if not fits:
        sizes = ", ".join("any >= 1" if size is None else str(size) for size in shape)
        msg = f"{what} has shape {found}; expected ({sizes}{',' * (len(shape) == 1)})"
        raise ValueError(msg)


def _check_finite(array: Array, what: str) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        msg = f"{what} is {array[index]} at index {index}; expected finite {array.dtype} numbers"
        raise ValueError(msg)
