"""One chain of the user's own: which order is faster, and how sure that is.

An experiment like the others, but made for the dims in its name: ``chain-1x10x784``. The same
chain without controls, for other harnesses to be compared with, is ``cell-1x10x784``, and one
order of it ``cell-1x10x784-loss-first``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.ratios import formula_ratio, log_ratio, ratio
from jacchain.analysis.verdicts import Statement, undecided
from jacchain.chains.bracketing import Bracketing, all_bracketings
from jacchain.chains.planners import plan
from jacchain.claims.study_model import noise_figure
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST, Cell, Dims, chain_cell
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.parts import not_measured, ratio_part
from jacchain.experiments.show import Axis, Figure, Look, Mark, Rows, Table, Unit, table
from jacchain.experiments.sizes import Sizes
from jacchain.inputs import short
from jacchain.units import share

OPTIMAL = "optimal"
MOST_FACTORS = 5  # of a chain whose every order is listed: they are 14
TIME = Axis("time per evaluation (s)", "seconds from 0")
LOOKS: Mapping[str, Look] = {LOSS_FIRST: LOSS_FIRST, INPUT_FIRST: INPUT_FIRST, OPTIMAL: "third"}
LARGEST = 2**31 - 1  # BLAS counts rows and columns in 32 bits
_DOUBT = (
    " That is not sure: the noise of this machine could explain it. Stop what else runs (`jacchain "
    "doctor` says what disturbs), and measure again with --fresh."
)
_NAME = re.compile(r"(chain|cell)-(\d+(?:x\d+)+)(?:-(loss-first|input-first))?")


def claim_of(dims: Dims) -> str:
    """Name the experiment on a chain, of one output or several; raise ValueError if dims are none.

    Examples
    --------
    >>> claim_of((1, 10, 784))
    'chain-1x10x784'
    """
    given = " ".join(map(short, dims))
    if len(dims) < 3 or min(dims) < 1 or max(dims) > LARGEST:
        message = (
            f"dims are {given}; expected at least three sizes of 1 to {LARGEST}, loss first, such "
            "as 1 10 256 784"
        )
        raise ValueError(message)
    if dims[-1] == 1 < dims[0]:
        turned = " ".join(map(str, reversed(dims)))
        message = f"dims are {given}, from an input of one element; loss first they are {turned}"
        raise ValueError(message)
    return f"chain-{_times(dims)}"


def cell_claim(dims: Dims, order: str = "") -> str:
    """Name the experiment on a chain alone, in both orders or in one.

    Examples
    --------
    >>> cell_claim((1, 10, 784), "loss-first")
    'cell-1x10x784-loss-first'
    """
    return f"cell-{_times(dims)}{'-' * bool(order)}{order}"


def _times(dims: Dims) -> str:
    return "x".join(map(str, dims))


def experiment_named(name: str) -> Experiment | None:
    """Return the experiment of such a name; None of any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    kind, sizes, order = match.groups()
    dims = tuple(map(int, sizes.split("x")))
    if kind == "cell":
        cell = chain_cell(dims, (order,) if order else BOTH)
        return Experiment(name, name, "", cells=lambda _: [cell], beside=(), is_claim=False)
    return Experiment(
        name,
        "Fewer multiplications, less time",
        f"Of the two orders of the chain {' x '.join(map(str, dims))}, the one with fewer "
        "multiplications takes less time.",
        cells=partial(_cells, dims),
        judge=partial(_judge, dims),
        shows=partial(_shows, dims),
        answer=partial(_answer, dims),
        beside=(),
    )


def _cells(dims: Dims, _: Sizes) -> list[Cell]:
    controls = [chain_cell(dims, (order, order), role="control") for order in BOTH]
    return [chain_cell(dims), *_optimal_cell(dims), *controls]


def _optimal_cell(dims: Dims) -> list[Cell]:
    """Measure the optimal order beside the better one, where it takes fewer multiplications."""
    fewest, best = min((plan(dims, order).multiplications, order) for order in BOTH)
    if plan(dims, OPTIMAL).multiplications == fewest:
        return []
    return [chain_cell(dims, (best, OPTIMAL), role="comparison")]


@dataclass(frozen=True)
class Answer:
    """Which order is faster.

    `ratio` is slower / faster, with its interval widened by the noise floor; `formula` the same
    of multiplications.
    """

    faster: Series
    slower: Series
    ratio: float
    interval: tuple[float, float]
    formula: float
    noise_floor: float

    @property
    def is_sure(self) -> bool:
        """Whether the noise of this machine leaves no doubt."""
        return self.interval[0] > 1


def answer(evidence: Evidence, dims: Dims) -> Answer | None:
    """Compare the two orders of a chain; None if it was not measured."""
    pair = evidence.chains.get(dims)
    if pair is None:
        return None
    faster, slower = pair if log_ratio(*pair).value <= 0 else pair[::-1]
    low, middle, high = ratio(slower, faster)
    floor = float(np.exp(evidence.noise_floor))
    formula = formula_ratio(slower, faster)
    ends = low / floor, high * floor
    return Answer(faster, slower, middle, ends, formula, evidence.noise_floor)


def _answer(dims: Dims, evidence: Evidence, _: Sizes) -> Sequence[str | Table]:
    best = answer(evidence, dims)
    if best is None:
        return [
            f"The chain was not measured: {not_measured(evidence, chain_cell(dims).name).reason}."
        ]
    units: dict[str, Unit] = {"order": "text", "multiplications": "count", "bytes": "bytes"}
    units |= {"intermediates at most": "bytes"}
    units |= {"time": "seconds", "95 % interval": "seconds interval"}
    rows = [
        (s.name, s.cost.multiplications, s.cost.bytes, s.cost.peak_bytes, s.time, s.interval)
        for s in _measured(evidence, dims)
    ]
    low, high = best.interval
    doubt = "" if best.is_sure else _DOUBT
    sentence = (
        f"{best.faster.name} is {best.ratio:.2f} times as fast as {best.slower.name} "
        f"({low:.2f} to {high:.2f}, with a noise floor of {share(best.noise_floor, 0)}); "
        f"by multiplications alone it would be {best.formula:.2f}.{doubt}"
    )
    return [table("Orders of the chain", units, rows), sentence, *_beside(evidence, dims)]


def _beside(evidence: Evidence, dims: Dims) -> Iterator[str]:
    """Yield how the optimal order compares with the better of the two, where it is another."""
    for cell in _optimal_cell(dims):
        if pair := evidence.pair(cell.name):
            low, middle, high = ratio(*pair)
            yield (
                f"The optimal order is {middle:.2f} times as fast as {pair[0].name} ({low:.2f} to "
                f"{high:.2f}); by multiplications alone it would be {formula_ratio(*pair):.2f}."
            )


def _measured(evidence: Evidence, dims: Dims) -> list[Series]:
    """Return every order that was measured, the fastest first."""
    orders = [*evidence.chains.get(dims, ())]
    for cell in _optimal_cell(dims):
        orders += evidence.cells.get(cell.name, ())[1:]
    return sorted(orders, key=lambda series: series.time)


def _shows(dims: Dims, evidence: Evidence, sizes: Sizes) -> list[Figure | Table]:
    """Draw the time of each order; list what every order costs by plan; draw the noise."""
    orders = _measured(evidence, dims)
    names = tuple(series.name for series in orders)
    marks = tuple(
        (Mark("", series.time, series.interval, LOOKS[series.name], bar=True),) for series in orders
    )
    caption = "Seconds per evaluation with 95 % intervals over processes, the fastest order on top."
    times = Rows("orders", _title(answer(evidence, dims)), caption, names, ((TIME, marks),))
    noise = [noise_figure(evidence)] if evidence.controls else []
    return [*([times] if orders else []), plans_table(dims, sizes.itemsize), *noise]


def _title(best: Answer | None) -> str:
    """Say which order is how much faster, or that it is not resolved."""
    if best is None:
        return "Time of each order"
    low, high = best.interval
    law = f"formula {best.formula:.2f}"
    if not best.is_sure:
        return f"Not resolved which order is faster: {low:.2f} to {high:.2f}; {law}"
    return f"{best.faster.name} is {best.ratio:.2f} times as fast as {best.slower.name}; {law}"


def plans_table(dims: Dims, itemsize: int) -> Table:
    """List what orders of a chain cost by plan, the fewest multiplications first.

    Every order of up to five factors; of longer chains loss-first, input-first and the optimal one.
    """
    factors, dtype = len(dims) - 1, f"f{itemsize}"
    plans = {order: plan(dims, order, dtype=dtype) for order in (*BOTH, OPTIMAL)}
    if factors <= MOST_FACTORS:
        named = [(name, own.bracketing) for name, own in plans.items()]
        plans = {
            ", ".join([*(name for name, own in named if own == order), _brackets(order)]): plan(
                dims, order, dtype=dtype
            )
            for order in all_bracketings(factors)
        }
    rows = sorted(
        ((name, p.multiplications, p.bytes, p.cost.peak_bytes) for name, p in plans.items()),
        key=lambda row: row[1],
    )
    fewest = rows[0][1]
    units: dict[str, Unit] = {"order": "text", "multiplications": "count"}
    units |= {"times the fewest": "ratio", "bytes": "bytes", "peak of intermediates": "bytes"}
    which = "every order" if factors <= MOST_FACTORS else "three orders"
    caption = f"The plan: {which} of {' x '.join(map(str, dims))}, factor 0 being the loss"
    return table(caption, units, [(name, n, n / fewest, *rest) for name, n, *rest in rows])


def _brackets(order: Bracketing) -> str:
    """Write an order as products of factors.

    Examples
    --------
    >>> _brackets(((0, 1), 2))
    '(J0 J1) J2'
    """
    text = re.sub(r"(\d+)", r"J\1", str(order)).replace(",", "")
    return text.removeprefix("(").removesuffix(")") if isinstance(order, tuple) else text


def _judge(dims: Dims, evidence: Evidence, _: Sizes) -> list[Statement]:
    sentence = "The order with fewer multiplications takes less time."
    pair = evidence.chains.get(dims)
    if pair is None:
        return [Statement(sentence, (not_measured(evidence, chain_cell(dims).name),))]
    fewer, more = sorted(pair, key=lambda series: series.cost.multiplications)
    if fewer.cost.multiplications == more.cost.multiplications:
        reason = "both orders take as many multiplications"
        return [Statement(sentence, (undecided("time ratio of the orders", reason),))]
    return [Statement(sentence, (ratio_part(more, fewer, evidence.noise_floor),))]
