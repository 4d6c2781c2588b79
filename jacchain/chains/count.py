"""Counting multiplications by executing them.

A count is a measurement: it knows no formula. Every product is carried out by elementwise numpy
multiplications on an array that adds up the sizes of those really done.
"""

from collections.abc import Iterable
from typing import Final

from jacchain.chains.chain import Chains, distinct_factors
from jacchain.chains.counting_array import Tally
from jacchain.chains.counting_sparse import counted_product, operand
from jacchain.chains.plan import carry_out
from jacchain.chains.planners import Order, plan
from jacchain.inputs import check_sizes

COUNT_LIMIT: Final = 10**9
TWIN_LIMIT: Final = 10**7
TWIN_TARGET: Final = 10**6


def count(chain: Chains, order: Order = "loss-first", *, cache: bool = True) -> int:
    """Count the multiplications that an order really takes, by executing them.

    Parameters
    ----------
    chain : Chain, or mapping of str to Chain
    order : str, nested pairs of int, or Plan
        As for `jacchain.chains.planners.plan`.
    cache : bool
        Whether a product that several chains need is computed once.

    Returns
    -------
    int
        Scalar multiplications executed.

    Raises
    ------
    ValueError
        If more than 10**9 multiplications are planned, or the order is unfit.

    Examples
    --------
    >>> from jacchain.chains.chain import random_chain
    >>> chain = random_chain((1, 2, 3, 4, 5))
    >>> count(chain, "loss-first"), count(chain, "input-first")
    (38, 100)
    """
    planned = plan(chain, order, cache=cache)
    if planned.multiplications > COUNT_LIMIT:
        message = (
            f"plan {planned.name!r} over dims {planned.dims} takes {planned.multiplications:,} "
            f"multiplications: more than {COUNT_LIMIT:,} are not counted; scale the dims down, "
            "as twin_dims does"
        )
        raise ValueError(message)
    tally = Tally()
    operands = [operand(factor, tally) for factor in distinct_factors(chain)]
    carry_out(planned, operands, counted_product)
    return tally.multiplications


def twin_dims(
    dims: Iterable[int], *, limit: int = TWIN_LIMIT, target: int = TWIN_TARGET
) -> tuple[int, ...]:
    """Return dims to count in the place of dims that would take too long.

    These are the dims themselves if both loss-first and input-first take at most `limit`
    multiplications. Otherwise all are divided by one power of 2, but none of 2 or more goes below
    2, so that both orders take at most `target`.

    Raises ValueError if the chain is too long for that.

    Examples
    --------
    >>> twin_dims((1, 64, 64, 64, 1024))
    (1, 64, 64, 64, 1024)
    >>> twin_dims((1, 64, 64, 64, 10**8))
    (1, 2, 2, 2, 97656)
    """
    sizes = check_sizes(dims)
    if _costlier(sizes) <= limit:
        return sizes
    divisor = 2
    while divisor <= 2 * max(sizes):
        twin = tuple(max(min(size, 2), size // divisor) for size in sizes)
        if _costlier(twin) <= target:
            return twin
        divisor *= 2
    message = f"{len(sizes)} dims have no twin of {target:,} multiplications; shorten the chain"
    raise ValueError(message)


def _costlier(dims: tuple[int, ...]) -> int:
    return max(plan(dims, order).multiplications for order in ("loss-first", "input-first"))
