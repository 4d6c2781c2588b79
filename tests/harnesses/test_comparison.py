"""How the ratios of harnesses side by side are judged."""

import pytest

from jacchain.harnesses.comparison import Compared, compare


def verdicts(comparison):
    return {" / ".join(pair): verdict.verdict for pair, verdict in comparison.verdicts.items()}


def test_harnesses_that_measure_the_same_agree(make_rounds):
    comparison = compare(make_rounds())
    assert set(verdicts(comparison).values()) == {"agrees"}
    assert comparison.findings == ()
    assert (comparison.rounds, comparison.noise < 0.03) == (6, True)
    judged = [row for row in comparison.rows if row.judged]
    assert {row.dims for row in judged} == {(1, 64, 32), (1, 256, 64), (1, 512, 512)}
    assert all(len(verdict.parts) == len(judged) for verdict in comparison.verdicts.values())
    own = [row.medians["own"] for row in comparison.rows]
    assert own == sorted(own)


def test_a_slower_harness_is_named(make_rounds):
    comparison = compare(make_rounds(pytest=1.3))
    assert verdicts(comparison) == {
        "asv / own": "agrees",
        "pytest / own": "disagrees",
        "asv / pytest": "disagrees",
    }
    low, middle, high = comparison.rows[-1].ratios["pytest", "own"]
    assert low < middle < high
    assert middle == pytest.approx(1.3, rel=0.03)


@pytest.mark.parametrize(
    ("factors", "count", "vanishes"),
    [({"own": 1.3, "own again": 1.3}, 2 * 6, True), ({"asv": 1.3}, 6, False)],
)
def test_the_cause_of_a_difference_counts_if_the_difference_vanishes_without_it(
    make_rounds, factors, count, vanishes
):
    findings = compare(make_rounds(**factors)).findings
    assert [finding.vanishes for finding in findings] == [vanishes] * count


def test_a_difference_that_noise_explains_is_not_decided(make_rounds):
    comparison = compare(make_rounds(noise=0.3, pytest=1.2))
    assert set(verdicts(comparison).values()) == {"inconclusive"}


@pytest.mark.parametrize(
    ("dims", "name"),
    [((1, 4, 3), "loss-first of 1 x 4 x 3"), ((1, *[8] * 6), "loss-first of 5 layers of 8")],
)
def test_deep_chains_have_short_names(dims, name):
    assert Compared(dims, "loss-first", {}, {}).name == name
