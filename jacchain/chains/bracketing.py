"""Orders of multiplying a chain, as nested pairs of factor indices."""

from collections.abc import Iterator
from reprlib import repr as short
from typing import TypeAlias

Bracketing: TypeAlias = int | tuple["Bracketing", "Bracketing"]
"""A factor's index, or a pair of bracketings to be multiplied with each other; 0 is the loss."""

Span: TypeAlias = tuple[int, int]
"""Factors from the first index up to, not including, the second."""

Split: TypeAlias = tuple[int, int, int]
"""(start, split, stop), the product of factors start..split with factors split..stop."""


def loss_first(n: int) -> Bracketing:
    """Return the order of `n` factors that starts at the loss: reverse mode, with row vectors.

    Examples
    --------
    >>> loss_first(4)
    (((0, 1), 2), 3)
    """
    order: Bracketing = 0
    for index in range(1, _check_length(n)):
        order = (order, index)
    return order


def input_first(n: int) -> Bracketing:
    """Return the order of `n` factors that starts at the input: forward mode, ``|x|`` columns.

    Examples
    --------
    >>> input_first(4)
    (0, (1, (2, 3)))
    """
    order: Bracketing = _check_length(n) - 1
    for index in reversed(range(n - 1)):
        order = (index, order)
    return order


def all_bracketings(n: int) -> Iterator[Bracketing]:
    """Yield every order of `n` factors: there are Catalan(n - 1).

    Examples
    --------
    >>> list(all_bracketings(3))
    [(0, (1, 2)), ((0, 1), 2)]
    """
    return _bracketings(0, _check_length(n))


def splits(bracketing: Bracketing, n: int) -> list[Split]:
    """Return the n - 1 products of a bracketing of `n` factors, each after those of its operands.

    Raises ValueError unless it is nested pairs of 0, 1, ..., n - 1 in this sequence.

    Examples
    --------
    >>> splits(((0, 1), (2, 3)), 4)
    [(0, 1, 2), (2, 3, 4), (0, 2, 4)]
    """
    spans: list[Span] = []
    products: list[Split] = []
    pending = [(bracketing, False)]  # a stack, for chains too long to recurse over
    while pending:
        node, operands_done = pending.pop()
        match node:
            case int(index):
                spans.append((index, index + 1))
            case tuple((left, right)) if not operands_done:
                pending += [(node, True), (right, False), (left, False)]
            case tuple((_, _)):
                (split, stop), (start, left_stop) = spans.pop(), spans.pop()
                if split != left_stop:
                    raise _no_bracketing(bracketing, n)
                products.append((start, split, stop))
                spans.append((start, stop))
            case _:
                raise _no_bracketing(bracketing, n)
    if spans != [(0, n)]:
        raise _no_bracketing(bracketing, n)
    return products


def _check_length(n: int) -> int:
    if n < 1:
        message = f"{n} factors: a chain has at least one"
        raise ValueError(message)
    return n


def _bracketings(start: int, stop: int) -> Iterator[Bracketing]:
    if stop - start == 1:
        yield start
    for split in range(start + 1, stop):
        for left in _bracketings(start, split):
            for right in _bracketings(split, stop):
                yield (left, right)


def _no_bracketing(bracketing: Bracketing, n: int) -> ValueError:
    return ValueError(
        f"{short(bracketing)} is no bracketing of {n} factors: expected nested pairs of "
        f"0..{n - 1} in this sequence, like {short(loss_first(n))}"
    )
