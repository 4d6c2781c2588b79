"""C3: `x` is in one term of loss-first and in every term of input-first."""

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part
from jacchain.experiments.cells import BOTH, Cell
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.grids import grid_cells, input_grid
from jacchain.experiments.profiles import Profile
from jacchain.experiments.sweeps import (
    Counts,
    cache_finding,
    count_growth,
    difference_parts,
    time_parts,
)

COUNTS = "C3:counts"


def cells(profile: Profile) -> list[Cell]:
    """The sweep over |x|."""
    return grid_cells(input_grid(profile))


def judge(evidence: Evidence, profile: Profile) -> list[Part]:
    """Differences of counts, slopes of time per regime, and rival growth laws, over |x|."""
    grid = input_grid(profile)
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
    cells,
    judge,
    formulas=(("loss-first", 3), ("input-first", 3)),
    checks={COUNTS: lambda seed: count_growth(["x"], seed)},
    values={COUNTS: Counts},
    findings=lambda evidence, profile: cache_finding(evidence, input_grid(profile)),
    figures=(
        Figure(
            "sweep",
            "cost_x",
            "Cost over |x|",
            "Seconds per evaluation with 95 % intervals; lines: the formula scaled to the cells of "
            "the judged regime; bands above: memory regimes.",
            grid="x",
        ),
    ),
)
