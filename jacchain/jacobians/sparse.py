"""Jacobians whose entries lie anywhere, at the places that a pattern says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.base import FloatArray, StructuredJacobian, as_floats, check_dtype
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


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
