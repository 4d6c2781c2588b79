"""C7: mini-batches help, and loss-first stays far more efficient."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.fit import features, fit_times
from jacchain.analysis.ratios import crossing, formula_ratio, ratio
from jacchain.analysis.verdicts import Part
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, LOSS_FIRST, Arm, Cell, Dims, evaluation_arm
from jacchain.experiments.experiment import Check, Experiment, Finding
from jacchain.experiments.parts import Counts, count_parts, gain_part, list_numbers, order_part
from jacchain.experiments.sizes import Sizes
from jacchain.jacobians import BlockDiagonalJacobian, DenseJacobian, DiagonalJacobian, Jacobian
from jacchain.networks import batch_chain, mlp

BATCH, ONE_BY_ONE, EXPLICIT = "in a batch", "one by one", "explicit, each sample its own"
WIDE = "wide, loss-first"
NETWORK = (512, 256, 128, 10)
WIDE_NETWORK = (1024, 1024, 1024, 10)  # its weights take long enough to read beside the calls
COUNTS = "C7:counts"
COUNTED = 3  # samples
COUNTED_NETWORK = (12, 9, 7, 5)  # counting executes each multiplication
NEAR = 2.0  # working sets within this factor have about the same bandwidth
HALF = 0.5  # of the ceiling: where memory and arithmetic take equally long, one after the other
GIGA = 1e9


def batch_sizes(sizes: Sizes) -> tuple[int, ...]:
    """Return powers of four up to 64 in quick, of two up to 256 otherwise.

    Examples
    --------
    >>> batch_sizes(Sizes())
    (1, 4, 16, 64)
    """
    twos = tuple(2**k for k in range(9))
    return sizes.pick(quick=(1, 4, 16, 64), standard=twos, full=twos)


def cell_name(what: str, samples: int) -> str:
    """Name a cell by what it compares: "orders", "explicit", `WIDE`, or an order and its gain."""
    return f"C7 {what}, batch of {samples}"


def cells(sizes: Sizes) -> list[Cell]:
    """Compare both orders in a batch, batches with single samples, explicit and shared factors."""
    return [cell for samples in batch_sizes(sizes) for cell in _cells(samples)]


def _cells(samples: int) -> list[Cell]:
    arms: dict[str, Callable[..., tuple[Arm, Arm]]] = {"orders": _orders, "explicit": _explicit}
    if samples > 1:
        arms |= {order: partial(_loop, order, NETWORK) for order in BOTH}
        arms[WIDE] = partial(_loop, LOSS_FIRST, WIDE_NETWORK)
    return [
        Cell(
            cell_name(what, samples),
            (1, *reversed(WIDE_NETWORK if what == WIDE else NETWORK)),
            partial(make, samples),
            group=f"C7 {what}",
            shared=what != "explicit",
        )
        for what, make in arms.items()
    ]


def _chain(
    network: Dims, samples: int, dtype: np.dtype[Any], seed: int, *, shared: bool = True
) -> Chain:
    """Return the chain of a batch at random points of a random network of these sizes."""
    rng = np.random.default_rng([seed, samples])
    layers = mlp(*network, activation="tanh", loss="cross_entropy", rng=seed, dtype=dtype)
    inputs = rng.standard_normal((samples, network[0]))
    return batch_chain(layers, inputs, rng.integers(network[-1], size=samples), shared=shared)


def _orders(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, Arm]:
    chain = _chain(NETWORK, samples, dtype, seed)
    loss, inputs = (evaluation_arm(order, chain, order) for order in BOTH)
    return loss, inputs


def _explicit(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, Arm]:
    own, shared = (_chain(NETWORK, samples, dtype, seed, shared=s) for s in (False, True))
    return evaluation_arm(EXPLICIT, own, LOSS_FIRST), evaluation_arm(BATCH, shared, LOSS_FIRST)


def _loop(
    order: str, network: Dims, samples: int, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, Arm]:
    chain = _chain(network, samples, dtype, seed)
    batch = evaluation_arm(BATCH, chain, order)
    single = plan(_sample(chain, 0, samples), order).cost
    cost = replace(samples * single, held_bytes=batch.cost.held_bytes)
    return Arm(ONE_BY_ONE, cost, partial(_one_by_one, chain, order, samples)), batch


def _one_by_one(chain: Chain, order: str, samples: int) -> Callable[[], NDArray[Any]]:
    """Evaluate the chain of every sample by itself, with weights that all share."""
    singles = [evaluator(_sample(chain, i, samples), order) for i in range(samples)]
    return lambda: np.concatenate([single() for single in singles], axis=1)


def _sample(chain: Chain, index: int, samples: int) -> Chain:
    """Return the chain of one sample of a batch."""
    return Chain(_share(factor, index, samples) for factor in chain.factors)


def _share(factor: Jacobian, index: int, samples: int) -> Jacobian:
    """Return the part of a factor that belongs to one sample."""
    if isinstance(factor, BlockDiagonalJacobian):
        return BlockDiagonalJacobian(factor.array, 1)
    size = factor.shape[1] // samples
    own = slice(index * size, (index + 1) * size)
    if isinstance(factor, DiagonalJacobian):
        return DiagonalJacobian(factor.diagonal[own])
    return DenseJacobian(factor.to_dense()[:, own])


def count_batches(seed: int) -> Counts:
    """Count and predict the multiplications of a small batch."""
    counts: Counts = {}
    for form, order in product(("shared", "explicit"), BOTH):
        shared = form == "shared"
        chain = _chain(COUNTED_NETWORK, COUNTED, np.dtype("float64"), seed, shared=shared)
        figures = count(chain, order), plan(chain, order).multiplications
        counts[f"{form} factors, {order}, batch of {COUNTED}"] = figures
    return counts


def judge(evidence: Evidence, sizes: Sizes) -> list[Part]:
    """Judge counts; time in a batch against one by one; C5's rule at every batch size."""
    parts = count_parts(evidence, COUNTS)
    for n in batch_sizes(sizes):
        parts.append(order_part(evidence, cell_name("orders", n)))
        if n > 1:
            parts += [gain_part(evidence, cell_name(what, n)) for what in (*BOTH, WIDE)]
    return parts


def measured(evidence: Evidence, sizes: Sizes, what: str) -> list[tuple[int, Series, Series]]:
    """Return batch size and both arms, wherever a cell was measured."""
    pairs = ((n, evidence.pair(cell_name(what, n))) for n in batch_sizes(sizes))
    return [(n, *pair) for n, pair in pairs if pair]


def findings(evidence: Evidence, sizes: Sizes) -> list[Finding]:
    """Explain why time comes nearer to the formula in a batch, and why input-first gains little."""
    return [*_order_finding(evidence, sizes), *_gain_finding(evidence, sizes)]


def _order_finding(evidence: Evidence, sizes: Sizes) -> Iterator[Finding]:
    rows = measured(evidence, sizes, "orders")
    if len(rows) < 2:
        return
    (few, *_), (many, *_) = ends = rows[0], rows[-1]
    formulas = [formula_ratio(inputs, loss) for _, loss, inputs in ends]
    times = [ratio(inputs, loss)[1] for _, loss, inputs in ends]
    short = [formula / time for formula, time in zip(formulas, times, strict=True)]
    if short[0] < 1:
        return
    yield Finding(
        f"In a batch of {few} input-first takes {times[0]:.3g} times as long as loss-first, "
        f"where it multiplies {formulas[0]:.3g} times as much.",
        "Loss-first multiplies a row by each matrix, and reads every weight for a single "
        "multiplication; the other order multiplies matrices.",
        f"In a batch of {many} loss-first multiplies matrices too: the ratio of times is "
        f"{times[1]:.3g}, the ratio of multiplications {formulas[1]:.3g}. "
        f"Short of the formula {short[0]:.2g}-fold before, {short[1]:.2g}-fold now.",
        vanishes=short[1] < 1 + (short[0] - 1) / 4,
    )


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
        "Cost per sample over the batch size",
        "Above: seconds per sample, with what the time model predicts from other cells. Below: "
        "the rate of loss-first against the ceilings of this machine, and where it turns from "
        "bound by memory to bound by arithmetic.",
        ((_times(evidence, sizes),), (_rates(evidence, sizes),)),
        heights=(1.15, 1),
        inches=8.6,
        numbers=_table(evidence, sizes),
    )


def _axis(sizes: Sizes, limits: tuple[float, float] | None = None) -> show.Axis:
    return show.Axis("batch size (samples)", "sizes", batch_sizes(sizes), limits)


def _title(network: Dims) -> str:
    return f"network {' x '.join(map(str, network))}"


def _times(evidence: Evidence, sizes: Sizes) -> show.Panel:
    """Show both orders in a batch and one by one, explicit factors, and the model's prediction."""
    fit = fit_times(evidence)
    per_sample = partial(show.time_curve, per_sample=True)
    batches = measured(evidence, sizes, "orders")
    curves = []
    for order in BOTH:
        points = [(n, pair[BOTH.index(order)]) for n, *pair in batches]
        singles = [(n, single) for n, single, _ in measured(evidence, sizes, order)]
        curves += [
            per_sample(f"{order}, in a batch", points, look=order, marks="filled"),
            per_sample(f"{order}, one by one", singles, look=order, marks="hollow", line=":"),
        ]
        if fit is not None:
            x = np.array([n for n, _ in points], float)
            y = np.array([features(s, evidence) @ fit.coefficients / n for n, s in points])
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
    for n, loss, inputs in measured(evidence, sizes, "orders"):
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
    "C7",
    "Mini-batches",
    "Mini-batches help: the time per sample falls with the size of the batch, in both orders; and "
    "loss-first stays cheaper at every batch size.",
    cells=cells,
    judge=judge,
    checks={COUNTS: Check(count_batches, Counts)},
    findings=findings,
    shows=shows,
)
