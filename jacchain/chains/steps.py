"""The products that an order takes, each with its cost, in the order that keeps fewest alive."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jacchain.chains.bracketing import Bracketing, Span, splits
from jacchain.jacobians.structure_products import is_row_product, product

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jacchain.jacobians.structure import Structure


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbouring factors, multiplied out.

    Parameters
    ----------
    span : (int, int)
        Its factors, from the first index up to, not including, the second.
    structure : Structure
        Of the product of these factors.

    Examples
    --------
    >>> from jacchain.jacobians.structure import Structure
    >>> structure = Structure((1, 3))
    >>> [str(Segment(span, structure)) for span in [(4, 5), (0, 2), (0, 9)]]
    ['J4', '(J0 J1)', '(J0...J8)']
    """

    span: Span
    structure: Structure

    @property
    def is_factor(self) -> bool:
        """Whether this is a single factor, for which nothing had to be multiplied."""
        start, stop = self.span
        return stop - start == 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.structure.shape

    @property
    def held_elements(self) -> int:
        """Elements that it holds beside the chain's own: none for a factor."""
        return 0 if self.is_factor else self.structure.elements

    def __str__(self) -> str:
        """Name the factors."""
        start, stop = self.span
        if self.is_factor:
            return f"J{start}"
        return f"(J{start}{' ' if stop - start == 2 else '...'}J{stop - 1})"


@dataclass(frozen=True, slots=True)
class Step:
    """One product of a plan.

    Parameters
    ----------
    left, right, result : Segment
        Of shapes (m, k), (k, n) and (m, n).
    multiplications : int
        Scalar multiplications, each with its addition.
    live_elements : int
        Elements of all intermediates that live during this step, its result among them.
    """

    left: Segment
    right: Segment
    result: Segment
    multiplications: int
    live_elements: int

    @property
    def kind(self) -> str:
        """``"row-matrix"`` if `is_row_product` says so, else ``"matrix-matrix"``."""
        is_row = is_row_product(self.left.structure, self.right.structure)
        return "row-matrix" if is_row else "matrix-matrix"

    @property
    def elements_moved(self) -> int:
        """Elements of both operands, read once, and of the result, written once."""
        return sum(s.structure.elements for s in (self.left, self.right, self.result))

    @property
    def indices_moved(self) -> int:
        """Indices of the sparse ones among them, 4 bytes each."""
        return sum(s.structure.indices for s in (self.left, self.right, self.result))

    @property
    def elements(self) -> int:
        """Elements of the result."""
        return self.result.structure.elements

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.multiplications


def steps(structures: Sequence[Structure], bracketing: Bracketing) -> Iterator[Step]:
    """Products of a bracketing, in the order in which they are to be done.

    Parameters
    ----------
    structures : sequence of Structure
        The factors, loss first.
    bracketing : nested pairs of int

    Yields
    ------
    Step

    Raises
    ------
    ValueError
        If the bracketing is none of this chain, or neighbours do not fit.

    Examples
    --------
    >>> from jacchain.jacobians.structure import Structure
    >>> chain = [Structure((1, 2)), Structure((2, 3)), Structure((3, 4))]
    >>> [step.multiplications for step in steps(chain, (0, (1, 2)))]
    [24, 8]
    """
    products = _products(structures, bracketing)
    live = 0
    for span in _leanest_order(products):
        step = products[span]
        live += step.result.held_elements
        yield replace(step, live_elements=live)
        live -= step.left.held_elements + step.right.held_elements


def _products(structures: Sequence[Structure], bracketing: Bracketing) -> dict[Span, Step]:
    """Every product by the span of its result, operands first; what is alive is not known yet."""
    segments = {(i, i + 1): Segment((i, i + 1), each) for i, each in enumerate(structures)}
    products = {}
    for start, split, stop in splits(bracketing, len(structures)):
        left, right = segments[start, split], segments[split, stop]
        whole = product(left.structure, right.structure)
        result = segments[start, stop] = Segment((start, stop), whole.result)
        products[start, stop] = Step(left, right, result, whole.multiplications, live_elements=0)
    return products


def _leanest_order(products: Mapping[Span, Step]) -> list[Span]:
    """Order the products so that the fewest elements are alive at once.

    Each product does that operand first which leaves its peak lower, as Sethi and Ullman (The
    generation of optimal code for arithmetic expressions, 1970) do with registers.
    """
    peak: dict[Span, int] = defaultdict(int)
    operands: dict[Span, tuple[Span, Span]] = {}
    for span, step in products.items():
        one, other = step.left, step.right
        if _peak(other, one, peak) < _peak(one, other, peak):
            one, other = other, one
        operands[span] = one.span, other.span
        together = one.held_elements + other.held_elements + step.result.held_elements
        peak[span] = max(_peak(one, other, peak), together)

    backwards: list[Span] = []
    pending = list(products)[-1:]
    while pending:
        span = pending.pop()
        if span in operands:
            backwards.append(span)
            pending += operands[span]  # the second operand is popped first
    return backwards[::-1]


def _peak(first: Segment, second: Segment, peak: Mapping[Span, int]) -> int:
    """Most elements alive until both are done, the first before the second."""
    return max(peak[first.span], first.held_elements + peak[second.span])
