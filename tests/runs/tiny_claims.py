"""Claims that take no time, and a measuring process that knows them in place of the real ones."""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_info

from jacchain.analysis.verdicts import Statement, exact
from jacchain.chains.registry import Registry
from jacchain.claims import registry
from jacchain.claims.own_chain import experiment_named
from jacchain.costs.timemodel import Rates
from jacchain.experiments.cell import Arm, Cell, chain_cell
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.parts import Counts, count_parts, gain_part
from jacchain.experiments.sizes import Sampling, Sizes
from jacchain.runs import worker
from jacchain.runs.admission import Session
from jacchain.runs.job import Job
from tests.records.examples import HERE

TINY = Sampling("tiny", 2, 2, 15.0)  # two processes of two rounds
CHAIN = chain_cell((1, 4, 3, 2))
WORK = CHAIN.arms(np.dtype("float64"), 0)[0].cost


def comparison(first, second, *, costs=(WORK, WORK), shared=True):
    """A cell of two arms whose calls return these results."""
    arms = tuple(
        Arm(name, cost, lambda result=result: lambda: result)
        for name, cost, result in zip(("slowly", "quickly"), costs, (first, second), strict=True)
    )
    return Cell("C0 sum", (1, 4, 3, 2), lambda _dtype, _seed: arms, shared=shared)


def blas_threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


COMPARISON = comparison(np.ones(3), np.ones(3))
COUNTS = "checked:counts"
# On a machine of 1 GiB where everything is done in an instant.
INSTANT = Session(HERE, TINY, Rates(0.0, np.inf, np.inf), memory=2**30, seed=7)
OWN = Job((experiment_named("chain-1x4x3x2"),), replace(TINY, rounds=3), Sizes())


def _count(evidence, _sizes):
    counts = [count for count in evidence.counts if count.order == "loss-first"]
    parts = [exact("loss-first", count.multiplications, 18) for count in counts]
    return [Statement("Counts are 18.", tuple(parts))]


COUNTED = Experiment(
    "counted",
    "Counts",
    "Loss-first takes 18 multiplications.",
    cells=lambda _: [CHAIN],
    judge=_count,
    timed=False,
    beside=(),
)
COMPARED = Experiment(
    "compared",
    "Comparisons",
    "To go slowly takes longer than to go quickly.",
    cells=lambda _: [CHAIN, COMPARISON],
    judge=lambda evidence, _: [Statement("It gains.", (gain_part(evidence, COMPARISON.name),))],
    beside=(),
)
CHECKED = Experiment(
    "checked",
    "Checks",
    "Multiplications are the predicted ones.",
    judge=lambda evidence, _: [
        Statement("Counts are predicted.", tuple(count_parts(evidence, COUNTS)))
    ],
    checks={COUNTS: Check(lambda _seed: {"a product": (6, 6)}, Counts)},
    timed=False,
    beside=(),
)
CLAIMS = Registry("claim", {claim.claim: claim for claim in (COUNTED, COMPARED, CHECKED)})

if __name__ == "__main__":
    registry.experiments = lambda: CLAIMS
    worker.main()
