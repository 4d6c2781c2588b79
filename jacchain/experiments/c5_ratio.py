"""C5: loss-first is far cheaper, at every size."""

from collections.abc import Iterable

import numpy as np

from jacchain.analysis.evidence import Evidence, Series, log_ratios
from jacchain.analysis.intervals import median_interval, sign_test
from jacchain.analysis.verdicts import Part, undecided
from jacchain.experiments.cells import BOTH, Cell, Dims
from jacchain.experiments.experiment import Experiment, Figure, Finding
from jacchain.experiments.grids import plane_cells
from jacchain.experiments.profiles import Profile

CHEAPER, FAR_CHEAPER = 1.0, 10.0
LEAST_RATIO, LARGE_RATIO = 2.0, 100.0


CAUSE_DIMS = ((1, 64, 64, 64, 1024), (1, 256, 256, 256, 256), (1, 16, 16, 16, 16384))


def cells(profile: Profile) -> list[Cell]:
    """The (|x|, |z|) plane; cells of the sweeps are judged too where they were measured.

    Some are measured again with einsum, an unblocked loop that runs every product at about one
    rate: what differs between the engines is not due to the number of multiplications.
    """
    plane = [Cell(dims) for dims in (*plane_cells(profile), *CAUSE_DIMS)]
    return [*plane, *(Cell(dims, role="cause", engine="einsum") for dims in CAUSE_DIMS)]


def judge(evidence: Evidence, _: Profile) -> list[Part]:
    """One part for each cell whose formula puts input-first at twice loss-first or more."""
    pairs = evidence.pairs()
    parts = [
        ratio_part(*pair, evidence.noise_floor) for pair in pairs if _ratio(*pair) >= LEAST_RATIO
    ]
    return parts or [undecided("time ratio", "no cell has a formula ratio of 2 or more")]


def _ratio(loss: Series, inputs: Series) -> float:
    return inputs.multiplications / loss.multiplications


def ratio_part(
    cheaper: Series, dearer: Series, noise_floor: float, threshold: float | None = None
) -> Part:
    """Time(dearer) / time(cheaper) of one cell, paired within blocks, is above the threshold.

    By default that of C5: 10 where the formula's ratio is at least 100, else 1.
    """
    formula = _ratio(cheaper, dearer)
    threshold = threshold or (FAR_CHEAPER if formula >= LARGE_RATIO else CHEAPER)
    logs = log_ratios(dearer, cheaper)
    low, middle, high = (float(np.exp(v)) for v in median_interval(logs))
    floor = 1 + noise_floor
    return Part(
        f"time ratio at {_name(cheaper.dims)}",
        middle,
        formula,
        (threshold, np.inf),
        unit=f"{dearer.order} / {cheaper.order}",
        interval=(low, high),
        widened=(low / floor, high * floor),
        p=sign_test(logs, float(np.log(threshold / floor))),
    )


def _name(dims: tuple[int, ...]) -> str:
    if len(dims) == 5:
        return "|z3|, |z2|, |z1|, |x| = " + ", ".join(map(str, dims[1:]))
    if len(set(dims[1:])) == 1:
        return f"{len(dims) - 2} layers of {dims[1]}"
    return " x ".join(map(str, dims))


def findings(evidence: Evidence, _: Profile) -> list[Finding]:
    """Why time favours input-first more than the formula does, and why small chains don't tell."""
    return [*_rate_finding(evidence), *_overhead_finding(evidence)]


def _rate_finding(evidence: Evidence) -> list[Finding]:
    """The ratio of times against the formula's, by numpy and by an engine of one rate."""
    found = [ratios for dims in CAUSE_DIMS if (ratios := _ratios(evidence, dims))]
    if not found:
        return []
    names = ("formula", "numpy", "einsum")
    formula, numpy, einsum = (np.array([ratios[name] for ratios in found]) for name in names)
    short, left = (float(np.exp(np.mean(np.log(formula / r)))) for r in (numpy, einsum))
    return [
        Finding(
            "Time favours input-first far more than the formula does: the ratios of times are "
            f"{_list(numpy)} where those of multiplications are {_list(formula)}.",
            "BLAS multiplies matrix by matrix at a higher rate than row by matrix: it uses each "
            "element many times while it is in a register or a cache, where row by matrix reads "
            "every element for one multiplication.",
            "With einsum, an unblocked loop that runs both at about one rate, the ratios of times "
            f"are {_list(einsum)}: they fall short of the formula {left:.1f}-fold instead of "
            f"{short:.1f}-fold.",
            vanishes=left < 1 + (short - 1) / 4,
        )
    ]


def _ratios(evidence: Evidence, dims: Dims) -> dict[str, float]:
    """Ratio of the formula, and of times by either engine; empty where one is missing."""
    found: dict[str, float] = {}
    for engine in ("numpy", "einsum"):
        loss, inputs = (evidence.get(dims, order, engine) for order in BOTH)
        if loss is None or inputs is None:
            return {}
        found[engine] = float(np.exp(np.median(log_ratios(inputs, loss))))
        found["formula"] = _ratio(loss, inputs)
    return found


def _overhead_finding(evidence: Evidence) -> list[Finding]:
    """Cells that do not agree, against those where calls take under a tenth of the time."""
    pairs = [pair for pair in evidence.pairs() if _ratio(*pair) >= LEAST_RATIO]
    parts = [ratio_part(*pair, evidence.noise_floor) for pair in pairs]
    agrees = [p.widened is not None and p.widened[0] > p.margin[0] for p in parts]
    shares = [evidence.overhead * loss.products / loss.time for loss, _ in pairs]
    failing = [share for share, agree in zip(shares, agrees, strict=True) if not agree]
    large = [agree for share, agree in zip(shares, agrees, strict=True) if share < 0.1]
    if not failing or not large:
        return []
    return [
        Finding(
            f"In {len(failing)} of {len(parts)} cells the ratio of times does not reach what the "
            "claim says.",
            "The fixed cost of a call: in these cells it takes "
            f"{min(failing):.0%} to {min(max(failing), 1.0):.0%} of loss-first's time.",
            f"Where sizes are so large that calls take under a tenth, {sum(large)} of "
            f"{len(large)} cells agree.",
            vanishes=all(large),
        )
    ]


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


EXPERIMENT = Experiment(
    "C5",
    "Which order is cheaper",
    "Loss-first is far cheaper than input-first: faster wherever the formula's ratio is at least "
    "2, and over ten times faster wherever it is at least 100.",
    cells,
    judge,
    formulas=(("loss-first", 3), ("input-first", 3)),
    findings=findings,
    figures=(
        Figure(
            "plane",
            "ratio_plane",
            "Input-first / loss-first over the (|x|, |z|) plane",
            "Ratio of times as measured beside the ratio of multiplications; hatched cells were "
            "skipped, with the reason on record.",
        ),
        Figure(
            "ratios",
            "ratio_cells",
            "Ratio of times against ratio of multiplications",
            "Every cell with its 95 % interval. On the dashed line time would follow the formula; "
            "shaded: where the claim would fail.",
        ),
    ),
)
