"""Jacobians with single entries, rows or blocks along the diagonal, and zeros elsewhere."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from jacchain.inputs import FloatArray, as_floats, check_dtype, check_sizes
from jacchain.jacobians.base import StructuredJacobian
from jacchain.jacobians.structure import Structure


@dataclass(frozen=True, eq=False, repr=False)
class DiagonalJacobian(StructuredJacobian):
    """`diag(d)`, the Jacobian of an elementwise activation.

    Parameters
    ----------
    diagonal : array_like
        Shape (n,), n at least 1. Shared, not copied, if it is contiguous and of a float type.

    Raises
    ------
    TypeError, ValueError
        If the elements are not real numbers, or `diagonal` is not a vector.

    Examples
    --------
    >>> DiagonalJacobian([1.0, 2.0]).to_dense()
    array([[1., 0.],
           [0., 2.]])
    """

    diagonal: FloatArray

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        object.__setattr__(self, "diagonal", as_floats(self.diagonal, "diagonal", dimensions=1))

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure.unchecked((len(self.diagonal),) * 2, "diagonal")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.diagonal.dtype

    def entries(self) -> FloatArray:
        """Return the diagonal."""
        return self.diagonal


@dataclass(frozen=True, eq=False, repr=False)
class IdentityJacobian(StructuredJacobian):
    """The identity, the Jacobian of a change of shape.

    Parameters
    ----------
    size : int
        Rows, and columns.
    type : dtype_like
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If the size is not an integer of at least 1, or the type is another.

    Examples
    --------
    >>> IdentityJacobian(2, "float32").to_dense()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    size: int
    type: DTypeLike = "float64"

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        object.__setattr__(self, "type", check_dtype(self.type))
        object.__setattr__(self, "size", Structure((self.size, self.size)).shape[0])

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure.unchecked((self.size, self.size), "identity")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(self.type)

    def entries(self) -> FloatArray:
        """Return a 1 for each row."""
        return np.ones(self.size, self.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class KroneckerJacobian(StructuredJacobian):
    """`I (x) z^T`, the Jacobian of an affine layer by its weights, taken row by row.

    Parameters
    ----------
    row : array_like
        `z`, shape (n,).
    copies : int
        Rows m of the identity. The matrix has shape (m, m n).

    Raises
    ------
    TypeError, ValueError
        If the elements are not real numbers, `row` is not a vector, or `copies` is below 1.

    Examples
    --------
    >>> KroneckerJacobian([1.0, 2.0], 2).to_dense()
    array([[1., 2., 0., 0.],
           [0., 0., 1., 2.]])
    """

    row: FloatArray
    copies: int

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        object.__setattr__(self, "row", as_floats(self.row, "row", dimensions=1))
        object.__setattr__(self, "copies", Structure((self.copies, 1)).shape[0])

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        shape = (self.copies, self.copies * len(self.row))
        return Structure.unchecked(shape, "kronecker")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.row.dtype

    def entries(self) -> FloatArray:
        """Return the row, once for each copy."""
        return np.tile(self.row, self.copies)


@dataclass(frozen=True, eq=False, repr=False)
class BlockDiagonalJacobian(StructuredJacobian):
    """Blocks along the diagonal, one for each sample of a batch.

    Parameters
    ----------
    array : array_like
        Shape (blocks, r, c), or (r, c) if all samples share one block.
    blocks : int
        Samples in the batch.

    Raises
    ------
    TypeError, ValueError
        If the elements are not real numbers, the array has another shape or is empty, or `blocks`
        is not an integer of at least 1.

    Examples
    --------
    >>> BlockDiagonalJacobian([[1.0, 2.0]], blocks=2).to_dense()
    array([[1., 2., 0., 0.],
           [0., 0., 1., 2.]])
    """

    array: FloatArray
    blocks: int

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        array = as_floats(self.array)
        (blocks,) = check_sizes([self.blocks])
        fits = array.ndim == 2 or (array.ndim == 3 and len(array) == blocks)
        if not fits or not array.size:
            message = (
                f"array of shape {array.shape} for a batch of {blocks}: expected (r, c), "
                f"shared, or ({blocks}, r, c), and nothing empty"
            )
            raise ValueError(message)
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "blocks", blocks)

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        rows, columns = self.array.shape[-2:]
        shape = (self.blocks * rows, self.blocks * columns)
        return Structure.unchecked(shape, "block", None, self.blocks, self.array.ndim == 2)

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
        """Return the elements of all blocks, row by row."""
        return np.broadcast_to(self.array, (self.blocks, *self.array.shape[-2:])).ravel()

    @property
    def is_finite(self) -> bool:
        """Whether no stored element is infinite or not a number; a shared block is stored once."""
        return bool(np.isfinite(self.array).all())
