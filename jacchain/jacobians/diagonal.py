"""Jacobians whose entries lie along the diagonal, one by one, in rows or in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.base import FloatArray, StructuredJacobian, as_floats, check_dtype
from jacchain.jacobians.structure import Structure, check_sizes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


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


@dataclass(frozen=True, eq=False, repr=False)
class BlockDiagonalJacobian(StructuredJacobian):
    """Blocks along the diagonal, one for each sample of a batch.

    Parameters
    ----------
    array : array_like
        Of shape (blocks, r, c), or (r, c) of one block that all samples share.
    blocks : int
        Samples of the batch.

    Raises
    ------
    TypeError, ValueError
        If the elements are no real numbers, or the shape is none of the two.

    Examples
    --------
    >>> BlockDiagonalJacobian([[1.0, 2.0]], blocks=2).to_dense()
    array([[1., 2., 0., 0.],
           [0., 0., 1., 2.]])
    """

    array: FloatArray
    blocks: int

    def __post_init__(self) -> None:
        """Validate once."""
        array = as_floats(np.asarray(self.array))
        check_sizes([self.blocks])  # raises where there is no block
        fits = array.ndim == 2 or (array.ndim == 3 and len(array) == self.blocks)
        if not fits or not array.size:
            msg = (
                f"array of shape {array.shape} for a batch of {self.blocks}: expected (r, c), "
                f"shared, or ({self.blocks}, r, c), and nothing empty"
            )
            raise ValueError(msg)
        object.__setattr__(self, "array", array)

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        rows, columns = self.array.shape[-2:]
        shape = (self.blocks * rows, self.blocks * columns)
        return Structure(shape, "block", blocks=self.blocks, shared=self.array.ndim == 2)

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of one block."""
        rows, columns = self.array.shape[-2:]
        return rows, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.array.dtype

    def entries(self) -> FloatArray:
        """All blocks, row by row."""
        return np.broadcast_to(self.array, (self.blocks, *self.array.shape[-2:])).ravel()


def _vector(values: ArrayLike, what: str) -> FloatArray:
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        msg = f"{what} of shape {array.shape}: expected one dimension, not empty"
        raise ValueError(msg)
    return as_floats(array)
