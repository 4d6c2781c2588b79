"""The article's costs of an order in closed form, over sizes of any type, numbers or symbols.

Source: the article's section "Gradient Computation", there for three layers and a scalar loss;
"forwards" is loss-first here, and "backwards" is input-first.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import TypeAlias, TypeVar

from jacchain.chains.bracketing import Bracketing, splits
from jacchain.inputs import check_sizes, short

Size = TypeVar("Size")
Term: TypeAlias = tuple[Size, Size, Size]


def multiplications(order: str | Bracketing, dims: Iterable[int]) -> int:
    """Return the scalar multiplications of an order, exactly, by the article's formula.

    The order is ``"loss-first"``, ``"input-first"`` or a bracketing; dims are
    ``(1, |z_L|, ..., |z_1|, |x|)``. Raises TypeError or ValueError if the dims are no integers of
    at least 1, or the order has no closed form.

    Examples
    --------
    >>> multiplications("loss-first", (1, 64, 64, 64, 10**9))
    64000008192
    """
    return sum(prod(term) for term in terms(order, check_sizes(dims)))


def terms(order: str | Bracketing, dims: Sequence[Size]) -> list[Term[Size]]:
    """Return the terms of the formula: three sizes for each product, in the article's sequence.

    Dims are numbers or symbols, loss first. Raises ValueError if the order has no closed form.

    Examples
    --------
    >>> terms("input-first", ["1", "z3", "z2", "z1", "x"])
    [('z2', 'z1', 'x'), ('z3', 'z2', 'x'), ('1', 'z3', 'x')]
    """
    match order:
        case str("loss-first"):
            return [(dims[0], rows, columns) for rows, columns in pairwise(dims[1:])]
        case str("input-first"):
            return [(rows, columns, dims[-1]) for rows, columns in pairwise(dims[:-1])][::-1]
        case str():
            message = (
                f"order {short(order)} has no closed form; give one of "
                "['input-first', 'loss-first'] or a bracketing"
            )
            raise ValueError(message)
    products = splits(order, len(dims) - 1)
    return [(dims[start], dims[split], dims[stop]) for start, split, stop in products]
