"""What the commands print."""

from dataclasses import replace

import numpy as np

from jacchain.analysis.verdicts import Statement, exact, judge
from jacchain.claims.registry import experiments as known
from jacchain.measuring.doctor import Finding
from jacchain.report import terminal
from jacchain.runs.admission import Admission
from tests.report.examples import NUMBERS, printed


def test_each_claim_has_a_row_and_a_reason(assessment):
    text = printed(terminal.print_verdicts, assessment)
    assert "+ agrees C1 Counting all 1 figures equal" in text
    assert "? inconclusive C2 Time -" in text
    assert "x disagrees model Cells 2 (3)" in text
    reason = "0 of 1 parts agree; cells: measured 2, expected 3"
    assert f"model x disagrees: It is near. {reason}" in text
    assert "It is 12." not in text  # a statement that agrees


def test_a_claim_shows_its_typical_figure_before_its_worst(assessment):
    parts = tuple(
        replace(exact("a", measured, 10.0, margin=(1.0, np.inf)), unit="ratio")
        for measured in (9.0, 2.0, 8.0)
    )
    verdicts = (judge("C2", [Statement("It is so.", parts)], 0.05),)
    text = printed(terminal.print_verdicts, replace(assessment, verdicts=verdicts))
    assert "+ agrees C2 Time 8 (10), 2 (10) ratio" in text


def test_forced_kernels_are_told(assessment):
    session = replace(assessment.session, environment={"forced_kernels": ["MKL_CBWR=AVX2"]})
    text = printed(terminal.print_verdicts, replace(assessment, session=session))
    assert "forced by MKL_CBWR=AVX2" in text
    text = printed(terminal.print_verdicts, assessment)
    assert "forced" not in text


def test_a_claim_that_is_not_tested_has_a_row(assessment):
    every = tuple(known().entries.values())
    text = printed(terminal.print_verdicts, replace(assessment, experiments=every))
    assert "not tested yet C6 |x| of hundreds of millions -" in text
    assert "C6" not in printed(terminal.print_verdicts, assessment)


def test_markup_in_a_reason_is_text(assessment):
    verdict = assessment.verdicts[0]
    (statement,) = verdict.statements
    nasty = replace(statement, sentence="[a]", reason="[red]odd[/]")
    verdicts = (replace(verdict, statements=(nasty,)),)
    text = printed(terminal.print_verdicts, replace(assessment, verdicts=verdicts))
    assert "model x disagrees: [a] [red]odd[/]" in text


def test_answers_are_sentences_and_tables(assessment):
    assert printed(terminal.print_answers, assessment).startswith("One <sentence>. what")


def test_a_table_is_in_the_units_of_its_columns():
    text = printed(terminal.print_table, NUMBERS)
    assert text.startswith("Times over |z1| |z1| time in")
    assert "1,024 250 ms L2 2,048 - LLC" in text


def test_a_forecast_says_why_a_cell_is_skipped():
    small, huge = Admission("a", 2.0, 2**20, None), Admission("b", 900.0, 2**40, "would take 900 s")
    text = printed(terminal.print_forecast, [small, huge])
    assert "1 MiB" in text
    assert "would take 900 s" in text
    assert "1 of 2 cells, about 2 s" in text
    assert "15 min" in text
    assert "1 TiB" in text


def test_findings_have_a_remedy():
    finding = Finding("load", "warn", "3.1 of 2 cores", "Stop [others].")
    assert "warn load 3.1 of 2 cores Stop [others]." in printed(terminal.print_findings, [finding])
