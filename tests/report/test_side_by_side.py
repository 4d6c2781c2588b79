"""Two runs side by side."""

import json
from dataclasses import replace

import pytest

from jacchain.analysis.evidence import Noise
from jacchain.report import side_by_side
from jacchain.report.side_by_side import compare_runs, print_comparison
from tests.report.examples import evidence_of, printed, session


@pytest.fixture
def comparison(assessment, monkeypatch):
    """A run beside another: there input-first takes twice as long, and C2 agrees."""
    *others, last = assessment.verdicts
    slower = replace(
        assessment,
        session=session(cpu_model="another"),
        evidence=replace(evidence_of(inputs=6e-3), noise=Noise(0.08)),
        verdicts=(*others, replace(last, verdict="agrees")),
    )
    runs = {"a": assessment, "b": slower}
    monkeypatch.setattr(side_by_side, "assess", runs.__getitem__)
    return compare_runs("a", "b")


def test_changes_are_ratios_with_the_largest_first(comparison):
    changed, same = comparison.changes
    assert (changed.name, changed.ratio) == ("input-first", pytest.approx(2))
    assert (same.name, same.ratio) == ("loss-first", pytest.approx(1))
    assert comparison.noise_floor == 0.08


def test_what_differs_is_named_and_what_agrees_is_not(comparison):
    assert set(comparison.environments) == {"clock_step_seconds", "cpu_model", "l2_bytes"}
    assert comparison.changed_verdicts == {"C2": ("inconclusive", "agrees")}


def test_programs_get_all_of_it(comparison):
    plain = json.loads(json.dumps(comparison.as_json()))
    assert plain["changes"][0]["ratio"] == pytest.approx(2)
    assert plain["changes"][0]["name"] == "input-first"
    assert plain["changed_verdicts"] == {"C2": ["inconclusive", "agrees"]}


def test_people_get_the_largest_changes(comparison):
    words = printed(print_comparison, comparison)
    assert "1 4 3 input-first 3 ms 6 ms 2.000 2 to 2 yes" in words
    assert "C2 * inconclusive agrees" in words
    assert "2 matched series, median B / A 1.414; 1 changed beyond the noise floor of 8 %" in words
