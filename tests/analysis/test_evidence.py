"""Series, memory regimes, and evidence arranged by cells."""

import numpy as np
import pytest

from jacchain.analysis.evidence import REGIMES, Evidence, Regimes, unflagged
from jacchain.cost import Cost
from tests.analysis.examples import make_evidence, make_pair, make_series

ONES = np.ones((1, 4, 2))
CHAIN = make_pair(2 * ONES, 6 * ONES)


def test_times_are_the_least_of_a_process_and_the_median_over_them():
    process, block, sample = np.meshgrid(range(2), range(6), range(2), indexing="ij")
    series = make_series(1.0 + 100 * process + 10 * block + sample)
    np.testing.assert_array_equal(series.best, series.seconds[..., 0])
    assert series.time == 51.0  # of 1 and 101
    assert series.median == np.median(series.seconds)


def test_without_flagged_rounds_both_orders_keep_the_same_ones():
    seconds = np.arange(1.0, 25.0).reshape(2, 6, 2)
    flagged = np.zeros(seconds.shape, dtype=bool)
    flagged[0, 1] = flagged[1, 4] = True
    clean = unflagged(make_series(seconds, flagged=flagged))
    np.testing.assert_array_equal(clean.seconds, seconds[:, [0, 2, 3, 5]])
    assert not clean.flagged.any()


def test_a_series_with_too_few_unflagged_rounds_is_left_out():
    flagged = np.ones(ONES.shape, dtype=bool)
    flagged[0, 2] = False
    assert unflagged(make_series(ONES, flagged=flagged)) is None


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
