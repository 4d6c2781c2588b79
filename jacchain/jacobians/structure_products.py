"""The table of products of matrices without data: structure and multiplications of each result.

Each pair of entries `a[i, k]` and `b[k, j]` takes one multiplication. Identities and selections
take none: their entries are known to be 1, so they only move the entries of the other operand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from jacchain.jacobians.pattern import pattern_product
from jacchain.jacobians.structure import KINDS, ONES, Structure, pattern_of

T = TypeVar("T")
KindPair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Product:
    """The product of two matrices without data."""

    result: Structure  #: Shape, kind and pattern of the product
    multiplications: int  #: Scalar multiplications, each with its addition


def check_fit(a: Structure, b: Structure) -> None:
    """Raise ValueError unless `a` has as many columns as `b` has rows."""
    if a.shape[1] != b.shape[0]:
        message = (
            f"shapes {a.shape} and {b.shape} do not fit: {a.shape[1]} columns against "
            f"{b.shape[0]} rows; neighbours must share that size, and the loss comes first"
        )
        raise ValueError(message)


def find_rule(rules: Mapping[KindPair, T], a: Structure, b: Structure) -> T:
    """Return the rule for the kinds of `a` and `b` in a table; raise TypeError if it has none.

    Examples
    --------
    >>> find_rule({("dense", "dense"): "matmul"}, Structure((2, 3)), Structure((3, 4)))
    'matmul'
    """
    if (a.kind, b.kind) not in rules:
        message = f"no rule multiplies kinds {a.kind!r} and {b.kind!r}; add a row to both tables"
        raise TypeError(message)
    return rules[a.kind, b.kind]


def product(a: Structure, b: Structure) -> Product:
    """Multiply structures of shapes (m, k) and (k, n): the result's, and its multiplications.

    The shapes are (m, k) and (k, n). Raises TypeError if no rule multiplies these two kinds,
    ValueError if the shapes do not fit.

    The number of multiplications is the sum over k of
    `(entries of a in column k) (entries of b in row k)`: `m k n` for dense operands. It is 0 if one
    operand is an identity or a selection. If both operands share their block over the batch, only
    one block is multiplied.

    Examples
    --------
    >>> product(Structure((1, 2)), Structure((2, 3)))
    Product(result=Structure(shape=(1, 3), kind='dense'), multiplications=6)
    >>> product(Structure((1, 4)), Structure((4, 4), "diagonal")).multiplications
    4
    """
    check_fit(a, b)
    result = find_rule(RULES, a, b)(a, b)
    return Product(result, _multiplications(a, b, result))


def is_row_product(a: Structure, b: Structure) -> bool:
    """Return whether `a` times `b` is carried out as a row times a matrix.

    This is so if `a` has one row, unless a whole batch shares the block of `b`: then the row is cut
    into a row for each sample, and the matrix of these rows is multiplied by the block.

    Examples
    --------
    >>> is_row_product(Structure((1, 4)), Structure((4, 6)))
    True
    >>> is_row_product(Structure((1, 4)), Structure((4, 6), "block", blocks=2, shared=True))
    False
    """
    return a.shape[0] == 1 and not (b.shared and b.blocks > 1)


def _multiplications(a: Structure, b: Structure, result: Structure) -> int:
    """Return the number of pairs of entries that are multiplied."""
    if a.kind in ONES or b.kind in ONES:
        return 0
    columns, rows = KINDS[a.kind].columns(a), KINDS[b.kind].rows(b)
    if isinstance(columns, int):  # Python ints, which never overflow
        total = columns * (rows * a.shape[1] if isinstance(rows, int) else int(rows.sum()))
    elif isinstance(rows, int):
        total = int(columns.sum()) * rows
    else:
        total = int((columns * rows).sum())
    return total // result.blocks if result.kind == "block" and result.shared else total


def _dense(a: Structure, b: Structure) -> Structure:
    return Structure((a.shape[0], b.shape[1]))


def _left(a: Structure, _: Structure) -> Structure:
    return a


def _right(_: Structure, b: Structure) -> Structure:
    return b


def _blocks(a: Structure, b: Structure) -> Structure:
    """Return blocks, or a sparse structure if `a` and `b` have different numbers of blocks."""
    blocks = max(a.blocks, b.blocks)
    if any(s.kind == "block" and s.blocks != blocks for s in (a, b)):
        return _sparse(a, b)
    shape = (a.shape[0], b.shape[1])
    return Structure(shape, "block", blocks=blocks, shared=a.shared and b.shared)


def _sparse(a: Structure, b: Structure, kind: str = "sparse") -> Structure:
    pattern = pattern_product(pattern_of(a), pattern_of(b))
    return Structure(pattern.shape, kind, pattern)


_FEW_ENTRIES = ("diagonal", "sparse", "kronecker", "block", "selection")

# Pairs of kinds that are multiplied by their patterns, entry by entry, unless a table says better.
BY_PATTERN = frozenset((a, b) for a in _FEW_ENTRIES for b in _FEW_ENTRIES)

RULES: dict[KindPair, Callable[[Structure, Structure], Structure]] = {
    **dict.fromkeys(BY_PATTERN, _sparse),
    **{("identity", kind): _right for kind in KINDS if kind != "identity"},
    **{(kind, "identity"): _left for kind in KINDS},
    ("dense", "dense"): _dense,
    **{("dense", kind): _dense for kind in _FEW_ENTRIES},
    **{(kind, "dense"): _dense for kind in _FEW_ENTRIES},
    ("diagonal", "diagonal"): _left,
    ("diagonal", "block"): _blocks,
    ("block", "diagonal"): _blocks,
    ("block", "block"): _blocks,
    ("selection", "selection"): lambda a, b: _sparse(a, b, "selection"),
}
