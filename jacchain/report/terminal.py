"""What the commands print: tables for people."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from jacchain.experiments.show import Table
from jacchain.measure.doctor import Finding
from jacchain.report.units import cell_text, interval, number, seconds, size

if TYPE_CHECKING:
    from jacchain.runs.admission import Admission
    from jacchain.runs.assess import Assessment

STYLES = {"agrees": "green", "disagrees": "red", "inconclusive": "yellow"}
SYMBOLS = {"agrees": "+", "disagrees": "x", "inconclusive": "?"}


def marked(verdict: str) -> str:
    """Return a verdict with its symbol, in its colour.

    Examples
    --------
    >>> marked("agrees")
    '[green]+ agrees[/]'
    """
    return f"[{STYLES[verdict]}]{SYMBOLS[verdict]} {verdict}[/]"


def print_verdicts(console: Console, assessment: "Assessment") -> None:
    """Print one row for each judged claim, then a line for each with its reason."""
    titles = {experiment.claim: experiment.title for experiment in assessment.experiments}
    grid = Grid("claim", "verdict", "measured", "expected", "95 % interval", box=SIMPLE_HEAD)
    for v in assessment.verdicts:
        name = f"[bold]{v.claim}[/] {escape(titles.get(v.claim, ''))}"
        figures = (number(v.measured), number(v.expected), interval(v.interval))
        grid.add_row(name, marked(v.verdict), *figures)
    console.print(grid)
    for v in assessment.verdicts:
        unit = f" ({v.unit})" if v.unit else ""
        text = f"[bold]{v.claim}[/] {v.verdict}: {escape(v.reason + unit)}"
        console.print(text, highlight=False)
    for caution in assessment.cautions:
        console.print(f"[yellow]{escape(caution)}[/]", highlight=False)


def print_answers(console: Console, assessment: "Assessment") -> None:
    """Print what experiments answer, sentences and tables, in their order."""
    for experiment in assessment.experiments:
        for item in experiment.answer(assessment.evidence, assessment.sizes):
            if isinstance(item, str):
                console.print(escape(item), highlight=False)
            else:
                print_table(console, item)


def print_table(console: Console, table: Table) -> None:
    """Print a table under its caption."""
    title = escape(table.caption)
    grid = Grid(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="dim")
    for column in table.columns:
        grid.add_column(escape(column.name))
    units = [column.unit for column in table.columns]
    for row in table.rows:
        texts = (cell_text(value, unit) for value, unit in zip(row, units, strict=True))
        grid.add_row(*map(escape, texts))
    console.print(grid)


def print_forecast(console: Console, cells: Sequence["Admission"]) -> None:
    """Print the cells that a run would measure, with predicted seconds and bytes."""
    grid = Grid("cell", "predicted seconds", "predicted bytes", "")
    for cell in cells:
        why = escape(cell.skipped or "")
        grid.add_row(escape(cell.cell), f"{cell.seconds:.1f}", size(cell.bytes), why)
    console.print(grid)
    total = sum(cell.seconds for cell in cells if cell.skipped is None)
    console.print(f"{len(cells)} cells, about {seconds(total)}, ceilings and checks apart")


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print what was looked at, what was measured, and what to do about it."""
    grid = Grid("", "topic", "measured", "what to do")
    for f in findings:
        mark = "[green]ok[/]" if f.status == "ok" else "[yellow]warn[/]"
        grid.add_row(mark, f.topic, escape(f.measured), escape(f.remedy))
    console.print(grid)
