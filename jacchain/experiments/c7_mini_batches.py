"""C7: mini-batches help, and loss-first stays far more efficient."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.experiments.batches import (
    SIZES,
    WIDE,
    WIDE_SIZES,
    batch_sizes,
    findings,
    name,
)
from jacchain.experiments.cells import BOTH, LOSS_FIRST
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.gains import count_parts, gain_part, order_part
from jacchain.experiments.profiles import Profile
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.networks.batches import batch_chain
from jacchain.networks.mlp import mlp
from jacchain.records.values import Executed

BATCH, ONE_BY_ONE, EXPLICIT = "in a batch", "one by one", "explicit, each sample its own"
COUNTS = "C7:counts"
COUNTED = 3  # samples
COUNTED_SIZES = (12, 9, 7, 5)  # of the network: counting executes each multiplication
Sizes = tuple[int, ...]


def comparisons(profile: Profile) -> list[Comparison]:
    """Both orders in a batch; each order in a batch and one by one; shared and explicit factors."""
    found = []
    for n in batch_sizes(profile):
        ways = {"orders": _orders, "explicit": _explicit}
        if n > 1:
            ways |= {order: partial(_loop, order) for order in BOTH}
            ways[WIDE] = partial(_loop, LOSS_FIRST, sizes=WIDE_SIZES)
        for what, make in ways.items():
            dims = (1, *reversed(WIDE_SIZES if what == WIDE else SIZES))
            found.append(Comparison(name(what, n), dims, partial(make, n), f"C7 {what}"))
    return found


def _chain(
    samples: int, dtype: np.dtype[Any], seed: int, *, shared: bool = True, sizes: Sizes = SIZES
) -> Chain:
    """The chain of a batch at random points of a random network."""
    rng = np.random.default_rng([seed, samples])
    network = mlp(*sizes, activation="tanh", loss="cross_entropy", rng=seed, dtype=dtype)
    inputs = rng.standard_normal((samples, sizes[0]))
    return batch_chain(network, inputs, rng.integers(sizes[-1], size=samples), shared=shared)


def _way(label: str, chain: Chain, order: str) -> Way:
    return Way(label, plan(chain, order).cost, partial(evaluator, chain, order))


def _orders(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    chain = _chain(samples, dtype, seed)
    loss, inputs = (_way(order, chain, order) for order in BOTH)
    return loss, inputs


def _explicit(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    each, shared = (_chain(samples, dtype, seed, shared=shared) for shared in (False, True))
    return _way(EXPLICIT, each, LOSS_FIRST), _way(BATCH, shared, LOSS_FIRST)


def _loop(
    order: str, samples: int, dtype: np.dtype[Any], seed: int, *, sizes: Sizes = SIZES
) -> tuple[Way, Way]:
    chain = _chain(samples, dtype, seed, sizes=sizes)
    batch, single = _way(BATCH, chain, order), plan(_sample(chain, 0, samples), order).cost
    work = replace(samples * single, held_bytes=batch.work.held_bytes)
    return Way(ONE_BY_ONE, work, partial(_each, chain, order, samples)), batch


def _each(chain: Chain, order: str, samples: int) -> Callable[[], NDArray[Any]]:
    """Evaluate the chain of every sample by itself, with weights that all share."""
    singles = [evaluator(_sample(chain, i, samples), order) for i in range(samples)]
    return lambda: np.concatenate([single() for single in singles], axis=1)


def _sample(chain: Chain, index: int, samples: int) -> Chain:
    """The chain of one sample of a batch."""
    return Chain(_part(factor, index, samples) for factor in chain.factors)


def _part(factor: Jacobian, index: int, samples: int) -> Jacobian:
    if isinstance(factor, BlockDiagonalJacobian):
        return BlockDiagonalJacobian(factor.array, 1)
    size = factor.shape[1] // samples
    own = slice(index * size, (index + 1) * size)
    if isinstance(factor, DiagonalJacobian):
        return DiagonalJacobian(factor.diagonal[own])
    return DenseJacobian(factor.to_dense()[:, own])


def count_batches(seed: int) -> dict[str, Any]:
    """Executed and predicted multiplications of a small batch: the values of `Executed`."""
    chains = {
        form: _chain(
            COUNTED, np.dtype("float64"), seed, shared=form == "shared", sizes=COUNTED_SIZES
        )
        for form in ("shared", "explicit")
    }
    return {
        f"{form} factors, {order}, batch of {COUNTED}": [
            count(chain, order),
            plan(chain, order).multiplications,
        ]
        for form, chain in chains.items()
        for order in BOTH
    }


def judge(evidence: Evidence, profile: Profile) -> list[Part]:
    """Counts; time per sample in a batch against one by one; C5's rule at every batch size."""
    parts = count_parts(evidence, COUNTS)
    for n in batch_sizes(profile):
        parts.append(order_part(evidence, name("orders", n)))
        if n > 1:
            parts += [gain_part(evidence, name(what, n)) for what in (*BOTH, WIDE)]
    return parts


EXPERIMENT = Experiment(
    "C7",
    "Mini-batches",
    "Mini-batches help: the time per sample falls with the size of the batch, in both orders; and "
    "loss-first stays cheaper at every batch size.",
    cells=lambda _: [],
    comparisons=comparisons,
    judge=judge,
    checks={COUNTS: count_batches},
    values={COUNTS: dict[str, tuple[Executed, Executed]]},
    findings=findings,
    figures=(
        Figure(
            "batches",
            "batches",
            "Cost per sample over the batch size",
            "Above: seconds per sample, with what the time model predicts from other cells. Below: "
            "the rate of loss-first against the ceilings of this machine, and where it turns from "
            "bound by memory to bound by arithmetic.",
        ),
    ),
)
