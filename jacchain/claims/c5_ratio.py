"""C5: loss-first is far cheaper, at every size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacchain.analysis.evidence import BOTH, Array, Dims, Evidence, Pair
from jacchain.analysis.ratios import formula_ratio, ratio
from jacchain.analysis.slopes import MOST_OVERHEAD
from jacchain.analysis.verdicts import Part, Statement
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments import parts
from jacchain.experiments.cell import Cell, chain_cell
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.grids import plane
from jacchain.experiments.show import Axis, Curve, Figure, Panel, Plane, Region, Scatter
from jacchain.experiments.sizes import Sizes
from jacchain.units import share

CAUSE_DIMS = ((1, 64, 64, 64, 1024), (1, 256, 256, 256, 256), (1, 16, 16, 16, 16384))
UNIT = "input-first / loss-first"
FAR = 10.0  # times faster
FASTER = "Loss-first is faster in every cell where the formula's ratio is at least 2."
FAR_FASTER = (
    "Loss-first is far more efficient: over the cells where the formula's ratio is at least 100, "
    "the geometric mean of the ratios of times is above 10."
)


def cells(sizes: Sizes) -> list[Cell]:
    """Measure the `(|x|, |z|)` plane; chains of the sweeps are judged too, if measured.

    Some are measured again with einsum, an unblocked loop that runs every product at about one
    rate: what differs between the engines is not due to the number of multiplications.
    """
    x, z = plane(sizes)
    chains = [*((1, n, n, n, m) for n in z for m in x), *CAUSE_DIMS]
    causes = [chain_cell(dims, role="cause", engine="einsum") for dims in CAUSE_DIMS]
    return [*map(chain_cell, chains), *causes]


def _judged_pairs(evidence: Evidence) -> list[Pair]:
    """Return (loss-first, input-first) of every chain on which the claim says something."""
    pairs = evidence.chains.values()
    return [pair for pair in pairs if formula_ratio(*pair[::-1]) >= parts.LEAST_RATIO]


def judge(evidence: Evidence, _: Sizes) -> list[Statement]:
    """Judge each chain whose formula's ratio is at least 2; and those of at least 100 together."""
    floor, pairs = evidence.noise_floor, [pair[::-1] for pair in _judged_pairs(evidence)]
    far = [pair for pair in pairs if formula_ratio(*pair) >= parts.LARGE_RATIO]
    mean = (parts.mean_ratio_part(far, floor, margin=(FAR, np.inf)),) if far else ()
    return [
        Statement(FASTER, tuple(parts.ratio_part(*pair, floor) for pair in pairs)),
        Statement(FAR_FASTER, mean),
    ]


def answer(evidence: Evidence, sizes: Sizes) -> Iterator[str]:
    """Yield what the orders' times come to, beside the multiplications, in one sentence."""
    pairs = [pair[::-1] for pair in evidence.chains.values()]
    if not pairs:
        return
    times, counts = _middle(pairs)
    text = (
        f"In the middle of {len(pairs)} chains input-first took {times} times as long as "
        f"loss-first here, where multiplications say {counts}"
    )
    x, _ = plane(sizes)
    for size in (min(x), max(x)):
        if of_size := [pair for pair in pairs if pair[0].dims[-1] == size]:
            times, counts = _middle(of_size)
            text += f"; {times} times at |x| = {size:,}, where they say {counts}"
    yield f"{text}."


def _middle(pairs: Sequence[Pair]) -> tuple[str, str]:
    """Write the median ratios of times and of multiplications."""
    times = np.median([ratio(*pair)[1] for pair in pairs])
    return _short(times), _short(np.median([formula_ratio(*pair) for pair in pairs]))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


@dataclass(frozen=True)
class _Judged:
    """One chain: its part, the share of loss-first's time in calls, whether a cache holds it."""

    part: Part
    overhead: float
    cached: bool

    def above(self, level: float) -> bool:
        """Whether the ratio of times is surely above a level."""
        return self.part.widened is not None and self.part.widened[0] > level


def findings(evidence: Evidence, _: Sizes) -> list[Finding]:
    """Say why time favours input-first more than the formula does, and where the claim fails."""
    judged = [
        _Judged(
            parts.ratio_part(inputs, loss, evidence.noise_floor),
            min(evidence.overhead * loss.cost.products / loss.time, 1.0),
            evidence.regime(loss) in {"L2", "leaving L2", "LLC"},
        )
        for loss, inputs in _judged_pairs(evidence)
    ]
    judged = [cell for cell in judged if cell.part.estimate]
    return [*_rate_finding(evidence), *_overhead_finding(judged), *_bandwidth_finding(judged)]


def _rate_finding(evidence: Evidence) -> Iterator[Finding]:
    """Compare the ratio of times with the formula's, by numpy and by an engine of one rate."""
    pairs = [(evidence.chains.get(dims), _by_einsum(evidence, dims)) for dims in CAUSE_DIMS]
    both = [(chain, loop) for chain, loop in pairs if chain is not None and loop is not None]
    if not both:
        return
    formula = np.array([formula_ratio(inputs, loss) for (loss, inputs), _ in both])
    numpy, einsum = np.array([[ratio(b, a)[1] for a, b in measured] for measured in both]).T
    short, left = (float(np.exp(np.mean(np.log(formula / r)))) for r in (numpy, einsum))
    yield Finding(
        "Time favours input-first far more than the formula does: the ratios of times are "
        f"{parts.list_numbers(numpy)} where those of multiplications are "
        f"{parts.list_numbers(formula)}.",
        "BLAS multiplies matrix by matrix at a higher rate than row by matrix: it uses each "
        "element many times while it is in a register or a cache, where row by matrix reads "
        "every element for one multiplication.",
        "With einsum, an unblocked loop that runs both at about one rate, the ratios of times "
        f"are {parts.list_numbers(einsum)}: they fall short of the formula {left:.1f}-fold instead "
        f"of {short:.1f}-fold.",
        vanishes=left < 1 + (short - 1) / 4,
    )


def _by_einsum(evidence: Evidence, dims: Dims) -> Pair | None:
    return evidence.pair(chain_cell(dims, role="cause", engine="einsum").name)


def _overhead_finding(judged: Sequence[_Judged]) -> Iterator[Finding]:
    """Compare cells that do not agree since calls take their time with those where they do not."""
    small = [cell for cell in judged if cell.part.expected < parts.LARGE_RATIO]
    slow = [cell for cell in small if cell.overhead >= MOST_OVERHEAD]
    failing = [cell.overhead for cell in slow if not cell.above(1)]
    large = [cell.above(1) for cell in small if cell.overhead < MOST_OVERHEAD and cell.cached]
    if not failing or not large:
        return
    yield Finding(
        f"In {len(failing)} of the {len(small)} cells whose formula's ratio is under "
        f"{parts.LARGE_RATIO:.0f}, all small, the ratio of times is not surely above 1.",
        "The fixed cost of a call: in these cells it takes "
        f"{share(min(failing), 0)} to {share(max(failing), 0)} of loss-first's time.",
        f"Where calls take under {share(MOST_OVERHEAD, 0)}, and the factors are in a cache, "
        f"{sum(large)} of {len(large)} such cells agree.",
        vanishes=all(large),
    )


def _bandwidth_finding(judged: Sequence[_Judged]) -> Iterator[Finding]:
    """Compare cells of a large formula ratio whose times do not follow with those in a cache."""
    large = [cell for cell in judged if cell.part.expected >= parts.LARGE_RATIO]
    failing = [cell.part for cell in large if not cell.above(FAR) and not cell.cached]
    cached = [cell.above(FAR) for cell in large if cell.cached]
    if not failing or not cached:
        return
    yield Finding(
        f"In {len(failing)} cells the formula's ratio is "
        f"{parts.list_numbers([p.expected for p in failing])}, and that of times, "
        f"{parts.list_numbers([p.measured for p in failing])}, is not surely over "
        f"{FAR:.0f}.",
        "Loss-first is bound by memory: its factors have left the cache, and it reads each "
        "element from memory for a single multiplication. Input-first is bound by arithmetic.",
        "Where the formula's ratio is as large and the factors fit in a cache, "
        f"{sum(cached)} of {len(cached)} cells are over {FAR:.0f} times faster "
        "loss-first.",
        vanishes=all(cached),
    )


def shows(evidence: Evidence, sizes: Sizes) -> list[Figure]:
    """Show the ratio over the `(|x|, |z|)` plane, and cell by cell."""
    return [_plane_figure(evidence, sizes), _ratio_figure(evidence)]


def _plane_figure(evidence: Evidence, sizes: Sizes) -> Plane:
    x, z = plane(sizes)
    grid = [[(1, n, n, n, m) for m in x] for n in z]
    pairs = [[evidence.chains.get(dims) for dims in row] for row in grid]
    measured = [p for row in pairs for p in row if p]
    times = np.array([[ratio(*p[::-1])[1] if p else np.nan for p in row] for row in pairs])
    loss, inputs = (
        np.array([[multiplications(order, dims) for dims in row] for row in grid]) for order in BOTH
    )
    return Plane(
        "ratio_plane",
        ratio_title(_points("", measured), evidence.noise_floor),
        "Ratio of times as measured beside the ratio of multiplications; hatched cells were "
        "skipped, with the reason on record.",
        (("times, measured", times), ("multiplications, formula", inputs / loss)),
        x,
        z,
        ("|x| (elements)", "|z1| = |z2| = |z3| (elements)", f"{UNIT} (ratio)"),
    )


def _ratio_figure(evidence: Evidence) -> Scatter:
    """Show ratios of times over ratios of multiplications; open points are by einsum."""
    chains = list(evidence.chains.values())
    loops = [pair for dims in CAUSE_DIMS if (pair := _by_einsum(evidence, dims)) is not None]
    curves = [_points("one cell, with its 95 % interval", chains)] if chains else []
    if loops:
        curves.append(_points("by einsum, at one rate for all products", loops, hollow=True))
    return ratio_scatter("", tuple(curves), evidence.noise_floor)


def _points(label: str, pairs: Sequence[Pair], *, hollow: bool = False) -> Curve:
    formula = np.array([formula_ratio(inputs, loss) for loss, inputs in pairs])
    ratios = np.array([ratio(inputs, loss) for loss, inputs in pairs]).reshape(-1, 3)
    return ratio_points(label, formula, ratios, hollow=hollow)


def ratio_points(label: str, formula: Array, ratios: Array, *, hollow: bool = False) -> Curve:
    """Show ratios of times, (n, 3) of (low, middle, high), over those of multiplications, (n,)."""
    style: dict[str, Any] = {"look": "third", "marks": "filled"}
    if hollow:
        style = {"look": "fourth", "marks": "hollow"}
    return Curve(label, formula, ratios[:, 1], ratios[:, [0, 2]], line="", **style)


def ratio_title(points: Curve, noise_floor: float) -> str:
    """Say the median ratios of times and of multiplications, and how many cells are sure."""
    if points.ends is None or not len(points.x):
        return "Input-first / loss-first: not measured"
    times, counts = _short(float(np.median(points.y))), _short(float(np.median(points.x)))
    sure = int((points.ends[:, 0] > 1 + noise_floor).sum())
    return (
        f"Input-first takes {times} times as long as loss-first; formula {counts} "
        f"(medians of {len(points.x)} cells, {sure} surely > 1)"
    )


def ratio_scatter(title: str, curves: tuple[Curve, ...], noise_floor: float = 0.0) -> Scatter:
    """Show ratios of times against ratios of multiplications, and where the claim would fail.

    The first of the curves has the cells that the figure's title speaks of; `title` is the panel's.
    """
    x, y = (np.concatenate([[1.0], *(getattr(curve, axis) for curve in curves)]) for axis in "xy")
    low, high = min(0.5, float(x.min()) / 1.3), max(200.0, float(x.max()) * 1.3)
    corners = (parts.LEAST_RATIO, parts.LARGE_RATIO, parts.LARGE_RATIO, high)
    edge = (1.0, 1.0, FAR, FAR)
    return Scatter(
        "ratio_cells",
        ratio_title(curves[0], noise_floor) if curves else "Input-first / loss-first: not measured",
        "Every cell with its 95 % interval. On the dashed line time would follow the formula; "
        "shaded: where loss-first is not faster, and, from a formula's ratio of 100 on, not ten "
        "times faster: there the geometric mean counts.",
        Panel(
            title,
            Axis(f"ratio of multiplications, {UNIT}", "ratio", limits=(low, high)),
            Axis(f"ratio of times, {UNIT}", "ratio", limits=(low, max(200.0, 5 * float(y.max())))),
            curves,
            regions=(Region("not (far) faster", corners, edge),),
        ),
        diagonal="equal ratios",
    )


EXPERIMENT = Experiment(
    "C5",
    "Which order is cheaper",
    "Loss-first is far cheaper than input-first: faster wherever the formula's ratio is at least "
    "2, and over ten times faster on the whole where it is at least 100.",
    cells=cells,
    judge=judge,
    findings=findings,
    answer=answer,
    shows=shows,
    formulas=(("loss-first", 3), ("input-first", 3)),
)
