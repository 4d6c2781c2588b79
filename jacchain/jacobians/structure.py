"""Matrices without data: shape, kind, and places of the entries."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.inputs import check_flag, check_sizes, check_type, short
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.unchecked import Unchecked

Counts = int | NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Structure(Unchecked):
    """A matrix without data.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, both at least 1.
    kind : str
        How the matrix is stored: "dense", "diagonal", "identity", "sparse", "kronecker" (an
        identity with each 1 replaced by a row, `I (x) z^T`), "block" (blocks along the diagonal) or
        "selection" (a single 1 in each row).
    pattern : Pattern, optional
        Places of the entries; required for "sparse" and "selection".
    blocks : int
        Number of blocks along the diagonal, all of the same shape.
    shared : bool
        Whether all blocks are the same, which is stored once.

    Raises
    ------
    TypeError, ValueError
        If the shape is not a pair of integers of at least 1, the kind is unknown, or the kind
        cannot have this shape, pattern or number of blocks.

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
        """Show the fields that matter for the kind."""
        pattern = "" if self.pattern is None else f", pattern={self.pattern}"
        blocks = f", blocks={self.blocks}, shared={self.shared}" if self.kind == "block" else ""
        return f"Structure(shape={self.shape}, kind={self.kind!r}{pattern}{blocks})"

    def __post_init__(self) -> None:
        """Validate and convert the fields."""
        shape = check_sizes(self.shape)
        if len(shape) != 2:
            message = f"a shape of {len(shape)} sizes, {short(shape)}; expected rows and columns"
            raise ValueError(message)
        object.__setattr__(self, "shape", shape)
        check_type(self.kind, str, "the kind")
        if self.pattern is not None:
            check_type(self.pattern, Pattern, "the pattern")
        check_sizes([self.blocks])
        check_flag(self.shared, "shared")
        if self.kind not in KINDS:
            message = f"unknown kind {short(self.kind)}; the known ones are {sorted(KINDS)}"
            raise ValueError(message)
        if not KINDS[self.kind].fits(self):
            message = f"{self.kind} of shape {self.shape}: expected {KINDS[self.kind].expected}"
            raise ValueError(message)

    @property
    def elements(self) -> int:
        """Number of stored elements."""
        return KINDS[self.kind].elements(self)

    @property
    def indices(self) -> int:
        """Number of stored indices, 4 bytes each."""
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
    """The formulas of one kind of matrix, as functions of a structure."""

    elements: Callable[[Structure], int]  #: number of stored elements
    #: Entries in each column and in each row: an int if all have the same, else an array
    columns: Callable[[Structure], Counts]
    rows: Callable[[Structure], Counts]
    #: Whether the kind can have this shape, pattern and number of blocks
    fits: Callable[[Structure], bool] = lambda _: True
    expected: str = "any shape"  #: what `fits` asks for, as told in an error


def _square(s: Structure) -> bool:
    return s.shape[0] == s.shape[1]


def _pattern(s: Structure) -> Pattern:
    assert s.pattern is not None
    return s.pattern


def _has_pattern(s: Structure) -> bool:
    return s.pattern is not None and s.pattern.shape == s.shape


KINDS: dict[str, Kind] = {
    "dense": Kind(lambda s: prod(s.shape), lambda s: s.shape[0], lambda s: s.shape[1]),
    "diagonal": Kind(lambda s: s.shape[0], lambda _: 1, lambda _: 1, _square, "a square"),
    "identity": Kind(lambda _: 0, lambda _: 1, lambda _: 1, _square, "a square"),
    "sparse": Kind(
        lambda s: _pattern(s).entries,
        lambda s: _pattern(s).column_counts,
        lambda s: _pattern(s).row_counts,
        _has_pattern,
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
        lambda s: _pattern(s).column_counts,
        lambda _: 1,
        lambda s: _has_pattern(s) and bool((_pattern(s).row_counts == 1).all()),
        "a pattern of that shape with one entry in each row",
    ),
}
ONES = ("identity", "selection")  # kinds whose entries are all 1


def pattern_of(structure: Structure) -> Pattern:
    """Return the places of the entries of a structure of any kind.

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
