"""Two runs side by side."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from jacchain.analysis.evidence import Evidence, Noise
from jacchain.records.errors import RecordsError
from jacchain.report import side_by_side
from jacchain.report.side_by_side import compare_runs, print_comparison
from tests.report.examples import printed, series, session

MEANING = "B slower, B faster: the 95 % interval of B / A, widened by the noise floor of 8 %"


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
    assert [change["direction"] for change in plain["changes"]] == ["B slower", "within noise"]
    assert plain["changes"][0]["name"] == "input-first"
    assert plain["changed_verdicts"] == {"C2": ["inconclusive", "agrees"]}
    assert [(plain[run]["folder"], plain[run]["profile"]) for run in "ab"] == [
        ("a", "quick"),
        ("b", "quick"),
    ]
    assert plain["b"]["cpu_model"] == "another"
    assert plain["answer"] == comparison.answer


def test_people_get_the_answer_first_and_who_is_who(comparison):
    words = printed(print_comparison, comparison)
    assert words.startswith(
        "B took 1.41 times as long as A in the middle of 2 matched series; 1 slower and none "
        "faster beyond the noise floor of 8 %. A: a ("
    )
    facts = "2025-01-01, profile quick, jacchain 0.1.0, float64, 1 BLAS thread)"
    assert f"B: b (another, {facts}" in words


def test_people_get_changes_in_words(comparison):
    words = printed(print_comparison, comparison)
    assert "1 4 3 input-first 3 ms 6 ms 2 2 to 2 B slower" in words
    assert "1 4 3 loss-first 1 ms 1 ms 1 1 to 1 within noise" in words
    assert MEANING in words
    assert "*" not in words


def test_on_a_narrow_terminal_orders_and_directions_stay_whole(comparison):
    long = [replace(c, dims=(1, 16, 32, 128, 1048576)) for c in comparison.changes]
    console = Console(width=80, file=StringIO())
    print_comparison(console, replace(comparison, changes=tuple(long)))
    lines = console.file.getvalue().splitlines()
    assert any("input-first" in line and "B slower" in line for line in lines)
    assert any("loss-first" in line and "within noise" in line for line in lines)


def test_changed_verdicts_come_first(comparison):
    words = printed(print_comparison, comparison)
    assert "1 of 3 differ" in words
    first, second = (
        words.index("C2 Time inconclusive agrees differs"),
        words.index("C1 Counting agrees agrees same"),
    )
    assert first < second


def test_what_differs_is_written_with_units(comparison, assessment, compared):
    assert "l2 1 MiB not told by this system" in printed(print_comparison, comparison)
    same = compared(assessment, assessment)
    assert side_by_side.SAME in printed(print_comparison, same)


def test_twenty_rows_are_shown_and_all_on_demand(comparison):
    many = replace(comparison, changes=comparison.changes * 15)
    assert "20 of 30 shown: --all shows every row" in printed(print_comparison, many)
    words = printed(lambda *given: print_comparison(*given, every=True), many)
    assert words.count("B slower 1 4 3") == 15
    assert "shown" not in words
    assert "shown" not in printed(print_comparison, comparison)


def test_chains_of_equal_sizes_are_none_and_it_says_why(assessment, compared):
    other = (series("chain 1x5x3", "loss-first", 1.0), series("chain 1x5x3", "input-first", 1.0))
    others = Evidence({"chain 1x5x3": tuple(replace(s, dims=(1, 5, 3)) for s in other)})
    identity = replace(session().identity, dtype="float32")
    there = replace(session(), identity=identity, profile="full")
    second = replace(assessment, evidence=others, session=there)
    comparison = compared(assessment, second)
    words = printed(print_comparison, comparison)
    assert (
        "No times are compared: no chain of A has the sizes of one of B "
        "(A timed 1, B 1; profile quick and full; dtype float64 and float32)."
    ) in words
    assert "B / A" not in words
    with pytest.raises(RecordsError, match="nothing to compare: no chain of A"):
        compared(assessment, replace(second, verdicts=()))


def test_without_a_noise_floor_nothing_is_judged(comparison):
    unknown = replace(comparison, noise_floor=float("nan"))
    words = printed(print_comparison, unknown)
    assert "the noise floor was not measured, so no change is judged" in words
    assert "noise not measured" in words
    assert unknown.as_json()["noise_floor"] is None


def test_the_noise_floor_of_one_run_counts_if_the_other_has_none(assessment, compared):
    quiet = replace(assessment, evidence=replace(assessment.evidence, noise=Noise()))
    assert compared(assessment, quiet).noise_floor == 0.05
    assert compared(quiet, assessment).noise_floor == 0.05


def test_cautions_of_a_run_are_told_with_its_letter(assessment, compared):
    forced = replace(assessment, session=session(forced_kernels=["OPENBLAS_CORETYPE"]))
    words = printed(print_comparison, compared(assessment, forced))
    assert "B: Kernels were forced by OPENBLAS_CORETYPE" in words


def test_other_element_types_or_threads_are_a_caution(comparison):
    assert comparison.cautions == ()
    other = replace(comparison, b=replace(comparison.b, dtype="float32", threads=2))
    caution = "A measured float64, 1 BLAS thread and B float32, 2 BLAS threads: equal chains are"
    assert caution in printed(print_comparison, other)


@pytest.mark.parametrize("name", ["a", "./a", "a/records.jsonl", "a/records.jsonl.gz"])
def test_a_run_is_not_compared_with_itself(assessment, monkeypatch, name):
    monkeypatch.setattr(side_by_side, "assess", lambda _: assessment)
    with pytest.raises(RecordsError, match=r"A and B are the same run: a\. Name two runs"):
        compare_runs("a", name)


def test_two_files_of_one_folder_are_two_runs(assessment, monkeypatch):
    monkeypatch.setattr(side_by_side, "assess", lambda _: assessment)
    assert compare_runs("a/first.jsonl", "a/second.jsonl").changes
