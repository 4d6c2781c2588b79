"""Everything that one run visits: the claims' cells, and the controls that go with them."""

from collections.abc import Iterable

from jacchain.experiments.cells import BOTH, Cell, Dims, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.grids import input_grid
from jacchain.experiments.profiles import Profile


def _controls(dims: Iterable[Dims]) -> list[Cell]:
    """A/A pairs of both orders."""
    return [Cell(d, (order, order), role="control") for d in dims for order in BOTH]


def workload(profile: Profile, experiments: Iterable[Experiment]) -> tuple[Cell, ...]:
    """The cells of these experiments, each once, with controls; empty if nothing is timed.

    The controls are A/A pairs at the smallest, a middle and the largest |x|, and a chain of ones,
    whose products cost nothing but their calls. Comparisons need them too.
    """
    several = tuple(experiments)
    cells = [cell for experiment in several for cell in experiment.cells(profile)]
    if not cells and not any(experiment.comparisons(profile) for experiment in several):
        return ()
    sizes = input_grid(profile).cells
    sample = [sizes[0][1], sizes[len(sizes) // 2][1], sizes[-1][1]]
    return unique([*cells, *_controls(sample), Cell((1, 1, 1, 1, 1), role="overhead")])


def chain_workload(dims: Dims) -> tuple[Cell, ...]:
    """One chain of the user's own in both orders, with its A/A pairs."""
    return unique([Cell(dims), *_controls([dims])])
