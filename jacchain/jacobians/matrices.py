"""Jacobians: matrices with data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacchain.jacobians.structure import Structure, check_sizes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

FloatArray: TypeAlias = NDArray[np.floating[Any]]

_FLOATS = (np.dtype("float32"), np.dtype("float64"))


def check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` as a numpy dtype, float32 or float64; raise TypeError for any other.

    Examples
    --------
    >>> check_dtype("float32")
    dtype('float32')
    """
    checked = np.dtype(dtype)
    if checked not in _FLOATS:
        msg = f"dtype {checked}: expected float32 or float64; convert with .astype('float64')"
        raise TypeError(msg)
    return checked


class Jacobian(ABC):
    """A matrix with data, of some kind.

    A new kind is one subclass, with its rows in the tables of `rules` and `products`.
    """

    @property
    @abstractmethod
    def structure(self) -> Structure:
        """The matrix without its data."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, float32 or float64."""

    @abstractmethod
    def entries(self) -> FloatArray:
        """Every entry of the pattern of the structure, row by row."""

    @abstractmethod
    def to_dense(self) -> FloatArray:
        """C-contiguous array of all elements, of shape (m, n); not to be written to."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.structure.shape

    @property
    def nbytes(self) -> int:
        """Bytes that the stored elements take."""
        return self.structure.elements * self.dtype.itemsize

    def __repr__(self) -> str:
        """Show the shape, not the data."""
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


@dataclass(frozen=True, eq=False, repr=False)
class DenseJacobian(Jacobian):
    """A matrix with every element stored.

    Parameters
    ----------
    array : ndarray
        Of shape (m, n), both at least 1. Integers and booleans become float64. The data is
        shared, not copied, where it already is C-contiguous of type float32 or float64.

    Raises
    ------
    TypeError
        If the elements are complex, objects or any other type.
    ValueError
        If the array is not two-dimensional or is empty.

    Examples
    --------
    >>> DenseJacobian(np.ones((2, 3), dtype="float32"))
    DenseJacobian(shape=(2, 3), dtype=float32)
    """

    array: FloatArray

    def __post_init__(self) -> None:
        """Validate once."""
        array = np.asarray(self.array)
        if array.ndim != 2:
            msg = f"array of shape {array.shape}: expected two dimensions; reshape it to (m, n)"
            raise ValueError(msg)
        check_sizes(array.shape)  # raises on an empty array
        dtype = check_dtype("float64" if array.dtype.kind in "iub" else array.dtype)
        object.__setattr__(self, "array", np.ascontiguousarray(array, dtype))

    @cached_property
    def structure(self) -> Structure:
        """The matrix without its data."""
        rows, columns = self.array.shape
        return Structure((rows, columns))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, float32 or float64."""
        return self.array.dtype

    def entries(self) -> FloatArray:
        """All elements."""
        return self.array.ravel()

    def to_dense(self) -> FloatArray:
        """Return the array itself."""
        return self.array


def as_jacobian(matrix: ArrayLike | Jacobian) -> Jacobian:
    """Return a Jacobian as it is, and anything else as a `DenseJacobian`.

    Parameters
    ----------
    matrix : array_like or Jacobian
        Of shape (m, n).

    Returns
    -------
    Jacobian

    Raises
    ------
    TypeError, ValueError
        As `DenseJacobian`.

    Examples
    --------
    >>> as_jacobian([[1, 2, 3]])
    DenseJacobian(shape=(1, 3), dtype=float64)
    """
    return matrix if isinstance(matrix, Jacobian) else DenseJacobian(np.asarray(matrix))
