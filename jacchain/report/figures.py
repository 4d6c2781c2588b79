"""Every kind of figure by its name, and the files that a run's figures become."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure as Canvas

from jacchain.experiments.experiment import Figure
from jacchain.experiments.judging import Assessment
from jacchain.report.batches import draw_batches
from jacchain.report.checks import draw_counts, draw_training
from jacchain.report.construction import draw_construction
from jacchain.report.gradients import draw_gradients
from jacchain.report.machine import draw_ceilings, draw_noise, draw_residuals
from jacchain.report.networks import draw_networks
from jacchain.report.peers import draw_peers
from jacchain.report.ratios import draw_plane, draw_ratios
from jacchain.report.style import house_style, save
from jacchain.report.sweeps import draw_sweep

DRAWINGS: dict[str, Callable[[Figure, Assessment], Canvas]] = {
    "sweep": draw_sweep,
    "plane": draw_plane,
    "ratios": draw_ratios,
    "counts": draw_counts,
    "batches": draw_batches,
    "gradients": draw_gradients,
    "networks": draw_networks,
    "construction": draw_construction,
    "peers": draw_peers,
    "training": draw_training,
    "residuals": draw_residuals,
    "noise": draw_noise,
    "ceilings": draw_ceilings,
}

RESIDUALS = Figure(
    "residuals",
    "residuals",
    "Residuals of the time model",
    "Predicted over measured time, each prediction from a fit that left its cell out.",
)
NOISE = Figure(
    "noise",
    "noise_floor",
    "Noise floor: the same kernel against itself",
    "A/A controls, half of each block's samples against the other half. Every interval of this "
    "report is widened by the noise floor.",
)
CEILINGS = Figure(
    "ceilings",
    "ceilings",
    "Ceilings of this machine",
    "Left: bandwidth of a row times a matrix, and of a copy, over the working set; shaded: the "
    "memory regimes in which slopes are judged. Right: square matrix products.",
)


def draw(figure: Figure, assessment: Assessment) -> Canvas:
    """Draw one figure.

    Raises
    ------
    ValueError
        If its kind is unknown; the message lists the known ones.
    """
    if figure.kind not in DRAWINGS:
        message = f"unknown kind of figure {figure.kind!r}; known are {', '.join(DRAWINGS)}"
        raise ValueError(message)
    return DRAWINGS[figure.kind](figure, assessment)


def run_figures(assessment: Assessment) -> tuple[Figure, ...]:
    """The figures about the run itself, where there is something to show."""
    found = {
        RESIDUALS: assessment.fit is not None,
        NOISE: bool(assessment.evidence.controls),
        CEILINGS: bool(assessment.evidence.ceilings),
    }
    return tuple(figure for figure, shown in found.items() if shown)


def all_figures(assessment: Assessment) -> tuple[Figure, ...]:
    """The claims' figures, then those about the run."""
    claims = (figure for experiment in assessment.experiments for figure in experiment.figures)
    return (*claims, *run_figures(assessment))


def draw_figures(assessment: Assessment, folder: str | Path) -> list[Path]:
    """Write every figure of a run as SVG and PNG, the same bytes for the same records.

    Returns
    -------
    list of Path
        The files, the SVG of each figure before its PNG.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with house_style():
        drawn = ((figure.name, draw(figure, assessment)) for figure in all_figures(assessment))
        return [path for name, page in drawn for path in save(page, target / name)]
