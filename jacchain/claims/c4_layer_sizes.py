"""C4: the costs over each `|z_i|`, over all of them together, and over depth."""

from jacchain.analysis.evidence import BOTH, Evidence
from jacchain.analysis.verdicts import Part
from jacchain.experiments.experiment import Check, Experiment, Finding
from jacchain.experiments.grids import Grid, all_layers_grid, depth_grid, grid_cells, layer_grids
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.sweep_parts import (
    Counts,
    cache_finding,
    count_growth,
    difference_parts,
    sweep_figure,
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


def grids(sizes: Sizes) -> tuple[Grid, ...]:
    """Return the sweeps of this claim."""
    return (*layer_grids(sizes), all_layers_grid(sizes), depth_grid(sizes))


def judge(evidence: Evidence, sizes: Sizes) -> list[Part]:
    """Judge the same as C3 does over `|x|`, over each `|z_i|`, all of them, and depth."""
    parts: list[Part] = []
    for grid in grids(sizes):
        parts += difference_parts(evidence.checks.get(COUNTS), grid, DIFFERENCES[grid.name])
        for order in BOTH:
            parts += time_parts(evidence, grid, order)
    return parts


def findings(evidence: Evidence, sizes: Sizes) -> list[Finding]:
    """Return the sweeps that leave the cache."""
    return [finding for grid in grids(sizes) for finding in cache_finding(evidence, grid)]


EXPERIMENT = Experiment(
    "C4",
    "Growth with |z_i| and depth",
    "The costs over each |z_i|, over all of them together and over depth grow as the formulas say.",
    cells=lambda sizes: grid_cells(*grids(sizes)),
    judge=judge,
    checks={COUNTS: Check(lambda seed: count_growth(DIFFERENCES, seed), Counts)},
    findings=findings,
    shows=lambda evidence, sizes: [
        sweep_figure(evidence, grid, TITLES[grid.name]) for grid in grids(sizes)
    ],
    formulas=(("loss-first", 4), ("input-first", 4)),
)
