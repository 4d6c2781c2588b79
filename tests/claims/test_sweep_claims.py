"""C3 and C4: counts, slopes and rivals over |x|, each |z_i|, all of them, and depth."""

import pytest

from jacchain.claims import c3_input_size as c3
from jacchain.claims import c4_layer_sizes as c4
from jacchain.experiments.grids import input_grid
from jacchain.runs.simulated import cliff, obeys
from tests.claims.makers import QUICK, judged, simulate_chains

GRIDS = {c3: (input_grid(QUICK),), c4: c4.grids(QUICK)}
NAMES = {c3: ["x"], c4: ["z1", "z2", "z3", "all_z", "depth"]}

each_claim = pytest.mark.parametrize("claim", GRIDS, ids=lambda module: module.EXPERIMENT.claim)


@each_claim
def test_each_sweep_is_judged_on_its_counts_and_times_in_both_orders(claim):
    parts = judged(claim.EXPERIMENT, simulate_chains(obeys)).parts
    names = [part.name for part in parts if part.timed]
    for grid in GRIDS[claim]:
        for order in ("loss-first", "input-first"):
            for kind in ("slope", "rivals"):
                label = f"{kind} of {order} over {grid.variable}, "
                assert any(name.startswith(label) for name in names)
    exact = [part.verdict for part in parts if not part.timed]
    assert exact == ["agrees"] * 2 * len(NAMES[claim])


@each_claim
def test_every_sweep_is_measured_counted_and_shown(claim):
    names, experiment = NAMES[claim], claim.EXPERIMENT
    assert [grid.name for grid in GRIDS[claim]] == names
    chains = [dims for grid in GRIDS[claim] for _, dims in grid.cells]
    assert [cell.dims for cell in experiment.cells(QUICK)] == chains
    assert [*experiment.checks[f"{experiment.claim}:counts"].run(0)] == names
    figures = experiment.shows(simulate_chains(obeys), QUICK)
    assert [figure.name for figure in figures] == [f"cost_{name}" for name in names]


def test_input_size_grows_each_count_by_its_terms():
    parts = judged(c3.EXPERIMENT, simulate_chains(obeys)).parts
    assert [part.name for part in parts if not part.timed] == [
        "count of loss-first grows by z1 for each |x|",
        "count of input-first grows by z2 z1 + z3 z2 + z3 for each |x|",
    ]


def test_a_sweep_that_leaves_the_cache_is_told():
    def steep(series):
        swept = series.dims[1:3] == (64, 256)  # |z1|
        beyond = swept and series.cost.working_set > 2**23
        return cliff(series) * (series.cost.working_set / 2**23 if beyond else 1.0)

    findings = c4.EXPERIMENT.findings(simulate_chains(steep), QUICK)
    assert any("|z_1|" in finding.observed for finding in findings)
