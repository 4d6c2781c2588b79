"""Patterns: the places of the entries of sparse matrices, and products by pattern."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.inputs import as_indices, check_sizes, short

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Indices = NDArray[np.integer[Any]]
    FloatArray = NDArray[np.floating[Any]]

_LARGEST_COMPILED = 2**20  # pairs of entries that meet, 12 bytes each
_LARGEST_PART = 2**16  # of them in one part, whose products are all in memory at once


class Pattern:
    """Rows and columns of the stored entries of a matrix, in compressed rows.

    Parameters
    ----------
    indptr : array_like of int
        Shape (m + 1,). Row i has the entries from ``indptr[i]`` up to, excluding,
        ``indptr[i + 1]``.
    indices : array_like of int
        Shape (entries,). Column of each entry, increasing within a row.
    columns : int
        Columns of the matrix.

    Raises
    ------
    TypeError
        If the arrays hold no integers, or `columns` is none.
    ValueError
        If the arrays are not compressed rows, or an index has more than 31 bits.

    Examples
    --------
    >>> pattern = Pattern([0, 2, 3], [0, 2, 1], columns=3)
    >>> pattern, pattern.row_counts.tolist(), pattern.column_counts.tolist()
    (Pattern(2 x 3, 3 entries), [2, 1], [1, 1, 1])
    """

    def __init__(self, indptr: ArrayLike, indices: ArrayLike, columns: int) -> None:
        self.indptr = as_indices(indptr, "indptr")
        self.indices = as_indices(indices, "indices")
        (n,) = check_sizes([columns])
        self.shape: tuple[int, int] = (len(self.indptr) - 1, n)
        self._check()
        self._hash = hash((self.shape, self.indptr.tobytes(), self.indices.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Build it anew where it is unpickled: each process salts its hashes in its own way."""
        return Pattern, (self.indptr, self.indices, self.shape[1])

    def _check(self) -> None:
        starts, columns = self.indptr, self.indices
        whole = len(starts) > 1 and starts[0] == 0 and starts[-1] == len(columns)
        inside = not len(columns) or columns.max() < self.shape[1]
        if not whole or not inside or np.any(np.diff(starts) < 0) or not _increasing(self):
            message = (
                f"indptr {short(starts)} and indices {short(columns)} of {self.shape[1]} columns: "
                "expected compressed rows, with increasing columns in each row"
            )
            raise ValueError(message)

    def __repr__(self) -> str:
        """Show the size, not the entries."""
        return f"Pattern({self.shape[0]} x {self.shape[1]}, {self.entries} entries)"

    def __eq__(self, other: object) -> bool:
        """Return whether all entries are at the same places."""
        if self is other:
            return True
        return (
            isinstance(other, Pattern)
            and self._hash == other._hash
            and self.shape == other.shape
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
        )

    def __hash__(self) -> int:
        """Return the hash of the places of all entries."""
        return self._hash

    @property
    def entries(self) -> int:
        """Number of entries."""
        return len(self.indices)

    @cached_property
    def row_counts(self) -> Indices:
        """Number of entries in each row, shape (m,)."""
        return np.asarray(self.indptr[1:] - self.indptr[:-1], np.int64)

    @cached_property
    def column_counts(self) -> Indices:
        """Number of entries in each column, shape (n,)."""
        return np.bincount(self.indices, minlength=self.shape[1])

    @cached_property
    def rows(self) -> Indices:
        """Row of each entry, shape (entries,)."""
        return np.repeat(np.arange(self.shape[0]), self.row_counts)

    def compressed(self, values: NDArray[Any]) -> csr_array:
        """Return the matrix with these values, of shape (entries,), in scipy's compressed rows."""
        from scipy.sparse import csr_array  # takes 0.1 s to import: only sparse matrices need it

        return csr_array((values, self.indices, self.indptr), shape=self.shape)


def pattern_product(a: Pattern, b: Pattern) -> Pattern:
    """Return the pattern of a product: the entries that it can have, whatever the values.

    Examples
    --------
    >>> pattern_product(Pattern([0, 2], [0, 1], 2), Pattern([0, 1, 2], [2, 2], 3))
    Pattern(1 x 3, 1 entries)
    """
    return _scipy_product(a, b)[0]


def product_values(a: Pattern, b: Pattern, left: FloatArray, right: FloatArray) -> FloatArray:
    """Multiply two sparse matrices; an entry that cancels stays an entry, with the value 0.

    Takes the values of the entries of `a` and of `b`, row by row, and returns those of
    ``pattern_product(a, b)``.

    Examples
    --------
    >>> a, b = Pattern([0, 2], [0, 1], 2), Pattern([0, 1, 2], [2, 2], 3)
    >>> product_values(a, b, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([11.])
    """
    pattern, order = _scipy_product(a, b)
    parts = _compiled_product(a, b)
    if parts is None:
        product = a.compressed(left) @ b.compressed(right)
        if product.nnz == pattern.entries:
            return np.asarray(product.data[order])
        product.sort_indices()
        return np.asarray(product[pattern.rows, pattern.indices])  # scipy drops what cancels
    values = np.empty(pattern.entries, np.result_type(left, right))
    for part in parts:
        weights = part.met.compressed(right.take(part.right))
        values[part.results] = weights @ left.take(part.left)
    return values


@lru_cache(maxsize=256)
def _scipy_product(a: Pattern, b: Pattern) -> tuple[Pattern, Indices]:
    """Return a product's pattern, and the place of each entry in scipy's unsorted product."""
    left, right = (pattern.compressed(np.ones(pattern.entries, np.int64)) for pattern in (a, b))
    product = left @ right  # of positive integers, so that nothing cancels
    rows = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
    order = np.lexsort((product.indices, rows))
    return Pattern(product.indptr, product.indices[order], b.shape[1]), order


@dataclass(frozen=True, eq=False)
class _Groups:
    """A part of a sparse product, compiled as a sparse matrix B times a dense matrix A.

    Rows of the left operand with the same columns, such as the channels of a convolution at one
    position, meet the same entries of the right one. Groups of w such rows are multiplied at once:
    A holds the entries of the left operand, with a column for each row of a group, and B those of
    the right operand that they meet. Multiplications and their order are those of scipy.
    """

    left: Indices  #: Place in the left operand of each element of A, of shape (p, w)
    right: Indices  #: Place in the right operand of each entry of B
    met: Pattern  #: Pattern of B, of shape (q, p)
    results: Indices  #: Place in the product of each element of BA, of shape (q, w)


@lru_cache(maxsize=64)
def _compiled_product(a: Pattern, b: Pattern) -> tuple[_Groups, ...] | None:
    """Compile a product in parts of groups of one size; return None if that is too large."""
    parts: list[Indices] = []
    total = 0
    for groups in _equal_rows(a):
        met = int(b.row_counts[a.indices[_places(a, groups)[:, 0]]].sum())
        total += met
        parts += np.array_split(groups, -(-met // _LARGEST_PART)) if met else []
    if total > _LARGEST_COMPILED:
        return None
    return tuple(_compiled_groups(a, b, groups) for groups in parts if len(groups))


def _compiled_groups(a: Pattern, b: Pattern, groups: Indices) -> _Groups:
    """Compile the product of grouped rows of `a`, of shape (groups, w)."""
    left = _places(a, groups)
    rows = a.indices[left[:, 0]]  # of `b`, one for each row of A
    right = _places(b, rows[:, None])[:, 0]
    factors = np.repeat(np.arange(len(left)), b.row_counts[rows])  # row of A met by each entry of B
    group = np.repeat(np.arange(len(groups)), a.row_counts[groups[:, 0]])[factors]
    results = group * b.shape[1] + b.indices[right]  # group and column to which it is added
    order = np.argsort(results, kind="stable")
    starts = np.flatnonzero(np.diff(results[order], prepend=-1))
    met = Pattern(np.append(starts, len(results)), factors[order], len(left))
    return _Groups(left, right[order], met, _places(pattern_product(a, b), groups))


def _equal_rows(pattern: Pattern) -> list[Indices]:
    """Group the rows with the same columns: for each size w, an array of shape (groups, w)."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, (start, stop) in enumerate(pairwise(pattern.indptr)):
        groups[pattern.indices[start:stop].tobytes()].append(row)
    sizes: dict[int, list[list[int]]] = defaultdict(list)
    for rows in groups.values():
        sizes[len(rows)].append(rows)
    return [np.array(rows) for rows in sizes.values()]


def _places(pattern: Pattern, groups: Indices) -> Indices:
    """Return the places of the entries of grouped rows, group by group.

    `groups` has shape (groups, w), the result (entries of the first row of each group, w).
    """
    counts = pattern.row_counts[groups[:, 0]]
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(pattern.indptr[groups], counts, axis=0) + inside[:, None])


def _increasing(pattern: Pattern) -> bool:
    """Return whether columns increase within each row."""
    steps = np.diff(pattern.indices) > 0
    starts = pattern.indptr[1:-1]
    starts = starts[(starts > 0) & (starts < len(pattern.indices))]
    steps[starts - 1] = True  # from one row to the next
    return bool(steps.all())
