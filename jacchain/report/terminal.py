"""What the commands print: tables for people."""

from collections.abc import Iterable, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jacchain.analysis.compare import Change
from jacchain.analysis.verdicts import Verdict
from jacchain.experiments.own_chain import Answer
from jacchain.experiments.registry import experiments
from jacchain.experiments.runner import Forecast
from jacchain.measure.doctor import Finding

STYLES = {"agrees": "green", "disagrees": "red", "inconclusive": "yellow"}
SYMBOLS = {"agrees": "+", "disagrees": "x", "inconclusive": "?"}
TITLES = {
    "model": "Time of left-out cells",
    "chain": "Fewer multiplications, less time",
}


def title(claim: str) -> str:
    """A few words on a claim, on the time model or on a chain of the user's own."""
    known = experiments()
    return known[claim].title if claim in known else TITLES[claim]


def number(value: float | None) -> str:
    """Four digits for a measured value, all of them for an integer.

    Examples
    --------
    >>> number(528896), number(1.04857), number(None)
    ('528,896', '1.049', '-')
    """
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def seconds(value: float) -> str:
    """A duration with the unit that suits it.

    Examples
    --------
    >>> seconds(0.0000123), seconds(0.25), seconds(75)
    ('12.3 us', '250 ms', '75 s')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def size(value: float) -> str:
    """Bytes with a binary prefix.

    Examples
    --------
    >>> size(1536), size(3 * 2**20)
    ('1.5 KiB', '3 MiB')
    """
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f} B"


def print_verdicts(console: Console, verdicts: Iterable[Verdict]) -> None:
    """One row for each claim, then a line for each with its reason."""
    found = list(verdicts)
    table = Table("claim", "verdict", "measured", "expected", "95 % interval", box=SIMPLE_HEAD)
    for v in found:
        interval = " to ".join(map(number, v.interval)) if v.interval else "-"
        mark = f"[{STYLES[v.verdict]}]{SYMBOLS[v.verdict]} {v.verdict}[/]"
        name = f"[bold]{v.claim}[/] {title(v.claim)}"
        table.add_row(name, mark, number(v.measured), number(v.expected), interval)
    console.print(table)
    for v in found:
        unit = f" ({v.unit})" if v.unit else ""
        console.print(f"[bold]{v.claim}[/] {v.verdict}: {escape(v.reason)}{unit}", highlight=False)


def print_peers(
    console: Console, found: Iterable[tuple[str, str, tuple[float, float, float]]]
) -> None:
    """A line for each case and peer: its time over ours, with the interval."""
    for case, peer, (low, middle, high) in found:
        spread = f"({number(low)} to {number(high)})"
        text = f"{case}: {peer} takes {number(middle)} {spread} times as long as jacchain"
        console.print(text, highlight=False)


def print_answer(console: Console, found: Answer | None) -> None:
    """Which order is faster for the user's own chain, and how sure that is."""
    if found is None:
        console.print("The chain was not measured; see the reason above.")
        return
    table = Table("order", "multiplications", "bytes", "fastest", "median")
    for s in (found.faster, found.slower):
        count = f"{s.multiplications:,}"
        table.add_row(s.order, count, size(s.bytes), seconds(s.time), seconds(s.median))
    console.print(table)
    low, high = found.interval
    sure = "" if found.sure else " That is not sure: the noise of this machine could explain it."
    console.print(
        f"{found.faster.order} is {found.ratio:.2f} times as fast as {found.slower.order} "
        f"({low:.2f} to {high:.2f}, with a noise floor of {found.noise_floor:.0%}); "
        f"by multiplications alone it would be {found.formula:.2f}.{sure}",
        highlight=False,
    )


def print_forecast(console: Console, cells: Sequence[Forecast]) -> None:
    """The cells that a run would measure, with predicted seconds and bytes."""
    table = Table("cell", "predicted seconds", "predicted bytes", "")
    for cell in cells:
        why = escape(cell.skipped or "")
        table.add_row(cell.cell, f"{cell.seconds:.1f}", size(cell.bytes), why)
    console.print(table)
    total = sum(cell.seconds for cell in cells if cell.skipped is None)
    console.print(f"{len(cells)} cells, about {seconds(total)}, ceilings and checks apart")


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """What was looked at, what was found, and what to do about it."""
    table = Table("", "topic", "measured", "what to do")
    for f in findings:
        mark = "[green]ok[/]" if f.status == "ok" else "[yellow]warn[/]"
        table.add_row(mark, f.topic, escape(f.measured), escape(f.remedy))
    console.print(table)


def print_changes(console: Console, found: Sequence[Change], floor: float, most: int = 20) -> None:
    """The largest changes between two runs."""
    table = Table("dims", "order", "A", "B", "B / A", "95 % interval", "beyond noise")
    for c in found[:most]:
        interval = " to ".join(map(number, c.interval))
        dims = " ".join(map(str, c.dims)) if len(c.dims) < 8 else f"{len(c.dims) - 1} factors"
        mark = "yes" if c.beyond(floor) else "no"
        table.add_row(
            dims, c.order, seconds(c.before), seconds(c.after), f"{c.ratio:.3f}", interval, mark
        )
    console.print(table)
    if found:
        middle = float(np.exp(np.median(np.log([c.ratio for c in found]))))
        beyond = sum(c.beyond(floor) for c in found)
        console.print(
            f"{len(found)} matched series, median B / A {middle:.3f}; "
            f"{beyond} changed beyond the noise floor of {floor:.0%}"
        )
