"""The products of one or several chains in the order in which they are done."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jacchain.chains.bracketing import Bracketing, Span, Split, splits
from jacchain.jacobians.structure import Structure
from jacchain.jacobians.structure_products import is_row_product, product


@dataclass(frozen=True, slots=True)
class Step:
    """One product: which places it multiplies, and what it costs.

    Places number the matrices of a schedule: first the factors, then the products in order.
    """

    #: Places of matrices of shapes (m, k), (k, n) and (m, n)
    left: int
    right: int
    result: int
    multiplications: int  #: Scalar multiplications, each with its addition
    is_row: bool  #: whether a row is multiplied by a matrix
    elements_moved: int  #: Elements of both operands, read once, and of the result, written once
    indices_moved: int  #: Indices of sparse matrices among them, 4 bytes each
    live_elements: int  #: Elements of all products alive during this step, its result included
    freed: tuple[int, ...]  #: Places of the products that no later step needs

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.multiplications


@dataclass(frozen=True)
class Schedule:
    """The products of one or several chains, one after the other."""

    #: The matrix at each place: first the factors, each once, then the products in order
    structures: tuple[Structure, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]  #: Place of each chain's product

    @property
    def peak_elements(self) -> int:
        """Largest total of products alive at once, results included, factors excluded."""
        return max((step.live_elements for step in self.steps), default=0)

    @property
    def kept_elements(self) -> int:
        """Elements of the products that serve more than once, as operands or results."""
        uses = Counter(place for step in self.steps for place in (step.left, step.right))
        uses.update(self.results)
        return sum(
            self.structures[step.result].elements for step in self.steps if uses[step.result] > 1
        )


def schedule(
    factors: Sequence[Structure],
    chains: Sequence[tuple[Sequence[int], Bracketing]],
    *,
    cache: bool = True,
) -> Schedule:
    """Arrange the products of several chains, each in its bracketing.

    `factors` has every factor of the chains once; each of `chains` is the places of its factors in
    them, loss first, and its bracketing. With `cache`, a product that several chains need is
    computed once and kept for all of them.

    Raises ValueError if a bracketing does not fit its chain, or neighbouring factors do not fit.

    Examples
    --------
    >>> factors = [Structure((1, 2)), Structure((2, 3)), Structure((3, 4))]
    >>> order = schedule(factors, [((0, 1, 2), (0, (1, 2)))])
    >>> [(step.left, step.right, step.multiplications) for step in order.steps]
    [(1, 2, 24), (0, 3, 8)]
    """
    structures = list(factors)
    operands: list[tuple[int, int]] = []
    places: dict[tuple[int, int], int] = {}
    results = []
    for own, bracketing in chains:
        inputs = [factors[place] for place in own]
        place_of = {(i, i + 1): place for i, place in enumerate(own)}
        products = _structures(inputs, splits(bracketing, len(own)))
        for start, split, stop in _leanest_order(products):
            pair = place_of[start, split], place_of[split, stop]
            if not cache or pair not in places:
                places[pair] = len(structures)
                structures.append(products[start, split, stop])
                operands.append(pair)
            place_of[start, stop] = places[pair]
        results.append(place_of[0, len(own)])
    steps = _steps(structures, operands, results)
    return Schedule(tuple(structures), steps, tuple(results))


# Chains that share factors ask for the same products again and again.
_product = lru_cache(maxsize=4096)(product)


def _structures(factors: Sequence[Structure], order: Sequence[Split]) -> dict[Split, Structure]:
    """Return the structure of the result of every product of one chain."""
    by_span = {(i, i + 1): structure for i, structure in enumerate(factors)}
    products = {}
    for start, split, stop in order:
        result = _product(by_span[start, split], by_span[split, stop]).result
        by_span[start, stop] = products[start, split, stop] = result
    return products


def _leanest_order(products: Mapping[Split, Structure]) -> list[Split]:
    """Order the products of one chain so that the fewest elements are alive at once.

    Of two operands the one that leaves the lower peak is computed first, as Sethi and Ullman (The
    generation of optimal code for arithmetic expressions, 1970) do with registers.
    """
    size: dict[Span, int] = defaultdict(int)  # of a product; factors take no memory of their own
    peak: dict[Span, int] = defaultdict(int)
    operands: dict[Span, tuple[Span, Span]] = {}
    split_of = {(start, stop): (start, split, stop) for start, split, stop in products}

    def highest(first: Span, second: Span) -> int:
        """Most elements alive until both are computed, the first before the second."""
        return max(peak[first], size[first] + peak[second])

    for (start, split, stop), result in products.items():
        first, second, span = (start, split), (split, stop), (start, stop)
        if highest(second, first) < highest(first, second):
            first, second = second, first
        size[span] = result.elements
        peak[span] = max(highest(first, second), size[first] + size[second] + size[span])
        operands[span] = first, second

    backwards: list[Split] = []
    pending = list(operands)[-1:]
    while pending:
        span = pending.pop()
        if span in operands:
            backwards.append(split_of[span])
            pending += operands[span]  # the second operand is popped first
    return backwards[::-1]


def _steps(
    structures: Sequence[Structure],
    operands: Sequence[tuple[int, int]],
    results: Sequence[int],
) -> tuple[Step, ...]:
    """Cost every product and tell what is alive, and no longer needed, at each."""
    factors = len(structures) - len(operands)
    last_use = {place: index for index, pair in enumerate(operands, factors) for place in pair}
    kept = {*range(factors), *results}
    steps, live = [], 0
    for result, (left, right) in enumerate(operands, factors):
        a, b, c = (structures[place] for place in (left, right, result))
        count, is_row = _product(a, b).multiplications, is_row_product(a, b)
        moved, indices = a.elements + b.elements + c.elements, a.indices + b.indices + c.indices
        freed = tuple({p: None for p in (left, right) if p not in kept and last_use[p] == result})
        live += c.elements
        steps.append(Step(left, right, result, count, is_row, moved, indices, live, freed))
        live -= sum(structures[place].elements for place in freed)
    return tuple(steps)
