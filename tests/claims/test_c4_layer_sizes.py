"""C4: counts, slopes and rivals over each |z_i|, all of them, and depth, in both orders."""

import numpy as np
import pytest

from jacchain.claims.c4_layer_sizes import EXPERIMENT, grids
from jacchain.experiments.sizes import Sizes
from jacchain.runs.simulated import MACHINES, Machine, cliff, simulate

SWEEPS = ("z1", "z2", "z3", "all_z", "depth")


@pytest.fixture(scope="module")
def evidence():
    return simulate(MACHINES[0], np.random.default_rng(0))


def test_each_sweep_is_judged_on_its_counts_and_times_in_both_orders(judged, evidence):
    parts = judged(EXPERIMENT, evidence).parts
    names = [part.name for part in parts if part.timed]
    for grid in grids(Sizes()):
        for order in ("loss-first", "input-first"):
            label = f"{order} over {grid.variable}"
            assert any(name.startswith(f"slope of {label}, ") for name in names)
            assert any(name.startswith(f"rivals of {label}, ") for name in names)
    exact = [part for part in parts if not part.timed]
    assert [part.verdict for part in exact] == ["agrees"] * 2 * len(SWEEPS)


def test_every_sweep_is_measured_counted_and_shown(evidence):
    assert tuple(grid.name for grid in grids(Sizes())) == SWEEPS
    assert {cell.group for cell in EXPERIMENT.cells(Sizes())} == set(SWEEPS)
    assert tuple(EXPERIMENT.checks["C4:counts"].run(0)) == SWEEPS
    figures = EXPERIMENT.shows(evidence, Sizes())
    assert [figure.name for figure in figures] == [f"cost_{name}" for name in SWEEPS]


def test_a_sweep_that_leaves_the_cache_is_told():
    def steep(series):
        swept = series.dims[1:3] == (64, 256)  # |z1|
        beyond = swept and series.cost.working_set > 2**23
        return cliff(series) * (series.cost.working_set / 2**23 if beyond else 1.0)

    evidence = simulate(Machine("a machine", steep, ()), np.random.default_rng(0))
    findings = EXPERIMENT.findings(evidence, Sizes())
    assert any("|z_1|" in finding.observed for finding in findings)
