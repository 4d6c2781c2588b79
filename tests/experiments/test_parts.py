"""What one pair says: a gain, none beyond the formula's, an order that is cheaper; and counts."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.verdicts import decide
from jacchain.cost import Cost
from jacchain.experiments import parts
from jacchain.experiments.parts import count_parts, gain_part, no_gain_part, order_part


def pair(**arms):
    """Evidence of one pair: multiplications and seconds of each arm by its name."""
    rng, shape, dims = np.random.default_rng(0), (1, 12, 2), (1, 4, 3, 2)
    series = []
    for name, (multiplications, seconds) in arms.items():
        noisy, flags = seconds * np.exp(rng.normal(0, 0.01, shape)), np.zeros(shape, dtype=bool)
        cost = Cost(products=2, multiplications=multiplications, bytes=400)
        arm = name.replace("_", "-")
        series.append(Series("pair", "comparison", "", dims, arm, cost, noisy, flags))
    return Evidence({"pair": tuple(series)})


def verdict(part):
    """The verdict on a part alone, by its widened interval."""
    (decided,) = decide([part], 0.05)
    return decided.verdict


@pytest.mark.parametrize(
    ("multiplications", "seconds", "margin", "expected"),
    [
        (99, 2.0, 1.0, "agrees"),
        (99, 0.5, 1.0, "disagrees"),
        (99, 1.02, 1.0, "inconclusive"),  # within the noise floor
        (100, 11.0, 10.0, "agrees"),
        (100, 8.0, 10.0, "disagrees"),
    ],
)
def test_a_ratio_is_to_be_over_one_and_over_ten_from_a_hundred_on(
    multiplications, seconds, margin, expected
):
    evidence = pair(first=(multiplications, seconds), second=(1, 1.0))
    part = parts.ratio_part(*evidence.pair("pair"), evidence.noise_floor)
    assert part.margin == (margin, np.inf)
    assert part.expected == multiplications
    assert part.measured == pytest.approx(seconds, rel=0.02)
    assert part.unit == "first / second"
    assert verdict(part) == expected


def test_fewer_than_six_blocks_decide_nothing():
    evidence = pair(first=(99, 2.0), second=(1, 1.0))
    for blocks, reason in ((5, "5 blocks; an interval needs 6"), (6, "")):
        few = [replace(s, seconds=s.seconds[:, :blocks]) for s in evidence.pair("pair")]
        part = parts.ratio_part(*few, evidence.noise_floor)
        assert part.reason == reason
        assert (verdict(part) == "agrees") is not reason


def test_a_gain_is_to_be_over_its_threshold_whatever_the_formula_says():
    evidence = pair(first=(1, 3.0), second=(1, 1.0))
    assert verdict(gain_part(evidence, "pair", least=2)) == "agrees"
    assert verdict(gain_part(evidence, "pair", least=4)) == "disagrees"


@pytest.mark.parametrize(("gain", "expected"), [(1.9, "agrees"), (2.6, "disagrees")])
def test_the_most_that_may_be_gained_is_the_formulas_ratio_and_noise(gain, expected):
    part = no_gain_part(pair(first=(60, gain), second=(30, 1.0)), "pair")
    assert part.expected == 2
    assert part.margin == (0, pytest.approx(2 * 1.15))
    assert verdict(part) == expected
    assert (part.p < 0.01) is (expected == "disagrees")


@pytest.mark.parametrize(
    ("multiplications", "reason", "expected"),
    [(59, "the formula's ratio is under 2", "inconclusive"), (60, "", "agrees")],
)
def test_an_order_is_judged_from_twice_the_multiplications_on(multiplications, reason, expected):
    evidence = pair(loss_first=(30, 1.0), input_first=(multiplications, 1.5))
    part = order_part(evidence, "pair")
    assert (part.reason, verdict(part)) == (reason, expected)
    assert reason or part.unit == "input-first / loss-first"


@pytest.mark.parametrize("judge", [gain_part, no_gain_part, order_part])
def test_parts_say_why_a_cell_was_not_measured(judge):
    part = judge(Evidence(), "C8 anything")
    assert (part.name, part.reason) == ("C8 anything", "not measured in this run")
    skipped = Evidence(skipped={"C8 anything": "needs 90 GiB"})
    assert judge(skipped, "C8 anything").reason == "needs 90 GiB"


RIGHT = {"a": (3, 3), "b": (5, 5), "c": (8, 8)}


def test_right_counts_weigh_as_one_part_and_wrong_ones_each_as_one():
    (part,) = count_parts(Evidence(checks={"counts": RIGHT}), "counts")
    assert (part.verdict, part.measured, part.timed) == ("agrees", 3, False)
    wrong = Evidence(checks={"counts": RIGHT | {"b": (6, 5), "c": (7, 8)}})
    verdicts = [(part.name, part.verdict) for part in count_parts(wrong, "counts")]
    assert verdicts == [("b", "disagrees"), ("c", "disagrees")]


@pytest.mark.parametrize("checks", [{}, {"counts": {}}])
def test_counts_that_were_not_taken_are_undecided(checks):
    (part,) = count_parts(Evidence(checks=checks), "counts")
    assert (part.verdict, part.reason) == ("inconclusive", "not counted in this run")


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_a_noise_floor_widens_an_interval(floor):
    part = parts.ratio_part(*pair(first=(4, 3.0), second=(1, 1.0)).pair("pair"), floor)
    low, high = part.interval
    assert low < 3 < high
    assert part.widened == pytest.approx((low / (1 + floor), high * (1 + floor)))


def test_chains_of_other_lengths_are_named_by_all_their_sizes():
    assert parts.sizes_in_words((1, 4, 3, 2)) == "1 x 4 x 3 x 2"
