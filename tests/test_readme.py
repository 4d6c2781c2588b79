"""The README says what the committed run found."""

from pathlib import Path

from rich.console import Console

from jacchain.claims.c5_ratio import EXPERIMENT
from jacchain.report.terminal import print_verdicts
from jacchain.runs.assess import assess

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


def test_the_table_is_what_a_terminal_of_96_columns_shows_of_the_committed_run():
    console = Console(width=96)
    with console.capture() as captured:
        print_verdicts(console, assess(ROOT / "results/reference"))
    lines = [line.rstrip() for line in captured.get().splitlines()]
    table = TEXT.split("```text\n")[1].split("```")[0].splitlines()
    assert table == lines[lines.index(table[0]) :][: len(table)]


def test_the_answer_is_that_of_the_committed_run():
    assessment = assess(ROOT / "results/reference")
    (answer,) = EXPERIMENT.answer(assessment.evidence, assessment.sizes)
    assert answer.partition(";")[0].removeprefix("In the ") in " ".join(TEXT.split())


def test_pictures_are_there():
    pictures = [part.split(")")[0] for part in TEXT.split("](")[1:] if ".png" in part]
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
