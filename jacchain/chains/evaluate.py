"""Carrying a plan out with numbers, by a named engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from jacchain.chains.bracketing import Span
from jacchain.chains.planners import Order, plan
from jacchain.chains.registry import Registry
from jacchain.chains.slots import NOWHERE, Slots
from jacchain.jacobians.products import returns_operand, rule, uses_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from jacchain.chains.chain import Chain
    from jacchain.chains.plan import Plan
    from jacchain.jacobians.base import FloatArray

Evaluator: TypeAlias = "Callable[[], FloatArray]"
Engine: TypeAlias = "Callable[[Chain, Plan], Evaluator]"


def evaluate(chain: Chain, order: Order = "loss-first", *, engine: str = "numpy") -> FloatArray:
    """Multiply a chain.

    Parameters
    ----------
    chain : Chain
    order : str, nested pairs of int, or Plan
        As for `jacchain.chains.planners.plan`.
    engine : str
        ``"numpy"``, ``"einsum"`` or another that is registered.

    Returns
    -------
    ndarray
        Of shape (m, x), a fresh array of the chain's dtype.

    Raises
    ------
    ValueError
        If the order or the engine is unknown, or the order is none of this chain.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> evaluate(Chain([[[1, 2]], [[3, 4], [5, 6]]]))
    array([[13., 16.]])
    """
    return evaluator(chain, order, engine=engine)().copy()


def evaluator(chain: Chain, order: Order = "loss-first", *, engine: str = "numpy") -> Evaluator:
    """Prepare the multiplication of a chain: what is returned only multiplies.

    Everything is validated and every intermediate allocated here, once. Intermediates share
    memory where one is done with before the other begins.

    Parameters
    ----------
    chain, order, engine
        As for `evaluate`.

    Returns
    -------
    callable
        Takes nothing and returns the product, of shape (m, x). Each call writes to the same
        array: copy a result that is to outlive the next call.

    Raises
    ------
    ValueError
        If the order or the engine is unknown, or the order is none of this chain.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> multiply = evaluator(Chain([[[1, 2]], [[3, 4], [5, 6]]]), "input-first")
    >>> multiply() is multiply()
    True
    """
    return _ENGINES[engine](chain, plan(chain, order))


def register_engine(name: str, engine: Engine) -> None:
    """Give an engine a name, under which `evaluate` and `evaluator` find it.

    Parameters
    ----------
    name : str
        Not taken yet.
    engine : callable
        Takes a Chain and a Plan of it, and returns what `evaluator` is to return.

    Raises
    ------
    ValueError
        If the name is taken.

    Examples
    --------
    >>> from jacchain.chains.chain import Chain
    >>> from jacchain.chains.plan import carry_out
    >>> def plain(chain, plan):
    ...     factors = [factor.to_dense() for factor in chain.factors]
    ...     return lambda: carry_out(plan, factors, np.dot)
    >>> register_engine("plain", plain)
    >>> evaluate(Chain([[[1, 2]], [[3, 4], [5, 6]]]), engine="plain")
    array([[13., 16.]])
    """
    _ENGINES.register(name, engine)


def _in_buffers(multiply: Callable[..., Any]) -> Engine:
    """Make an engine of a function ``multiply(a, b, out=c)``."""

    def prepare(chain: Chain, plan: Plan) -> Evaluator:
        memory = _memory(plan, chain.dtype)
        buffers = {s.result.span: memory[s.result.span].reshape(s.result.shape) for s in plan.steps}
        operands = {(i, i + 1): factor.to_dense() for i, factor in enumerate(chain.factors)}
        operands |= buffers
        products = [
            (operands[step.left.span], operands[step.right.span], buffers[step.result.span])
            for step in plan.steps
        ]
        if not products:
            return operands[0, 1].copy
        result = products[-1][-1]

        def run() -> FloatArray:
            for left, right, out in products:
                multiply(left, right, out=out)
            return result

        return run

    return prepare


def _by_rules(chain: Chain, plan: Plan) -> Evaluator:
    """Multiply factors of several kinds by the rules for each pair of kinds, looked up here."""
    memory = _memory(plan, chain.dtype)
    products = [
        (rule(s.left.structure, s.right.structure), s.left.span, s.right.span, s.result.span)
        for s in plan.steps
    ]
    factors = {(index, index + 1): factor for index, factor in enumerate(chain.factors)}

    def run() -> FloatArray:
        live = dict(factors)
        for multiply, left, right, result in products:
            live[result] = multiply(live.pop(left), live.pop(right), memory[result])
        (whole,) = live.values()
        return whole.to_dense()

    return run


def _numpy(chain: Chain, plan: Plan) -> Evaluator:
    """Multiply dense factors into memory kept for it, others by their rules."""
    dense = all(structure.kind == "dense" for structure in chain.structures)
    return (_in_buffers(np.matmul) if dense else _by_rules)(chain, plan)


def _memory(plan: Plan, dtype: np.dtype[Any]) -> dict[Span, FloatArray]:
    """Flat memory for every intermediate; a slot is used again once what it holds was multiplied.

    Where a product is one of its operands itself, it keeps that one's slot.
    """
    pieces, slots = Slots(), dict[Span, int]()
    for step in plan.steps:
        done = [step.left, step.right]
        same = returns_operand(step.left.structure, step.right.structure)
        if same is not None:
            slots[step.result.span] = slots.get(done.pop(same).span, NOWHERE)
        elif uses_memory(step.left.structure, step.right.structure):
            slots[step.result.span] = pieces.take(step.elements)
        for operand in done:
            pieces.release(slots.get(operand.span, NOWHERE))
    memory = pieces.memory(dtype)
    return {
        result.span: memory[slots.get(result.span, NOWHERE)][: result.structure.elements]
        for result in (step.result for step in plan.steps)
    }


def _loop(a: FloatArray, b: FloatArray, *, out: FloatArray) -> None:
    """Multiply in an unblocked loop, which runs products of all shapes at about one rate."""
    np.einsum("ik,kj->ij", a, b, out=out, optimize=False)


_ENGINES: Registry[Engine] = Registry("engine", {"numpy": _numpy, "einsum": _in_buffers(_loop)})
