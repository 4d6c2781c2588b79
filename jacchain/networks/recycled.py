"""Arrays that are handed out again once nobody holds them any more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jacchain.networks.arrays import Array

MOST_KEPT: Final = 2  # the one that a caller still holds, and the one that it lets go of


class Recycled:
    """Memory for results of one shape, which a caller may keep for as long as it likes.

    New memory costs more than what is written to it: on its first use the system maps and clears
    it, page by page. An array that neither the caller nor a view of his holds is used again
    instead. That is known from its count of references, where Python keeps one that can be relied
    on; elsewhere every array is new.

    Parameters
    ----------
    shape, dtype
        Of the arrays.

    Examples
    --------
    >>> recycled = Recycled((2, 3), np.dtype("float64"))
    >>> first = recycled.take()
    >>> recycled.take() is first
    False
    >>> place = first.__array_interface__["data"]
    >>> del first
    >>> recycled.take().__array_interface__["data"] == place
    True
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._kept: list[Array] = []

    def take(self) -> Array:
        """Return an array with any content, that only the caller holds."""
        if _counts_references():
            for array, references in _with_references(self._kept):
                if references == _UNHELD:
                    return array
        array = np.empty(self._shape, self._dtype)
        self._kept = [*self._kept, array][-MOST_KEPT:]
        return array


def _with_references(arrays: list[Array]) -> Iterator[tuple[Array, int]]:
    """Each array with the count of its references, this list's and those of asking included."""
    for array in arrays:
        yield array, sys.getrefcount(array)


# What is counted of an array that only the list holds: asked here, since versions of Python differ.
_UNHELD: Final = next(_with_references([np.empty(0)]))[1]


def _counts_references() -> bool:
    """Whether this is CPython with its lock: only there a count is exact."""
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return sys.implementation.name == "cpython" and bool(locked)
