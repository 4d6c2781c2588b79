"""A chain of Jacobians, loss first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacchain.inputs import (
    as_generator,
    as_tuple,
    check_dtype,
    check_flag,
    check_sizes,
    check_type,
)
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian, as_jacobian
from jacchain.jacobians.structure import Structure, pattern_of
from jacchain.jacobians.structure_products import check_fit
from jacchain.limits import check_room
from jacchain.notebook import dims_text, html_table


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Chain:
    """Jacobians to be multiplied, loss first.

    Parameters
    ----------
    factors : iterable of array_like or Jacobian
        At least one, of shapes (m, z_L), (z_L, z_{L-1}), ..., (z_1, x); m is 1 for a scalar loss.
        All float32 or all float64; integers become float64. Data is shared where it can be.
    check_finite : bool
        Whether to look for NaN and infinity in every factor.

    Raises
    ------
    TypeError
        If a factor is complex or of another unfit type, or float32 and float64 are mixed.
    ValueError
        If there is no factor, one is no matrix, neighbours do not fit, or, where it was asked
        for, an element is not finite.

    Examples
    --------
    >>> chain = Chain([[[1.0, 2.0]], [[3.0], [4.0]]])
    >>> chain
    Chain(dims=(1, 2, 1), dtype=float64)
    >>> len(chain), chain.nbytes
    (2, 32)
    """

    factors: tuple[Jacobian, ...]

    def __init__(
        self, factors: Iterable[ArrayLike | Jacobian], *, check_finite: bool = False
    ) -> None:
        check_flag(check_finite, "check_finite")
        matrices = as_tuple(factors, object, "the factors")
        jacobians = tuple(_factor(index, matrix) for index, matrix in enumerate(matrices))
        _check_neighbours(jacobians)
        if check_finite:
            _check_finite(jacobians)
        object.__setattr__(self, "factors", jacobians)

    def __len__(self) -> int:
        """Return the number of factors."""
        return len(self.factors)

    def __repr__(self) -> str:
        """Show the dims, not the data."""
        return f"Chain(dims={dims_text(self.dims)}, dtype={self.dtype})"

    def _repr_html_(self) -> str:
        """Show a notebook the factors."""
        rows = (
            (f"J{place}", s.kind, " x ".join(map(str, s.shape)), f"{s.elements:,}")
            for place, s in enumerate(self.structures)
        )
        title = f"chain of {len(self)} factors, loss first, {self.dtype}"
        return html_table(title, ("factor", "kind", "shape", "elements"), rows)

    @property
    def dims(self) -> tuple[int, ...]:
        """Sizes along the chain, ``(m, |z_L|, ..., |z_1|, |x|)``."""
        return (self.factors[0].shape[0], *(factor.shape[1] for factor in self.factors))

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The factors without their data."""
        return tuple(factor.structure for factor in self.factors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of all elements, float32 or float64."""
        return self.factors[0].dtype

    @property
    def nbytes(self) -> int:
        """Bytes that all factors take together."""
        return sum(factor.nbytes for factor in self.factors)


Chains: TypeAlias = Chain | Mapping[str, Chain]
"""One chain, or several by name."""


def distinct_factors(chain: Chains) -> tuple[Jacobian, ...]:
    """Return the factors of one chain, or each factor of several chains once.

    Raises TypeError or ValueError if several chains have not all the same dtype, or there is none.

    Examples
    --------
    >>> chain = random_chain((1, 2, 3))
    >>> len(distinct_factors({"a": chain, "b": Chain(chain.factors[:1])}))
    2
    """
    if isinstance(chain, Chain):
        return chain.factors
    check_type(chain, Mapping, "the chain, or the chains by name,")
    for name, value in chain.items():
        check_type(value, Chain, f"chain {name!r}")
    if not chain:
        message = "no chain to multiply: give at least one by its name"
        raise ValueError(message)
    dtypes = {str(value.dtype) for value in chain.values()}
    if len(dtypes) > 1:
        message = f"chains of {' and '.join(sorted(dtypes))}: expected one type for all"
        raise TypeError(message)
    return tuple({id(f): f for value in chain.values() for f in value.factors}.values())


def dense_structures(dims: Iterable[int]) -> tuple[Structure, ...]:
    """Return the structures of the dense chain of these dims, loss first.

    Raises TypeError or ValueError if a size is no integer of at least 1, or there are fewer than
    two.

    Examples
    --------
    >>> dense_structures((1, 2, 3))
    (Structure(shape=(1, 2), kind='dense'), Structure(shape=(2, 3), kind='dense'))
    """
    sizes = check_sizes(dims)
    if len(sizes) < 2:
        message = f"dims {sizes}: a chain has at least two sizes; give (1, ..., |x|), loss first"
        raise ValueError(message)
    return tuple(Structure(shape) for shape in pairwise(sizes))


def random_chain(
    dims: Iterable[int],
    *,
    dtype: DTypeLike = "float64",
    rng: int | np.random.Generator | None = None,
) -> Chain:
    """Return a chain of dense factors with normal entries.

    The entries of a factor of shape (m, n) have variance 1/n: so have those of every product,
    whatever the depth.

    Parameters
    ----------
    dims : iterable of int
        ``(1, |z_L|, ..., |z_1|, |x|)``.
    dtype : dtype_like
        float32 or float64.
    rng : int or numpy.random.Generator, optional
        Seed or generator.

    Raises
    ------
    TypeError, ValueError
        If the dims or the dtype are unfit.

    Examples
    --------
    >>> random_chain((1, 64, 64, 4096), dtype="float32", rng=0)
    Chain(dims=(1, 64, 64, 4096), dtype=float32)
    """
    generator, checked = as_generator(rng), check_dtype(dtype)
    structures = dense_structures(dims)
    needed = checked.itemsize * sum(structure.elements for structure in structures)
    check_room(needed, "a chain of these dims", "make it smaller, or plan it, which needs no data")
    return Chain(_random_factor(structure, checked, generator) for structure in structures)


def _random_factor(
    structure: Structure, dtype: np.dtype[Any], rng: np.random.Generator
) -> DenseJacobian:
    array = rng.standard_normal(structure.shape, dtype=dtype.type)
    array /= np.sqrt(structure.shape[1])
    return DenseJacobian(array)


def _factor(index: int, matrix: ArrayLike | Jacobian) -> Jacobian:
    try:
        return as_jacobian(matrix)
    except (TypeError, ValueError) as error:
        message = f"factor {index}: {error}"
        raise type(error)(message) from error


def _check_neighbours(factors: Sequence[Jacobian]) -> None:
    if not factors:
        message = "a chain of no factors: give at least one matrix"
        raise ValueError(message)
    for index, (a, b) in enumerate(pairwise(factors)):
        try:
            check_fit(a.structure, b.structure)
        except ValueError as error:
            message = f"factors {index} and {index + 1}: {error}"
            raise ValueError(message) from None
        if a.dtype != b.dtype:
            message = (
                f"factors {index} and {index + 1} are {a.dtype} and {b.dtype}: expected one type "
                "for all; convert with .astype('float64')"
            )
            raise TypeError(message)


def _check_finite(factors: Sequence[Jacobian]) -> None:
    for index, factor in enumerate(factors):
        if not factor.is_finite:
            entries, pattern = factor.entries(), pattern_of(factor.structure)
            entry = np.flatnonzero(~np.isfinite(entries))[0]
            message = (
                f"factor {index} holds {entries[entry]} at ({pattern.rows[entry]}, "
                f"{pattern.indices[entry]}): expected finite elements; mend the layer, or leave "
                "out check_finite"
            )
            raise ValueError(message)
