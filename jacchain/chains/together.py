"""Several chains that share factors, multiplied together: what one has computed serves the others.

The gradients of a network by all its parameters are such chains: they begin with the same factors.
Multiplied loss first, each partial product is a row that many of them need; multiplied input first,
each begins with a factor of its own, and nothing is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from jacchain.chains.counted import Tally
from jacchain.chains.entries import counted_product, operand
from jacchain.jacobians.products import multiply
from jacchain.jacobians.rules import product

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jacchain.chains.chain import Chain
    from jacchain.jacobians.matrices import FloatArray, Jacobian
    from jacchain.jacobians.structure import Structure

T = TypeVar("T")
Direction: TypeAlias = Literal["loss-first", "input-first"]


@dataclass(frozen=True)
class TogetherCost:
    """What multiplying several chains takes.

    Parameters
    ----------
    multiplications : int
        Of all products, each done once where it is kept.
    kept_elements : int
        Elements of the products kept for others; 0 where nothing is.
    """

    multiplications: int
    kept_elements: int


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
    >>> cost_together(chains), cost_together(chains, cache=False).multiplications
    (TogetherCost(multiplications=6, kept_elements=2), 10)
    """
    total = 0

    def joined(left: Structure, right: Structure) -> Structure:
        nonlocal total
        cost = product(left, right)
        total += cost.multiplications
        return cost.result

    partial = _multiplied(chains, order, lambda factor: factor.structure, joined, cache=cache)
    kept = {key: made for key, made in partial.items() if len(key) > 1}
    shared = [s.elements for key, s in kept.items() if _used(key, chains, order) > 1]
    return TogetherCost(total, sum(shared) if cache else 0)


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
    partial = _multiplied(chains, order, lambda factor: factor, multiply, cache=cache)
    return {name: partial[_key(chain)].to_dense() for name, chain in chains.items()}


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

    _multiplied(chains, order, start, counted_product, cache=cache)
    return tally.multiplications


Key: TypeAlias = tuple[int, ...]  # identities of the factors of a partial product


def _key(chain: Chain) -> Key:
    return tuple(id(factor) for factor in chain.factors)


def _partial_keys(key: Key, order: Direction) -> list[Key]:
    """The partial products of one chain, a single factor first, the whole last."""
    if order not in {"loss-first", "input-first"}:
        msg = f"unknown order {order!r}; known are loss-first, input-first"
        raise ValueError(msg)
    lengths = range(1, len(key) + 1)
    return [key[:n] if order == "loss-first" else key[-n:] for n in lengths]


def _used(key: Key, chains: Mapping[str, Chain], order: Direction) -> int:
    """How many products a partial product takes part in, or is the result of."""
    keys = {part for chain in chains.values() for part in _partial_keys(_key(chain), order)}
    made_of_it = sum(_shorter(part, order) == key for part in keys)
    return made_of_it + sum(_key(chain) == key for chain in chains.values())


def _shorter(key: Key, order: Direction) -> Key:
    """The partial product that this one is made of, with one factor more."""
    return key[:-1] if order == "loss-first" else key[1:]


def _multiplied(
    chains: Mapping[str, Chain],
    order: Direction,
    start: Callable[[Jacobian], T],
    joined: Callable[[T, T], T],
    *,
    cache: bool,
) -> dict[Key, T]:
    """Every partial product by the factors in it; each is made once, or for each chain anew."""
    made: dict[Key, T] = {}
    for chain in chains.values():
        factors = chain.factors if order == "loss-first" else chain.factors[::-1]
        for part, factor in zip(_partial_keys(_key(chain), order), factors, strict=True):
            if cache and part in made:
                continue
            added = start(factor)
            if len(part) == 1:
                made[part] = added
            elif order == "loss-first":
                made[part] = joined(made[_shorter(part, order)], added)
            else:
                made[part] = joined(added, made[_shorter(part, order)])
    return made
