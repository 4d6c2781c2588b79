"""C5: loss-first is far cheaper, at every size."""

import numpy as np

from jacchain.analysis.evidence import Evidence, Series, log_ratios
from jacchain.analysis.intervals import median_interval, sign_test
from jacchain.analysis.verdicts import Part, undecided
from jacchain.experiments.cells import Cell
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.grids import plane_cells
from jacchain.experiments.profiles import Profile

CHEAPER, FAR_CHEAPER = 1.0, 10.0
LEAST_RATIO, LARGE_RATIO = 2.0, 100.0


def cells(profile: Profile) -> list[Cell]:
    """The (|x|, |z|) plane; cells of the sweeps are judged too where they were measured."""
    return [Cell(dims) for dims in plane_cells(profile)]


def judge(evidence: Evidence, _: Profile) -> list[Part]:
    """One part for each cell whose formula puts input-first at twice loss-first or more."""
    pairs = evidence.pairs()
    parts = [ratio_part(*pair, evidence.noise_floor) for pair in pairs if _ratio(*pair) >= 2]
    return parts or [undecided("time ratio", "no cell has a formula ratio of 2 or more")]


def _ratio(loss: Series, inputs: Series) -> float:
    return inputs.multiplications / loss.multiplications


def ratio_part(loss: Series, inputs: Series, noise_floor: float) -> Part:
    """Time(input-first) / time(loss-first) of one cell, paired within blocks."""
    formula = _ratio(loss, inputs)
    threshold = FAR_CHEAPER if formula >= LARGE_RATIO else CHEAPER
    logs = log_ratios(inputs, loss)
    low, middle, high = (float(np.exp(v)) for v in median_interval(logs))
    floor = 1 + noise_floor
    return Part(
        f"time ratio at {_name(loss.dims)}",
        middle,
        formula,
        (threshold, np.inf),
        unit="input-first / loss-first",
        interval=(low, high),
        widened=(low / floor, high * floor),
        p=sign_test(logs, float(np.log(threshold / floor))),
    )


def _name(dims: tuple[int, ...]) -> str:
    if len(dims) == 5:
        return "|z3|, |z2|, |z1|, |x| = " + ", ".join(map(str, dims[1:]))
    return f"{len(dims) - 2} layers of {dims[1]}"


EXPERIMENT = Experiment(
    "C5",
    "Which order is cheaper",
    "Loss-first is far cheaper than input-first: faster wherever the formula's ratio is at least "
    "2, and over ten times faster wherever it is at least 100.",
    cells,
    judge,
    formulas=(("loss-first", 3), ("input-first", 3)),
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
