"""Counting multiplications by executing them.

A count is a measurement: it knows no formula. Every product is carried out by elementwise numpy
multiplications on an array that adds up the sizes of those really done.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as grid
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacchain.chains.plan import carry_out
from jacchain.chains.planners import Order, plan
from jacchain.jacobians.structure import check_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jacchain.chains.chain import Chain
    from jacchain.jacobians.matrices import FloatArray

COUNT_LIMIT: Final = 10**9
TWIN_LIMIT: Final = 10**7
TWIN_TARGET: Final = 10**6
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

    Parameters
    ----------
    values : ndarray
    tally : Tally
        Shared with whatever is computed from this array.

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

    def __getitem__(self, key: Any) -> CountingArray:
        """Take a part, counted by the same tally."""
        return CountingArray(self.values[key], self.tally)

    def sum(self, axis: int) -> CountingArray:
        """Sum along an axis."""
        return CountingArray(np.add.reduce(self.values, axis=axis), self.tally)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> CountingArray:
        """Count the elements of a multiplication's result."""
        if ufunc not in _SEEN or method != "__call__" or kwargs:
            what = f"np.{ufunc.__name__}, method {method!r}, options {sorted(kwargs)}"
            raise _hidden(what)
        values = ufunc(*(x.values if isinstance(x, CountingArray) else x for x in inputs))
        if ufunc is np.multiply:
            self.tally.multiplications += values.size
        return CountingArray(values, self.tally)

    def __array_function__(self, function: Callable[..., Any], *_: Any) -> CountingArray:
        """Refuse: what numpy multiplies inside its functions is not seen."""
        what = f"np.{function.__name__}"
        raise _hidden(what)


def count(chain: Chain, order: Order = "loss-first") -> int:
    """Count the multiplications that an order really takes, by executing them.

    Parameters
    ----------
    chain : Chain
    order : str, nested pairs of int, or Plan
        As for `jacchain.chains.planners.plan`.

    Returns
    -------
    int
        Scalar multiplications executed.

    Raises
    ------
    ValueError
        If more than 10**9 multiplications are planned, or the order is unfit.

    Examples
    --------
    >>> from jacchain.chains.chain import random_chain
    >>> chain = random_chain((1, 2, 3, 4, 5))
    >>> count(chain, "loss-first"), count(chain, "input-first")
    (38, 100)
    """
    planned = plan(chain, order)
    if planned.multiplications > COUNT_LIMIT:
        msg = (
            f"plan {planned.name!r} over dims {planned.dims} takes {planned.multiplications:,} "
            f"multiplications: more than {COUNT_LIMIT:,} are not counted; scale the dims down, "
            "as twin_dims does"
        )
        raise ValueError(msg)
    return count_multiplications(
        lambda *factors: carry_out(planned, factors, elementwise_product),
        [factor.to_dense() for factor in chain.factors],
    )


def count_multiplications(function: Callable[..., object], arrays: Iterable[FloatArray]) -> int:
    """Count the multiplications that any function does with arrays.

    Parameters
    ----------
    function : callable
        Called with one `CountingArray` for each array.
    arrays : iterable of ndarray

    Returns
    -------
    int
        Scalar multiplications executed.

    Raises
    ------
    TypeError
        If the function does what might hide multiplications.

    Examples
    --------
    >>> count_multiplications(lambda a, b: a * b * b, [np.ones(7), np.ones(7)])
    14
    """
    tally = Tally()
    function(*(CountingArray(array, tally) for array in arrays))
    return tally.multiplications


def elementwise_product(a: CountingArray, b: CountingArray) -> CountingArray:
    """Product of two matrices by elementwise multiplications and sums, tile by tile.

    Parameters
    ----------
    a, b : CountingArray
        Of shapes (m, k) and (k, n).

    Returns
    -------
    CountingArray
        Of shape (m, n).
    """
    (m, k), n = a.shape, b.shape[1]
    columns = min(n, _TILE)
    inner = min(k, _TILE // columns)
    rows = min(m, _TILE // (columns * inner))
    total = np.zeros((m, n), a.values.dtype)
    for i, t, j in grid(_slices(m, rows), _slices(k, inner), _slices(n, columns)):
        total[i, j] += (a[i, t, None] * b[None, t, j]).sum(axis=1).values
    return CountingArray(total, a.tally)


def twin_dims(
    dims: Iterable[int], *, limit: int = TWIN_LIMIT, target: int = TWIN_TARGET
) -> tuple[int, ...]:
    """Dims to count in the place of dims that would take too long.

    Parameters
    ----------
    dims : iterable of int
        ``(1, |z_L|, ..., |z_1|, |x|)``.
    limit : int
        Multiplications up to which dims are counted as they are.
    target : int
        Multiplications that a twin may take.

    Returns
    -------
    tuple of int
        The dims themselves if both loss-first and input-first stay within the limit. Otherwise
        all are divided by one power of 2, but none of 2 or more goes below 2, so that both
        orders meet the target.

    Raises
    ------
    ValueError
        If the chain is too long for that.

    Examples
    --------
    >>> twin_dims((1, 64, 64, 64, 1024))
    (1, 64, 64, 64, 1024)
    >>> twin_dims((1, 64, 64, 64, 10**8))
    (1, 2, 2, 2, 97656)
    """
    sizes = check_sizes(dims)
    if _costlier(sizes) <= limit:
        return sizes
    divisor = 2
    while divisor <= 2 * max(sizes):
        twin = tuple(max(min(size, 2), size // divisor) for size in sizes)
        if _costlier(twin) <= target:
            return twin
        divisor *= 2
    msg = f"{len(sizes)} dims have no twin of {target:,} multiplications; shorten the chain"
    raise ValueError(msg)


def _costlier(dims: tuple[int, ...]) -> int:
    return max(plan(dims, order).multiplications for order in ("loss-first", "input-first"))


def _slices(stop: int, step: int) -> list[slice]:
    return [slice(start, start + step) for start in range(0, stop, step)]


def _hidden(what: str) -> TypeError:
    return TypeError(
        f"{what} may hide multiplications from the count; write it with *, +, - and .sum(axis)"
    )
