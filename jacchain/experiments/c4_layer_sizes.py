"""C4: the costs over each `|z_i|`, over all of them together, and over depth."""

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part
from jacchain.experiments.cells import BOTH, Cell
from jacchain.experiments.experiment import Experiment, Figure, Finding
from jacchain.experiments.grids import (
    Grid,
    all_layers_grid,
    depth_grid,
    grid_cells,
    layer_grids,
)
from jacchain.experiments.profiles import Profile
from jacchain.experiments.sweeps import (
    Counts,
    cache_finding,
    count_growth,
    difference_parts,
    time_parts,
)

COUNTS = "C4:counts"

TITLES = {
    "z1": "Cost over |z1|",
    "z2": "Cost over |z2|",
    "z3": "Cost over |z3|",
    "all_z": "Cost over |z1| = |z2| = |z3|",
    "depth": "Cost over depth L",
}
DIFFERENCES = {
    "z1": {"loss-first": "z2 + x", "input-first": "z2 x"},
    "z2": {"loss-first": "z3 + z1", "input-first": "z1 x + z3 x"},
    "z3": {"loss-first": "z2", "input-first": "z2 x + x"},
    "all_z": {"loss-first": "2", "input-first": "2 x"},
    "depth": {"loss-first": "z z", "input-first": "z z x"},
}


def grids(profile: Profile) -> tuple[Grid, ...]:
    """The sweeps of this claim."""
    return (*layer_grids(profile), all_layers_grid(profile), depth_grid(profile))


def cells(profile: Profile) -> list[Cell]:
    """Every cell of the sweeps, in both orders."""
    return grid_cells(*grids(profile))


def judge(evidence: Evidence, profile: Profile) -> list[Part]:
    """The same as for |x|, over each |z_i|, all of them, and depth."""
    parts: list[Part] = []
    for grid in grids(profile):
        parts += difference_parts(evidence.checks.get(COUNTS), grid, DIFFERENCES[grid.name])
        for order in BOTH:
            parts += time_parts(evidence, grid, order)
    return parts


def findings(evidence: Evidence, profile: Profile) -> list[Finding]:
    """Sweeps that leave the cache."""
    return [found for grid in grids(profile) for found in cache_finding(evidence, grid)]


EXPERIMENT = Experiment(
    "C4",
    "Growth with |z_i| and depth",
    "The costs over each |z_i|, over all of them together and over depth grow as the formulas say.",
    cells,
    judge,
    formulas=(("loss-first", 4), ("input-first", 4)),
    checks={COUNTS: lambda seed: count_growth(DIFFERENCES, seed)},
    values={COUNTS: Counts},
    findings=findings,
    figures=tuple(
        Figure(
            "sweep",
            f"cost_{name}",
            title,
            "Seconds per evaluation with 95 % intervals; lines: the formula scaled to the cells of "
            "the judged regime; bands above: memory regimes.",
            grid=name,
        )
        for name, title in TITLES.items()
    ),
)
