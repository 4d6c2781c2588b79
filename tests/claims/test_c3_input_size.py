"""C3: counts, slopes and rivals over |x|, in both orders."""

import numpy as np

from jacchain.claims.c3_input_size import EXPERIMENT
from jacchain.experiments.grids import input_grid
from jacchain.experiments.sizes import Sizes
from jacchain.runs.simulated import MACHINES, simulate


def test_each_order_is_judged_on_its_counts_and_in_each_regime(judged):
    verdict = judged(EXPERIMENT, simulate(MACHINES[0], np.random.default_rng(0)))
    counted = [part.name for part in verdict.parts if not part.timed]
    assert counted == [
        "count of loss-first grows by z1 for each |x|",
        "count of input-first grows by z2 z1 + z3 z2 + z3 for each |x|",
    ]
    timed = [part.name for part in verdict.parts if part.timed]
    for order in ("loss-first", "input-first"):
        for kind in ("slope", "rivals"):
            assert any(name.startswith(f"{kind} of {order} over |x|, ") for name in timed)


def test_the_sweep_is_what_is_measured_counted_and_shown():
    grid = input_grid(Sizes())
    assert [cell.dims for cell in EXPERIMENT.cells(Sizes())] == [dims for _, dims in grid.cells]
    assert EXPERIMENT.checks["C3:counts"].run(0).keys() == {"x"}
    evidence = simulate(MACHINES[0], np.random.default_rng(0))
    assert [figure.name for figure in EXPERIMENT.shows(evidence, Sizes())] == ["cost_x"]
