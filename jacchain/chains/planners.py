"""Planners: named ways to choose the order of multiplying a chain."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from jacchain.chains.bracketing import Bracketing, input_first, loss_first
from jacchain.chains.chain import Chain, Chains, dense_structures, distinct_factors
from jacchain.chains.plan import Plan
from jacchain.chains.registry import Registry
from jacchain.inputs import check_callable, check_dtype
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.structure import Structure
from jacchain.jacobians.structure_products import product
from jacchain.limits import check_room

LONG = 1000  # factors, whose tables take 24 MB
MANY = 30_000  # products whose comparison takes seconds

Planner: TypeAlias = Callable[[Sequence[Structure]], Bracketing]
Order: TypeAlias = str | Bracketing | Plan
"""A planner's name, a bracketing, or a plan of the same structures."""


def plan(
    chain: Chains | Iterable[int],
    order: Order = "optimal",
    *,
    cache: bool = True,
    dtype: DTypeLike | None = None,
) -> Plan:
    """Plan an order of multiplying a chain, or several; no data is needed.

    Parameters
    ----------
    chain : Chain, mapping of str to Chain, or iterable of int
        A chain, several that share factors (the same objects), or the dims of a dense one,
        ``(1, |z_L|, ..., |z_1|, |x|)``; also a network, for its dims.
    order : str, nested pairs of int, or Plan
        ``"loss-first"``, ``"input-first"``, ``"optimal"`` (fewest multiplications of each chain)
        or another planner's name, a bracketing, or a plan of the same structures.
    cache : bool
        Whether a product that several chains need is computed once and kept for the others.
    dtype : dtype_like, optional
        float32 or float64; the chain's own by default, float64 for dims.

    Raises
    ------
    TypeError, ValueError
        If the dims or the dtype are unfit, there is no chain, or the order is unknown or does not
        fit the chain.

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

    Several chains share what they begin with:

    >>> row, a, b = Chain([[[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]]]).factors
    >>> chains = {"a": Chain([row, a]), "b": Chain([row, a, b])}
    >>> plan(chains, "loss-first").multiplications
    6
    >>> plan(chains, "loss-first", cache=False).multiplications
    10
    """
    if isinstance(chain, Chain | Mapping):
        factors = distinct_factors(chain)
        structures, own_dtype = tuple(factor.structure for factor in factors), factors[0].dtype
        places, names = _places(chain, factors)
    else:
        own_dtype = check_dtype("float64")
        if dims := getattr(chain, "dims", ()):  # of a network
            own_dtype = check_dtype(getattr(chain, "dtype", None))
        structures = dense_structures(dims or chain)
        places, names = (tuple(range(len(structures))),), ()
    kind = own_dtype if dtype is None else check_dtype(dtype)
    if isinstance(order, Plan):
        if (order.factors, order.places, order.names) != (structures, places, names):
            message = (
                f"plan {order.name!r} is for dims {order.dims}, not for this chain; "
                f"plan it again, or use its bracketing"
            )
            raise ValueError(message)
        return replace(order, dtype=kind)
    if isinstance(order, str):
        planner = _PLANNERS[order]
        bracketings = tuple(planner([structures[place] for place in own]) for own in places)
        return Plan(order, structures, places, bracketings, kind, names, cache)
    return Plan("bracketing", structures, places, (order,) * len(places), kind, names, cache)


def _places(
    chain: Chains, factors: Sequence[Jacobian]
) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
    """Return the places of each chain's factors, and the names of several chains."""
    if isinstance(chain, Chain):
        return (tuple(range(len(factors))),), ()
    place = {id(factor): index for index, factor in enumerate(factors)}
    chains = chain.values()
    return tuple(tuple(place[id(f)] for f in own.factors) for own in chains), tuple(chain)


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
    TypeError, ValueError
        If the planner can't be called, or the name is no text or taken.

    Examples
    --------
    >>> register_planner("pairs", lambda structures: ((0, 1), (2, 3)))
    >>> plan((1, 2, 3, 4, 5), "pairs").multiplications
    81
    """
    check_callable(planner, "the planner")
    _PLANNERS.register(name, planner)


class _Best(NamedTuple):
    """The cheapest way to multiply out a run of factors."""

    bracketing: Bracketing
    structure: Structure
    multiplications: int


def optimal(structures: Sequence[Structure]) -> Bracketing:
    """Return the bracketing of fewest multiplications, and among equal ones the most loss-first.

    By dynamic programming over all runs of neighbouring factors, in O(n^3) for n factors
    (Godbole, On efficient computation of matrix chain products, 1973). Of dense factors 500 take a
    tenth of a second; a RuntimeWarning says so where many of other kinds will take long.

    Examples
    --------
    >>> optimal(dense_structures((10, 100, 5, 50)))
    ((0, 1), 2)
    """
    if all(structure.kind == "dense" for structure in structures):
        sizes = [structures[0].shape[0], *(structure.shape[1] for structure in structures)]
        return _optimal_dense(sizes)
    return _optimal_of_kinds(structures)


def _optimal_dense(sizes: Sequence[int]) -> Bracketing:
    """Return the optimal bracketing of dense factors, by all starts of a length at once.

    Row `i` of `after` has, by length, what the runs that start at factor `i` take, and row `j` of
    `before` those that stop before factor `j`.
    """
    n = len(sizes) - 1
    if n > LONG:  # shorter ones fit anywhere
        check_room(3 * 8 * (n + 1) ** 2, f"planning {n} factors", "plan parts of the chain")
    fits = n * max(sizes) ** 3 < 2**63  # no sum is larger
    dims = np.array(sizes, dtype=np.int64 if fits else object)
    after = np.zeros((n + 1, n + 1), dtype=dims.dtype)
    before, splits = after.copy(), np.zeros((n + 1, n + 1), dtype=np.intp)
    for length in range(2, n + 1):
        starts = np.arange(n - length + 1)
        lefts = np.arange(length - 1, 0, -1)  # the most loss-first of equal ones comes first
        ends = dims[starts] * dims[starts + length]
        totals = ends[:, None] * dims[starts[:, None] + lefts]
        totals += after[: len(starts), length - 1 : 0 : -1] + before[length:, 1:length]
        best = totals.argmin(axis=1)
        after[starts, length] = before[starts + length, length] = totals[starts, best]
        splits[starts, length] = starts + lefts[best]
    return _bracketing(splits)


def _bracketing(splits: NDArray[np.intp]) -> Bracketing:
    """Build the bracketing of all factors; `splits` tells by start and length where a run parts."""
    runs = [(0, len(splits) - 1)]
    halves: list[tuple[tuple[int, int], tuple[int, int]] | None] = []
    for start, stop in runs:  # grows while it is gone through
        middle = int(splits[start, stop - start])
        halves.append(((start, middle), (middle, stop)) if stop - start > 1 else None)
        runs += halves[-1] or ()
    trees: dict[tuple[int, int], Bracketing] = {}
    for run, parts in zip(reversed(runs), reversed(halves), strict=True):
        trees[run] = (trees[parts[0]], trees[parts[1]]) if parts else run[0]
    return trees[runs[0]]


def _optimal_of_kinds(structures: Sequence[Structure]) -> Bracketing:
    """Return the optimal bracketing of factors of any kinds, product by product."""
    n = len(structures)
    products = (n**3 - n) // 6
    if products > MANY:
        message = (
            f"the best order of {n} factors of several kinds compares {products:,} products, which "
            f"takes minutes from some 200 factors on; 'loss-first' and 'input-first' take no time"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=5)  # where `plan` is called
    best = {(i, i + 1): _Best(i, structure, 0) for i, structure in enumerate(structures)}
    for length in range(2, n + 1):
        for start in range(n - length + 1):
            stop = start + length
            splits = range(stop - 1, start, -1)
            joined = (_join(best[start, split], best[split, stop]) for split in splits)
            best[start, stop] = min(joined, key=attrgetter("multiplications"))
    return best[0, n].bracketing


def _join(left: _Best, right: _Best) -> _Best:
    last = product(left.structure, right.structure)
    total = left.multiplications + right.multiplications + last.multiplications
    return _Best((left.bracketing, right.bracketing), last.result, total)


_LOSS_FIRST = ("reverse", "backward", "adjoint", "vjp", "vector-jacobian", "forwards")
_INPUT_FIRST = ("forward", "tangent", "jvp", "jacobian-jacobian", "backwards")
# The field's words, and the article's, which calls them forwards and backwards.
_ELSEWHERE = dict.fromkeys(_LOSS_FIRST, "loss-first") | dict.fromkeys(_INPUT_FIRST, "input-first")
_PLANNERS: Registry[Planner] = Registry("order", {"optimal": optimal}, _ELSEWHERE)
_PLANNERS.register("loss-first", lambda structures: loss_first(len(structures)))
_PLANNERS.register("input-first", lambda structures: input_first(len(structures)))
