"""Beside the claims: how often the intervals of this run hold what is known to be true."""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from jacchain.analysis.evidence import Evidence, Pair
from jacchain.analysis.intervals import CONFIDENCE, Estimate, estimate, share_interval
from jacchain.analysis.ratios import log_ratio, process_ratios, ratio
from jacchain.claims.study_model import noise_table
from jacchain.experiments.cell import BOTH, Cell, chain_cell, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.grids import Grid, all_grids, plane
from jacchain.experiments.show import Axis, Curve, Level, Lines, Panel, Table, Unit, table
from jacchain.experiments.sizes import Sizes
from jacchain.units import share

PAIRS = 200
QUICK = Sizes()  # the same shapes on every machine
FAST = 1e-4  # seconds per call: below, the call is much of the time


def cells(_: Sizes) -> list[Cell]:
    """Return 200 pairs of the same kernel: in the shapes of the sweeps, then small ones of a plane.

    Examples
    --------
    >>> len(cells(Sizes()))
    200
    """
    swept = [dims for grid in all_grids(QUICK).values() for _, dims in grid.cells]
    x, z = plane(Sizes("full"))
    small_first = sorted(((1, n, n, n, m) for n in z for m in x), key=prod)
    pairs = [
        chain_cell(d, (o, o), role="control", group=f"self-test {o}")
        for d in (*swept, *small_first)
        for o in BOTH
    ]
    return list(unique(pairs)[:PAIRS])


def answer(evidence: Evidence, _: Sizes) -> Iterator[str | Table]:
    """Say how many 95 % intervals hold the truth, by kind, with the interval of that share."""
    rows = [_row(kind, estimates) for kind, estimates in _estimates(evidence).items() if estimates]
    if not rows:
        yield "No A/A pair was measured in this run."
        return
    units: dict[str, Unit] = {"95 % intervals of": "text", "in all": "count"}
    units |= {"hold the truth": "count", "share": "share", "95 % interval": "text"}
    yield table("Pairs of the same kernel, whose ratio is 1 in truth", units, rows)
    yield noise_table(evidence)
    _kind, total, held, hit, ends = rows[0]
    yield f"Of {total} intervals of A/A ratios {held} hold 1: {share(hit)} ({ends})."


def _row(kind: str, estimates: Sequence[Estimate]) -> tuple[str, int, int, float, str]:
    spans = [estimate.interval(CONFIDENCE) for estimate in estimates]
    held = sum(low <= 0 <= high for low, high in spans)
    low, high = share_interval(held, len(spans))
    return kind, len(spans), held, held / len(spans), f"{share(low)} to {share(high)}"


def _estimates(evidence: Evidence) -> dict[str, list[Estimate]]:
    """Return, by kind, estimates that are 0 in truth: logs of ratios, and their slopes."""
    ratios = {(pair[0].name, pair[0].dims): pair for pair in evidence.controls}
    logs = {key: log_ratio(*pair) for key, pair in ratios.items()}
    kinds = {"A/A ratios": list(logs.values())}
    for order in BOTH:
        kinds[f"A/A ratios, {order}"] = [log for (name, _), log in logs.items() if name == order]
    for fast, where in ((True, "under"), (False, "from")):
        kinds[f"A/A ratios, {where} 100 µs a call"] = [
            log for key, log in logs.items() if (ratios[key][0].time < FAST) is fast
        ]
    slopes = [_slope(ratios, g, order) for g in all_grids(QUICK).values() for order in BOTH]
    kinds["exponents of A/A ratios over a sweep"] = [s for s in slopes if s is not None]
    return kinds


def _slope(
    ratios: dict[tuple[str, tuple[int, ...]], Pair], grid: Grid, order: str
) -> Estimate | None:
    """Estimate the slope of A/A log ratios over a sweep; None if a size was not measured."""
    pairs = [ratios.get((order, dims)) for _, dims in grid.cells]
    if None in pairs:
        return None
    sizes = np.log([size for size, _ in grid.cells])
    weights = (sizes - sizes.mean()) / ((sizes - sizes.mean()) ** 2).sum()
    return estimate(np.column_stack([process_ratios(*p) for p in pairs if p]) @ weights)


def shows(evidence: Evidence, _: Sizes) -> Iterator[Lines]:
    """Show every pair with its interval, by its ratio."""
    pairs = sorted(evidence.controls, key=lambda pair: log_ratio(*pair).value)
    curves = []
    for order in BOTH:
        ranks = [rank for rank, pair in enumerate(pairs) if pair[0].name == order]
        if ranks:
            spans = np.array([ratio(*pairs[rank]) for rank in ranks])
            points = np.array(ranks, float), spans[:, 1], spans[:, [0, 2]]
            curves.append(Curve(order, *points, order, line="", marks="filled"))
    axes = Axis("pair, by its ratio"), Axis("A / A (ratio of times)")
    levels = (Level("", 1.0, line="-"),)
    yield Lines(
        "self_test",
        _title([log_ratio(*pair) for pair in pairs]),
        "Each pair's ratio with its 95 % interval over processes; in truth all are 1.",
        ((Panel("", *axes, tuple(curves), levels),),),
    )


def _title(logs: Sequence[Estimate]) -> str:
    if not logs:
        return "Intervals of pairs of the same kernel"
    *_, held, hit, _ = _row("", logs)
    return f"{held} of {len(logs)} intervals hold 1: {share(hit, 0)}; expected 95 %"


EXPERIMENT = Experiment(
    "self-test",
    "Intervals on this machine",
    "Pairs of the same kernel, in the shapes of the cells: in truth every ratio is 1, and 95 % of "
    "the intervals should hold it.",
    cells=cells,
    shows=shows,
    answer=answer,
    default=False,
    beside=(),
    is_claim=False,
)
