"""Memory for intermediates, used again once what it holds is done with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from jacchain.jacobians.base import FloatArray

NOWHERE: Final = -1  # the slot of what needs no memory: the last one, and empty


class Slots:
    """Pieces of memory by number, each as large as the largest that was ever in it.

    Examples
    --------
    >>> slots = Slots()
    >>> first = slots.take(10)
    >>> slots.release(first)
    >>> slots.take(20) == first
    True
    >>> [piece.size for piece in slots.memory(np.dtype("float64"))]
    [20, 0]
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._free: list[int] = []

    def take(self, elements: int) -> int:
        """Return the number of a free piece, made large enough."""
        if not self._free:
            return self.keep(elements)
        slot = self._free.pop()
        self._sizes[slot] = max(self._sizes[slot], elements)
        return slot

    def keep(self, elements: int) -> int:
        """Return the number of a new piece, just so large: for what is not to be released."""
        self._sizes.append(elements)
        return len(self._sizes) - 1

    def release(self, slot: int) -> None:
        """Let a piece be used again."""
        if slot != NOWHERE:
            self._free.append(slot)

    def memory(self, dtype: np.dtype[Any]) -> list[FloatArray]:
        """Allocate all pieces, flat, and after them an empty one."""
        return [np.empty(size, dtype) for size in (*self._sizes, 0)]
