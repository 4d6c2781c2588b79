"""Counting multiplications of matrices of which only some entries are stored.

It knows no formula and no table of products: entries that meet are multiplied, one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacchain.chains.counting_array import CountingArray, Tally, elementwise_product
from jacchain.jacobians.base import FloatArray, Jacobian, StructuredJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian
from jacchain.jacobians.structure import ONES, pattern_of

Indices = NDArray[np.integer[Any]]

_TILE = 2**18  # multiplications at once


@dataclass(frozen=True)
class Entries:
    """Entries of a matrix, sorted by row, at `rows` and `columns`.

    `values` is None where all are 1, which takes no multiplication. Of a batch that shares its
    block only that is kept, for `repeats` samples.
    """

    shape: tuple[int, int]
    rows: Indices
    columns: Indices
    values: CountingArray | None
    repeats: int = 1

    def expanded(self) -> "Entries":
        """The same with every block written out."""
        if self.repeats == 1:
            return self
        m, n = self.shape
        at = np.arange(self.repeats)[:, None]
        tally, values = _tally(self), _values(self)
        return Entries(
            (m * self.repeats, n * self.repeats),
            (at * m + self.rows).ravel(),
            (at * n + self.columns).ravel(),
            CountingArray(np.tile(values, self.repeats), tally),
        )


Operand: TypeAlias = "CountingArray | Entries | None"  # None is an identity


def operand(factor: Jacobian, tally: Tally) -> Operand:
    """What a factor takes part in the counting with."""
    structure = factor.structure
    if structure.kind == "identity":
        return None
    if not isinstance(factor, StructuredJacobian):
        return CountingArray(factor.to_dense(), tally)
    if isinstance(factor, BlockDiagonalJacobian) and structure.shared:
        return _entries_of(factor.array, tally, factor.blocks)
    pattern = pattern_of(structure)
    values = None if structure.kind in ONES else CountingArray(factor.entries(), tally)
    return Entries(structure.shape, pattern.rows, pattern.indices.astype(np.int64), values)


def counted_product(a: Operand, b: Operand) -> Operand:
    """Product of two operands; dense where one of them is."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, CountingArray) and isinstance(b, CountingArray):
        return elementwise_product(a, b)
    if isinstance(a, Entries) and isinstance(b, Entries):
        if a.repeats == b.repeats:
            return _meet(a, b)
        return _meet(a.expanded(), b.expanded())
    if isinstance(a, CountingArray):
        assert isinstance(b, Entries)
        return _dense(_meet(_entries_of(a.values, a.tally), b.expanded()), a.tally)
    assert isinstance(b, CountingArray)
    return _dense(_meet(a.expanded(), _entries_of(b.values, b.tally)), b.tally)


def _entries_of(array: FloatArray, tally: Tally, repeats: int = 1) -> Entries:
    m, n = array.shape
    rows, columns = np.divmod(np.arange(m * n), n)
    return Entries((m, n), rows, columns, CountingArray(array.ravel(), tally), repeats)


def _dense(found: Entries, tally: Tally) -> CountingArray:
    result = np.zeros(found.shape, _values(found).dtype)
    result[found.rows, found.columns] = _values(found)
    return CountingArray(result, tally)


def _values(entries: Entries) -> FloatArray:
    return np.ones(len(entries.rows)) if entries.values is None else entries.values.values


def _tally(*operands: Entries) -> Tally:
    return next((e.values.tally for e in operands if e.values is not None), Tally())


def _meet(a: Entries, b: Entries) -> Entries:
    """Multiply every entry of `a` with those of `b` in the row of its column, and add up."""
    shape = (a.shape[0], b.shape[1])
    parts = [
        (a.rows[i] * shape[1] + b.columns[j], _multiplied(a, b, i, j)) for i, j in _meetings(a, b)
    ]
    keys, place = np.unique(np.concatenate([key for key, _ in parts]), return_inverse=True)
    values = np.concatenate([value for _, value in parts])
    total = np.zeros(len(keys), values.dtype)
    np.add.at(total, place, values)
    rows, columns = np.divmod(keys, shape[1])
    ones = a.values is None and b.values is None and len(keys) == len(values)
    return Entries(shape, rows, columns, None if ones else CountingArray(total, _tally(a, b)),
                   a.repeats)  # fmt: skip


def _multiplied(a: Entries, b: Entries, i: Indices, j: Indices) -> FloatArray:
    if a.values is None:
        return _values(b)[j]
    if b.values is None:
        return a.values.values[i]
    product: CountingArray = a.values[i] * b.values[j]
    return product.values


def _meetings(a: Entries, b: Entries) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of entries that meet, some at a time."""
    counts = np.bincount(b.rows, minlength=b.shape[0])
    starts = np.cumsum(counts) - counts
    met = counts[a.columns]
    tiles = np.arange(0, met.sum() + _TILE, _TILE)
    edges = np.unique(np.searchsorted(np.cumsum(met), tiles, side="right"))
    for first, last in zip(edges, [*edges[1:], len(met)], strict=True):
        some = met[first:last]
        i = np.repeat(np.arange(first, last), some)
        inside = np.arange(some.sum()) - np.repeat(np.cumsum(some) - some, some)
        yield i, starts[a.columns[i]] + inside
