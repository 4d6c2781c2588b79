"""What is not timed: executed multiplications, Taylor remainders and training."""

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.report.style import (
    GREEN,
    LOOKS,
    MUTED,
    Axes,
    canvas,
    entitle,
    legend_below,
    power_scale,
)


def draw_counts(figure: Figure, assessment: Assessment) -> Canvas:
    """Executed multiplications of one order over the formula's; small twins are hollow."""
    order = figure.grid
    counts = [c for c in assessment.evidence.counts if c["order"] == order]
    page = canvas()
    axes = page.subplots()
    expected = np.array([multiplications(order, c["counted_dims"]) for c in counts], dtype=float)
    counted = np.array([c["counted"] for c in counts], dtype=float)
    twin = np.array([c["counted_dims"] != c["dims"] for c in counts], dtype=bool)
    if counts:
        ends = [expected.min() / 2, expected.max() * 2]
        axes.plot(ends, ends, "--", color=MUTED, linewidth=1.2, label="equality", zorder=1)
        look = LOOKS[order]
        for mask, face, name in ((~twin, look.colour, "the chain itself"),
                                 (twin, "white", "a smaller twin of a long one")):  # fmt: skip
            if mask.any():
                axes.plot(
                    expected[mask], counted[mask], look.marker, color=look.colour, markersize=7.5,
                    markerfacecolor=face, markeredgewidth=1.5, label=f"{order}: {name}",
                )  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            power_scale(axis, 10)
        axes.legend(loc="upper left")
    entitle(page, figure.title)
    axes.set_xlabel("formula (multiplications)")
    axes.set_ylabel("executed (multiplications)")
    return page


def draw_training(figure: Figure, assessment: Assessment) -> Canvas:
    """Left the remainder of the linear approximation over the step, right the loss over epochs."""
    checks = assessment.evidence.checks
    page = canvas(height=4.2)
    left, right = page.subplots(1, 2)
    if taylor := checks.get("C9:taylor"):
        _draw_remainders(left, np.array(taylor["steps"]), np.array(taylor["remainders"]))
        legend_below(page, left)
    if digits := checks.get("C9:digits"):
        _draw_losses(right, digits["losses"], digits["accuracy"])
    left.set_title("Taylor remainder", fontweight="normal")
    left.set_xlabel("step h")
    left.set_ylabel("remainder of the loss (absolute)")
    right.set_title("handwritten digits", fontweight="normal")
    right.set_xlabel("epoch")
    right.set_ylabel("mean loss on the training digits")
    entitle(page, figure.title)
    return page


def _draw_remainders(axes: Axes, steps: np.ndarray, remainders: np.ndarray) -> None:
    constant = np.exp(np.mean(np.log(remainders / steps**2)))
    axes.plot(steps, constant * steps**2, color=MUTED, linewidth=1.3, label="order 2")
    axes.plot(steps, remainders, "D", color=GREEN, markersize=5.5, label="one random network")
    for axis in (axes.xaxis, axes.yaxis):
        power_scale(axis, 10)


def _draw_losses(axes: Axes, losses: list[float], accuracy: float) -> None:
    axes.plot(range(len(losses)), losses, "o-", color=GREEN, markersize=4, linewidth=1.3)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.text(0.96, 0.94, f"{accuracy:.1%} of the held-out\ndigits are right", ha="right",
              va="top", transform=axes.transAxes)  # fmt: skip
