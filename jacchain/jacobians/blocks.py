"""Jacobians of blocks along the diagonal, and of ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.matrices import FloatArray, check_dtype
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.structure import Structure, check_sizes
from jacchain.jacobians.structured import StructuredJacobian, as_floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


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


@dataclass(frozen=True, eq=False, repr=False)
class SelectionJacobian(StructuredJacobian):
    """One 1 in each row, what max pooling and permutations have.

    Parameters
    ----------
    pattern : Pattern
        With one entry in each row.
    type : dtype_like
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If the dtype is another, or a row has none or several entries.

    Examples
    --------
    >>> SelectionJacobian.of([2, 0], columns=3).to_dense()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    pattern: Pattern
    type: DTypeLike = "float64"

    def __post_init__(self) -> None:
        """Validate once."""
        object.__setattr__(self, "type", check_dtype(self.type))
        self.structure  # noqa: B018  # raises where it doesn't fit

    @classmethod
    def of(cls, chosen: ArrayLike, columns: int, type: DTypeLike = "float64") -> SelectionJacobian:
        """Select, for each row, the column `chosen`."""
        indices = np.asarray(chosen)
        return cls(Pattern(np.arange(len(indices) + 1), indices, columns), type)

    @property
    def chosen(self) -> NDArray[np.integer[Any]]:
        """The column of each row's entry."""
        return self.pattern.indices

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure(self.pattern.shape, "selection", self.pattern)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(self.type)

    def entries(self) -> FloatArray:
        """Ones."""
        return np.ones(self.pattern.entries, self.dtype)
