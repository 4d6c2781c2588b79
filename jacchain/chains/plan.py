"""A plan: the products of one or several chains in order, with what they cost."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any, TypeVar

import numpy as np

from jacchain.chains.bracketing import Bracketing, Span, loss_first
from jacchain.chains.schedule import Schedule, Step, schedule
from jacchain.cost import Cost
from jacchain.inputs import as_integers, as_tuple, check_dtype, check_flag, check_type, short
from jacchain.jacobians.structure import Structure
from jacchain.notebook import dims_text, html_table

T = TypeVar("T")

INDEX_BYTES = 4  # of a sparse matrix
HEADER = ("step", "product", "shapes", "multiplications", "result", "alive")


@dataclass(frozen=True, repr=False)
class Plan:
    """An order of multiplying one or several chains, with the cost of every step.

    Made by `jacchain.plan`, and taken by it, `evaluate` and `count` as an order.

    Parameters
    ----------
    name : str
        The planner's name, or ``"bracketing"``.
    factors : tuple of Structure
        Every factor of the chains without its data, once.
    places : tuple of tuple of int
        For each chain the places of its factors among these, loss first.
    bracketings : tuple of nested pairs of int
        For each chain what is multiplied with what.
    dtype : numpy.dtype
        Of the elements, float32 or float64.
    names : tuple of str
        One for each of several chains; empty for a single one.
    cache : bool
        Whether a product that several chains need is computed once.

    Raises
    ------
    TypeError, ValueError
        If a bracketing does not fit its chain, neighbours do not fit, or the dtype is unfit.

    Examples
    --------
    >>> import jacchain as jc
    >>> order = jc.plan((1, 10, 20, 30), "optimal")
    >>> order
    Plan('optimal', dims=(1, 10, 20, 30), multiplications=800)
    >>> order.bracketing, order.peak_elements
    (((0, 1), 2), 50)
    """

    name: str
    factors: tuple[Structure, ...]
    places: tuple[tuple[int, ...], ...]
    # Left out of ==, hash and repr, which recurse: the steps say the same, flat.
    bracketings: tuple[Bracketing, ...] = field(repr=False, compare=False)
    dtype: np.dtype[Any]
    names: tuple[str, ...] = ()
    cache: bool = True
    schedule: Schedule = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Validate once, and cost every step."""
        object.__setattr__(self, "dtype", check_dtype(self.dtype))
        chains = self._checked_chains()
        steps = schedule(self.factors, chains, cache=self.cache)
        object.__setattr__(self, "schedule", steps)

    def _checked_chains(self) -> list[tuple[tuple[int, ...], Bracketing]]:
        """Return the places and the bracketing of each chain, whose fields fit each other."""
        check_type(self.name, str, "the name")
        check_flag(self.cache, "cache")
        factors = as_tuple(self.factors, Structure, "the factors")
        chains = as_tuple(self.places, tuple, "the places")
        bracketings = as_tuple(self.bracketings, object, "the bracketings")
        names = as_tuple(self.names, object, "the names")
        if len(bracketings) != len(chains) or len(names) not in {0, len(chains)} or not chains:
            counts = f"{len(chains)} chains, {len(bracketings)} bracketings, {len(names)} names"
            message = f"{counts}: expected equally many, or no names"
            raise ValueError(message)
        for places in chains:
            if not all(0 <= place < len(factors) for place in as_integers(places, "places")):
                message = f"places {short(places)} among {len(factors)} factors: count from 0"
                raise ValueError(message)
        return list(zip(chains, bracketings, strict=True))

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The factors of the single chain, loss first; of several, every factor once."""
        return self.factors

    @property
    def steps(self) -> tuple[Step, ...]:
        """The products in the order in which they are done."""
        return self.schedule.steps

    @property
    def bracketing(self) -> Bracketing:
        """What is multiplied with what, in the single (or first) chain."""
        return self.bracketings[0]

    @property
    def dims(self) -> tuple[int, ...]:
        """Sizes along the single (or first) chain, ``(m, |z_L|, ..., |z_1|, |x|)``."""
        chain = [self.factors[place] for place in self.places[0]]
        return (chain[0].shape[0], *(factor.shape[1] for factor in chain))

    @cached_property
    def cost(self) -> Cost:
        """Everything that carrying the plan out takes."""
        size = self.dtype.itemsize
        moved = (size * s.elements_moved + INDEX_BYTES * s.indices_moved for s in self.steps)
        stored = (size * f.elements + INDEX_BYTES * f.indices for f in self.factors)
        return Cost(
            products=len(self.steps),
            multiplications=sum(step.multiplications for step in self.steps),
            row_multiplications=sum(step.multiplications for step in self.steps if step.is_row),
            bytes=sum(moved),
            held_bytes=sum(stored),
            peak_bytes=size * self.peak_elements,
        )

    @property
    def multiplications(self) -> int:
        """Scalar multiplications of all steps."""
        return self.cost.multiplications

    @property
    def flops(self) -> int:
        """Multiplications and additions of all steps."""
        return self.cost.flops

    @property
    def bytes(self) -> int:
        """Bytes of every step's operands, read once, and of its result, written once."""
        return self.cost.bytes

    @property
    def peak_elements(self) -> int:
        """Largest total of products alive at once, results included, factors excluded."""
        return self.schedule.peak_elements

    @property
    def kept_elements(self) -> int:
        """Elements of the products that serve several chains, or one chain and another's result."""
        return self.schedule.kept_elements

    @property
    def gain(self) -> float:
        """Multiplications of loss-first / those of this plan; 1 where neither takes any."""
        chains = [(places, loss_first(len(places))) for places in self.places]
        reference = schedule(self.factors, chains, cache=self.cache)
        count = sum(step.multiplications for step in reference.steps)
        if not self.multiplications:  # of identities and selections alone
            return inf if count else 1.0
        return count / self.multiplications

    def arrange(self, products: Sequence[T]) -> T | dict[str, T]:
        """Return the product of the single chain, or those of several by their names."""
        return dict(zip(self.names, products, strict=True)) if self.names else products[0]

    def __repr__(self) -> str:
        """Show what is multiplied, and what it costs in all."""
        over = f"{len(self.names)} chains" if self.names else f"dims={dims_text(self.dims)}"
        return f"Plan({self.name!r}, {over}, multiplications={self.multiplications})"

    def _repr_html_(self) -> str:
        """Show a notebook the steps, and the totals."""
        totals = "; ".join(f"{name}: {text}" for name, text in self._totals().items())
        return html_table(self._title(), HEADER, _rows(self), totals)

    def __str__(self) -> str:
        """Return the steps as a table, and the totals."""
        totals = "\n".join(f"{name:<20}  {text}" for name, text in self._totals().items())
        return f"{self._title()}\n\n{_table(self)}\n\n{totals}"

    def _title(self) -> str:
        over = dims_text(self.dims)[1:-1].replace(", ", " x ")
        if self.names:
            over = f"{len(self.names)} chains{'' if self.cache else ', each from scratch'}"
        return f"{self.name}: {len(self.steps)} products over {over}, {self.dtype}"

    def _totals(self) -> dict[str, str]:
        products = self.schedule.structures[len(self.factors) :]
        largest = max((product.elements for product in products), default=0)
        totals = {
            "multiplications": f"{self.multiplications:,}",
            "loss-first takes": f"{self.gain:.4g} x as many",
            "bytes": f"{self.bytes:,}",
            "largest intermediate": f"{largest:,} elements",
            "peak, all alive": f"{self.peak_elements:,} elements",
        }
        if self.names:
            totals["kept for others"] = f"{self.kept_elements:,} elements"
        return totals


def carry_out(plan: Plan, factors: Iterable[T], multiply: Callable[[T, T], T]) -> T | dict[str, T]:
    """Multiply factors by a plan, letting go of every product once no step needs it.

    The factors are whatever `multiply`, a function of a left and a right operand, takes. Returns
    the product of the single chain, or those of several by their names.

    Examples
    --------
    >>> from jacchain.chains.planners import plan
    >>> carry_out(plan((1, 2, 3, 4), "input-first"), "abc", lambda a, b: f"({a}{b})")
    '(a(bc))'
    """
    live = dict(enumerate(factors))
    for step in plan.steps:
        live[step.result] = multiply(live[step.left], live[step.right])
        for place in step.freed:
            del live[place]
    return plan.arrange([live[place] for place in plan.schedule.results])


def _table(plan: Plan) -> str:
    rows = [HEADER, *_rows(plan)]
    widths = (max(map(len, column)) for column in zip(*rows, strict=True))
    formats = [f"{side}{width}" for side, width in zip("><<>>>", widths, strict=True)]
    return "\n".join("  ".join(map(format, row, formats)).rstrip() for row in rows)


def _rows(plan: Plan) -> list[tuple[str, ...]]:
    """Text of all steps."""
    spans: dict[int, Span] = {place: (place, place + 1) for place in range(len(plan.factors))}
    return [_row(number, step, plan, spans) for number, step in enumerate(plan.steps, 1)]


def _row(number: int, step: Step, plan: Plan, spans: dict[int, Span]) -> tuple[str, ...]:
    """Text of one step; `spans` has the factors multiplied at every earlier place."""
    pair, structures = (step.left, step.right), plan.schedule.structures
    spans[step.result] = spans[step.left][0], spans[step.right][1]
    labels = " ".join(_label(place, spans, plan) for place in pair)
    shapes = " ".join(str(structures[place].shape) for place in pair)
    counts = step.multiplications, structures[step.result].elements, step.live_elements
    return (str(number), labels, shapes, *(f"{count:,}" for count in counts))


def _label(place: int, spans: dict[int, Span], plan: Plan) -> str:
    """Name a factor, or a product by its factors; of several chains, a product by its step."""
    if place < len(plan.factors):
        return f"J{place}"
    if plan.names:
        return f"P{place - len(plan.factors) + 1}"
    start, stop = spans[place]
    return f"(J{start}{' ' if stop - start == 2 else '...'}J{stop - 1})"
