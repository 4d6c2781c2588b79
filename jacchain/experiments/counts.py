"""What C1 and C2 share: executed multiplications of every network tried, against the formula."""

from collections.abc import Mapping
from typing import Any

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part, exact, undecided
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.cells import Cell
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.profiles import Profile
from jacchain.networks.zoo import ZOO


def zoo_cells(_: Profile) -> list[Cell]:
    """The chain of each network of the zoo, loss first."""
    return [Cell((1, *reversed(network.sizes))) for network in ZOO.values()]


def count_parts(evidence: Evidence, order: str) -> list[Part]:
    """One part for each chain counted: the integers are equal, or they are not."""
    counts = [c for c in evidence.counts if c["order"] == order]
    if not counts:
        return [undecided(f"{order} multiplications", "no chain was counted in this run")]
    return [_part(count) for count in counts]


def _part(count: Mapping[str, Any]) -> Part:
    dims = tuple(count["counted_dims"])
    twin = "" if dims == tuple(count["dims"]) else f", as a twin of {_times(count['dims'])}"
    expected = multiplications(count["order"], dims)
    return exact(f"{_times(dims)}{twin}", count["counted"], expected, unit="multiplications")


def _times(dims: tuple[int, ...]) -> str:
    return " x ".join(map(str, dims)) if len(dims) < 8 else f"{len(dims) - 1} factors"


def count_experiment(claim: str, order: str, title: str, statement: str) -> Experiment:
    """The experiment of C1 or C2."""
    return Experiment(
        claim,
        title,
        statement,
        cells=zoo_cells,
        judge=lambda evidence, _: count_parts(evidence, order),
        formulas=((order, 3),),
        timed=False,
        figures=(
            Figure(
                "counts",
                f"counts_{order.replace('-', '_')}",
                f"Multiplications, {order}",
                "Executed multiplications against the formula, one point for each chain counted; "
                "the line is equality.",
                grid=order,
            ),
        ),
    )
