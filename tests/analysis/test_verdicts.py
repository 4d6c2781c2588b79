"""How parts are judged, and how a claim follows from its parts."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jacchain.analysis.verdicts import Part, as_json, decide, exact, holm, judge, undecided

INSIDE = Part("inside", 1.0, 1.0, (0.8, 1.2), "x", (0.95, 1.05), (0.9, 1.1), p=1.0)
OUTSIDE = Part("outside", 2.0, 1.0, (0.8, 1.2), "x", (1.9, 2.1), (1.8, 2.2), p=0)
ACROSS = replace(INSIDE, name="across", widened=(0.9, 1.3))
EQUAL, UNEQUAL = exact("equal", 7, 7), exact("unequal", 8, 7)
MISSING = undecided("missing", "not measured")


def step_down(p_values, significance):
    """Holm's procedure, hypothesis by hypothesis."""
    left, fallen = dict(enumerate(p_values)), set()
    while left and min(left.values()) <= significance / len(left):
        smallest = min(left, key=left.get)
        fallen.add(smallest)
        del left[smallest]
    return [i in fallen for i in range(len(p_values))]


@given(st.lists(st.floats(0, 1) | st.sampled_from([0, 0.01, 0.0125, 0.05])))
@example([])
@example([0.02, 0.02])  # equals fall together
@example([0.01, 0.04, 0.03, 0.005])  # it stops at the first that stands
def test_holm_steps_down(p_values):
    assert holm(p_values) == step_down(p_values, 0.05)


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (INSIDE, "agrees"),
        (OUTSIDE, "disagrees"),
        (replace(OUTSIDE, margin=(3, math.inf)), "disagrees"),
        (ACROSS, "inconclusive"),
        (replace(INSIDE, widened=(0.7, 1.1)), "inconclusive"),
        (replace(INSIDE, widened=(0.8, 1.2)), "agrees"),
        (replace(INSIDE, margin=(0.9, math.inf)), "agrees"),
        (EQUAL, "agrees"),
        (UNEQUAL, "disagrees"),
        (MISSING, "inconclusive"),
    ],
)
def test_a_part_is_judged_by_where_its_interval_lies(part, verdict):
    decided = decide([part], 0.05)[0]
    assert decided.verdict == verdict
    assert decided.reason


def test_outside_is_not_enough_among_many_parts():
    doubtful = replace(OUTSIDE, p=0.01)
    assert decide([doubtful], 0.05)[0].verdict == "disagrees"
    decided = decide([doubtful, *[INSIDE] * 5], 0.05)[0]
    assert decided.verdict == "inconclusive"
    assert "not significantly so" in decided.reason


def test_parts_that_are_met_to_the_digit_do_not_help_others_to_fall():
    assert decide([replace(OUTSIDE, p=0.02), EQUAL, EQUAL], 0.05)[0].verdict == "inconclusive"


@pytest.mark.parametrize("part", [INSIDE, OUTSIDE, ACROSS])
def test_on_a_noisy_machine_nothing_timed_is_decided(part):
    assert decide([part], 0.15)[0].verdict == decide([part], 0.05)[0].verdict
    decided = decide([part], 0.151)[0]
    assert decided.verdict == "inconclusive"
    assert "noise floor" in decided.reason


@pytest.mark.parametrize(("part", "verdict"), [(EQUAL, "agrees"), (UNEQUAL, "disagrees")])
def test_noise_does_not_touch_what_is_exact(part, verdict):
    assert judge("C1", [part], 0.5).verdict == verdict


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([INSIDE], "agrees"),
        ([INSIDE] * 4 + [ACROSS], "agrees"),  # 80 %
        ([INSIDE] * 3 + [ACROSS], "inconclusive"),  # 75 %
        ([INSIDE] * 4 + [MISSING], "agrees"),
        ([INSIDE] * 99 + [OUTSIDE], "disagrees"),
        ([INSIDE] * 99 + [UNEQUAL], "disagrees"),
        ([ACROSS, OUTSIDE], "disagrees"),
        ([MISSING], "inconclusive"),
        ([], "inconclusive"),
    ],
)
def test_a_claim_follows_from_its_parts(parts, verdict):
    result = judge("C3", parts, 0.05)
    assert result.verdict == verdict
    assert len(result.parts) == len(parts)
    assert result.reason


def test_a_claim_shows_its_most_telling_part():
    closer = replace(INSIDE, name="closer", measured=1.15, interval=(1.1, 1.16))
    result = judge("C3", [INSIDE, closer, INSIDE], 0.05)
    assert (result.measured, result.expected, result.interval) == (1.15, 1.0, (1.1, 1.16))
    assert result.reason.startswith("3 of 3 parts agree; closer: ")
    farther = replace(OUTSIDE, name="farther", measured=3.0)
    assert judge("C3", [closer, OUTSIDE, farther], 0.05).measured == 3.0


def test_timed_and_exact_parts_are_counted_apart():
    result = judge("C3", [INSIDE, INSIDE, EQUAL], 0.05)
    assert result.reason.startswith("2 of 2 timed parts and 1 of 1 exact ones agree; inside: ")
    assert judge("C1", [EQUAL], 0.05).reason == "1 of 1 parts agree; equal: equal"


def test_an_undecided_claim_says_why():
    result = judge("C3", [INSIDE, MISSING], 0.05)
    assert result.reason == "1 of 2 parts agree; missing: not measured"
    assert judge("C3", [], 0.05).reason == "nothing of this claim was measured"


def test_a_verdict_is_plain_json():
    parts = [replace(INSIDE, margin=(0.9, math.inf)), OUTSIDE, MISSING, EQUAL]
    plain = as_json(judge("C5", parts, 0.05))
    again = json.loads(json.dumps(plain, allow_nan=False))
    keys = {"claim", "verdict", "measured", "expected", "interval", "unit", "reason", "parts"}
    assert again.keys() == keys
    assert (again["claim"], again["verdict"]) == ("C5", "disagrees")
    assert [part["name"] for part in again["parts"]] == ["inside", "outside", "missing", "equal"]
    assert again["parts"][0]["margin"] == [0.9, None]
    assert again["parts"][2]["measured"] is None
    assert again["parts"][3]["timed"] is False
