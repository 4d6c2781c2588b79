"""What the commands print."""

from dataclasses import replace

from jacchain.measure.doctor import Finding
from jacchain.report import terminal
from jacchain.runs.admission import Admission
from tests.report.examples import NUMBERS, printed


def test_each_claim_has_a_row_and_a_reason(assessment):
    text = printed(terminal.print_verdicts, assessment)
    assert "C1 Counting + agrees 12 12 -" in text
    assert "C2 Time ? inconclusive - - -" in text
    assert "model disagrees: 0 of 1 parts agree; cells: measured 2, expected 3" in text


def test_forced_kernels_are_told(assessment):
    session = replace(assessment.session, environment={"forced_kernels": ["MKL_CBWR=AVX2"]})
    text = printed(terminal.print_verdicts, replace(assessment, session=session))
    assert "forced by MKL_CBWR=AVX2" in text
    text = printed(terminal.print_verdicts, assessment)
    assert "forced" not in text
    assert text.endswith("prohibitively expensive) is not tested yet.")


def test_markup_in_a_reason_is_text(assessment):
    nasty = replace(assessment.verdicts[0], reason="[red]odd[/]", unit="[a]")
    text = printed(terminal.print_verdicts, replace(assessment, verdicts=(nasty,)))
    assert "model disagrees: [red]odd[/] ([a])" in text


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
    assert "2 cells, about 2 s" in text


def test_findings_have_a_remedy():
    finding = Finding("load", "warn", "3.1 of 2 cores", "Stop [others].")
    assert "warn load 3.1 of 2 cores Stop [others]." in printed(terminal.print_findings, [finding])
