"""C5: loss-first is far cheaper, at every size."""

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part, undecided
from jacchain.experiments.cells import Cell
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.grids import plane_cells
from jacchain.experiments.profiles import Profile
from jacchain.experiments.ratio_findings import CAUSE_DIMS, findings
from jacchain.experiments.ratios import LEAST_RATIO, formula_ratio, ratio_part


def cells(profile: Profile) -> list[Cell]:
    """The (|x|, |z|) plane; cells of the sweeps are judged too where they were measured.

    Some are measured again with einsum, an unblocked loop that runs every product at about one
    rate: what differs between the engines is not due to the number of multiplications.
    """
    plane = (Cell(dims) for dims in (*plane_cells(profile), *CAUSE_DIMS))
    causes = (Cell(dims, role="cause", engine="einsum") for dims in CAUSE_DIMS)
    return [*plane, *causes]


def judge(evidence: Evidence, _: Profile) -> list[Part]:
    """One part for each cell whose formula puts input-first at twice loss-first or more."""
    pairs = evidence.pairs()
    parts = [
        ratio_part(*pair, evidence.noise_floor)
        for pair in pairs
        if formula_ratio(*pair) >= LEAST_RATIO
    ]
    return parts or [undecided("time ratio", "no cell has a formula ratio of 2 or more")]


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
