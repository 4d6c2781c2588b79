"""Claims that take no time, and a measuring process that knows them in place of the real ones."""

import numpy as np

from jacchain.analysis.verdicts import exact
from jacchain.chains.registry import Registry
from jacchain.claims import registry
from jacchain.cost import Cost
from jacchain.experiments.cell import Arm, Cell, chain_cell
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.parts import Counts, count_parts, gain_part
from jacchain.runs import worker

CHAIN = chain_cell((1, 4, 3, 2))
COMPARISON = "compared sums"
COUNTS = "checked:counts"
WORK = Cost(products=2, multiplications=24, row_multiplications=20, bytes=400, held_bytes=200)


def _arms(_dtype, _seed):
    return tuple(Arm(name, WORK, lambda: lambda: np.ones(3)) for name in ("slowly", "quickly"))


def _count(evidence, _sizes):
    counts = [count for count in evidence.counts if count.order == "loss-first"]
    return [exact("loss-first", count.multiplications, 18) for count in counts]


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
    cells=lambda _: [CHAIN, Cell(COMPARISON, (1, 4, 3, 2), _arms, group="sums")],
    judge=lambda evidence, _: [gain_part(evidence, COMPARISON)],
    beside=(),
)
CHECKED = Experiment(
    "checked",
    "Checks",
    "Multiplications are the predicted ones.",
    judge=lambda evidence, _: count_parts(evidence, COUNTS),
    checks={COUNTS: Check(lambda _seed: {"a product": (6, 6)}, Counts)},
    timed=False,
    beside=(),
)
CLAIMS = Registry("claim", {claim.claim: claim for claim in (COUNTED, COMPARED, CHECKED)})

if __name__ == "__main__":
    registry.experiments = lambda: CLAIMS
    worker.main()
