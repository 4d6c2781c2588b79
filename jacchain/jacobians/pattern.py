"""Where the entries of a sparse matrix are: its pattern, shared by all that have the same."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Indices = NDArray[np.integer[Any]]
    FloatArray = NDArray[np.floating[Any]]


class Pattern:
    """Rows and columns of the entries that are stored, in compressed rows.

    Parameters
    ----------
    indptr : array_like of int
        Of shape (m + 1,): row i has the entries ``indptr[i]`` up to ``indptr[i + 1]``.
    indices : array_like of int
        Column of each entry, increasing within a row.
    columns : int
        Columns of the matrix.

    Raises
    ------
    ValueError
        If this is no pattern of compressed rows.

    Examples
    --------
    >>> pattern = Pattern([0, 2, 3], [0, 2, 1], columns=3)
    >>> pattern, pattern.row_counts.tolist(), pattern.column_counts.tolist()
    (Pattern(2 x 3, 3 entries), [2, 1], [1, 1, 1])
    """

    def __init__(self, indptr: ArrayLike, indices: ArrayLike, columns: int) -> None:
        self.indptr = _frozen(indptr)
        self.indices = _frozen(indices)
        self.shape = (len(self.indptr) - 1, int(columns))
        self._check()
        self._hash = hash((self.shape, self.indptr.tobytes(), self.indices.tobytes()))

    def _check(self) -> None:
        starts, columns = self.indptr, self.indices
        whole = len(starts) > 1 and starts[0] == 0 and starts[-1] == len(columns)
        inside = not len(columns) or (columns.min() >= 0 and columns.max() < self.shape[1])
        if not whole or not inside or np.any(np.diff(starts) < 0) or not _increasing(self):
            msg = (
                f"indptr {starts} and indices {columns} are no pattern of {self.shape[1]} columns: "
                "expected compressed rows, columns increasing in each"
            )
            raise ValueError(msg)

    def __repr__(self) -> str:
        """Show the size, not the entries."""
        return f"Pattern({self.shape[0]} x {self.shape[1]}, {self.entries} entries)"

    def __eq__(self, other: object) -> bool:
        """Whether all entries are at the same places."""
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
        """Of the places of all entries."""
        return self._hash

    @property
    def entries(self) -> int:
        """How many entries are stored."""
        return len(self.indices)

    @cached_property
    def row_counts(self) -> Indices:
        """Entries of each row."""
        return np.asarray(self.indptr[1:] - self.indptr[:-1], np.int64)

    @cached_property
    def column_counts(self) -> Indices:
        """Entries of each column."""
        return np.bincount(self.indices, minlength=self.shape[1])

    @cached_property
    def rows(self) -> Indices:
        """Row of each entry."""
        return np.repeat(np.arange(self.shape[0]), self.row_counts)

    def compressed(self, values: NDArray[Any]) -> csr_array:
        """The matrix with these values, in scipy's compressed rows."""
        from scipy.sparse import csr_array  # 0.1 s to import, which only sparse ones are worth

        return csr_array((values, self.indices, self.indptr), shape=self.shape)


def pattern_product(a: Pattern, b: Pattern) -> Pattern:
    """Where the product of two sparse matrices has entries, whatever their values.

    Examples
    --------
    >>> pattern_product(Pattern([0, 2], [0, 1], 2), Pattern([0, 1, 2], [2, 2], 3))
    Pattern(1 x 3, 1 entries)
    """
    return _meeting(a, b)[0]


def product_values(a: csr_array, b: csr_array, patterns: tuple[Pattern, Pattern]) -> FloatArray:
    """Values of a product at the entries of its pattern, in their order.

    Parameters
    ----------
    a, b
        In compressed rows, of the two `patterns`.
    """
    from scipy.sparse._sparsetools import csr_matmat

    pattern, order = _meeting(*patterns)
    # What scipy's `a @ b` does, but for its first half: to count the entries that are known here.
    indptr, indices = (np.empty(n, np.int32) for n in (len(pattern.indptr), pattern.entries))
    values = np.empty(pattern.entries, np.result_type(a, b))
    left, right = ((m.indptr, m.indices, m.data.astype(values.dtype, copy=False)) for m in (a, b))
    csr_matmat(*pattern.shape, *left, *right, indptr, indices, values)
    if indptr[-1] == pattern.entries:
        return np.asarray(values[order])
    return _with_zeros(pattern, indptr, indices[: indptr[-1]], values[: indptr[-1]])


def _with_zeros(
    pattern: Pattern, indptr: Indices, indices: Indices, found: FloatArray
) -> FloatArray:
    """Values at all entries of a pattern, of which some cancelled and were left out."""
    width = pattern.shape[1]
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    places = rows * width + indices
    values = np.zeros(pattern.entries, found.dtype)
    values[np.searchsorted(pattern.rows * width + pattern.indices, places)] = found
    return values


@lru_cache(maxsize=256)
def _meeting(a: Pattern, b: Pattern) -> tuple[Pattern, Indices]:
    """The pattern of a product, and where scipy's product, which sorts no row, has its entries."""
    ones = (p.compressed(np.ones(p.entries, np.int64)) for p in (a, b))
    meeting = next(ones) @ next(ones)  # positive integers: nothing cancels
    rows = np.repeat(np.arange(meeting.shape[0]), np.diff(meeting.indptr))
    order = np.lexsort((meeting.indices, rows))
    return Pattern(meeting.indptr, meeting.indices[order], b.shape[1]), order


def _frozen(values: ArrayLike) -> Indices:
    array = np.array(values, dtype=np.int32)
    if array.ndim != 1:
        msg = f"indices of shape {array.shape}: expected one dimension"
        raise ValueError(msg)
    array.flags.writeable = False
    return array


def _increasing(pattern: Pattern) -> bool:
    """Whether columns increase within each row."""
    steps = np.diff(pattern.indices) > 0
    starts = pattern.indptr[1:-1]
    starts = starts[(starts > 0) & (starts < len(pattern.indices))]
    steps[starts - 1] = True  # from one row to the next
    return bool(steps.all())
