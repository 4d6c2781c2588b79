"""What is measured: a cell with one or two arms. Nothing else is ever timed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import pairwise
from math import prod
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import BOTH, INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.chains.chain import Chain, Chains
from jacchain.chains.count import count, twin_dims
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.records.schema import Role

__all__ = ["BOTH", "INPUT_FIRST", "LOSS_FIRST", "Dims"]

MOST_COUNTED = 10**7  # multiplications; above, a twin with smaller dims is counted
MOST_DRAWN = 2**20  # random entries that all factors share; beyond, they repeat


@dataclass(frozen=True)
class Arm:
    """One of the two things that a cell measures against each other."""

    name: str  #: of the order of multiplication, or of whatever else is timed
    cost: Cost  #: what one call takes, by formula
    #: Allocates what is there before the call, and returns the call
    prepare: Callable[[], Callable[[], object]]
    #: Executes the multiplications one by one: their number, and the dims at which
    count: Callable[[], tuple[int, Dims]] | None = None


@dataclass(frozen=True)
class Cell:
    """One or two arms, measured in pairs."""

    name: str  #: unique, the same in every run
    #: Of the chain or network at work, loss first; of a ceiling, the shape of its matrix
    dims: Dims
    #: ``arms(dtype, seed)`` returns them; large arrays are allocated later, by `prepare`
    arms: Callable[[np.dtype[Any], int], tuple[Arm, ...]] = field(compare=False)
    #: "chain" (both orders of a dense chain), "comparison" (two ways of other work), "control" (the
    #: same twice), "cause" (removes the cause of a finding), "ceiling" or "overhead"
    role: Role = "comparison"
    #: Cells of one group are visited one after the other, and compared with each other
    group: str = ""
    shared: bool = True  #: whether both arms hold the same operands
    agree: bool = (
        True  #: whether both arms give the same result, as all but steps of other sizes do
    )


def unique(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return each cell once, as it is first mentioned: claims share cells."""
    by_name: dict[str, Cell] = {}
    for cell in cells:
        by_name.setdefault(cell.name, cell)
    return tuple(by_name.values())


def evaluation_arm(label: str, chain: Chains, order: str, *, cache: bool = True) -> Arm:
    """Evaluate a chain, or several that share factors, in one order."""
    cost = plan(chain, order, cache=cache).cost
    return Arm(label, cost, partial(evaluator, chain, order, cache=cache))


def chain_cell(
    dims: Dims,
    orders: tuple[str, ...] = BOTH,
    *,
    role: Role = "chain",
    engine: str = "numpy",
    group: str = "",
) -> Cell:
    """Measure one or two orders of a random dense chain; the same twice is an A/A pair.

    Examples
    --------
    >>> chain_cell((1, 4, 3)).name, chain_cell((1, 4, 3), ("loss-first",) * 2, role="control").name
    ('chain 1x4x3', 'control 1x4x3, loss-first')
    """
    names = "" if orders == BOTH else f", {' / '.join(dict.fromkeys(orders))}"
    by = "" if engine == "numpy" else f", by {engine}"
    name = f"{role} {'x'.join(map(str, dims))}{names}{by}"
    return Cell(name, dims, partial(_orders, dims, orders, engine, role), role, group)


def _orders(
    dims: Dims, orders: tuple[str, ...], engine: str, role: str, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, ...]:
    key = (dims, dtype, seed)
    chain = _CHAINS.setdefault(key, _RandomChain(*key))
    return tuple(
        Arm(
            order,
            plan(dims, order, dtype=dtype).cost,
            partial(chain.evaluator, order, engine),
            partial(counted, dims, order) if role == "chain" else None,
        )
        for order in orders
    )


@dataclass(frozen=True)
class _RandomChain:
    """A random chain, the same in every process of a run; built when it is first evaluated."""

    dims: Dims
    dtype: np.dtype[Any]
    seed: int

    @cached_property
    def chain(self) -> Chain:
        rng = np.random.default_rng([self.seed, *self.dims])
        return Chain(_factor(shape, self.dtype, self.seed, rng) for shape in pairwise(self.dims))

    def evaluator(self, order: str, engine: str) -> Callable[[], object]:
        return evaluator(self.chain, order, engine=engine)


_CHAINS: WeakValueDictionary[tuple[Any, ...], _RandomChain] = WeakValueDictionary()
"""Each for all cells of its dims, dtype and seed, as long as an arm of one of them lives."""


def _factor(
    shape: tuple[int, int], dtype: np.dtype[Any], seed: int, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Take normal entries over the root of the inner size, from a place in a pool that `rng` draws.

    Times do not depend on the entries, and to draw gigabytes would take longer than to measure.
    """
    pool = _normal_entries(dtype, seed)
    start, size = int(rng.integers(len(pool))), prod(shape)
    entries = np.empty(size, dtype)
    scale = dtype.type(1 / np.sqrt(shape[1]))
    for begin in range(0, size, len(pool)):
        part = entries[begin : begin + len(pool)]
        head = part[: len(pool) - start]
        np.multiply(pool[start : start + len(head)], scale, out=head)
        np.multiply(pool[: len(part) - len(head)], scale, out=part[len(head) :])
    return entries.reshape(shape)


@cache
def _normal_entries(dtype: np.dtype[Any], seed: int) -> NDArray[np.floating]:
    return np.random.default_rng(seed).standard_normal(MOST_DRAWN, dtype=dtype.type)


def counted(dims: Dims, order: str) -> tuple[int, Dims]:
    """Execute the multiplications of an order one by one: their number, and the dims at which.

    Above 10^7, those of a smaller twin. They are as many whatever the entries.

    Examples
    --------
    >>> counted((1, 4, 3, 2), "loss-first")
    (18, (1, 4, 3, 2))
    """
    small = plan(dims, order).multiplications <= MOST_COUNTED
    sizes = dims if small else twin_dims(dims)
    return count(Chain(map(np.ones, pairwise(sizes))), order), sizes
