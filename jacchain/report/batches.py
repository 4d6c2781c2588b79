"""C7's figure and table: cost per sample over the batch size."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas

from jacchain.analysis.evidence import Series
from jacchain.analysis.fit import predicted_time
from jacchain.analysis.paired import ratio
from jacchain.experiments.batches import (
    SIZES,
    WIDE_SIZES,
    Turning,
    batch_sizes,
    measured,
    turning,
    wide_rates,
)
from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.experiments.ratios import formula_ratio
from jacchain.report.points import draw_points, whole_sizes
from jacchain.report.style import GREEN, LOOKS, MUTED, Axes, canvas, entitle, time_scale
from jacchain.report.tables import Table
from jacchain.report.terminal import number, seconds


def draw_batches(figure: Figure, assessment: Assessment) -> Canvas:
    """Above, seconds per sample; below, the rate of loss-first and where it turns."""
    page = canvas(height=8.6)
    halves: Any = page.subfigures(2, 1, height_ratios=(1.15, 1))
    above, below = (half.subplots() for half in halves)
    _draw_times(above, assessment)
    _draw_rates(below, assessment)
    for axes in (above, below):
        whole_sizes(axes.xaxis, batch_sizes(assessment.profile))
        axes.set_xlabel("batch size (samples)")
        if axes.lines:
            axes.figure.legend(loc="outside lower center", ncols=2, handlelength=1.8)
    above.set_ylabel("time per sample (s)")
    below.set_ylabel("loss-first (GFLOP/s)")
    above.set_title(_sizes(SIZES), fontweight="normal")
    below.set_title(_sizes(WIDE_SIZES), fontweight="normal")
    entitle(page, figure.title)
    return page


def _sizes(sizes: tuple[int, ...]) -> str:
    return f"network {' x '.join(map(str, sizes))}"


def _draw_times(axes: Axes, assessment: Assessment) -> None:
    """Both orders in a batch and one by one, explicit factors, and the model's prediction."""
    evidence, profile = assessment.evidence, assessment.profile
    batches = measured(evidence, profile, "orders")
    for index, order in enumerate(BOTH):
        look = LOOKS[order]
        rows = [(n, pair[index]) for n, *pair in batches]
        _draw(axes, rows, f"{order}, in a batch", color=look.colour, marker=look.marker)
        singles = [(n, single) for n, single, _ in measured(evidence, profile, order)]
        _draw(axes, singles, f"{order}, one by one", line=":", color=look.colour,
              marker=look.marker, markerfacecolor="white")  # fmt: skip
        _draw_prediction(axes, rows, assessment, look.colour)
    explicit = [(n, each) for n, each, _ in measured(evidence, profile, "explicit")]
    _draw(axes, explicit, "loss-first, each sample its own Jacobians", color=GREEN, marker="D")
    if batches and assessment.fit is not None:
        axes.plot([], [], "--", color=MUTED, linewidth=1.3, label="time model, from other cells")
    if axes.lines:
        time_scale(axes.yaxis)


def _draw(axes: Axes, rows: list[tuple[int, Series]], label: str, line: str = "-",
          **style: object) -> None:  # fmt: skip
    sizes = [n for n, _ in rows]
    draw_points(axes, sizes, [s for _, s in rows], np.array(sizes, float), line=line, label=label,
                **style)  # fmt: skip


def _draw_prediction(
    axes: Axes, rows: list[tuple[int, Series]], assessment: Assessment, colour: str
) -> None:
    if assessment.fit is None or not rows:
        return
    times = [predicted_time(assessment.fit, s, assessment.evidence) / n for n, s in rows]
    axes.plot([n for n, _ in rows], times, "--", color=colour, linewidth=1.3, alpha=0.75)


def _draw_rates(axes: Axes, assessment: Assessment) -> None:
    """Flops per second over the batch size, under the roof of bandwidth and arithmetic."""
    sizes, rates = wide_rates(assessment.evidence, assessment.profile)
    found = turning(assessment.evidence, assessment.profile)
    if found is not None:
        _draw_roof(axes, found, assessment.profile.itemsize)
    if len(sizes):
        look = LOOKS[LOSS_FIRST]
        axes.plot(sizes, rates / 1e9, look.marker + "-", color=look.colour, markersize=6,
                  linewidth=1.1, label="loss-first, in a batch")  # fmt: skip
        whole_sizes(axes.yaxis, (1, 2, 5, 10, 20, 50, 100, 200, 500))
        axes.set_ylim(0.7 * rates.min() / 1e9, 1.6e-9 * max(*rates, found.ceiling if found else 0))
        axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)


def _draw_roof(axes: Axes, found: Turning, itemsize: int) -> None:
    sizes = np.geomspace(0.7, 360, 50)
    roof = np.minimum(found.ceiling, 2 * sizes * found.bandwidth / itemsize) / 1e9
    axes.plot(sizes, roof, color=MUTED, linewidth=1.4, label="ceilings: bandwidth, arithmetic")
    if found.predicted >= sizes[0]:
        axes.axvline(found.predicted, color=MUTED, linestyle="--", linewidth=1.2,
                     label=f"turns at {found.predicted:.1f}, predicted")  # fmt: skip
    if found.measured is not None:
        axes.axvline(found.measured, color=LOOKS[LOSS_FIRST].colour, linestyle=":", linewidth=1.6,
                     label=f"half of the ceiling at {found.measured:.1f}, measured")  # fmt: skip


def batches_table(assessment: Assessment) -> Table:
    """Times per sample at every batch size, and their ratios."""
    evidence, profile = assessment.evidence, assessment.profile
    gains = {
        what: {n: ratio(a, b)[1] for n, a, b in measured(evidence, profile, what)}
        for what in (*BOTH, "explicit")
    }
    rows = tuple(
        (
            f"{n:,}", seconds(loss.time / n), seconds(inputs.time / n),
            number(ratio(inputs, loss)[1]), number(formula_ratio(loss, inputs)),
            *(number(gains[what].get(n)) for what in (LOSS_FIRST, INPUT_FIRST, "explicit")),
        )
        for n, loss, inputs in measured(evidence, profile, "orders")
    )  # fmt: skip
    header = (
        "batch", "loss-first, per sample", "input-first, per sample", "ratio of times",
        "ratio of multiplications", "loss-first: one by one / batch",
        "input-first: one by one / batch", "loss-first: explicit / shared",
    )  # fmt: skip
    return Table(f"Times per sample, {_sizes(SIZES)}{_turns(assessment)}", header, rows)


def _turns(assessment: Assessment) -> str:
    found = turning(assessment.evidence, assessment.profile)
    if found is None:
        return ""
    measured_at = "not reached" if found.measured is None else f"reached at {found.measured:.1f}"
    return (
        f"; {_sizes(WIDE_SIZES)} turns from bound by memory to bound by arithmetic loss-first at a "
        f"batch of {found.predicted:.1f} by the ceilings; half of the ceiling is {measured_at}"
    )
