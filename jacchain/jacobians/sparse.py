"""Jacobians whose entries can be anywhere: sparse matrices and selections."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacchain.inputs import FloatArray, as_floats, as_numpy, check_dtype, check_type
from jacchain.jacobians.base import StructuredJacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.structure import Structure


@dataclass(frozen=True, eq=False, repr=False)
class SparseJacobian(StructuredJacobian):
    """A sparse matrix, such as the Jacobian of a convolution.

    Parameters
    ----------
    pattern : Pattern
        Shared, not copied.
    values : array_like
        Shape (entries of the pattern,), row by row. Zeros among them count as entries.

    Raises
    ------
    TypeError, ValueError
        If the elements are not real numbers, or not as many as the pattern has entries.

    Examples
    --------
    >>> SparseJacobian(Pattern([0, 1, 2], [2, 0], columns=3), [5.0, 7.0]).to_dense()
    array([[0., 0., 5.],
           [7., 0., 0.]])
    """

    pattern: Pattern
    values: FloatArray

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        check_type(self.pattern, Pattern, "the pattern")
        values = as_floats(self.values, "values")
        if values.shape != (self.pattern.entries,):
            message = f"values of shape {values.shape}: expected ({self.pattern.entries},)"
            raise ValueError(message)
        object.__setattr__(self, "values", values)

    @classmethod
    def from_scipy(cls, matrix: Any) -> "SparseJacobian":
        """Return a sparse matrix or array of scipy's, in any of its formats.

        Entries stored twice are added up, and stored zeros stay entries; `matrix` stays as it is.
        Raises TypeError or ValueError if its elements are not real, or it has not two dimensions.

        Examples
        --------
        >>> from scipy.sparse import coo_array
        >>> twice = coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(1, 3))
        >>> SparseJacobian.from_scipy(twice).to_dense()
        array([[0., 3., 0.]])
        """
        if len(matrix.shape) != 2:
            message = f"sparse array of shape {matrix.shape}: expected 2 dimensions; reshape it"
            raise ValueError(message)
        rows = matrix.tocsr(copy=True)
        rows.sum_duplicates()  # and sorts
        return cls(Pattern(rows.indptr, rows.indices, rows.shape[1]), rows.data)

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure.unchecked(self.pattern.shape, "sparse", self.pattern)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.values.dtype

    def entries(self) -> FloatArray:
        """Return the values."""
        return self.values


@dataclass(frozen=True, eq=False, repr=False)
class SelectionJacobian(StructuredJacobian):
    """A matrix with a single 1 in each row, such as the Jacobian of max pooling or a permutation.

    Parameters
    ----------
    pattern : Pattern
        Has one entry in each row.
    type : dtype_like
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If the type is another, or a row has no entry or several.

    Examples
    --------
    >>> SelectionJacobian.from_indices([2, 0], columns=3).to_dense()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    pattern: Pattern
    type: DTypeLike = "float64"

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        object.__setattr__(self, "type", check_dtype(self.type))
        check_type(self.pattern, Pattern, "the pattern")
        Structure(self.pattern.shape, "selection", self.pattern)  # raises if it does not fit

    @classmethod
    def from_indices(
        cls, indices: ArrayLike, columns: int, type: DTypeLike = "float64"
    ) -> "SelectionJacobian":
        """Return the selection, of shape (m, columns), whose row i has its 1 at ``indices[i]``.

        Parameters
        ----------
        indices : array_like of int
            Shape (m,).
        columns : int
            Columns of the matrix.
        type : dtype_like
            float32 or float64.
        """
        array = as_numpy(indices, "indices")
        return cls(Pattern(np.arange(array.size + 1), array, columns), type)

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        return Structure.unchecked(self.pattern.shape, "selection", self.pattern)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return np.dtype(self.type)

    def entries(self) -> FloatArray:
        """Return a 1 for each row."""
        return np.ones(self.pattern.entries, self.dtype)
