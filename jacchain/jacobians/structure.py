"""Matrices without data: their shape, their kind, and where their entries are."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from jacchain.jacobians.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Counts = int | NDArray[np.integer[Any]]


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
        How the matrix is stored: "dense", "diagonal", "identity", "sparse", "kronecker" (an
        identity, and a row in each of its places: `I (x) z^T`), "block" (blocks along the diagonal)
        or "selection" (each row has one entry, a 1).
    pattern : Pattern, optional
        Where the entries of a sparse matrix or a selection are.
    blocks : int
        How many blocks there are along the diagonal, all of one shape.
    shared : bool
        Whether they are all the same one, stored once.

    Raises
    ------
    TypeError, ValueError
        If the shape is no pair of integers of at least 1, the kind is unknown, or the rest does not
        fit the two.

    Examples
    --------
    >>> Structure((64, 4096)).elements
    262144
    >>> Structure((64, 64), "diagonal").elements, Structure((3, 12), "kronecker").elements
    (64, 4)
    >>> Structure((6, 4), "block", blocks=2, shared=True).elements
    6
    """

    shape: tuple[int, int]
    kind: str = "dense"
    pattern: Pattern | None = None
    blocks: int = 1
    shared: bool = False

    def __repr__(self) -> str:
        """Show what its kind needs."""
        pattern = "" if self.pattern is None else f", pattern={self.pattern}"
        blocks = f", blocks={self.blocks}, shared={self.shared}" if self.kind == "block" else ""
        return f"Structure(shape={self.shape}, kind={self.kind!r}{pattern}{blocks})"

    def __post_init__(self) -> None:
        """Validate once."""
        rows, columns = check_sizes(self.shape)
        object.__setattr__(self, "shape", (rows, columns))
        if self.kind not in KINDS:
            msg = f"unknown kind {self.kind!r}; the known ones are {sorted(KINDS)}"
            raise ValueError(msg)
        if not KINDS[self.kind].fits(self):
            msg = f"{self.kind} of shape {self.shape}: expected {KINDS[self.kind].expected}"
            raise ValueError(msg)

    @property
    def elements(self) -> int:
        """Number of elements that are stored."""
        return KINDS[self.kind].elements(self)

    @property
    def indices(self) -> int:
        """Number of indices that are stored beside them, 4 bytes each."""
        if self.pattern is None:
            return 0
        rows = 0 if self.kind == "selection" else self.shape[0] + 1
        return self.pattern.entries + rows

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of one block."""
        return self.shape[0] // self.blocks, self.shape[1] // self.blocks


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of matrix.

    `elements` stored; entries in each of its `columns` and `rows`, one number where all have the
    same; and whether a structure `fits` it, with what is `expected`.
    """

    elements: Callable[[Structure], int]
    columns: Callable[[Structure], Counts]
    rows: Callable[[Structure], Counts]
    fits: Callable[[Structure], bool] = lambda _: True
    expected: str = "any shape"


def _square(s: Structure) -> bool:
    return s.shape[0] == s.shape[1]


def _patterned(s: Structure) -> Pattern:
    assert s.pattern is not None
    return s.pattern


KINDS: dict[str, Kind] = {
    "dense": Kind(lambda s: prod(s.shape), lambda s: s.shape[0], lambda s: s.shape[1]),
    "diagonal": Kind(lambda s: s.shape[0], lambda _: 1, lambda _: 1, _square, "a square"),
    "identity": Kind(lambda _: 0, lambda _: 1, lambda _: 1, _square, "a square"),
    "sparse": Kind(
        lambda s: _patterned(s).entries,
        lambda s: _patterned(s).column_counts,
        lambda s: _patterned(s).row_counts,
        lambda s: s.pattern is not None and s.pattern.shape == s.shape,
        "a pattern of that shape",
    ),
    "kronecker": Kind(
        lambda s: s.shape[1] // s.shape[0],
        lambda _: 1,
        lambda s: s.shape[1] // s.shape[0],
        lambda s: s.shape[1] % s.shape[0] == 0,
        "a multiple of the rows as columns",
    ),
    "block": Kind(
        lambda s: prod(s.block) * (1 if s.shared else s.blocks),
        lambda s: s.block[0],
        lambda s: s.block[1],
        lambda s: s.shape[0] % s.blocks == s.shape[1] % s.blocks == 0,
        "multiples of the number of blocks",
    ),
    "selection": Kind(
        lambda _: 0,
        lambda s: _patterned(s).column_counts,
        lambda _: 1,
        lambda s: (
            s.pattern is not None and s.pattern.shape == s.shape and s.pattern.entries == s.shape[0]
        ),
        "a pattern of that shape with one entry in each row",
    ),
}
ONES = ("identity", "selection")  # kinds whose entries are all 1


def pattern_of(structure: Structure) -> Pattern:
    """Where a structure of any kind has entries.

    Examples
    --------
    >>> pattern_of(Structure((2, 4), "kronecker")).indices
    array([0, 1, 2, 3], dtype=int32)
    """
    if structure.pattern is not None:
        return structure.pattern
    rows, columns = structure.shape
    kind = KINDS[structure.kind]
    width = int(kind.rows(structure))
    first = np.arange(rows) // (structure.block[0] if structure.kind == "block" else 1)
    if structure.kind == "dense":
        first = np.zeros(rows, dtype=int)
    indices = (first[:, None] * width + np.arange(width)).ravel()
    return Pattern(np.arange(rows + 1) * width, indices, columns)
