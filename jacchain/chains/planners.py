"""Planners: named ways to choose the order of multiplying a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from jacchain.chains.bracketing import Bracketing, input_first, loss_first
from jacchain.chains.chain import Chain, dense_structures
from jacchain.chains.plan import Plan
from jacchain.chains.registry import Registry
from jacchain.jacobians.base import check_dtype
from jacchain.jacobians.structure import Structure
from jacchain.jacobians.structure_products import product

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Planner: TypeAlias = Callable[[Sequence[Structure]], Bracketing]
Order: TypeAlias = str | Bracketing | Plan
"""A planner's name, a bracketing, or a plan made before for a chain of the same structures."""


def plan(
    chain: Chain | Iterable[int], order: Order = "optimal", *, dtype: DTypeLike | None = None
) -> Plan:
    """Plan an order of multiplying a chain; no data is needed.

    Parameters
    ----------
    chain : Chain or iterable of int
        A chain, or the dims of a dense one, ``(1, |z_L|, ..., |z_1|, |x|)``.
    order : str, nested pairs of int, or Plan
        ``"loss-first"``, ``"input-first"``, ``"optimal"`` (fewest multiplications) or another
        planner's name, a bracketing, or a plan to be made again for this chain.
    dtype : dtype_like, optional
        float32 or float64; the chain's own by default, float64 for dims.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        If the dims or the dtype are unfit, the order is unknown or none of this chain.

    Examples
    --------
    >>> print(plan((1, 10, 20, 30), "input-first"))
    input-first: 2 products over 1 x 10 x 20 x 30, float64
    <BLANKLINE>
    step  product     shapes             multiplications  result  alive
       1  J1 J2       (10, 20) (20, 30)            6,000     300    300
       2  J0 (J1 J2)  (1, 10) (10, 30)               300      30    330
    <BLANKLINE>
    multiplications       6,300
    loss-first takes      0.127 x as many
    bytes                 11,520
    largest intermediate  300 elements
    peak, all alive       330 elements
    """
    if isinstance(chain, Chain):
        structures, default = chain.structures, chain.dtype
    else:
        structures, default = dense_structures(chain), check_dtype("float64")
    name, bracketing = _resolve(order, structures)
    return Plan(name, structures, bracketing, default if dtype is None else check_dtype(dtype))


def register_planner(name: str, planner: Planner) -> None:
    """Give a planner a name, under which it can be asked for as an order.

    Parameters
    ----------
    name : str
        Not taken yet.
    planner : callable
        Takes the chain's structures, loss first, and returns a bracketing.

    Raises
    ------
    ValueError
        If the name is taken.

    Examples
    --------
    >>> register_planner("pairs", lambda structures: ((0, 1), (2, 3)))
    >>> plan((1, 2, 3, 4, 5), "pairs").multiplications
    81
    """
    _PLANNERS.register(name, planner)


class _Best(NamedTuple):
    """The cheapest way to multiply out a run of factors."""

    bracketing: Bracketing
    structure: Structure
    multiplications: int


def optimal(structures: Sequence[Structure]) -> Bracketing:
    """Bracketing of fewest multiplications; of equal ones that which starts nearest the loss.

    By dynamic programming over all runs of neighbouring factors, in O(n^3) for n factors
    (Godbole, On efficient computation of matrix chain products, 1973).

    Parameters
    ----------
    structures : sequence of Structure
        The factors, loss first.

    Returns
    -------
    nested pairs of int

    Examples
    --------
    >>> optimal(dense_structures((10, 100, 5, 50)))
    ((0, 1), 2)
    """
    n = len(structures)
    best = {(i, i + 1): _Best(i, structure, 0) for i, structure in enumerate(structures)}
    for length in range(2, n + 1):
        for start in range(n - length + 1):
            stop = start + length
            best[start, stop] = min(
                (
                    _join(best[start, split], best[split, stop])
                    for split in range(stop - 1, start, -1)
                ),
                key=attrgetter("multiplications"),
            )
    return best[0, n].bracketing


def _join(left: _Best, right: _Best) -> _Best:
    cost = product(left.structure, right.structure)
    return _Best(
        (left.bracketing, right.bracketing),
        cost.result,
        left.multiplications + right.multiplications + cost.multiplications,
    )


def _resolve(order: Order, structures: tuple[Structure, ...]) -> tuple[str, Bracketing]:
    match order:
        case str(name):
            return name, _PLANNERS[name](structures)
        case Plan():
            if order.structures != structures:
                msg = (
                    f"plan {order.name!r} is for dims {order.dims}, not for this chain; "
                    f"plan it again, or use its bracketing"
                )
                raise ValueError(msg)
            return order.name, order.bracketing
        case _:
            return "bracketing", order


_PLANNERS: Registry[Planner] = Registry(
    "order",
    {
        "loss-first": lambda structures: loss_first(len(structures)),
        "input-first": lambda structures: input_first(len(structures)),
        "optimal": optimal,
    },
)
