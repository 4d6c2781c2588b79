"""Simulated machines: the published table holds in fewer runs, and machines are what they say."""

import numpy as np
import pytest

from jacchain.claims.registry import experiments
from jacchain.runs import simulated
from jacchain.runs.simulated import MACHINES, Machine, obeys, published, simulate, tally

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
    assert {row["runs"] for row in published()} == {simulated.RUNS} == {1000}
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
    cells = [
        c
        for name in (*simulated.CLAIMS, "model")
        for c in experiments()[name].cells(simulated.QUICK_SIZES)
    ]
    assert evidence.cells.keys() == {c.name for c in cells if c.role in {"chain", "control"}}
    assert len(evidence.controls) == 6
    shapes = {series.seconds.shape for arms in evidence.cells.values() for series in arms}
    assert shapes == {(simulated.QUICK.processes, simulated.QUICK.rounds, 2)}
    assert 0 < evidence.noise_floor < 0.15


def seconds(evidence):
    """Of all series: shape (series, processes, rounds, 2)."""
    return np.stack([series.seconds for arms in evidence.cells.values() for series in arms])


def test_noise_only_ever_slows_a_block_down():
    for arms in simulate(MACHINES[0], np.random.default_rng(0)).cells.values():
        for series in arms:
            assert series.time == pytest.approx(obeys(series), rel=0.1)
            assert series.median > obeys(series)


def test_noise_is_new_in_each_run_and_the_same_of_one_seed():
    rng, same = np.random.default_rng(7), np.random.default_rng(7)
    first, second, again = (seconds(simulate(MACHINES[2], rng)) for rng in (rng, rng, same))
    assert not (first == second).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(first, again)
