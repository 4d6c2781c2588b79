"""Jacobians with every element stored."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jacchain.inputs import FloatArray, as_floats, is_scipy_sparse
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.sparse import SparseJacobian
from jacchain.jacobians.structure import Structure


@dataclass(frozen=True, eq=False, repr=False)
class DenseJacobian(Jacobian):
    """A matrix with every element stored.

    Parameters
    ----------
    array : ndarray
        Shape (m, n), both at least 1. Integers and booleans become float64. The data is shared,
        not copied, if it is C-contiguous and of type float32 or float64.

    Raises
    ------
    TypeError
        If the elements are of any other type.
    ValueError
        If the array is not two-dimensional or is empty.

    Examples
    --------
    >>> DenseJacobian(np.ones((2, 3), dtype="float32"))
    DenseJacobian(shape=(2, 3), dtype=float32)
    """

    array: FloatArray

    def __post_init__(self) -> None:
        """Validate and convert the array."""
        object.__setattr__(self, "array", as_floats(self.array, "array", dimensions=2))

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        rows, columns = self.array.shape
        return Structure.unchecked((rows, columns))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, float32 or float64."""
        return self.array.dtype

    def entries(self) -> FloatArray:
        """Return all elements, row by row."""
        return self.array.ravel()

    def to_dense(self) -> FloatArray:
        """Return the array itself."""
        return self.array


def as_jacobian(matrix: ArrayLike | Jacobian) -> Jacobian:
    """Return a Jacobian unchanged, a sparse matrix of scipy's as sparse, and others as dense.

    Raises as `SparseJacobian.from_scipy` and `DenseJacobian` do.

    Examples
    --------
    >>> as_jacobian([[1, 2, 3]])
    DenseJacobian(shape=(1, 3), dtype=float64)
    """
    if isinstance(matrix, Jacobian):
        return matrix
    if is_scipy_sparse(matrix):
        return SparseJacobian.from_scipy(matrix)
    return DenseJacobian(matrix)  # type: ignore[arg-type]  # converts it
