"""What one pair says: a gain, none beyond the formula's, an order that is cheaper; and counts."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import decide
from jacchain.experiments.parts import (
    count_parts,
    gain_part,
    no_gain_part,
    order_part,
    ratio_part,
    sizes_in_words,
)


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
    make_pair, multiplications, seconds, margin, expected
):
    evidence = make_pair(first=(multiplications, seconds), second=(1, 1.0))
    part = ratio_part(*evidence.pair("pair"), evidence.noise_floor)
    assert part.margin == (margin, np.inf)
    assert part.expected == multiplications
    assert part.measured == pytest.approx(seconds, rel=0.02)
    assert part.unit == "first / second"
    assert part.widened[0] < part.interval[0] < part.interval[1] < part.widened[1]
    assert verdict(part) == expected


def test_fewer_than_six_blocks_decide_nothing(make_pair):
    evidence = make_pair(first=(99, 2.0), second=(1, 1.0))
    for blocks, reason in ((5, "5 blocks; an interval needs 6"), (6, "")):
        few = [replace(s, seconds=s.seconds[:, :blocks]) for s in evidence.pair("pair")]
        part = ratio_part(*few, evidence.noise_floor)
        assert part.reason == reason
        assert (verdict(part) == "agrees") is not reason


def test_a_gain_is_to_be_over_its_threshold_whatever_the_formula_says(make_pair):
    evidence = make_pair(first=(1, 3.0), second=(1, 1.0))
    assert verdict(gain_part(evidence, "pair", least=2)) == "agrees"
    assert verdict(gain_part(evidence, "pair", least=4)) == "disagrees"


def test_the_most_that_may_be_gained_is_the_formulas_ratio_and_noise(make_pair):
    for gain, inside in ((1.9, True), (2.6, False)):
        part = no_gain_part(make_pair(first=(60, gain), second=(30, 1.0)), "pair")
        assert part.expected == 2
        assert part.margin == (0, pytest.approx(2 * 1.15))
        assert (verdict(part) == "agrees") is inside
        assert (part.p < 0.01) is not inside


def test_an_order_is_judged_from_twice_the_multiplications_on(make_pair):
    for multiplications, reason in ((59, "the formula's ratio is under 2"), (60, "")):
        evidence = make_pair(loss_first=(30, 1.0), input_first=(multiplications, 1.5))
        part = order_part(evidence, "pair")
        assert part.reason == reason
        assert (verdict(part) == "agrees") is not reason
    assert part.unit == "input-first / loss-first"


def test_parts_say_why_a_cell_was_not_measured():
    skipped = Evidence(skipped={"C8 anything": "needs 90 GiB"})
    for part_of in (gain_part, no_gain_part, order_part):
        part = part_of(Evidence(), "C8 anything")
        assert (part.name, part.reason) == ("C8 anything", "not measured in this run")
        assert part_of(skipped, "C8 anything").reason == "needs 90 GiB"


RIGHT = {"a": (3, 3), "b": (5, 5), "c": (8, 8)}


def test_right_counts_weigh_as_one_part_and_wrong_ones_each_as_one():
    (part,) = count_parts(Evidence(checks={"counts": RIGHT}), "counts")
    assert (part.verdict, part.measured, part.timed) == ("agrees", 3, False)
    wrong = RIGHT | {"b": (6, 5), "c": (7, 8)}
    parts = count_parts(Evidence(checks={"counts": wrong}), "counts")
    assert [(part.name, part.verdict) for part in parts] == [
        ("b", "disagrees"),
        ("c", "disagrees"),
    ]


@pytest.mark.parametrize("checks", [{}, {"counts": {}}])
def test_counts_that_were_not_taken_are_undecided(checks):
    (part,) = count_parts(Evidence(checks=checks), "counts")
    assert (part.verdict, part.reason) == ("inconclusive", "not counted in this run")


def test_a_noise_floor_widens_an_interval(make_pair):
    evidence = make_pair(first=(4, 3.0), second=(1, 1.0))
    narrow, wide = (
        ratio_part(*replace(evidence, noise_floor=floor).pair("pair"), floor)
        for floor in (0.0, 0.5)
    )
    assert narrow.widened == narrow.interval == wide.interval
    assert wide.widened == pytest.approx((wide.interval[0] / 1.5, wide.interval[1] * 1.5))


def test_chains_of_other_lengths_are_named_by_all_their_sizes():
    assert sizes_in_words((1, 4, 3, 2)) == "1 x 4 x 3 x 2"
