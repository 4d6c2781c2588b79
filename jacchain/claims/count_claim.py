"""What C1 and C2 share: executed multiplications of every network tried, against the formula."""

from functools import partial

import numpy as np

from jacchain.analysis.evidence import Count, Evidence
from jacchain.analysis.verdicts import Part, exact, undecided
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.cell import Cell, Dims, chain_cell
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.show import Axis, Curve, Panel, Scatter
from jacchain.experiments.sizes import Sizes
from jacchain.networks.zoo import ZOO


def count_experiment(claim: str, order: str, title: str, statement: str) -> Experiment:
    """Make the experiment of C1 or C2."""
    return Experiment(
        claim,
        title,
        statement,
        cells=zoo_cells,
        judge=partial(_judge, order),
        shows=partial(_shows, order),
        formulas=((order, 3),),
        timed=False,
    )


def zoo_cells(_: Sizes) -> list[Cell]:
    """Return the chain of each network of the zoo, loss first."""
    return [chain_cell((1, *reversed(network.sizes))) for network in ZOO.values()]


def _counts(evidence: Evidence, order: str) -> list[Count]:
    return [count for count in evidence.counts if count.order == order]


def _judge(order: str, evidence: Evidence, _: Sizes) -> list[Part]:
    """Compare the integers of each chain counted: they are equal, or they are not."""
    counts = _counts(evidence, order)
    if not counts:
        return [undecided(f"{order} multiplications", "no chain was counted in this run")]
    return [_part(count) for count in counts]


def _part(count: Count) -> Part:
    same = count.dims == count.cell_dims
    twin = "" if same else f", as a twin of {_times(count.cell_dims)}"
    expected = multiplications(count.order, count.dims)
    name = f"{_times(count.dims)}{twin}"
    return exact(name, count.multiplications, expected, unit="multiplications")


def _times(dims: Dims) -> str:
    return " x ".join(map(str, dims)) if len(dims) < 8 else f"{len(dims) - 1} factors"


def _shows(order: str, evidence: Evidence, _: Sizes) -> list[Scatter]:
    """Executed multiplications over the formula's; small twins are hollow."""
    counts = _counts(evidence, order)
    whole = [count for count in counts if count.dims == count.cell_dims]
    twins = [count for count in counts if count.dims != count.cell_dims]
    panel = Panel(
        "",
        Axis("formula (multiplications)", "powers of 10"),
        Axis("executed (multiplications)", "powers of 10"),
        tuple(
            _curve(f"{order}: {label}", group, order, hollow=group is twins)
            for group, label in (
                (whole, "the chain itself"),
                (twins, "a smaller twin of a long one"),
            )
            if group
        ),
    )
    return [
        Scatter(
            f"counts_{order.replace('-', '_')}",
            f"Multiplications, {order}",
            "Executed multiplications against the formula, one point for each chain counted; the "
            "line is equality.",
            panel,
            diagonal="equality",
        )
    ]


def _curve(label: str, counts: list[Count], order: str, *, hollow: bool) -> Curve:
    return Curve(
        label,
        np.array([multiplications(order, count.dims) for count in counts], dtype=float),
        np.array([count.multiplications for count in counts], dtype=float),
        look="loss-first" if order == "loss-first" else "input-first",
        marks="hollow" if hollow else "filled",
        line="",
    )
