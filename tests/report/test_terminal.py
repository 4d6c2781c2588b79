"""What the commands print."""

from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from jacchain.measure.doctor import Finding
from jacchain.report.terminal import (
    print_answers,
    print_findings,
    print_forecast,
    print_table,
    print_verdicts,
)
from tests.report.examples import NUMBERS


@pytest.fixture
def printed():
    """What a function prints, its words one space apart."""

    def run(function, *arguments):
        console = Console(width=160, file=StringIO())
        function(console, *arguments)
        return " ".join(console.file.getvalue().replace("│", " ").split())

    return run


def test_each_claim_has_a_row_and_a_reason(printed, assessment):
    text = printed(print_verdicts, assessment)
    assert "C1 Counting + agrees 12 12 -" in text
    assert "C2 Time ? inconclusive - - -" in text
    assert "model disagrees: 0 of 1 parts agree; cells: measured 2, expected 3" in text


def test_forced_kernels_are_told(printed, assessment):
    session = replace(assessment.session, environment={"forced_kernels": ["MKL_CBWR=AVX2"]})
    assert "forced by MKL_CBWR=AVX2" in printed(
        print_verdicts, replace(assessment, session=session)
    )
    text = printed(print_verdicts, assessment)
    assert "forced" not in text
    assert text.endswith("prohibitively expensive) is not tested yet.")


def test_markup_in_a_reason_is_text(printed, assessment):
    first, *_ = assessment.verdicts
    nasty = replace(first, reason="[red]odd[/]", unit="[a]")
    text = printed(print_verdicts, replace(assessment, verdicts=(nasty,)))
    assert "model disagrees: [red]odd[/] ([a])" in text


def test_answers_are_sentences_and_tables(printed, assessment):
    assert printed(print_answers, assessment).startswith("One <sentence>. what")


def test_a_table_is_in_the_units_of_its_columns(printed):
    text = printed(print_table, NUMBERS)
    assert text.startswith("Times over |z1| |z1| time in")
    assert "1,024 250 ms L2 2,048 - LLC" in text


def test_a_forecast_says_why_a_cell_is_skipped(printed):
    cells = [
        SimpleNamespace(cell="small", seconds=2.0, bytes=2**20, skipped=None),
        SimpleNamespace(cell="huge", seconds=900.0, bytes=2**40, skipped="would take 900 s"),
    ]
    text = printed(print_forecast, cells)
    assert "1 MiB" in text
    assert "would take 900 s" in text
    assert "2 cells, about 2 s" in text


def test_findings_have_a_remedy(printed):
    text = printed(print_findings, [Finding("load", "warn", "3.1 of 2 cores", "Stop [others].")])
    assert "warn" in text
    assert "Stop [others]." in text
