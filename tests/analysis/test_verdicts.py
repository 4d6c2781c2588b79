"""How parts are judged, statements by their parts, and claims by their statements."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from jacchain.analysis.intervals import Estimate
from jacchain.analysis.verdicts import (
    Statement,
    as_json,
    decide,
    exact,
    judge,
    timed,
    undecided,
)

MARGIN = (0.8, 1.2)


def part(measured=1.0, *, error=0.01, processes=12, margin=MARGIN, widening=0.02, **facts):
    """A timed part, by default one that agrees."""
    return timed("p", Estimate(measured, error, processes), 1.0, margin, widening=widening, **facts)


INSIDE, OUTSIDE, ACROSS = part(), part(2.0), part(1.2)
EQUAL, UNEQUAL = exact("equal", 7, 7), exact("unequal", 8, 7)
MISSING = undecided("missing", "not measured")


def decided(*parts, noise_floor=0.02):
    return decide(Statement("it is so", parts), noise_floor)


def test_intervals_are_students_and_widened_by_the_noise():
    reach = 0.01 * t.ppf(0.975, 11)
    assert INSIDE.interval == pytest.approx((1 - reach, 1 + reach))
    assert INSIDE.widened == pytest.approx((0.98 - reach, 1.02 + reach))
    reach = 0.01 * t.ppf(1 - 0.05 / 4 / 2, 11)  # Bonferroni, of four
    assert decided(*[INSIDE] * 4).parts[0].simultaneous == pytest.approx(
        (0.98 - reach, 1.02 + reach)
    )


def test_logarithms_are_shown_as_what_they_are_of():
    log = part(0.0, log=True)
    reach = 0.01 * t.ppf(0.975, 11)
    assert log.measured == 1
    assert np.log(log.interval) == pytest.approx((-reach, reach))
    assert np.log(log.widened) == pytest.approx((-reach - 0.02, reach + 0.02))


@pytest.mark.parametrize(
    ("judged", "verdict"),
    [
        (INSIDE, "agrees"),
        (OUTSIDE, "disagrees"),
        (part(2.0, margin=(3, math.inf)), "disagrees"),
        (ACROSS, "inconclusive"),
        (part(0.81), "inconclusive"),
        (part(margin=(0.9, math.inf)), "agrees"),
        (EQUAL, "agrees"),
        (UNEQUAL, "disagrees"),
        (MISSING, "inconclusive"),
    ],
)
def test_a_part_is_judged_by_where_its_interval_lies(judged, verdict):
    statement = decided(judged)
    assert statement.parts[0].verdict == statement.verdict == verdict
    assert statement.parts[0].reason


def test_a_part_that_lies_outside_contradicts_only_if_surely_so_among_all():
    error = (0.3 - 0.1 - 0.02) / t.ppf(0.985, 11)  # outside in 97 %, of one
    doubtful = part(1.3, margin=(0.9, 1.1), error=error)
    assert decided(doubtful).verdict == "disagrees"
    statement = decided(doubtful, *[INSIDE] * 99)
    assert statement.verdict == "inconclusive"  # and not agrees, however many agree
    assert statement.parts[0].verdict == "inconclusive"
    assert "by chance" in statement.parts[0].reason


def test_a_part_that_agrees_needs_no_more_than_its_own_interval():
    near = part(1.2 - 0.02 - 2.3 * 0.01)
    assert decided(*[near] * 100).verdict == "agrees"


@pytest.mark.parametrize("judged", [INSIDE, OUTSIDE, ACROSS])
def test_on_a_noisy_machine_nothing_timed_is_decided(judged):
    assert decided(judged, noise_floor=0.15).verdict == decided(judged).verdict
    statement = decided(judged, noise_floor=0.151)
    assert statement.verdict == "inconclusive"
    assert "noise floor" in statement.reason


def test_noise_does_not_touch_what_is_exact():
    assert decided(EQUAL, noise_floor=0.5).verdict == "agrees"
    assert decided(UNEQUAL, noise_floor=math.nan).verdict == "disagrees"


def test_on_five_processes_or_unknown_noise_nothing_is_judged():
    few, unknown = part(processes=5), part(widening=math.nan)
    assert decided(few).verdict == decided(unknown).verdict == "inconclusive"
    assert "5 processes; an interval needs 6" in few.reason
    assert "no A/A pair was measured" in unknown.reason


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([INSIDE] * 9 + [ACROSS], "agrees"),  # 90 %
        ([INSIDE] * 8 + [ACROSS], "inconclusive"),
        ([INSIDE] * 99 + [MISSING], "inconclusive"),  # nothing unjudged is outvoted
        ([INSIDE] * 99 + [OUTSIDE], "disagrees"),
        ([ACROSS, OUTSIDE], "disagrees"),
        ([EQUAL] * 99 + [UNEQUAL], "disagrees"),
        ([EQUAL, undecided("count", "not counted", timed=False)], "inconclusive"),
        ([], "inconclusive"),
    ],
)
def test_a_statement_follows_from_its_parts(parts, verdict):
    assert decided(*parts).verdict == verdict


def test_timed_and_exact_parts_are_never_pooled():
    with pytest.raises(ValueError, match=r"'it is so' has timed and exact parts; make two"):
        decided(INSIDE, EQUAL)


def claim(*statements, noise_floor=0.02):
    return judge(
        "C3", [Statement(f"{i}.", tuple(s)) for i, s in enumerate(statements)], noise_floor
    )


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([[INSIDE], [EQUAL]], "agrees"),
        ([[INSIDE] * 99, [ACROSS]], "inconclusive"),  # no statement is outvoted
        ([[INSIDE], []], "inconclusive"),  # nor one with nothing to judge
        ([[ACROSS], [UNEQUAL]], "disagrees"),
        ([], "inconclusive"),
    ],
)
def test_a_claim_follows_from_its_statements(statements, verdict):
    result = claim(*statements)
    assert result.verdict == verdict
    assert len(result.statements) == len(statements)
    assert result.reason


def test_a_statement_shows_its_most_telling_part():
    closer = replace(part(1.15), name="closer")
    statement = decided(INSIDE, closer, INSIDE)
    assert statement.telling.name == "closer"
    assert statement.reason.startswith("3 of 3 parts agree; closer: ")
    farther = replace(part(3.0), name="farther")
    assert decided(closer, OUTSIDE, farther).telling.name == "farther"
    assert claim([closer], [EQUAL], [INSIDE]).telling.name == "closer"


def test_the_typical_part_is_the_middle_one_beside_what_to_expect():
    parts = [exact(str(m), m, e, margin=(0, 99)) for m, e in ((90, 90), (1, 10), (9, 3))]
    other = replace(exact("of another unit", 5, 1, margin=(0, 99)), unit="s")
    verdict = claim([*parts, other, replace(MISSING, timed=False)])
    assert verdict.telling.name == "1"
    assert verdict.typical.name == "90"
    assert claim([MISSING]).typical is None


def test_equal_are_exact_figures_without_a_margin():
    assert claim([EQUAL], [EQUAL]).equal
    assert not claim().equal
    for statement in ([INSIDE], [UNEQUAL], [exact("a", 1, 1, margin=(0, 2))], [MISSING]):
        assert not claim([EQUAL], statement).equal


def test_what_is_undecided_says_why():
    assert decided(INSIDE, MISSING).reason == "1 of 2 parts agree; missing: not measured"
    assert decided().reason == "nothing of it was measured"
    result = claim([INSIDE], [INSIDE, MISSING])
    assert result.reason.startswith("1 of 2 statements agree; 1. 1 of 2 parts agree; missing:")
    assert claim().reason == "nothing of it was measured"


def test_an_exact_part_may_have_a_margin():
    assert exact("accuracy", 96, 95, margin=(95, 100)).verdict == "agrees"
    missed = exact("accuracy", 94, 95, margin=(95, 100))
    assert (missed.verdict, missed.reason) == ("disagrees", "measured 94, expected 95 to 100")
    assert exact("slope", math.nan, -6.0).verdict == "disagrees"


def test_a_verdict_is_plain_json():
    result = claim([part(margin=(0.9, math.inf)), OUTSIDE, MISSING], [EQUAL])
    again = json.loads(json.dumps(as_json(result), allow_nan=False))
    assert again.keys() == {"claim", "verdict", "reason", "statements"}
    assert (again["claim"], again["verdict"]) == ("C3", "disagrees")
    (first, *others), (equal,) = (statement["parts"] for statement in again["statements"])
    assert first["margin"] == [0.9, None]
    assert first["estimate"] == {"value": 1.0, "error": 0.01, "processes": 12}
    assert [p["verdict"] for p in others] == ["disagrees", "inconclusive"]
    assert others[1]["measured"] is None
    assert equal["timed"] is False
