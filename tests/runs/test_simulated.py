"""Simulated machines: a run of one, how often verdicts are given, and the published table."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Regimes
from jacchain.claims.registry import chosen
from jacchain.experiments.sizes import PROFILES
from jacchain.runs import simulated
from jacchain.runs.machine import TIMED, committed, committed_machine
from jacchain.runs.simulated import Frequency, outcomes, published, simulate, simulate_run, tally
from tests.runs.machines import machine

FEWER = 20
MISSED = {("shapes-8", "C4 disagrees")}  # kernels that differ by 8 %, more than is allowed for
NORMAL = committed_machine("obeys-normal")
SWEEPS = replace(NORMAL, claims=("C3", "C5"))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def seconds(evidence):
    """Of all series: shape (series, processes, rounds, 2)."""
    return np.stack([series.seconds for arms in evidence.cells.values() for series in arms])


def test_a_run_visits_all_that_a_run_of_quick_does(rng):
    evidence = simulate(NORMAL, rng)
    cells = [cell for e in chosen(TIMED) for cell in e.cells(NORMAL.sizes)]
    assert evidence.cells.keys() == {cell.name for cell in cells}
    assert {arms[0].role for arms in evidence.cells.values()} == {
        *("chain", "comparison", "control", "cause", "ceiling", "overhead")
    }
    quick = PROFILES["quick"]
    assert seconds(evidence).shape[1:] == (quick.processes, quick.rounds, 2)
    assert {c.dims for c in evidence.counts} == {c.dims for c in cells if c.role == "chain"}


def test_the_machine_is_known_by_its_own_ceilings_controls_and_calls(rng):
    evidence = simulate(SWEEPS, rng)
    mib = 2**20
    assert evidence.regimes == Regimes(mib, 4 * mib, 64 * mib, 512 * mib)
    assert evidence.overhead == pytest.approx(8e-7, rel=0.05)
    assert evidence.noise_floor == pytest.approx(0.01, rel=0.2)  # of four samples of 1 % each
    small = replace(committed_machine("small-caches"), claims=("C3",))
    assert simulate(small, rng).regimes.memory == 64 * mib


def test_a_cache_that_is_shared_ends_where_the_bandwidth_falls(rng):
    cliff = {"at": 24 * 2**20, "factor": 3.0, "products": "row", "sharpness": 16.0}
    evidence = simulate(machine(law__cliffs=[cliff]), rng)
    assert 12 * 2**20 < evidence.regimes.llc_high < 25 * 2**20


def test_times_follow_the_law(rng):
    run = simulate_run(machine(), rng)
    for arms in run.evidence.cells.values():
        for series in arms:
            assert series.time == pytest.approx(run.true_seconds(series))


def test_noise_is_new_in_each_run_and_the_same_of_one_seed(rng):
    same = np.random.default_rng(0)
    first, second, again = (seconds(simulate(SWEEPS, draws)) for draws in (rng, rng, same))
    assert not (first == second).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("drawn", ["each run", "once"])
def test_the_same_work_has_one_shape_effect(rng, drawn):
    shaped = machine(law__shape_effects={"spread": 0.05, "drawn": drawn})
    plain = simulate_run(machine(), rng)
    runs = [simulate_run(shaped, rng) for _ in range(2)]
    logs = np.log([[run.truth[key] / plain.truth[key] for key in plain.truth] for run in runs])
    assert logs[0].std() == pytest.approx(0.05, rel=0.2)
    assert np.array_equal(*logs) is (drawn == "once")
    for first, second in runs[0].evidence.controls:
        np.testing.assert_allclose(first.seconds, second.seconds)
        chains = runs[0].evidence.chains
        if first.dims not in chains:
            continue
        chain = chains[first.dims][first.name == "input-first"]
        assert runs[0].true_seconds(chain) == runs[0].true_seconds(first)


def test_every_claim_of_the_file_is_judged(rng):
    run = simulate_run(machine(claims=["C5", "C1", "model"]), rng)
    assert {claim: verdict for claim, _, verdict in outcomes(run)} == {
        "C5": "agrees",
        "C1": "agrees",
        "model": "agrees",
    }


def test_verdicts_are_counted_beside_their_bounds():
    bounds = [{"verdict": "agrees", "low": 0.8}, {"verdict": "disagrees", "claims": ["C5"]}]
    told = []
    frequencies = tally(machine(bounds=bounds), 3, progress=lambda *done: told.append(done))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [f.what for f in frequencies if ":" not in f.what] == [
        f"{claim} {verdict}"
        for claim in ("C3", "C5")
        for verdict in ("agrees", "disagrees", "inconclusive")
    ]
    judged = {f.what.partition(": ")[2] for f in frequencies} - {""}
    assert len(judged) == 5 + 2  # statements of C3 and C5
    assert {(r.what, r.low, r.high) for r in frequencies if r.bounded} == {
        ("C3 agrees", 0.8, 1.0),
        ("C5 agrees", 0.8, 1.0),
    }
    assert all(frequency.met for frequency in frequencies)


def test_a_share_outside_its_bounds_is_not_met():
    growth = [{"variable": "x", "exponent": 1.4, "scale": 4.0}]
    bounds = [{"verdict": "agrees", "low": 0.8}, {"verdict": "disagrees", "high": 0.05}]
    steep = machine(law__growth=growth, bounds=bounds, claims=["C3"])
    agrees, disagrees, *_ = tally(steep, 3)
    assert (agrees.share, agrees.met) == (0.0, False)
    assert (disagrees.share, disagrees.met) == (1.0, False)


def test_a_rate_has_an_interval_of_independent_runs():
    frequency = Frequency("here", 200, "C3 agrees", 190, 200, 0.8, 1.0)
    assert frequency.interval == pytest.approx((0.9104, 0.9726), abs=1e-4)
    row = frequency.row()
    assert row["share"] == 0.95
    assert row["met"] is True


def test_some_claims_of_a_file_may_be_judged_alone():
    frequencies = tally(NORMAL, 1, claims=["c5"])
    assert {frequency.what.split()[0] for frequency in frequencies} == {"C5", "95"}
    with pytest.raises(ValueError, match="does not judge 'C9'; it judges"):
        tally(NORMAL, 1, claims=["C9"])
    with pytest.raises(ValueError, match="0 runs; expected at least 1"):
        tally(NORMAL, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coverage": {"angles": [0.9, 1.0]}}, "unknown kind of interval 'angles'"),
        ({"bounds": [{"verdict": "agrees", "statement": "blue"}]}, "is 'blue', which no statement"),
    ],
)
def test_bounds_on_what_nothing_judges_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        tally(machine(**change), 1)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held = {r.what.split()[4]: r for r in tally(SWEEPS, 200, claims=["C3"]) if "95 %" in r.what}
    assert held.keys() == {"ratios", "slopes", "times"}
    for frequency in held.values():
        assert frequency.trials >= 400
        assert frequency.share == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("name", committed().entries)
def test_one_run_of_every_machine_is_judged(name):
    described = committed_machine(name)
    run = simulate_run(replace(described, claims=("C3", "C4", "C5")), np.random.default_rng(0))
    assert [claim for claim, what, _ in outcomes(run) if not what] == ["C3", "C4", "C5"]
    assert (seconds(run.evidence) > 0).all()


def test_the_published_table_has_a_row_for_each_bound():
    for row in published():
        assert row["runs"] == simulated.RUNS == 200
        assert row["met"] is (row["low"] <= row["share"] <= row["high"])
    missed = {(row["machine"], row["what"]) for row in published() if not row["met"]}
    assert missed <= MISSED
    assert {row["machine"] for row in published()} == {
        name for name in committed().entries if committed_machine(name).bounds
    }


@pytest.mark.parametrize("name", committed().entries)
def test_fewer_runs_give_the_published_shares(name):
    """Within four standard errors of a share, and a run; those of intervals vary less."""
    stored = {row["what"]: row["share"] for row in published() if row["machine"] == name}
    fewer = {r.what: r.share for r in tally(committed_machine(name), FEWER) if r.bounded}
    assert fewer.keys() == stored.keys()
    for what, share in fewer.items():
        error = np.sqrt(stored[what] * (1 - stored[what]) / FEWER)
        assert share == pytest.approx(stored[what], abs=4 * error + 1 / FEWER), what
