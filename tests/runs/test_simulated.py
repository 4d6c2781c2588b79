"""Simulated machines: the published table holds in fewer runs, and machines are what they say."""

import numpy as np
import pytest

from jacchain.claims.registry import experiments
from jacchain.runs.simulated import (
    CLAIMS,
    MACHINES,
    QUICK,
    QUICK_SIZES,
    RUNS,
    Machine,
    obeys,
    published,
    simulate,
    tally,
)

FEWER = 50
DEMANDED = {  # of a thousand runs: what is said of the claims, and how often at least or at most
    ("obeys", "C3 disagrees"): (0, 0.05),
    ("obeys", "C4 disagrees"): (0, 0.05),
    ("obeys", "C5 disagrees"): (0, 0.05),
    ("obeys", "C3 agrees"): (0.8, 1),
    ("obeys", "C4 agrees"): (0.8, 1),
    ("obeys", "C5 agrees"): (0.8, 1),
    ("obeys", "95 % intervals of ratios that hold the truth"): (0.93, 0.97),
    ("obeys", "95 % intervals of slopes that hold the truth"): (0.93, 0.97),
    ("grows with |x|^1.2", "C3 disagrees"): (0.95, 1),
    ("25 % steeper over |z2|", "C4 disagrees"): (0.95, 1),
    ("obeys, too noisy", "C3 inconclusive"): (0.95, 1),
    ("obeys, too noisy", "C4 inconclusive"): (0.95, 1),
    ("obeys, too noisy", "C5 inconclusive"): (0.95, 1),
    ("obeys, with a cache cliff", "C3 disagrees"): (0, 0.05),
    ("obeys, with a cache cliff", "C4 disagrees"): (0, 0.05),
    ("obeys, with a cache cliff", "C5 disagrees"): (0, 0.05),
}


def shares(rows):
    return {(row["machine"], row["what"]): row["share"] for row in rows}


def test_the_published_table_meets_what_is_demanded():
    bounds = {(row["machine"], row["what"]): (row["low"], row["high"]) for row in published()}
    assert bounds == DEMANDED
    assert {row["runs"] for row in published()} == {RUNS} == {1000}
    for row in published():
        assert row["low"] <= row["share"] <= row["high"], row
        assert row["met"] is True


@pytest.mark.parametrize("machine", MACHINES, ids=[machine.name for machine in MACHINES])
def test_fewer_runs_give_the_published_shares(machine):
    """Within four standard errors of a share, and a run; those of intervals vary less."""
    stored, fewer = shares(published()), shares(tally(machine, runs=FEWER))
    assert fewer.keys() == {key for key in stored if key[0] == machine.name}
    for key, share in fewer.items():
        error = np.sqrt(stored[key] * (1 - stored[key]) / FEWER)
        assert share == pytest.approx(stored[key], abs=4 * error + 1 / FEWER), key


def test_a_share_outside_its_bounds_is_not_met():
    steep = Machine("steep", lambda s: obeys(s) * s.dims[-1] ** 0.4, MACHINES[0].bounds)
    rows = {row["what"]: row for row in tally(steep, runs=3)}
    assert rows["C3 disagrees"]["share"] == 1
    assert rows["C3 disagrees"]["met"] is rows["C3 agrees"]["met"] is False


def test_a_machine_visits_the_chains_and_controls_of_quick():
    evidence = simulate(MACHINES[0], np.random.default_rng(0))
    cells = [c for name in (*CLAIMS, "model") for c in experiments()[name].cells(QUICK_SIZES)]
    assert evidence.cells.keys() == {c.name for c in cells if c.role in {"chain", "control"}}
    assert len(evidence.controls) == 6
    shapes = {series.seconds.shape for arms in evidence.cells.values() for series in arms}
    assert shapes == {(QUICK.processes, QUICK.rounds, 2)}
    assert 0 < evidence.noise_floor < 0.15


def test_noise_only_ever_slows_a_block_down_and_is_new_in_each_run():
    rng = np.random.default_rng(0)
    first, second = (simulate(MACHINES[0], rng) for _ in range(2))
    for name, arms in first.cells.items():
        for series, again in zip(arms, second.cells[name], strict=True):
            assert series.time == pytest.approx(obeys(series), rel=0.1)
            assert series.median > obeys(series)
            assert not np.array_equal(series.seconds, again.seconds)


def test_runs_of_the_same_seed_are_the_same():
    first, second = (simulate(MACHINES[2], np.random.default_rng(7)) for _ in range(2))
    for name, arms in first.cells.items():
        for series, again in zip(arms, second.cells[name], strict=True):
            np.testing.assert_array_equal(series.seconds, again.seconds)
