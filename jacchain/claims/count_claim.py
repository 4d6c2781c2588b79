"""What C1 and C2 share: executed multiplications of every network tried, against the formula."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

import numpy as np

from jacchain.analysis.evidence import Count, Evidence
from jacchain.analysis.verdicts import Part, Statement, exact, undecided
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.cell import Cell, Dims, chain_cell
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.show import Axis, Curve, Look, Panel, Scatter
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


def _judge(order: str, evidence: Evidence, _: Sizes) -> list[Statement]:
    """Compare the integers of each chain counted: they are equal, or they are not."""
    sentence = (
        f"Of every chain counted, {order} executes as many multiplications as the formula says."
    )
    missing = undecided(order, "no chain was counted in this run", timed=False)
    parts = [_part(count) for count in _counts(evidence, order)] or [missing]
    return [Statement(sentence, tuple(parts))]


def _part(count: Count) -> Part:
    twin = "" if count.dims == count.cell_dims else f", as a twin of {_times(count.cell_dims)}"
    expected = multiplications(count.order, count.dims)
    name = f"{_times(count.dims)}{twin}"
    return exact(name, count.multiplications, expected, unit="multiplications")


def _times(dims: Dims) -> str:
    return " x ".join(map(str, dims)) if len(dims) < 8 else f"{len(dims) - 1} factors"


def _shows(order: str, evidence: Evidence, _: Sizes) -> Iterator[Scatter]:
    """Show executed multiplications over the formula's; small twins are hollow."""
    curves = []
    for what, marks in (("the chain itself", "filled"), ("a smaller twin of a long one", "hollow")):
        is_twin = marks == "hollow"
        counts = [c for c in _counts(evidence, order) if (c.dims != c.cell_dims) == is_twin]
        if counts:
            curves.append(_curve(f"{order}: {what}", counts, marks=marks))
    x = Axis("formula (multiplications)", "powers of 10")
    y = Axis("executed (multiplications)", "powers of 10")
    yield Scatter(
        f"counts_{order.replace('-', '_')}",
        _title(order, _counts(evidence, order)),
        "Executed multiplications against the formula, one point for each chain counted; the "
        "line is equality.",
        Panel("", x, y, tuple(curves)),
        diagonal="equality",
    )


def _title(order: str, counts: Iterable[Count]) -> str:
    """Say of how many chains the count equals the formula."""
    parts = [_part(count) for count in counts]
    equal = sum(part.measured == part.expected for part in parts)
    return f"{order}: {equal} of {len(parts)} counts equal the formula"


def _curve(label: str, counts: list[Count], **style: Any) -> Curve:
    formula = np.array([multiplications(c.order, c.dims) for c in counts], dtype=float)
    executed = np.array([c.multiplications for c in counts], dtype=float)
    return Curve(label, formula, executed, look=cast("Look", counts[0].order), line="", **style)
