"""Beside the claims: what a batch gains per sample over one by one, and by which kernels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.intervals import Triple
from jacchain.analysis.ratios import crossing, formula_ratio, ratio
from jacchain.chains.chain import Chain
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.claims.c7_mini_batches import NETWORK, batch_sizes, random_batch
from jacchain.claims.c7_mini_batches import measured as orders_measured
from jacchain.cost import Cost
from jacchain.costs.fit import fit_times
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, LOSS_FIRST, Arm, Cell, Dims, evaluation_arm
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.parts import list_numbers
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.titles import brief, told_from_one
from jacchain.jacobians import BlockDiagonalJacobian, DenseJacobian, DiagonalJacobian, Jacobian

BATCH, ONE_BY_ONE, EXPLICIT = "in a batch", "one by one", "explicit, each sample its own"
WIDE = "wide, loss-first"
WIDE_NETWORK = (1024, 1024, 1024, 10)  # its weights take long enough to read beside the calls
FEW_ROWS, FEW = "rows alone", (2, 4)
KERNELS: dict[str, Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "BLAS": lambda a, b, out: np.matmul(a, b, out=out),
    "einsum": lambda a, b, out: np.einsum("ij,jk->ik", a, b, out=out),
}
NEAR = 2.0  # working sets within this factor have about the same bandwidth
HALF = 0.5  # of the ceiling: where memory and arithmetic take equally long, one after the other
GIGA = 1e9


def cell_name(what: str, samples: int) -> str:
    """Name a cell by what it compares: "explicit", `WIDE`, `FEW_ROWS`, or an order and its gain."""
    return f"batching {what}, batch of {samples}"


def cells(sizes: Sizes) -> list[Cell]:
    """Compare batches with single samples, explicit with shared factors, and few rows."""
    return [cell for samples in batch_sizes(sizes) for cell in _cells(samples)]


def _cells(samples: int) -> list[Cell]:
    arms: dict[str, Callable[..., tuple[Arm, Arm]]] = {"explicit": _explicit}
    if samples > 1:
        arms |= {order: partial(_loop, order, NETWORK) for order in BOTH}
        arms[WIDE] = partial(_loop, LOSS_FIRST, WIDE_NETWORK)
    if samples in FEW:
        arms |= {f"{FEW_ROWS}, by {name}": partial(_rows, name) for name in KERNELS}
    return [
        Cell(
            cell_name(what, samples),
            _dims(what),
            partial(make, samples),
            group=f"batching {what}",
            shared=what != "explicit",
        )
        for what, make in arms.items()
    ]


def _dims(what: str) -> Dims:
    if what.startswith(FEW_ROWS):
        return (1, WIDE_NETWORK[0], WIDE_NETWORK[0])
    return (1, *reversed(WIDE_NETWORK if what == WIDE else NETWORK))


def _explicit(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, Arm]:
    own, shared = (random_batch(NETWORK, samples, dtype, seed, shared=s) for s in (False, True))
    return evaluation_arm(EXPLICIT, own, LOSS_FIRST), evaluation_arm(BATCH, shared, LOSS_FIRST)


def _rows(kernel: str, samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, Arm]:
    """Multiply some rows by one matrix, row by row and all at once."""
    n = WIDE_NETWORK[0]
    multiply = KERNELS[kernel]
    size, entries = dtype.itemsize, n * n + 2 * samples * n

    def arrays() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        rng = np.random.default_rng([seed, samples])
        rows = rng.standard_normal((samples, n)).astype(dtype)
        matrix = rng.standard_normal((n, n)).astype(dtype) / dtype.type(np.sqrt(n))
        return rows, matrix, np.empty_like(rows)

    def together() -> Callable[[], NDArray[Any]]:
        rows, matrix, out = arrays()
        return lambda: multiply(rows, matrix, out)

    def apart() -> Callable[[], NDArray[Any]]:
        rows, matrix, out = arrays()
        pairs = [(rows[i : i + 1], out[i : i + 1]) for i in range(samples)]

        def call() -> NDArray[Any]:
            for row, result in pairs:
                multiply(row, matrix, result)
            return out

        return call

    work, moved = samples * n * n, size * entries
    batch = Cost(products=1, multiplications=work, bytes=moved, held_bytes=moved)
    single = Cost(
        products=samples,
        multiplications=work,
        row_multiplications=work,
        bytes=size * samples * (n * n + 2 * n),
        held_bytes=moved,
    )
    return Arm(ONE_BY_ONE, single, apart), Arm(BATCH, batch, together)


def _loop(
    order: str, network: Dims, samples: int, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, Arm]:
    chain = random_batch(network, samples, dtype, seed)
    batch = evaluation_arm(BATCH, chain, order)
    single = plan(Chain(_shares(factor, samples)[0] for factor in chain.factors), order).cost
    cost = replace(samples * single, held_bytes=batch.cost.held_bytes)
    return Arm(ONE_BY_ONE, cost, partial(_one_by_one, chain, order, samples)), batch


def _one_by_one(chain: Chain, order: str, samples: int) -> Callable[[], NDArray[Any]]:
    """Evaluate the chain of every sample by itself, with weights that all share."""
    factors = zip(*(_shares(factor, samples) for factor in chain.factors), strict=True)
    singles = [evaluator(Chain(single), order) for single in factors]
    return lambda: np.concatenate([single() for single in singles], axis=1)


def _shares(factor: Jacobian, samples: int) -> list[Jacobian]:
    """Return the part of a factor that belongs to each sample."""
    if isinstance(factor, BlockDiagonalJacobian):
        return [BlockDiagonalJacobian(factor.array, 1)] * samples
    if isinstance(factor, DiagonalJacobian):
        return [DiagonalJacobian(part) for part in np.split(factor.diagonal, samples)]
    return [DenseJacobian(part) for part in np.split(factor.to_dense(), samples, axis=1)]


def measured(evidence: Evidence, sizes: Sizes, what: str) -> list[tuple[int, Series, Series]]:
    """Return batch size and both arms, wherever a cell was measured."""
    pairs = ((n, evidence.pair(cell_name(what, n))) for n in batch_sizes(sizes))
    return [(n, *pair) for n, pair in pairs if pair]


def findings(evidence: Evidence, sizes: Sizes) -> list[Finding]:
    """Explain why input-first gains little, and where a batch loses."""
    return [*_gain_finding(evidence, sizes), *_few_rows_finding(evidence)]


def _few_rows_finding(evidence: Evidence) -> Iterator[Finding]:
    """Compare the kernel that BLAS takes for few rows with a loop that has no such kernel."""
    for n in FEW:
        blas, loop = (evidence.pair(cell_name(f"{FEW_ROWS}, by {name}", n)) for name in KERNELS)
        if blas is None or loop is None:
            continue
        by_blas, by_loop = ratio(*blas), ratio(*loop)
        if by_blas[2] >= 1:
            continue
        yield Finding(
            f"{n} rows times a matrix take longer by BLAS than {n} times one row: one by one takes "
            f"{_in_words(by_blas)} times as long.",
            f"The kernel that BLAS takes for {n} rows: it prepares the matrix for more of them.",
            f"By einsum, which has no kernel of its own for few rows, it is {_in_words(by_loop)}.",
            vanishes=by_loop[0] > by_blas[2] and by_loop[2] >= 1,
        )


def _in_words(ratios: Triple) -> str:
    low, middle, high = ratios
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _gain_finding(evidence: Evidence, sizes: Sizes) -> Iterator[Finding]:
    loss, inputs = (
        [ratio(single, batch) for _, single, batch in measured(evidence, sizes, order)]
        for order in BOTH
    )
    least = 1 + evidence.noise_floor
    small = [middle for low, middle, _ in inputs if low < least]
    if not small or not loss:
        return
    yield Finding(
        f"In {len(small)} of {len(inputs)} batch sizes input-first gains nothing "
        f"from the batch: one by one it takes {list_numbers(small)} times as long.",
        "Its products are matrix by matrix for a single sample already, and so bound by "
        "arithmetic: a batch saves it only calls.",
        "Loss-first, whose products are row by matrix one by one, takes "
        f"{list_numbers([middle for _, middle, _ in loss])} times as long.",
        vanishes=all(low > least for low, _, _ in loss),
    )


@dataclass(frozen=True)
class Turning:
    """Batch sizes at which loss-first spends as long on memory as on arithmetic.

    `predicted` from the ceilings alone; `measured` where its rate reaches half of the ceiling, None
    where it does not. `ceiling` in flops per second, `bandwidth` in bytes per second.
    """

    predicted: float
    measured: float | None
    ceiling: float
    bandwidth: float


def turning(evidence: Evidence, sizes: Sizes) -> Turning | None:
    """Return where loss-first turns from bound by memory to bound by arithmetic, if measured.

    A batch of n reads each weight once, in `itemsize / bandwidth` seconds, and multiplies n times
    with it, in `2 n / ceiling`: both take equally long at `n = itemsize ceiling / (2 bandwidth)`.
    """
    batches, rates = wide_rates(evidence, sizes)
    flops = [_rate(s) for s in evidence.ceilings if s.group == "matrix-matrix"]
    weights = sizes.itemsize * sum(a * b for a, b in pairwise(WIDE_NETWORK))
    bandwidths = [
        s.cost.bytes / s.time
        for s in evidence.ceilings
        if s.group == "row-matrix" and weights / NEAR <= s.cost.working_set <= NEAR * weights
    ]
    if not len(batches) or not flops or not bandwidths:
        return None
    ceiling, bandwidth = max(flops), max(bandwidths)
    reached = crossing(batches, rates, HALF * ceiling)
    return Turning(sizes.itemsize * ceiling / (2 * bandwidth), reached, ceiling, bandwidth)


def wide_rates(evidence: Evidence, sizes: Sizes) -> tuple[Array, Array]:
    """Return batch sizes (n,) and flops per second (n,) of the wide network, one sample first."""
    rows = measured(evidence, sizes, WIDE)
    points = [(1, single) for _, single, _ in rows[:1]] + [(n, batch) for n, _, batch in rows]
    return np.array([n for n, _ in points], float), np.array([_rate(s) for _, s in points], float)


def _rate(series: Series) -> float:
    """Return flops per second."""
    return series.cost.flops / series.time


def shows(evidence: Evidence, sizes: Sizes) -> Iterator[show.Lines]:
    """Show, above, seconds per sample; below, the rate of loss-first and where it turns."""
    yield show.Lines(
        "batches",
        _gain_title(evidence, sizes),
        "Above: seconds per sample, with what the time model predicts from other cells. Below: "
        "the rate of loss-first against the ceilings of this machine, and where it turns from "
        "bound by memory to bound by arithmetic.",
        ((_times(evidence, sizes),), (_rates(evidence, sizes),)),
        heights=(1.15, 1),
        inches=8.6,
        numbers=_table(evidence, sizes),
    )


def _gain_title(evidence: Evidence, sizes: Sizes) -> str:
    """Say what the largest batch gains per sample in each order: by the formula, nothing."""
    texts = []
    for order in BOTH:
        for n, single, batch in measured(evidence, sizes, order)[-1:]:
            gain = told_from_one(ratio(single, batch), evidence.noise_floor)
            law = brief(formula_ratio(single, batch))
            texts.append(f"{order} in a batch of {n}: {gain} times as fast a sample; formula {law}")
    return "\n".join(texts) or "Cost per sample over the batch size"


def _axis(sizes: Sizes, limits: tuple[float, float] | None = None) -> show.Axis:
    return show.Axis("batch size (samples)", "sizes", batch_sizes(sizes), limits)


def _title(network: Dims) -> str:
    return f"network {' x '.join(map(str, network))}"


def _times(evidence: Evidence, sizes: Sizes) -> show.Panel:
    """Show both orders in a batch and one by one, explicit factors, and the model's prediction."""
    fit = fit_times(evidence)
    per_sample = partial(show.time_curve, per_sample=True)
    batches = orders_measured(evidence, sizes)
    curves = []
    for order in BOTH:
        points = [(n, pair[BOTH.index(order)]) for n, *pair in batches]
        singles = [(n, single) for n, single, _ in measured(evidence, sizes, order)]
        curves += [
            per_sample(f"{order}, in a batch", points, look=order, marks="filled"),
            per_sample(f"{order}, one by one", singles, look=order, marks="hollow", line=":"),
        ]
        if fit is not None and points:
            x = np.array([n for n, _ in points], float)
            y = np.array([fit.predict(s.cost) / n for n, s in points])
            curves.append(show.Curve("", x, y, look=order, line="--"))
    own = [(n, series) for n, series, _ in measured(evidence, sizes, "explicit")]
    label = "loss-first, each sample its own Jacobians"
    curves.append(per_sample(label, own, look="third", marks="filled"))
    shown = [curve for curve in curves if len(curve.x)]
    if shown and fit is not None:
        nothing = np.array([])
        shown.append(show.Curve("time model, from other cells", nothing, nothing, line="--"))
    seconds = show.Axis("time per sample (s)", "seconds")
    return show.Panel(_title(NETWORK), _axis(sizes), seconds, tuple(shown))


def _rates(evidence: Evidence, sizes: Sizes) -> show.Panel:
    """Show flops per second over the batch size, under the roof of bandwidth and arithmetic."""
    batches, rates = wide_rates(evidence, sizes)
    turn = turning(evidence, sizes)
    curves, levels = _roof(turn, sizes.itemsize) if turn else ([], [])
    x_limits = y_limits = None
    if len(batches):
        label = "loss-first, in a batch"
        curves.append(show.Curve(label, batches, rates / GIGA, look=LOSS_FIRST, marks="filled"))
        x_limits = (batches[0] / 1.4, batches[-1] * 1.4)
        highest = max(*rates, turn.ceiling if turn else 0)
        y_limits = (0.7 * rates.min() / GIGA, 1.6 * highest / GIGA)
    ticks = (1, 2, 5, 10, 20, 50, 100, 200, 500)
    y = show.Axis("loss-first (GFLOP/s)", "sizes", ticks, y_limits)
    return show.Panel(_title(WIDE_NETWORK), _axis(sizes, x_limits), y, tuple(curves), tuple(levels))


def _roof(turn: Turning, itemsize: int) -> tuple[list[show.Curve], list[show.Level]]:
    x = np.geomspace(0.7, 360, 50)
    roof = np.minimum(turn.ceiling, 2 * x * turn.bandwidth / itemsize) / GIGA
    levels = []
    if turn.predicted >= x[0]:
        levels.append(show.Level(f"turns at {turn.predicted:.1f}, predicted", turn.predicted, "x"))
    if turn.measured is not None:
        label = f"half of the ceiling at {turn.measured:.1f}, measured"
        levels.append(show.Level(label, turn.measured, "x", LOSS_FIRST, ":"))
    return [show.Curve("ceilings: bandwidth, arithmetic", x, roof)], levels


def _table(evidence: Evidence, sizes: Sizes) -> show.Table:
    """List times per sample at every batch size, and their ratios."""
    compared = (measured(evidence, sizes, what) for what in (*BOTH, "explicit"))
    gains = [{n: ratio(*pair)[1] for n, *pair in rows} for rows in compared]
    units: dict[str, show.Unit] = {"batch": "count"}
    units |= {f"{order}, per sample": "seconds" for order in BOTH}
    units |= {"ratio of times": "ratio", "ratio of multiplications": "ratio"}
    units |= {f"{order}: one by one / batch": "ratio" for order in BOTH}
    units |= {"loss-first: explicit / shared": "ratio"}
    rows = []
    for n, loss, inputs in orders_measured(evidence, sizes):
        ratios = ratio(inputs, loss)[1], formula_ratio(inputs, loss)
        rows.append((n, loss.time / n, inputs.time / n, *ratios, *(gain.get(n) for gain in gains)))
    caption = f"Times per sample, {_title(NETWORK)}{_turns(turning(evidence, sizes))}"
    return show.table(caption, units, rows)


def _turns(turn: Turning | None) -> str:
    if turn is None:
        return ""
    reached = "not reached" if turn.measured is None else f"reached at {turn.measured:.1f}"
    return (
        f"; {_title(WIDE_NETWORK)} turns from bound by memory to bound by arithmetic loss-first at "
        f"a batch of {turn.predicted:.1f} by the ceilings; half of the ceiling is {reached}"
    )


EXPERIMENT = Experiment(
    "batching",
    "What a batch gains",
    "A batch reads each weight once for all of its samples, where one by one reads it for each: "
    "what that gains per sample, in both orders, where loss-first turns from bound by memory to "
    "bound by arithmetic, and which kernel BLAS takes for few rows.",
    cells=cells,
    findings=findings,
    shows=shows,
    beside=("C7", "model"),
    is_claim=False,
)
