"""Two runs side by side on a page: one file that needs nothing else."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from jacchain.analysis.changes import FASTER, NO_NOISE, SLOWER, WITHIN_NOISE
from jacchain.experiments.show import Axis, Band, Curve, Level, Look, Panel, Scatter
from jacchain.records.errors import RecordsError
from jacchain.report.page import picture_of, write_page
from jacchain.report.publish import replacing
from jacchain.report.show import draw_figures
from jacchain.report.side_by_side import (
    SAME,
    Comparison,
    changes_table,
    environments_table,
    meaning,
    place,
    verdicts_table,
)
from jacchain.units import share

PAGE = "compare.html"
LOOKS: dict[str, Look] = {
    WITHIN_NOISE: "muted",
    NO_NOISE: "muted",
    SLOWER: "fifth",  # its marker points up, to larger ratios
    FASTER: "fourth",
}
FINE = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 2, 2.5)
COARSE = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10)
NARROW, WIDE = 2.5, 10  # high / low end of an axis


def write_comparison(comparison: Comparison, out: str | Path) -> Path:
    """Write ``compare.html`` into a folder, and return its path; replace it only when it is whole.

    Raises RecordsError if the folder is that of a run, or inside it, or can't be written.
    """
    target = Path(out).resolve()
    for name, run in comparison.runs.items():
        if place(run.folder) in (target, *target.parents):
            problem = f"--out is {out}, which belongs to run {name}, {run.folder}"
            raise RecordsError(problem, "Name another folder: compare changes no run.")
    page = comparison_page(comparison)
    with replacing(Path(out)) as draft:
        (draft / PAGE).write_text(page, "utf-8")
    return Path(out, PAGE)


def comparison_page(comparison: Comparison) -> str:
    """Return the page as HTML."""
    return write_page(
        "compare.html",
        comparison=comparison,
        picture=_picture(comparison) if comparison.changes else None,
        verdicts=verdicts_table(comparison),
        environments=environments_table(comparison),
        changes=changes_table(comparison),
        same=SAME,
        meaning=meaning(comparison),
    )


def _picture(comparison: Comparison) -> object:
    figure = comparison_figure(comparison)
    with TemporaryDirectory() as scratch:
        svg, _ = draw_figures([figure], scratch)
        return picture_of(figure, svg.read_text("utf-8"))


def comparison_figure(comparison: Comparison) -> Scatter:
    """Show B / A of every matched series over its time in A, with the noise floor as a band."""
    floor, times = comparison.noise_floor, [c.before for c in comparison.changes]
    curves = tuple(curve for name in LOOKS if (curve := _curve(comparison, name)) is not None)
    low, high = _limits(comparison)
    ticks = FINE if high < NARROW * low else COARSE if high < WIDE * low else ()
    panel = Panel(
        "",
        Axis("time per call in A (s)", "seconds", limits=(min(times) / 1.5, max(times) * 1.5)),
        Axis("time in B / time in A", "sizes" if ticks else "ratio", ticks, (low, high)),
        curves,
        levels=(Level("", 1.0, line="-"),),
        bands=()
        if np.isnan(floor)
        else (Band(f"noise floor {share(floor, 0)}", 1 / (1 + floor), 1 + floor),),
    )
    caption = (
        "Each mark is one order of one chain: above 1 B is slower, below 1 faster. A line is the "
        "95 % interval, drawn where it leaves the noise floor."
    )
    return Scatter("compare", _title(comparison), caption, panel)


def _title(comparison: Comparison) -> str:
    counts, total = comparison.directions, len(comparison.changes)
    middle = f"B took {comparison.middle:.2f} times as long as A in the middle"
    if NO_NOISE in counts:
        return middle
    return f"{middle}: {counts[SLOWER]} of {total} slower, {counts[FASTER]} faster, beyond noise"


def _curve(comparison: Comparison, direction: str) -> Curve | None:
    """Return the series of one direction; intervals only of those beyond noise."""
    floor = comparison.noise_floor
    chosen = [c for c in comparison.changes if c.direction(floor) == direction]
    if not chosen:
        return None
    ends = np.array([c.interval for c in chosen]) if chosen[0].beyond(floor) else None
    times, ratios = (np.array([getattr(c, name) for c in chosen]) for name in ("before", "ratio"))
    return Curve(direction, times, ratios, ends, LOOKS[direction], marks="filled", line="")


def _limits(comparison: Comparison) -> tuple[float, float]:
    """Return the ends of the axis of ratios: all that is drawn, and the noise floor's band."""
    floor = comparison.noise_floor
    drawn = [c.ratio for c in comparison.changes]
    drawn += [end for c in comparison.changes if c.beyond(floor) for end in c.interval]
    widest = 1 + max(float(np.nan_to_num(floor)), 0.1)
    return min(*drawn, 1 / widest) / 1.05, max(*drawn, widest) * 1.05
