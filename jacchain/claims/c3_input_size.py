"""C3: `x` is in one term of loss-first and in every term of input-first."""

from jacchain.analysis.evidence import BOTH, Evidence
from jacchain.analysis.verdicts import Part
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.grids import grid_cells, input_grid
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.sweep_parts import (
    Counts,
    cache_finding,
    count_growth,
    difference_parts,
    sweep_figure,
    time_parts,
)

COUNTS = "C3:counts"


def judge(evidence: Evidence, sizes: Sizes) -> list[Part]:
    """Judge differences of counts, slopes of time in each regime, and rival laws, over `|x|`."""
    grid = input_grid(sizes)
    expected = {"loss-first": "z1", "input-first": "z2 z1 + z3 z2 + z3"}
    return [
        *difference_parts(evidence.checks.get(COUNTS), grid, expected),
        *(part for order in BOTH for part in time_parts(evidence, grid, order)),
    ]


EXPERIMENT = Experiment(
    "C3",
    "Growth with |x|",
    "|x| is in one term of loss-first and in every term of input-first: the costs grow by |z1| "
    "and by |z2||z1| + |z3||z2| + |z3| for each element of x.",
    cells=lambda sizes: grid_cells(input_grid(sizes)),
    judge=judge,
    checks={COUNTS: Check(lambda seed: count_growth(["x"], seed), Counts)},
    findings=lambda evidence, sizes: cache_finding(evidence, input_grid(sizes)),
    shows=lambda evidence, sizes: [sweep_figure(evidence, input_grid(sizes), "Cost over |x|")],
    formulas=(("loss-first", 3), ("input-first", 3)),
)
