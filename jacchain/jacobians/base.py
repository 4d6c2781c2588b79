"""The base classes of all kinds of Jacobian."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.structure import Structure, pattern_of
from jacchain.jacobians.unchecked import Unchecked
from jacchain.limits import check_room

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from jacchain.inputs import FloatArray


class Jacobian(Unchecked, ABC):
    """A matrix with data, of shape (m, n).

    A new kind is one subclass and its rows in the tables of `structure_products` and `products`.
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
        """Return the elements at all entries of the structure's pattern, row by row."""

    @property
    def is_finite(self) -> bool:
        """Whether no stored element is infinite or not a number."""
        return bool(np.isfinite(self.entries()).all())

    @abstractmethod
    def to_dense(self) -> FloatArray:
        """Return all elements as a C-contiguous array of shape (m, n). Do not write to it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.structure.shape

    @property
    def nbytes(self) -> int:
        """Bytes of the stored elements."""
        return self.structure.elements * self.dtype.itemsize

    def __repr__(self) -> str:
        """Show the shape, not the data."""
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"


class StructuredJacobian(Jacobian):
    """A Jacobian of which only some entries are stored."""

    @cached_property
    def compressed(self) -> csr_array:
        """The matrix in scipy's compressed rows."""
        return pattern_of(self.structure).compressed(self.entries())

    @cached_property
    def transposed(self) -> csr_array:
        """The transpose in compressed rows, which a row times this matrix reads in order."""
        return self.compressed.T.tocsr()

    def to_dense(self) -> FloatArray:
        """Return all elements, zeros included, as a C-contiguous array of shape (m, n).

        Raises MemoryError if the array needs more memory than is available.
        """
        check_dense_room(self.structure, self.dtype)
        pattern = pattern_of(self.structure)
        dense = np.zeros(self.shape, self.dtype)
        dense[pattern.rows, pattern.indices] = self.entries()
        return dense


def check_dense_room(structure: Structure, dtype: np.dtype[Any]) -> None:
    """Raise MemoryError if the dense form needs more memory than is available."""
    check_room(
        prod(structure.shape) * dtype.itemsize,
        f"the dense form of a {structure.kind} Jacobian of shape {structure.shape}",
        f"keep it {structure.kind}, which stores {structure.elements:,} elements",
    )
