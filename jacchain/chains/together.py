"""Several chains that share factors, multiplied together: what one has computed serves the others.

The gradients of a network by all its parameters are such chains: they begin with the same factors.
Multiplied loss first, each partial product is a row that many of them need; multiplied input first,
each begins with a factor of its own, and nothing is shared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from jacchain.chains.counted import Tally
from jacchain.chains.entries import counted_product, operand
from jacchain.chains.slots import NOWHERE, Slots
from jacchain.jacobians.products import returns_operand, rule, uses_memory
from jacchain.jacobians.structure_products import is_row_product, product

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jacchain.chains.chain import Chain
    from jacchain.jacobians.base import FloatArray, Jacobian
    from jacchain.jacobians.structure import Structure

T = TypeVar("T")
Direction: TypeAlias = Literal["loss-first", "input-first"]


@dataclass(frozen=True)
class TogetherCost:
    """What multiplying several chains takes.

    Parameters
    ----------
    products : int
        Products of two matrices.
    multiplications, row_multiplications : int
        Of all of them, and of those that are a row times a matrix.
    elements_moved, indices_moved : int
        Operands read once and results written once; indices of sparse ones among them, 4 bytes
        each.
    kept_elements : int
        Elements of the products kept for others; 0 where nothing is.
    peak_elements : int
        Largest total of live products, results included and factors excluded.
    """

    products: int
    multiplications: int
    row_multiplications: int
    elements_moved: int
    indices_moved: int
    kept_elements: int
    peak_elements: int


@dataclass(frozen=True)
class Schedule:
    """The products of several chains, one after the other.

    Parameters
    ----------
    factors : tuple of Jacobian
        Each once: places 0, 1, ...
    steps : tuple of (int, int)
        Places of the operands; the result has the next place.
    results : mapping of str to int
        Place of each chain's product.
    """

    factors: tuple[Jacobian, ...]
    steps: tuple[tuple[int, int], ...]
    results: Mapping[str, int]

    @property
    def uses(self) -> Counter[int]:
        """How often each place is an operand."""
        return Counter(place for step in self.steps for place in step)

    @cached_property
    def released(self) -> list[list[int]]:
        """Of each step the products that nobody needs after it."""
        last = {place: number for number, step in enumerate(self.steps) for place in step}
        kept = {*range(len(self.factors)), *self.results.values()}
        done: list[list[int]] = [[] for _ in self.steps]
        for place in last.keys() - kept:
            done[last[place]].append(place)
        return done


def schedule(chains: Mapping[str, Chain], order: Direction, *, cache: bool) -> Schedule:
    """Plan the products of several chains: each partial product once, or for each chain anew.

    Raises
    ------
    ValueError
        If the order is unknown.
    """
    if order not in {"loss-first", "input-first"}:
        msg = f"unknown order {order!r}; known are loss-first, input-first"
        raise ValueError(msg)
    factors = {id(f): f for chain in chains.values() for f in chain.factors}
    places = {key: place for place, key in enumerate(factors)}
    steps: list[tuple[int, int]] = []
    results: dict[str, int] = {}
    made: dict[tuple[int, int], int] = {}
    for name, chain in chains.items():
        own = [places[id(f)] for f in chain.factors]
        first, *others = own if order == "loss-first" else own[::-1]
        place = first
        for added in others:
            step = (place, added) if order == "loss-first" else (added, place)
            if not cache or step not in made:
                made[step] = len(factors) + len(steps)
                steps.append(step)
            place = made[step]
        results[name] = place
    return Schedule(tuple(factors.values()), tuple(steps), results)


def _carried_out(
    of: Schedule, start: Callable[[Jacobian], T], joined: Callable[[T, T], T]
) -> dict[str, T]:
    """Each chain's product."""
    made = [start(factor) for factor in of.factors]
    for left, right in of.steps:
        made.append(joined(made[left], made[right]))
    return {name: made[place] for name, place in of.results.items()}


def cost_together(
    chains: Mapping[str, Chain], order: Direction = "loss-first", *, cache: bool = True
) -> TogetherCost:
    """Cost of multiplying several chains, from their structures alone.

    Parameters
    ----------
    chains : mapping of str to Chain
        What is shared between them is found by the factors being the same objects.
    order : str
        ``"loss-first"`` or ``"input-first"``.
    cache : bool
        Whether partial products are kept, and used again.

    Raises
    ------
    ValueError
        If the order is another.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> row, a, b = Chain([[[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]]]).factors
    >>> chains = {"a": Chain([row, a]), "b": Chain([row, a, b])}
    >>> cost_together(chains).multiplications, cost_together(chains).kept_elements
    (6, 2)
    >>> cost_together(chains, cache=False).multiplications
    10
    """
    of = schedule(chains, order, cache=cache)
    structures = _structures(of)
    pairs = [(structures[left], structures[right]) for left, right in of.steps]
    multiplications = [product(*pair).multiplications for pair in pairs]
    rows = (n for n, pair in zip(multiplications, pairs, strict=True) if is_row_product(*pair))
    moved = [s for pair in pairs for s in pair] + structures[len(of.factors) :]
    return TogetherCost(
        len(pairs),
        sum(multiplications),
        sum(rows),
        sum(s.elements for s in moved),
        sum(s.indices for s in moved),
        sum(structures[place].elements for place in _kept(of)) if cache else 0,
        _peak(of, structures),
    )


def _structures(of: Schedule) -> list[Structure]:
    """Of every place: the factors, then the products."""
    found = [factor.structure for factor in of.factors]
    for left, right in of.steps:
        found.append(product(found[left], found[right]).result)
    return found


def _kept(of: Schedule) -> list[int]:
    """Products that serve more than one: operands of several, or an operand and a result."""
    uses = of.uses + Counter(of.results.values())
    return [place for place, times in uses.items() if place >= len(of.factors) and times > 1]


def _peak(of: Schedule, structures: list[Structure]) -> int:
    live = peak = 0
    for number, done in enumerate(of.released):
        live += structures[len(of.factors) + number].elements
        peak = max(peak, live)
        live -= sum(structures[place].elements for place in done)
    return peak


def evaluate_together(
    chains: Mapping[str, Chain], order: Direction = "loss-first", *, cache: bool = True
) -> dict[str, FloatArray]:
    """Multiply several chains; parameters and errors are those of `cost_together`.

    Returns
    -------
    dict of str to ndarray
        The product of each, of shape (m, x).

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> evaluate_together({"only": Chain([[[1.0, 2.0]], [[3.0], [4.0]]])})
    {'only': array([[11.]])}
    """
    found = evaluator_together(chains, order, cache=cache)()
    return {name: whole.copy() for name, whole in found.items()}


def evaluator_together(
    chains: Mapping[str, Chain], order: Direction = "loss-first", *, cache: bool = True
) -> Callable[[], dict[str, FloatArray]]:
    """Prepare the multiplication of several chains: what is returned only multiplies.

    Parameters and errors are those of `cost_together`. Each call writes to the same arrays: copy a
    result that is to outlive the next call.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> evaluator_together({"only": Chain([[[1.0, 2.0]], [[3.0], [4.0]]])})()
    {'only': array([[11.]])}
    """
    of = schedule(chains, order, cache=cache)
    structures = _structures(of)
    rules = [rule(structures[left], structures[right]) for left, right in of.steps]
    products = list(zip(rules, of.steps, _memory(of, structures), of.released, strict=True))

    def run() -> dict[str, FloatArray]:
        made = dict(enumerate(of.factors))
        for number, (multiply, (left, right), memory, done) in enumerate(products, len(made)):
            made[number] = multiply(made[left], made[right], memory)
            for place in done:
                del made[place]
        return {name: made[place].to_dense() for name, place in of.results.items()}

    return run


def _memory(of: Schedule, structures: list[Structure]) -> list[FloatArray]:
    """Flat memory for each product; used again once the product is let go of."""
    pieces = Slots()
    slots, results = [NOWHERE] * len(of.factors), {*of.results.values()}
    pinned: set[int] = set()  # a product that is one of its operands itself keeps their memory
    for number, ((left, right), done) in enumerate(zip(of.steps, of.released, strict=True)):
        place = len(of.factors) + number
        pair = structures[left], structures[right]
        if uses_memory(*pair):
            take = pieces.keep if place in results else pieces.take
            slots.append(take(structures[place].elements))
        else:
            slots.append(NOWHERE)
        if returns_operand(*pair) is not None:
            pinned |= {left, right}
        for unused in set(done) - pinned:
            pieces.release(slots[unused])
    memory = pieces.memory(of.factors[0].dtype)
    places = enumerate(structures)
    return [memory[slots[p]][: s.elements] for p, s in places if p >= len(of.factors)]


def count_together(
    chains: Mapping[str, Chain], order: Direction = "loss-first", *, cache: bool = True
) -> int:
    """Count the multiplications really executed; parameters are those of `cost_together`.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> count_together({"only": Chain([[[1.0, 2.0]], [[3.0], [4.0]]])})
    2
    """
    tally = Tally()

    def start(factor: Jacobian) -> Any:
        return operand(factor, tally)

    _carried_out(schedule(chains, order, cache=cache), start, counted_product)
    return tally.multiplications
