"""The one table of products of matrices without data: what each gives, and what it costs.

Two entries of the operands that meet, `a[i, k]` and `b[k, j]`, take one multiplication, unless one
of them is known to be 1: identities and selections only move what they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from jacchain.jacobians.pattern import pattern_product
from jacchain.jacobians.structure import KINDS, ONES, Structure, pattern_of

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Product:
    """The product of two matrices without data.

    Parameters
    ----------
    result : Structure
    multiplications : int
        Scalar multiplications, each with its addition.
    """

    result: Structure
    multiplications: int


def check_fit(a: Structure, b: Structure) -> None:
    """Raise ValueError unless `a` has as many columns as `b` has rows."""
    if a.shape[1] != b.shape[0]:
        msg = (
            f"shapes {a.shape} and {b.shape} do not fit: {a.shape[1]} columns against "
            f"{b.shape[0]} rows; neighbours must share that size, and the loss comes first"
        )
        raise ValueError(msg)


def product(a: Structure, b: Structure) -> Product:
    """Multiply `a` by `b`: return the structure of the result and the multiplications it takes.

    Parameters
    ----------
    a, b : Structure
        Of shapes (m, k) and (k, n).

    Returns
    -------
    Product
        Its result has shape (m, n).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Entry by entry, `sum over k of (entries of a in column k) (entries of b in row k)`
    multiplications, for dense operands `m k n`. None where one operand has nothing but ones, and
    those of a single block where all blocks of both operands are the same.

    Examples
    --------
    >>> product(Structure((1, 2)), Structure((2, 3)))
    Product(result=Structure(shape=(1, 3), kind='dense'), multiplications=6)
    >>> product(Structure((1, 4)), Structure((4, 4), "diagonal")).multiplications
    4
    """
    check_fit(a, b)
    result = RULES.get((a.kind, b.kind), _dense)(a, b)
    return Product(result, _multiplications(a, b, result))


def is_row_product(a: Structure, b: Structure) -> bool:
    """Return whether `a` times `b` is carried out as a row times a matrix.

    It is where `a` has one row, unless all samples of a batch share the block of `b`: then the row
    is cut into one row for each sample, and these are multiplied by the block as a matrix.

    Parameters
    ----------
    a, b : Structure
        Of shapes (m, k) and (k, n).

    Examples
    --------
    >>> is_row_product(Structure((1, 4)), Structure((4, 6)))
    True
    >>> is_row_product(Structure((1, 4)), Structure((4, 6), "block", blocks=2, shared=True))
    False
    """
    return a.shape[0] == 1 and not (b.shared and b.blocks > 1)


def _multiplications(a: Structure, b: Structure, result: Structure) -> int:
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
    """Blocks where both have as many, and as many alike; else sparse."""
    shape = (a.shape[0], b.shape[1])
    count = max(s.blocks for s in (a, b))
    if any(s.kind == "block" and s.blocks != count for s in (a, b)):
        return _sparse(a, b)
    return Structure(shape, "block", blocks=count, shared=a.shared and b.shared)


def _sparse(a: Structure, b: Structure, kind: str = "sparse") -> Structure:
    pattern = pattern_product(pattern_of(a), pattern_of(b))
    return Structure((a.shape[0], b.shape[1]), kind, pattern)


RULES: dict[tuple[str, str], Callable[[Structure, Structure], Structure]] = {
    **{(a, b): _sparse for a in KINDS for b in KINDS},
    ("diagonal", "diagonal"): _left,
    ("diagonal", "block"): _blocks,
    ("block", "diagonal"): _blocks,
    ("block", "block"): _blocks,
    ("selection", "selection"): partial(_sparse, kind="selection"),
    **{pair: _dense for kind in KINDS for pair in (("dense", kind), (kind, "dense"))},
    **{("identity", kind): _right for kind in KINDS},
    **{(kind, "identity"): _left for kind in KINDS},
}
