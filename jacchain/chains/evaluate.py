"""Carry a plan out with numbers, by a named engine."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import get_ident
from typing import Any, TypeAlias, overload

import numpy as np

from jacchain.chains.chain import Chain, Chains, distinct_factors
from jacchain.chains.plan import Plan
from jacchain.chains.planners import Order, plan
from jacchain.chains.registry import Registry
from jacchain.chains.schedule import Schedule, Step
from jacchain.inputs import FloatArray, check_callable
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.products import returns_operand, rule, uses_memory

Products: TypeAlias = FloatArray | dict[str, FloatArray]
Engine: TypeAlias = Callable[[Sequence[Jacobian], Plan], Callable[[], Any]]


@overload
def evaluate(
    chain: Chain, order: Order = ..., *, engine: str = ..., cache: bool = ...
) -> FloatArray: ...
@overload
def evaluate(
    chain: Mapping[str, Chain], order: Order = ..., *, engine: str = ..., cache: bool = ...
) -> dict[str, FloatArray]: ...
def evaluate(
    chain: Chains, order: Order = "loss-first", *, engine: str = "numpy", cache: bool = True
) -> Products:
    """Multiply a chain, or several.

    Parameters
    ----------
    chain : Chain, or mapping of str to Chain
    order : str, nested pairs of int, or Plan
        As for `jacchain.chains.planners.plan`.
    engine : str
        ``"numpy"``, ``"einsum"`` or another that is registered.
    cache : bool
        Whether a product that several chains need is computed once.

    Returns
    -------
    ndarray, or dict of str to ndarray
        Of shape (m, x), a fresh array of the chain's dtype; one for each of several chains.

    Raises
    ------
    ValueError
        If the order or the engine is unknown, or the order does not fit the chain.

    Examples
    --------
    >>> evaluate(Chain([[[1, 2]], [[3, 4], [5, 6]]]))
    array([[13., 16.]])
    >>> evaluate({"only": Chain([[[1.0, 2.0]], [[3.0], [4.0]]])})
    {'only': array([[11.]])}
    """
    products = evaluator(chain, order, engine=engine, cache=cache)()
    if isinstance(products, dict):
        return {name: product.copy() for name, product in products.items()}
    return products.copy()


@overload
def evaluator(
    chain: Chain, order: Order = ..., *, engine: str = ..., cache: bool = ...
) -> Callable[[], FloatArray]: ...
@overload
def evaluator(
    chain: Mapping[str, Chain], order: Order = ..., *, engine: str = ..., cache: bool = ...
) -> Callable[[], dict[str, FloatArray]]: ...
def evaluator(
    chain: Chains, order: Order = "loss-first", *, engine: str = "numpy", cache: bool = True
) -> Callable[[], Any]:
    """Prepare the multiplication of a chain, or several: what is returned only multiplies.

    Everything is validated and every intermediate allocated here, once. Intermediates share
    memory where one is done with before the other begins. Takes and raises what `evaluate` does.

    Returns
    -------
    callable
        Takes nothing and returns what `evaluate` does. Each call writes to the same arrays, never
        to a factor's: copy a result that is to outlive the next call. It serves the thread that
        calls it first and raises RuntimeError in any other, whose results would be mixed up.

    Examples
    --------
    >>> multiply = evaluator(Chain([[[1, 2]], [[3, 4], [5, 6]]]), "input-first")
    >>> multiply() is multiply()
    True
    """
    return _of_one_thread(
        _ENGINES[engine](distinct_factors(chain), plan(chain, order, cache=cache))
    )


def _of_one_thread(run: Callable[[], Any]) -> Callable[[], Any]:
    owner: int | None = None

    def call() -> Any:
        nonlocal owner
        if owner != get_ident():
            if owner is not None:
                message = "this evaluator serves another thread: make one in each thread"
                raise RuntimeError(message)
            owner = get_ident()
        return run()

    return call


def register_engine(name: str, engine: Engine) -> None:
    """Give an engine a name, under which `evaluate` and `evaluator` find it.

    Parameters
    ----------
    name : str
        Not taken yet.
    engine : callable
        Takes the factors (Jacobians, each once) and their Plan, and returns what `evaluator` is
        to return.

    Raises
    ------
    TypeError, ValueError
        If the engine can't be called, or the name is no text or taken.

    Examples
    --------
    >>> from jacchain.chains.plan import carry_out
    >>> def plain(factors, plan):
    ...     arrays = [factor.to_dense() for factor in factors]
    ...     return lambda: carry_out(plan, arrays, np.dot)
    >>> register_engine("plain", plain)
    >>> evaluate(Chain([[[1, 2]], [[3, 4], [5, 6]]]), engine="plain")
    array([[13., 16.]])
    """
    check_callable(engine, "the engine")
    _ENGINES.register(name, engine)


def _in_buffers(multiply: Callable[..., Any]) -> Engine:
    """Make an engine of a function ``multiply(a, b, out=c)`` of dense matrices."""

    def prepare(factors: Sequence[Jacobian], plan: Plan) -> Callable[[], Any]:
        arrays = [factor.to_dense() for factor in factors]
        for step, memory in zip(plan.steps, allocate(plan.schedule, plan.dtype), strict=True):
            arrays.append(memory.reshape(plan.schedule.structures[step.result].shape))
        products = [(arrays[s.left], arrays[s.right], arrays[s.result]) for s in plan.steps]
        results = plan.arrange([_own(arrays[p], p, plan) for p in plan.schedule.results])

        def run() -> Any:
            for left, right, out in products:
                multiply(left, right, out=out)
            return results

        return run

    return prepare


def _by_rules(factors: Sequence[Jacobian], plan: Plan) -> Callable[[], Any]:
    """Multiply factors of several kinds by the rules for each pair of kinds, looked up here."""
    structures = plan.schedule.structures
    products = [
        (rule(structures[s.left], structures[s.right]), s.left, s.right, memory, s.freed)
        for s, memory in zip(plan.steps, allocate(plan.schedule, plan.dtype), strict=True)
    ]
    results = plan.schedule.results

    def run() -> Any:
        live: list[Any] = [*factors]
        for multiply, left, right, memory, freed in products:
            live.append(multiply(live[left], live[right], memory))
            for place in freed:
                live[place] = None
        return plan.arrange([_own(live[place].to_dense(), place, plan) for place in results])

    return run


def _own(result: FloatArray, place: int, plan: Plan) -> FloatArray:
    """Return a result, or a copy where it is a factor itself: that memory is the caller's."""
    schedule = plan.schedule
    while place >= len(plan.factors):
        owner = _owner(schedule, plan.steps[place - len(plan.factors)])
        if owner is None or owner == place:
            return result
        place = owner
    return result.copy()


def _numpy(factors: Sequence[Jacobian], plan: Plan) -> Callable[[], Any]:
    """Multiply dense factors into memory kept for it, others by their rules."""
    dense = all(factor.structure.kind == "dense" for factor in factors)
    return (_in_buffers(np.matmul) if dense else _by_rules)(factors, plan)


def allocate(schedule: Schedule, dtype: np.dtype[Any]) -> list[FloatArray]:
    """Allocate flat memory for the result of each step, used again once no step needs it.

    Where a product is one of its operands itself, both share that operand's memory; where its rule
    makes a new array, it gets none.
    """
    slot_of, sizes = _slots(schedule)
    memory = [np.empty(size, dtype) for size in sizes]
    nothing = np.empty(0, dtype)
    results = ((s.result, schedule.structures[s.result].elements) for s in schedule.steps)
    return [memory[slot_of[p]][:size] if p in slot_of else nothing for p, size in results]


def _slots(schedule: Schedule) -> tuple[dict[int, int], list[int]]:
    """Number the pieces of memory: which one each place has, and the elements of each piece."""
    slot_of: dict[int, int] = {}
    sizes: list[int] = []
    free: list[int] = []
    users = Counter[int]()
    # A result that outlives later steps gets a piece of its own, or it would keep a large one.
    kept = {*schedule.results} - {len(schedule.structures) - 1}
    for step in schedule.steps:
        owner = _owner(schedule, step)
        if owner == step.result:
            if not free or owner in kept:
                free.append(len(sizes))
                sizes.append(0)
            slot_of[owner] = slot = free.pop()
            sizes[slot] = max(sizes[slot], schedule.structures[owner].elements)
        elif owner in slot_of:
            slot_of[step.result] = slot_of[owner]
        if step.result in slot_of:
            users[slot_of[step.result]] += 1
        for slot in [slot_of[place] for place in step.freed if place in slot_of]:
            users[slot] -= 1
            if not users[slot]:
                free.append(slot)
    return slot_of, sizes


def _owner(schedule: Schedule, step: Step) -> int | None:
    """Place whose memory a result is in: its own, an operand's, or None of a new array."""
    pair = schedule.structures[step.left], schedule.structures[step.right]
    operand = returns_operand(*pair)
    if operand is not None:
        return (step.left, step.right)[operand]
    return step.result if uses_memory(*pair) else None


def _loop(a: FloatArray, b: FloatArray, *, out: FloatArray) -> None:
    """Multiply in an unblocked loop, which runs products of all shapes at about one rate."""
    np.einsum("ik,kj->ij", a, b, out=out, optimize=False)


_ENGINES: Registry[Engine] = Registry("engine", {"numpy": _numpy, "einsum": _in_buffers(_loop)})
