"""C10's figure and table: real networks, with factors as they are and dense."""

from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure as Canvas

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.paired import ratio
from jacchain.experiments.c10_real_networks import DENSE, MEMORY, NETWORKS, SPARSE, name
from jacchain.experiments.cells import BOTH
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.report.points import span
from jacchain.report.style import (
    LOOKS,
    MUTED,
    Axes,
    byte_scale,
    canvas,
    entitle,
    legend_below,
    power_scale,
    time_scale,
)
from jacchain.report.tables import Table
from jacchain.report.terminal import number, seconds, size

ROWS = [(network, form) for network in NETWORKS for form in (SPARSE, DENSE)]


def times(evidence: Evidence) -> dict[tuple[str, str, str], Series]:
    """What was measured, by network, form and order."""
    found: dict[tuple[str, str, str], Series] = {}
    for network, form in ROWS:
        pair = evidence.comparisons.get(name(network, f"orders, factors {form}"))
        found |= {(network, form, s.order): s for s in pair or ()}
        for order in BOTH:
            forms = evidence.comparisons.get(name(network, f"{order}, by form"))
            if forms is not None:
                found.setdefault((network, form, order), forms[(DENSE, SPARSE).index(form)])
    return found


def draw_networks(figure: Figure, assessment: Assessment) -> Canvas:
    """One panel each for seconds, multiplications and bytes; a row for each network and form."""
    page = canvas(height=8.0)
    time, work, memory = page.subplots(3, 1, sharey=True)
    found = times(assessment.evidence)
    for (network, form, order), series in found.items():
        row, look = -ROWS.index((network, form)), LOOKS[order]
        low, middle, high = span(series)
        time.plot([low, high], [row, row], color=look.colour, linewidth=2)
        time.plot(middle, row, look.marker, color=look.colour, markersize=7, label=order)
        work.plot(series.multiplications, row, look.marker, color=look.colour, markersize=7)
    held = assessment.evidence.checks.get(MEMORY)
    if held:
        _draw_memory(memory, held)
    scales = (
        (time, time_scale, "time per evaluation (s)"),
        (memory, byte_scale, "allocated beside the factors (bytes)"),
    )
    for axes, scale, label in scales:
        if axes.lines:
            scale(axes.xaxis)
        axes.set_xlabel(label)
    if work.lines:
        power_scale(work.xaxis, 10)
        for line in memory.lines[:1]:
            time.plot([], [], "D", color=MUTED, markersize=7, label=line.get_label())
        legend_below(page, time)
    work.set_xlabel("multiplications")
    time.set_yticks([-row for row in range(len(ROWS))], [f"{n}\n{form}" for n, form in ROWS])
    time.set_ylim(-len(ROWS) + 0.4, 0.6)
    entitle(page, figure.title)
    return page


def _draw_memory(axes: Axes, held: Any) -> None:
    """Factors as diamonds; what evaluations allocate beside them in the orders' marks."""
    for row, (network, form) in enumerate(ROWS):
        of = held.get(f"{network}, {form}")
        if of is None:
            continue
        axes.plot(of["held"], -row, "D", color=MUTED, markersize=7,
                  label="_factors" if row else "the factors themselves")  # fmt: skip
        for order in BOTH:
            look = LOOKS[order]
            axes.plot(of["allocated"][order], -row, look.marker, color=look.colour, markersize=7)


def networks_table(assessment: Assessment) -> Table:
    """Times, multiplications and bytes of each network, form and order."""
    header = (
        "network, factors, order", "time", "multiplications", "factors", "intermediates, formula",
        "allocated, measured", "dense takes (95 %)",
    )  # fmt: skip
    return Table("Real networks", header, tuple(_rows(assessment.evidence)))


def _rows(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    held = evidence.checks.get(MEMORY, {})
    for (network, form, order), series in times(evidence).items():
        of = held.get(f"{network}, {form}")
        bytes_of = (
            ("-",) * 3
            if of is None
            else (size(of["held"]), size(of["predicted"][order]), size(of["allocated"][order]))
        )
        yield (
            f"{network}, {form}, {order}",
            seconds(series.time),
            f"{series.multiplications:,}",
            *bytes_of,
            _times(evidence, network, order) if form == SPARSE else "-",
        )


def _times(evidence: Evidence, network: str, order: str) -> str:
    """Time of dense factors over that of factors as they are, with its interval."""
    pair = evidence.comparisons.get(name(network, f"{order}, by form"))
    if pair is None:
        return "not measured"
    low, middle, high = ratio(*pair)
    return f"{number(middle)} ({number(low)} to {number(high)}) times as long"
