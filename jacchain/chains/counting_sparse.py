"""Counting multiplications of matrices of which only some entries are stored.

It knows no formula and no table of products: entries that meet are multiplied, one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacchain.chains.counting_array import CountingArray, Tally, elementwise_product
from jacchain.inputs import FloatArray
from jacchain.jacobians.base import Jacobian, StructuredJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian
from jacchain.jacobians.structure import ONES, pattern_of

Indices = NDArray[np.integer[Any]]

_TILE = 2**18  # multiplications at once


@dataclass(frozen=True)
class Entries:
    """Entries of a matrix, sorted by row, at `rows` and `columns`.

    `values` is None where all are 1, which takes no multiplication. If all samples of a batch share
    a block, its entries are stored once; `repeats` is the number of samples.
    """

    shape: tuple[int, int]
    rows: Indices
    columns: Indices
    values: CountingArray | None
    repeats: int = 1

    def expanded(self) -> "Entries":
        """Return the entries of all blocks."""
        if self.repeats == 1:
            return self
        m, n = self.shape
        block = np.arange(self.repeats)[:, None]
        rows, columns = (block * m + self.rows).ravel(), (block * n + self.columns).ravel()
        values = CountingArray(np.tile(_values(self), self.repeats), _tally(self))
        return Entries((m * self.repeats, n * self.repeats), rows, columns, values)


Operand: TypeAlias = "CountingArray | Entries | None"  # None is an identity


def operand(factor: Jacobian, tally: Tally) -> Operand:
    """Return the entries of a factor, with values that count."""
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
    """Multiply two operands; the product is dense if one of them is."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, CountingArray) and isinstance(b, CountingArray):
        return elementwise_product(a, b)
    left, right = (x if isinstance(x, Entries) else _entries_of(x.values, x.tally) for x in (a, b))
    if left.repeats != right.repeats:
        left, right = left.expanded(), right.expanded()
    product = _meet(left, right)
    return product if isinstance(a, Entries) and isinstance(b, Entries) else _dense(product)


def _entries_of(array: FloatArray, tally: Tally, repeats: int = 1) -> Entries:
    """Return all elements of an array of shape (m, n) as entries, row by row."""
    m, n = array.shape
    values = CountingArray(array.ravel(), tally)
    return Entries((m, n), *np.divmod(np.arange(m * n), n), values, repeats)


def _dense(entries: Entries) -> CountingArray:
    array = np.zeros(entries.shape, _values(entries).dtype)
    array[entries.rows, entries.columns] = _values(entries)
    return CountingArray(array, _tally(entries))


def _values(entries: Entries) -> FloatArray:
    return np.ones(len(entries.rows)) if entries.values is None else entries.values.values


def _tally(*operands: Entries) -> Tally:
    return next((e.values.tally for e in operands if e.values is not None), Tally())


def _meet(a: Entries, b: Entries) -> Entries:
    """Multiply every entry of `a` with those of `b` in the row of its column, and add up."""
    from scipy.sparse import coo_array  # takes 0.1 s to import: only sparse matrices need it

    shape = (a.shape[0], b.shape[1])
    parts = ((a.rows[i], b.columns[j], _multiplied(a, b, i, j)) for i, j in _meetings(a, b))
    rows, columns, products = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    sums = coo_array((products, (rows, columns)), shape).tocsr().tocoo()  # adds, sorts by row
    ones = a.values is None and b.values is None and sums.nnz == len(products)
    values = None if ones else CountingArray(sums.data, _tally(a, b))
    rows, columns = (at.astype(np.int64) for at in sums.coords)
    return Entries(shape, rows, columns, values, a.repeats)


def _multiplied(a: Entries, b: Entries, i: Indices, j: Indices) -> FloatArray:
    if a.values is None:
        return _values(b)[j]
    if b.values is None:
        return a.values.values[i]
    product: CountingArray = a.values[i] * b.values[j]
    return product.values


def _meetings(a: Entries, b: Entries) -> Iterator[tuple[Indices, Indices]]:
    """Yield the pairs of entries that meet, a tile at a time."""
    counts = np.bincount(b.rows, minlength=b.shape[0])
    starts = np.cumsum(counts) - counts
    met = counts[a.columns]
    tiles = np.arange(0, met.sum() + _TILE, _TILE)
    edges = np.unique(np.searchsorted(np.cumsum(met), tiles, side="right"))
    for first, last in zip(edges, [*edges[1:], len(met)], strict=True):
        partners = met[first:last]
        i = np.repeat(np.arange(first, last), partners)
        inside = np.arange(len(i)) - np.repeat(np.cumsum(partners) - partners, partners)
        yield i, starts[a.columns[i]] + inside
