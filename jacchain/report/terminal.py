"""What the commands print: tables for people."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from jacchain.analysis.verdicts import Verdict
from jacchain.experiments.show import Table
from jacchain.measuring.doctor import Finding
from jacchain.report.units import NONE, cell_text, number
from jacchain.units import seconds, share, size

if TYPE_CHECKING:
    from jacchain.runs.admission import Admission
    from jacchain.runs.assess import Assessment
    from jacchain.runs.machine import Machine
    from jacchain.runs.simulated import Frequency

STYLES = {"agrees": "green", "disagrees": "red", "inconclusive": "yellow"}
SYMBOLS = {"agrees": "+", "disagrees": "x", "inconclusive": "?"}
FEW_COLUMNS = 4  # more stand closer together, so that 80 characters hold them


def marked(verdict: str) -> str:
    """Return a verdict with its symbol, in its colour.

    Examples
    --------
    >>> marked("agrees")
    '[green]+ agrees[/]'
    """
    return f"[{STYLES[verdict]}]{SYMBOLS[verdict]} {verdict}[/]"


def print_verdicts(console: Console, assessment: "Assessment") -> None:
    """Print a row for each claim, then a line for each statement that does not agree."""
    titles = {experiment.claim: experiment.title for experiment in assessment.experiments}
    grid = Grid("verdict", "claim", "measured (expected): typical, worst", box=SIMPLE_HEAD)
    for v in assessment.verdicts:
        name = f"[bold]{v.claim}[/] {escape(titles.get(v.claim, ''))}"
        grid.add_row(marked(v.verdict), name, escape(_found(v)))
    for claim, title in assessment.untested.items():
        grid.add_row("  not tested yet", f"[bold]{claim}[/] {escape(title)}", NONE)
    console.print(grid)
    for v in assessment.verdicts:
        for s in v.statements:
            if s.verdict != "agrees":
                text = (
                    f"[bold]{v.claim}[/] {marked(s.verdict)}: {escape(f'{s.sentence} {s.reason}')}"
                )
                console.print(text, highlight=False)
    for caution in assessment.cautions:
        console.print(f"[yellow]{escape(caution)}[/]", highlight=False)


def _found(verdict: Verdict) -> str:
    """Write what was measured of a claim, typically and at worst; of exact figures, if all equal.

    Both figures are of the statement that decides.
    """
    typical, worst = verdict.typical, verdict.telling
    if typical is None or worst is None:
        return NONE
    if verdict.equal:
        return f"all {len(verdict.parts)} {worst.unit or 'figures'} equal"
    both = [f"{number(part.measured)} ({number(part.expected)})" for part in (typical, worst)]
    return f"{', '.join(dict.fromkeys(both))} {worst.unit}".strip()


def print_answers(console: Console, assessment: "Assessment") -> None:
    """Print what experiments answer, sentences and tables, in their order."""
    for experiment in assessment.experiments:
        for item in experiment.answer(assessment.evidence, assessment.sizes):
            if isinstance(item, str):
                console.print(escape(item), highlight=False)
            else:
                print_table(console, item)


def print_table(console: Console, table: Table, *, whole: Collection[str] = ()) -> None:
    """Print a table under its caption; columns named in `whole` keep each value on one line."""
    title = escape(table.caption)
    padding = (0, 1, 0, 0) if len(table.columns) > FEW_COLUMNS else (0, 1)
    grid = Grid(
        box=SIMPLE_HEAD, title=title, title_justify="left", title_style="dim", padding=padding
    )
    for column in table.columns:
        grid.add_column(escape(column.name), no_wrap=column.name in whole)
    units = [column.unit for column in table.columns]
    for row in table.rows:
        texts = (cell_text(value, unit) for value, unit in zip(row, units, strict=True))
        grid.add_row(*map(escape, texts))
    console.print(grid)


def print_forecast(console: Console, cells: Sequence["Admission"]) -> None:
    """Print the cells that a run would measure, or skip and why, with predicted time and memory."""
    grid = Grid("cell", "predicted time", "predicted memory", "skipped")
    for cell in cells:
        why = escape(cell.skipped or "")
        grid.add_row(escape(cell.cell), seconds(cell.seconds), size(cell.bytes), why)
    console.print(grid)
    measured = [cell.seconds for cell in cells if cell.skipped is None]
    total = f"{len(measured)} of {len(cells)} cells, about {seconds(sum(measured))}"
    console.print(f"{total}, ceilings and checks apart")


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print what was looked at, what was measured, and what to do about it."""
    grid = Grid("", "topic", "measured", "what to do")
    for f in findings:
        mark = "[green]ok[/]" if f.status == "ok" else "[yellow]warn[/]"
        grid.add_row(mark, f.topic, escape(f.measured), escape(f.remedy))
    console.print(grid)


def print_frequencies(console: Console, frequencies: Sequence["Frequency"]) -> None:
    """Print how often each thing was said of a simulated machine, and what is required."""
    grid = Grid("what", "share", "95 % interval", "required", "met", box=SIMPLE_HEAD)
    for frequency in frequencies:
        low, high = frequency.interval
        bounds = f"{share(frequency.low)} to {share(frequency.high)}" if frequency.bounded else ""
        met = "" if not frequency.bounded else "[green]yes[/]" if frequency.met else "[red]no[/]"
        ends = f"{share(low)} to {share(high)}"
        grid.add_row(escape(frequency.what), share(frequency.share), ends, bounds, met)
    console.print(grid)
    console.print(f"{frequencies[0].runs} runs", highlight=False)


def print_machines(console: Console, machines: Iterable["Machine"]) -> None:
    """Print the simulated machines that come with this package."""
    grid = Grid("name", "half", "what it is", box=SIMPLE_HEAD)
    for machine in machines:
        grid.add_row(escape(machine.name), machine.half, escape(machine.says))
    console.print(grid)
