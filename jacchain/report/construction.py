"""The figure and table of building Jacobians against multiplying without them."""

from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure as Canvas

from jacchain.analysis.paired import ratio
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.experiments.study_construction import (
    DENSE,
    FREE,
    MEMORY,
    MODES,
    NETWORKS,
    STRUCTURED,
    counts,
    measured,
    name,
    pays_from,
)
from jacchain.report.points import draw_points, whole_sizes
from jacchain.report.style import GREEN, LOOKS, Axes, canvas, entitle, legend_below, time_scale
from jacchain.report.tables import Table
from jacchain.report.terminal import number, seconds, size

STYLES: dict[str, dict[str, Any]] = {
    DENSE: {"color": LOOKS["input-first"].colour, "marker": "s"},
    STRUCTURED: {"color": LOOKS["loss-first"].colour, "marker": "o"},
    FREE: {"color": GREEN, "marker": "D"},
}
PRODUCTS = {"vjp": "rows times J", "jvp": "J times columns"}


def draw_construction(figure: Figure, assessment: Assessment) -> Canvas:
    """A panel for each network and direction: seconds over the number of vectors."""
    page = canvas(height=7.4)
    panels = page.subplots(len(NETWORKS), len(MODES), sharex=True, sharey="row")
    for row, network in zip(panels, NETWORKS, strict=True):
        for axes, mode in zip(row, MODES, strict=True):
            _draw(axes, assessment, network, mode)
            axes.set_title(f"{network}: {PRODUCTS[mode]}", fontweight="normal", fontsize=11)
            whole_sizes(axes.xaxis, counts(assessment.profile))
        row[0].set_ylabel("time (s)")
        if any(axes.lines for axes in row):
            time_scale(row[0].yaxis)
    for axes in panels[-1]:
        axes.set_xlabel("vectors at one point")
    if panels[0][0].lines:
        legend_below(page, panels[0][0])
    entitle(page, figure.title)
    return page


def _draw(axes: Axes, assessment: Assessment, network: str, mode: str) -> None:
    evidence, profile = assessment.evidence, assessment.profile
    for form in (DENSE, STRUCTURED):
        rows = measured(evidence, profile, network, mode, form)
        sizes = [k for k, *_ in rows]
        if form == STRUCTURED:
            draw_points(axes, sizes, [free for *_, free in rows], label=FREE, **STYLES[FREE])
        draw_points(axes, sizes, [found for _, found, _ in rows], label=form, **STYLES[form])
        place = pays_from(rows) if rows else None
        if place is not None and place > sizes[0]:
            axes.axvline(place, color=STYLES[form]["color"], linestyle=":", linewidth=1.4)


def construction_table(assessment: Assessment) -> Table:
    """Of each network and form: times, when it pays, and bytes."""
    header = (
        "network, form", "building and one row", "one row alone", "rows: pays from",
        "columns: pays from", "bytes held", "allocated in building",
    )  # fmt: skip
    return Table("Explicit Jacobians against matrix-free", header, tuple(_rows(assessment)))


def _rows(assessment: Assessment) -> Iterator[tuple[str, ...]]:
    evidence, held = assessment.evidence, assessment.evidence.checks.get(MEMORY, {})
    for network in NETWORKS:
        for form in (DENSE, STRUCTURED, FREE):
            pair = evidence.comparisons.get(name(network, "vjp", f"{form}, building", 1))
            times = tuple(seconds(s.time) for s in pair) if pair else ("-", "-")
            if form == FREE:
                rows = measured(evidence, assessment.profile, network, "vjp", STRUCTURED)
                times = ("none built", seconds(rows[0][2].time)) if rows else times
            pays = ("-", "-") if form == FREE else _pays(assessment, network, form)
            of = held.get(f"{network}, {form}")
            memory = (size(of["held"]), size(of["allocated"])) if of else ("-", "-")
            yield (f"{network}, {form}", *times, *pays, *memory)


def _pays(assessment: Assessment, network: str, form: str) -> tuple[str, ...]:
    """From how many vectors on the explicit form is faster, in both directions."""
    found = []
    for mode in MODES:
        rows = measured(assessment.evidence, assessment.profile, network, mode, form)
        if not rows:
            found.append("not measured")
            continue
        place, (most, explicit, free) = pays_from(rows), rows[-1]
        times = number(ratio(explicit, free)[1])
        never = f"not up to {most}: {times} x matrix-free there"
        found.append(never if place is None else f"{place:.0f} vectors")
    return tuple(found)
