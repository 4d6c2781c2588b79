"""Arrays of a network: validated on entry, read-only once stored, reused for results."""

import sys
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from jacchain.inputs import as_floats

# float32 or float64. Only activations and losses also take complex arrays, called directly.
Array: TypeAlias = npt.NDArray[Any]

MOST_KEPT: Final = 2  # one that the caller still uses, and one that it has dropped


def as_array(
    value: npt.ArrayLike,
    name: str,
    shape: tuple[int | None, ...],
    dtype: np.dtype[Any] | None = None,
) -> Array:
    """Return `value` as a C-contiguous array of finite float32 or float64 numbers.

    Error messages call it `name`. In the expected shape, None stands for any size of at least 1.
    Without a dtype, float32 and float64 are kept, and integers and booleans become float64.

    Raises TypeError if the entries are complex, of another float type, or not numbers, ValueError
    if the shape differs, or an entry is NaN or infinite after conversion.

    Examples
    --------
    >>> as_array([1, 2], "the input", (3,))
    Traceback (most recent call last):
        ...
    ValueError: the input has shape (2,); expected (3,)
    """
    raw = as_floats(value, name)
    pairs = zip(raw.shape, shape, strict=False)
    fits = all(size >= 1 if expected is None else size == expected for size, expected in pairs)
    if not fits or raw.ndim != len(shape):
        sizes = ", ".join("any >= 1" if size is None else str(size) for size in shape)
        message = f"{name} has shape {raw.shape}; expected ({sizes}{',' * (len(shape) == 1)})"
        raise ValueError(message)
    with np.errstate(over="ignore"):  # the next check finds what overflows
        array = raw if dtype is None else raw.astype(dtype, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(np.argwhere(~finite)[0].tolist())
        expected = f"expected finite {array.dtype} numbers"
        message = f"{name} is {array[index]} at index {index}; {expected}"
        raise ValueError(message)
    return array


def frozen(**arrays: Array) -> list[Array]:
    """Return read-only copies of arrays of any shapes; raise TypeError if their dtypes differ.

    Examples
    --------
    >>> frozen(W=np.ones(2, "float32"), b=np.ones(2))
    Traceback (most recent call last):
        ...
    TypeError: W is float32, b is float64; expected one dtype for all
    """
    if len({array.dtype for array in arrays.values()}) > 1:
        dtypes = ", ".join(f"{name} is {array.dtype}" for name, array in arrays.items())
        message = f"{dtypes}; expected one dtype for all"
        raise TypeError(message)
    copies = [array.copy() for array in arrays.values()]
    for copy in copies:
        copy.flags.writeable = False
    return copies


class Buffers:
    """Memory for results of one shape, reused once the caller has dropped them.

    New memory costs more than writing to it: on first use the system maps and clears it, page by
    page. So `take` returns an earlier array again if neither the caller nor a view refers to it.
    Its reference count tells, where Python keeps an exact one; elsewhere every array is new.

    Examples
    --------
    >>> buffers = Buffers((2, 3), np.dtype("float64"))
    >>> first = buffers.take()
    >>> buffers.take() is first
    False
    >>> address = first.__array_interface__["data"]
    >>> del first
    >>> buffers.take().__array_interface__["data"] == address
    True
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._kept: list[Array] = []

    def take(self) -> Array:
        """Return an array of arbitrary content to which only the caller refers."""
        if _counts_references():
            for array, references in _with_references(self._kept):
                if references == _UNUSED:
                    return array
        array = np.empty(self._shape, self._dtype)
        self._kept = [*self._kept, array][-MOST_KEPT:]
        return array


def _with_references(arrays: list[Array]) -> Iterator[tuple[Array, int]]:
    """Yield each array, of any shape, with its reference count, the list's and this one's too."""
    for array in arrays:
        yield array, sys.getrefcount(array)


# Count of an array to which only the list refers: measured, since versions of Python differ.
_UNUSED: Final = next(_with_references([np.empty(0)]))[1]


def _counts_references() -> bool:
    """Return whether reference counts are exact: only in CPython with its global lock."""
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return sys.implementation.name == "cpython" and bool(locked)
