"""Jacobians: what every kind of matrix with data has, and the types of its elements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacchain.jacobians.structure import Structure, pattern_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from scipy.sparse import csr_array

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


def as_floats(array: np.ndarray[Any, Any]) -> FloatArray:
    """C-contiguous, of a float type: integers and booleans become float64, others raise."""
    dtype = check_dtype("float64" if array.dtype.kind in "iub" else array.dtype)
    return np.ascontiguousarray(array, dtype)


class Jacobian(ABC):
    """A matrix with data, of some kind.

    A new kind is one subclass, with its rows in the tables of `structure_products` and `products`.
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
