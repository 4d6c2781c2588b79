"""An array that counts the multiplications that are done with it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product as grid
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacchain.inputs import FloatArray

_SEEN: Final = frozenset({np.multiply, np.add, np.subtract})
_TILE: Final = 2**18  # multiplications at once: their products fit in a usual L2 cache


@dataclass
class Tally:
    """Multiplications seen so far."""

    multiplications: int = 0


class CountingArray(NDArrayOperatorsMixin):
    """An array that adds the size of every multiplication really done to a tally.

    It knows elementwise multiplication, addition and subtraction, and sums; what might hide a
    multiplication, as ``@`` does, raises.

    The tally is shared with whatever is computed from this array.

    Examples
    --------
    >>> tally = Tally()
    >>> a = CountingArray(np.ones((4, 3)), tally)
    >>> (2 * a + a).sum(axis=0).values
    array([12., 12., 12.])
    >>> tally.multiplications
    12
    """

    def __init__(self, values: FloatArray, tally: Tally) -> None:
        self.values = values
        self.tally = tally

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.values.shape

    def __getitem__(self, key: Any) -> "CountingArray":
        """Take a part, counted by the same tally."""
        return CountingArray(self.values[key], self.tally)

    def sum(self, axis: int) -> "CountingArray":
        """Sum along an axis."""
        return CountingArray(np.add.reduce(self.values, axis=axis), self.tally)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> "CountingArray":
        """Count the elements of a multiplication's result."""
        if ufunc not in _SEEN or method != "__call__" or kwargs:
            call = f"{ufunc.__name__}, method {method!r}, options {sorted(kwargs)}"
            raise _hidden(call)
        values = ufunc(*(x.values if isinstance(x, CountingArray) else x for x in inputs))
        if ufunc is np.multiply:
            self.tally.multiplications += values.size
        return CountingArray(values, self.tally)

    def __array_function__(self, function: Callable[..., Any], *_: Any) -> "CountingArray":
        """Refuse: what numpy multiplies inside its functions is not seen."""
        raise _hidden(function.__name__)


def elementwise_product(a: CountingArray, b: CountingArray) -> CountingArray:
    """Multiply `(m, k)` by `(k, n)` by elementwise multiplications and sums, tile by tile."""
    (m, k), n = a.shape, b.shape[1]
    columns = min(n, _TILE)
    inner = min(k, _TILE // columns)
    rows = min(m, _TILE // (columns * inner))
    total = np.zeros((m, n), a.values.dtype)
    for i, t, j in grid(_slices(m, rows), _slices(k, inner), _slices(n, columns)):
        total[i, j] += (a[i, t, None] * b[None, t, j]).sum(axis=1).values
    return CountingArray(total, a.tally)


def _slices(stop: int, step: int) -> list[slice]:
    return [slice(start, start + step) for start in range(0, stop, step)]


def _hidden(call: str) -> TypeError:
    return TypeError(
        f"np.{call} may hide multiplications from the count; write it with *, +, - and .sum(axis)"
    )
