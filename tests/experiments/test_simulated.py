import numpy as np
import pytest

from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import CLAIMS, MACHINES, QUICK, Machine, obeys, simulate
from jacchain.experiments.tally import BOUNDS, RUNS, published, tally
from jacchain.experiments.workload import workload

each_machine = pytest.mark.parametrize("machine", MACHINES, ids=[m.name for m in MACHINES])

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


def rows_of(rows, machine):
    return {row["what"]: row for row in rows if row["machine"] == machine.name}


@each_machine
def test_a_thousand_runs_give_the_published_verdicts(machine):
    rows = rows_of(tally(machine), machine)
    stored = rows_of(published(), machine)
    assert rows.keys() == stored.keys() == {what for name, what in DEMANDED if name == machine.name}
    for what, row in rows.items():
        low, high = DEMANDED[machine.name, what]
        assert low <= row["share"] <= high, row
        assert row["met"] is True
        assert row["runs"] == stored[what]["runs"] == RUNS == 1000
        assert row["share"] == pytest.approx(stored[what]["share"], abs=0.005)
        assert (row["low"], row["high"]) == (stored[what]["low"], stored[what]["high"])


def test_every_machine_is_tallied():
    assert BOUNDS.keys() == {machine.name for machine in MACHINES}


def test_a_share_outside_its_bounds_is_not_met():
    steep = Machine("obeys", lambda series: obeys(series) * series.dims[-1] ** 0.4)
    rows = rows_of(tally(steep, runs=3), steep)
    assert rows["C3 disagrees"]["share"] == 1
    assert rows["C3 disagrees"]["met"] is False
    assert rows["C3 agrees"]["met"] is False


def test_a_machine_visits_the_cells_of_quick():
    evidence = simulate(MACHINES[0], np.random.default_rng(0))
    cells = workload(QUICK, [experiments()[claim] for claim in CLAIMS])
    timed = {(cell.dims, order) for cell in cells if cell.role == "cell" for order in cell.orders}
    assert {(s.dims, s.order) for s in evidence.series.values()} == timed
    assert len(evidence.controls) == 6
    shapes = {s.seconds.shape for s in evidence.series.values()}
    assert shapes == {(QUICK.processes, QUICK.rounds, 2)}


def test_noise_only_ever_slows_a_block_down_and_is_new_in_each_run():
    rng = np.random.default_rng(0)
    first, second = (simulate(MACHINES[0], rng) for _ in range(2))
    for key, series in first.series.items():
        assert series.time == pytest.approx(obeys(series), rel=0.1)
        assert series.median > obeys(series)
        assert not np.array_equal(series.seconds, second.series[key].seconds)


def test_runs_of_the_same_seed_are_the_same():
    first, second = (simulate(MACHINES[2], np.random.default_rng(7)) for _ in range(2))
    for key, series in first.series.items():
        np.testing.assert_array_equal(series.seconds, second.series[key].seconds)
