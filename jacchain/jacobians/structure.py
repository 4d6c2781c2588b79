"""Matrices without data, and the one table of what their products cost."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STORED_ELEMENTS: dict[str, Callable[[int, int], int]] = {"dense": operator.mul}


def check_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Check that sizes are integers of at least 1, and make them Python ints.

    Python ints never overflow: costs stay exact for sizes of 10**9 and more.

    Parameters
    ----------
    sizes : iterable of int
        Python or numpy integers.

    Returns
    -------
    tuple of int

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> check_sizes(np.array([1, 64, 4096]))
    (1, 64, 4096)
    """
    given = tuple(sizes)
    try:
        checked = tuple(operator.index(size) for size in given)
    except TypeError:
        msg = f"sizes {given}: every size must be an integer; convert it with int(...)"
        raise TypeError(msg) from None
    for size in checked:
        if size < 1:
            msg = f"size {size} in {checked}: every size must be at least 1; drop what is empty"
            raise ValueError(msg)
    return checked


@dataclass(frozen=True, slots=True)
class Structure:
    """A matrix without data.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, both at least 1.
    kind : str
        How the matrix is stored; only ``"dense"`` so far.

    Raises
    ------
    TypeError, ValueError
        If the shape is no pair of integers of at least 1, or the kind is unknown.

    Examples
    --------
    >>> Structure((64, 4096)).elements
    262144
    """

    shape: tuple[int, int]
    kind: str = "dense"

    def __post_init__(self) -> None:
        """Validate once."""
        rows, columns = check_sizes(self.shape)
        object.__setattr__(self, "shape", (rows, columns))
        if self.kind not in _STORED_ELEMENTS:
            msg = f"unknown kind {self.kind!r}; the known ones are {sorted(_STORED_ELEMENTS)}"
            raise ValueError(msg)

    @property
    def elements(self) -> int:
        """Number of elements that are stored."""
        return _STORED_ELEMENTS[self.kind](*self.shape)


@dataclass(frozen=True, slots=True)
class ProductCost:
    """What one product of two matrices takes and gives.

    Parameters
    ----------
    result : Structure
    multiplications : int
        Scalar multiplications, each with its addition.
    elements_moved : int
        Elements of both operands, read once, and of the result, written once.
    """

    result: Structure
    multiplications: int
    elements_moved: int


def check_fit(a: Structure, b: Structure) -> None:
    """Raise ValueError unless `a` has as many columns as `b` has rows."""
    if a.shape[1] != b.shape[0]:
        msg = (
            f"shapes {a.shape} and {b.shape} do not fit: {a.shape[1]} columns against "
            f"{b.shape[0]} rows; neighbours must share that size, and the loss comes first"
        )
        raise ValueError(msg)


def product(a: Structure, b: Structure) -> ProductCost:
    """Cost of multiplying `a` with `b`; pairs of kinds without a rule are taken as dense.

    Parameters
    ----------
    a, b : Structure
        Of shapes (m, k) and (k, n).

    Returns
    -------
    ProductCost
        Of a result of shape (m, n).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> product(Structure((1, 2)), Structure((2, 3)))
    ProductCost(result=Structure(shape=(1, 3), kind='dense'), multiplications=6, elements_moved=11)
    """
    check_fit(a, b)
    return _RULES.get((a.kind, b.kind), _dense_dense)(a, b)


def _dense_dense(a: Structure, b: Structure) -> ProductCost:
    (m, k), (_, n) = a.shape, b.shape
    return ProductCost(Structure((m, n)), m * k * n, a.elements + b.elements + m * n)


_RULES: dict[tuple[str, str], Callable[[Structure, Structure], ProductCost]] = {
    ("dense", "dense"): _dense_dense,
}
