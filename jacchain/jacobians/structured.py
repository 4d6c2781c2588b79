"""Jacobians of which only some entries are stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.matrices import FloatArray, Jacobian, check_dtype
from jacchain.jacobians.structure import Structure, pattern_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike
    from scipy.sparse import csr_array

    from jacchain.jacobians.pattern import Pattern


class StructuredJacobian(Jacobian):
    """What the kinds with few entries share: their dense form, made when asked for."""

    @cached_property
    def compressed(self) -> csr_array:
        """The same matrix as scipy's compressed rows, made once, sharing its pattern."""
        pattern = pattern_of(self.structure)
        return pattern.compressed(self.entries())

    @cached_property
    def transposed(self) -> csr_array:
        """The transpose in compressed rows: so a row times this matrix reads it in order."""
        return self.compressed.T.tocsr()

    def to_dense(self) -> FloatArray:
        """C-contiguous array of all elements, of shape (m, n).

        Raises
        ------
        MemoryError
            If it would take more than the memory that is available.
        """
        check_room(self.structure, self.dtype)
        pattern = pattern_of(self.structure)
        dense = np.zeros(self.shape, self.dtype)
        dense[pattern.rows, pattern.indices] = self.entries()
        return dense


def check_room(structure: Structure, dtype: np.dtype[Any]) -> None:
    """Raise MemoryError if the dense form does not fit in the memory that is available."""
    from psutil import virtual_memory

    needed, room = prod(structure.shape) * dtype.itemsize, virtual_memory().available
    if needed > room:
        msg = (
            f"the dense form of a {structure.kind} Jacobian of shape {structure.shape} takes "
            f"{needed / 2**30:.1f} GiB, and {room / 2**30:.1f} GiB are available; "
            f"keep it {structure.kind}, which stores {structure.elements:,} elements"
        )
        raise MemoryError(msg)


def _vector(values: ArrayLike, what: str) -> FloatArray:
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        msg = f"{what} of shape {array.shape}: expected one dimension, not empty"
        raise ValueError(msg)
    return as_floats(array)


def as_floats(array: np.ndarray[Any, Any]) -> FloatArray:
    """C-contiguous, of a float type: integers and booleans become float64, others raise."""
    dtype = check_dtype("float64" if array.dtype.kind in "iub" else array.dtype)
    return np.ascontiguousarray(array, dtype)


@dataclass(frozen=True, eq=False, repr=False)
class DiagonalJacobian(StructuredJacobian):
    """`diag(d)`, what an elementwise activation has.

    Parameters
    ----------
    diagonal : array_like
        Of shape (n,), n at least 1. Shared, not copied, where it already is of a float type.

    Raises
    ------
    TypeError, ValueError
        If the elements are no real numbers, or this is no vector.

    Examples
    --------
    >>> DiagonalJacobian([1.0, 2.0]).to_dense()
    array([[1., 0.],
           [0., 2.]])
    """

    diagonal: FloatArray

    def __post_init__(self) -> None:
        """Validate once."""
        object.__setattr__(self, "diagonal", _vector(self.diagonal, "diagonal"))

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure((len(self.diagonal),) * 2, "diagonal")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.diagonal.dtype

    def entries(self) -> FloatArray:
        """The diagonal."""
        return self.diagonal


@dataclass(frozen=True, eq=False, repr=False)
class IdentityJacobian(StructuredJacobian):
    """The identity of `size`, what reshaping has.

    Examples
    --------
    >>> IdentityJacobian(2, "float32").to_dense()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    size: int
    type: DTypeLike = "float64"

    def __post_init__(self) -> None:
        """Validate once."""
        object.__setattr__(self, "type", check_dtype(self.type))
        object.__setattr__(self, "size", Structure((self.size, self.size)).shape[0])

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure((self.size, self.size), "identity")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(self.type)

    def entries(self) -> FloatArray:
        """Ones."""
        return np.ones(self.size, self.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class SparseJacobian(StructuredJacobian):
    """A matrix of which the entries of a pattern are stored, what a convolution has.

    Parameters
    ----------
    pattern : Pattern
        Shared, not copied.
    values : array_like
        One for each entry of the pattern, row by row; zeros among them count as entries.

    Raises
    ------
    TypeError, ValueError
        If the elements are no real numbers, or not as many as the pattern has entries.

    Examples
    --------
    >>> from jacchain.jacobians.pattern import Pattern
    >>> SparseJacobian(Pattern([0, 1, 2], [2, 0], columns=3), [5.0, 7.0]).to_dense()
    array([[0., 0., 5.],
           [7., 0., 0.]])
    """

    pattern: Pattern
    values: FloatArray

    def __post_init__(self) -> None:
        """Validate once."""
        values = as_floats(np.asarray(self.values))
        if values.shape != (self.pattern.entries,):
            msg = f"values of shape {values.shape}: expected ({self.pattern.entries},)"
            raise ValueError(msg)
        object.__setattr__(self, "values", values)

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure(self.pattern.shape, "sparse", self.pattern)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.values.dtype

    def entries(self) -> FloatArray:
        """The values."""
        return self.values


@dataclass(frozen=True, eq=False, repr=False)
class KroneckerJacobian(StructuredJacobian):
    """`I (x) z^T`, what an affine layer has by its weights, `vec(W)` row by row.

    Parameters
    ----------
    row : array_like
        `z`, of shape (n,).
    copies : int
        Rows m of the identity: the matrix is (m, m n).

    Raises
    ------
    TypeError, ValueError
        If the elements are no real numbers, this is no vector, or there is no copy.

    Examples
    --------
    >>> KroneckerJacobian([1.0, 2.0], 2).to_dense()
    array([[1., 2., 0., 0.],
           [0., 0., 1., 2.]])
    """

    row: FloatArray
    copies: int

    def __post_init__(self) -> None:
        """Validate once."""
        object.__setattr__(self, "row", _vector(self.row, "row"))
        object.__setattr__(self, "copies", Structure((self.copies, 1)).shape[0])

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure((self.copies, self.copies * len(self.row)), "kronecker")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.row.dtype

    def entries(self) -> FloatArray:
        """The row, once for each copy."""
        return np.tile(self.row, self.copies)
