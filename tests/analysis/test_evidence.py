"""Series, memory regimes, and evidence arranged by cells."""

import numpy as np
import pytest

from jacchain.analysis.evidence import REGIMES, Evidence, Regimes, unflagged
from jacchain.cost import Cost
from tests.analysis.examples import make_evidence, make_pair, make_series

ONES = np.ones((1, 4, 2))
CHAIN = make_pair(2 * ONES, 6 * ONES)


def test_a_time_is_the_median_over_processes_of_each_ones_lower_quartile():
    seconds = np.exp(np.arange(7.0))[:, None, None] * np.array([[1.0, 2.0], [3.0, 9.0]])
    series = make_series(seconds)
    np.testing.assert_allclose(series.log_times, np.arange(7) + np.log(1.75))
    assert series.time == pytest.approx(1.75 * np.exp(3))
    low, high = series.interval
    assert np.exp(0) < low / 1.75 < np.exp(1) < np.exp(5) < high / 1.75 < np.exp(6)


def test_a_time_of_few_processes_has_no_interval():
    assert np.isnan(make_series(np.ones((5, 4, 2))).interval).all()


def test_without_flagged_blocks_both_arms_keep_the_same_ones():
    seconds = np.arange(1.0, 25.0).reshape(2, 6, 2)
    flagged = np.zeros(seconds.shape, dtype=bool)
    flagged[0, 1] = flagged[1, 4] = True
    clean = unflagged(make_series(seconds, flagged=flagged))
    np.testing.assert_array_equal(np.isnan(clean.seconds), flagged)
    np.testing.assert_array_equal(clean.seconds[~flagged], seconds[~flagged])
    assert np.isfinite(clean.time)


def test_a_series_of_flagged_blocks_alone_is_left_out():
    assert unflagged(make_series(ONES, flagged=np.ones(ONES.shape, dtype=bool))) is None


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("L2", 1, 50),
        ("leaving L2", 51, 199),
        ("LLC", 200, 2000),
        ("leaving LLC", 2001, 15999),
        ("memory", 16000, 10**9),
    ],
)
def test_regimes_begin_and_end_where_they_say(name, low, high):
    evidence = Evidence(regimes=Regimes(50, 200, 2000, 16000))
    for working_set in (low, high):
        assert evidence.regimes.name(working_set) == name
        cost = Cost(bytes=1, held_bytes=working_set - 1, peak_bytes=1)
        assert evidence.regime(make_series(ONES, cost=cost)) == name


@pytest.mark.parametrize("share", [0, 150])
def test_a_cache_share_of_nothing_leaves_no_last_level_regime(share):
    regimes = Regimes(50, 200, share, 16000)
    names = [regimes.name(size) for size in range(1, 17000)]
    assert set(names) == set(REGIMES) - {"LLC"}
    assert names == sorted(names, key=REGIMES.index)


def test_a_pair_is_both_arms_of_a_cell():
    evidence = make_evidence(CHAIN, [make_series(ONES, cell="alone")])
    assert evidence.pair(CHAIN[0].cell) == CHAIN
    assert evidence.pair("alone") is None
    assert evidence.pair("not measured") is None


def test_chains_are_those_measured_in_both_orders():
    one_order = make_series(ONES, dims=(1, 2, 3))
    swapped = make_pair(ONES, ONES, dims=(1, 3, 2), names=("input-first", "loss-first"))
    causes = make_pair(ONES, ONES, dims=(1, 3, 3), role="cause")
    evidence = make_evidence(CHAIN, [one_order], swapped, causes)
    assert evidence.chains == {CHAIN[0].dims: CHAIN}
    assert evidence.of_role("cause") == [causes]


def test_controls_and_ceilings_are_arranged_by_their_role():
    control = make_pair(ONES, ONES, names=("loss-first",) * 2, role="control", cell="A/A")
    ceilings = [make_series(ONES, role="ceiling", cell=f"copy {n}") for n in range(3)]
    evidence = make_evidence(CHAIN, control, *([c] for c in ceilings))
    assert evidence.controls == [control]
    assert evidence.ceilings == ceilings
    assert Evidence().chains == {}
    assert Evidence().controls == Evidence().ceilings == []
