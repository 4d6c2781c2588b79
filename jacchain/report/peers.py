"""The figure and table of other frameworks beside ours."""

import numpy as np
from matplotlib.figure import Figure as Canvas

from jacchain.analysis.evidence import Series
from jacchain.analysis.paired import ratio
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.experiments.study_peers import COMPILE, EXPERIMENT
from jacchain.report.style import GREEN, LOOKS, MUTED, canvas, entitle, ratio_scale
from jacchain.report.tables import Table
from jacchain.report.terminal import number, seconds


def measured(assessment: Assessment) -> list[tuple[str, Series, Series]]:
    """Case, ours and theirs, of each that was measured."""
    names = (of.name for of in EXPERIMENT.comparisons(assessment.profile))
    found = assessment.evidence.comparisons
    return [
        (name.removeprefix("peers ").removesuffix(f", {found[name][1].order}"), *found[name])
        for name in names
        if name in found
    ]


def pairs(assessment: Assessment) -> list[tuple[str, str, tuple[float, float, float]]]:
    """Case, peer and its time over ours with the interval, of each that was measured."""
    return [(case, b.order, ratio(b, a)) for case, a, b in measured(assessment)]


def draw_peers(figure: Figure, assessment: Assessment) -> Canvas:
    """A row for each case and peer: the ratio of times on a logarithmic axis."""
    found = pairs(assessment)[::-1]
    page = canvas(height=1.8 + 0.42 * max(len(found), 2))
    axes = page.subplots()
    axes.axvline(1, color=MUTED, linewidth=1.2)
    for row, (_, _, (low, middle, high)) in enumerate(found):
        colour = GREEN if low > 1 else LOOKS["input-first"].colour if high < 1 else MUTED
        axes.plot([low, high], [row, row], color=colour, linewidth=2.2)
        axes.plot(middle, row, "o", color=colour, markersize=6)
    axes.set_yticks(range(len(found)), [f"{case}\n{peer}" for case, peer, _ in found], fontsize=9.5)
    ends = np.array([span for *_, span in found]).reshape(-1, 3)
    if len(ends):
        ratio_scale(axes.xaxis)
        axes.set_xlim(min(0.5, 0.8 * ends.min()), max(2, 1.25 * ends.max()))
        ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if _inside(t, axes.get_xlim())]
        axes.set_xticks(ticks)
    axes.set_xlabel("time of the other / jacchain (ratio)")
    entitle(page, figure.title)
    return page


def _inside(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= value <= ends[1]


def peers_table(assessment: Assessment) -> Table:
    """Times of both, their ratio with the interval, and what compiling took."""
    compiled = assessment.evidence.checks.get(COMPILE, {})
    rows = []
    for case, ours, theirs in measured(assessment):
        low, middle, high = ratio(theirs, ours)
        once = compiled.get(case) if theirs.order == "jax.grad" else None
        rows.append(
            (
                f"{case}: {theirs.order}", seconds(ours.median), seconds(theirs.median),
                number(middle), f"{number(low)} to {number(high)}",
                seconds(once) if once is not None else "-",
            )
        )  # fmt: skip
    header = (
        "case, peer", "jacchain, median", "peer, median", "peer / jacchain", "95 % interval",
        "compiled once in (float32)",
    )  # fmt: skip
    return Table("Other frameworks beside ours", header, tuple(rows))
