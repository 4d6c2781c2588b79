"""C8: caching adjoints pays for all parameter gradients loss-first, and not input-first."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.intervals import estimate
from jacchain.analysis.ratios import formula_ratio, process_ratios, ratio
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.slopes import slope_part, sweep_of
from jacchain.analysis.verdicts import Part, Statement, exact, timed, undecided
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST, Arm, Cell, evaluation_arm
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.parts import Counts, count_parts, gain_part
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.sweep_parts import regime_parts
from jacchain.experiments.titles import brief, told_from_one
from jacchain.measuring.memory import allocated_bytes
from jacchain.networks import mlp
from jacchain.records.values import Executed, Positive

Order = Literal["loss-first", "input-first"]
Label = Literal["each from scratch", "with a cache"]
SCRATCH: Label = "each from scratch"
CACHED: Label = "with a cache"
CACHES: dict[Label, bool] = {SCRATCH: False, CACHED: True}
ORDERS: tuple[Order, ...] = BOTH
SHOWN: list[tuple[Order, Label]] = [
    (LOSS_FIRST, SCRATCH),
    (LOSS_FIRST, CACHED),
    (INPUT_FIRST, SCRATCH),
]
WAYS = [(order, label) for order in ORDERS for label in CACHES]
POINTS: dict[Label, dict[str, Any]] = {  # open and filled ones may be in one place
    SCRATCH: {"marks": "hollow", "line": ""},
    CACHED: {"marks": "filled", "line": ""},
}
GROWTH, PREDICTED = "formula's growth, through the deepest", "peak by the plan"
LINES: dict[Label, Literal["--", "-"]] = {SCRATCH: "--", CACHED: "-"}
NARROW, WIDE = 48, 256  # sizes of all layers: for all four ways, and for growth of loss-first
DEEPEST = 24  # layers that are to fit into the last level of cache, so that growth can be judged
COUNTS, PRODUCTS, MEMORY = "C8:counts", "C8:products", "C8:memory"
COUNTED = (2, 3, 5, 6)  # layers, of 4 each
MEASURED = (2, 4, 8)  # layers, at which memory is measured
LEAST_LAYERS = 3
EXACT = "All parameter gradients take exactly as many multiplications as the schedule says."
LINEAR = (
    "With a cache, the time of all gradients loss-first grows linearly with depth: the exponent is "
    "the formula's within 0.15, and no other law predicts left-out depths better, but for a "
    "percentage point and what 5 % in time make of the error."
)
QUADRATIC = (
    "Without a cache it grows quadratically, with the same margins: the formula's exponent over "
    "these depths lies between 1 and 2."
)
PAYS = "The cache pays loss-first: from three layers on, all gradients take less time with it."
GROWS = "Its gain grows with depth: the exponent of the gain is above 0."
NOTHING_SHARED = (
    "Input-first, no partial product of one gradient serves another: with a cache the schedule "
    "has as many products as without."
)


def depths(sizes: Sizes, order: str, width: int) -> tuple[int, ...]:
    """Return the numbers of layers at which a cell is measured."""
    if width != NARROW:
        few = (6, 7, 8, 12, 16, 24)
        return sizes.pick(quick=few, standard=(*few, 32, 48), full=(*few, 32, 48))
    few = (1, 2, 3, 4, 6, 8)
    quick = (*few, 12) if order == LOSS_FIRST else few
    return sizes.pick(quick=quick, standard=(*few, 12), full=(*few, 12))


def cell_name(order: str, width: int, layers: int) -> str:
    """Name a cell of this claim."""
    return f"C8 {order}, {layers} layers of {width}"


def wide(sizes: Sizes) -> int:
    """Return the size of the wide layers: smaller where what they touch would leave the cache.

    Each layer has two Jacobians and a gradient of `width^2` entries; the gradient of the weights is
    sparse, with indices of 4 bytes.

    Examples
    --------
    >>> wide(Sizes()), wide(Sizes(l2=2**20, llc=2**25))
    (256, 108)
    """
    if not sizes.windows:
        return WIDE
    _, most = sizes.windows[0]
    fitting = int((most / (DEEPEST * (3 * sizes.itemsize + 4))) ** 0.5)
    return min(WIDE, max(NARROW + 16, fitting // 4 * 4))


def sweeps(sizes: Sizes) -> tuple[tuple[Order, int], ...]:
    """Return the order and the size of layers of each sweep over depth."""
    return ((LOSS_FIRST, NARROW), (INPUT_FIRST, NARROW), (LOSS_FIRST, wide(sizes)))


def cells(sizes: Sizes) -> list[Cell]:
    """Compare, over depth, loss-first from scratch and cached, and cached with input-first."""
    arms = {LOSS_FIRST: _ways, INPUT_FIRST: _orders}
    return [
        Cell(
            cell_name(order, width, layers),
            (1, *(width,) * (layers + 1)),
            partial(arms[order], width, layers),
            group=f"C8 {order}, width {width}",
        )
        for order, width in sweeps(sizes)
        for layers in depths(sizes, order, width)
    ]


def chains(width: int, layers: int, dtype: np.dtype[Any], seed: int) -> dict[str, Chain]:
    """Return the chain of each parameter of a random network."""
    rng = np.random.default_rng([seed, width, layers])
    network = mlp(*(width,) * (layers + 1), activation="tanh", rng=rng, dtype=dtype)
    return network.parameter_chains(rng.standard_normal(width), rng.standard_normal(width))


def _ways(width: int, layers: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    by_parameter = chains(width, layers, dtype, seed)
    return tuple(
        evaluation_arm(label, by_parameter, LOSS_FIRST, cache=cache)
        for label, cache in CACHES.items()
    )


def _orders(width: int, layers: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    """Return each order in its best way: a cache would hold nothing input-first."""
    by_parameter = chains(width, layers, dtype, seed)
    return (
        evaluation_arm(INPUT_FIRST, by_parameter, INPUT_FIRST, cache=False),
        evaluation_arm(CACHED, by_parameter, LOSS_FIRST),
    )


def count_gradients(seed: int) -> Counts:
    """Count and predict the multiplications of all four ways, over depth."""
    counts = {}
    for layers, (order, label) in product(COUNTED, WAYS):
        by_parameter = chains(4, layers, np.dtype("float64"), seed)
        executed = count(by_parameter, order, cache=CACHES[label])
        predicted = plan(by_parameter, order, cache=CACHES[label]).multiplications
        counts[f"{order}, {label}, {layers} layers of 4"] = (executed, predicted)
    return counts


def count_products(seed: int) -> Counts:
    """Return the products of all gradients with a cache and each from scratch, over depth."""
    counts = {}
    for layers, order in product(COUNTED, ORDERS):
        by_parameter = chains(4, layers, np.dtype("float64"), seed)
        cached, scratch = (plan(by_parameter, order, cache=c).cost.products for c in (True, False))
        counts[f"{order}, {layers} layers"] = (cached, scratch)
    return counts


@dataclass(frozen=True)
class Call:
    """Bytes of one call: allocated at most, predicted, and kept for other gradients."""

    order: Order
    label: Label
    layers: Positive
    allocated: Executed
    predicted: Executed
    kept: Executed


@dataclass(frozen=True)
class Memory:
    """Bytes of every way at every depth."""

    calls: tuple[Call, ...]


def measure_memory(seed: int) -> Memory:
    """Measure what one call of each way allocates at most, and say what its cache keeps."""
    return Memory(tuple(_call(seed, *way, layers) for way in WAYS for layers in MEASURED))


def _call(seed: int, order: Order, label: Label, layers: int) -> Call:
    by_parameter = chains(NARROW, layers, np.dtype("float64"), seed)
    cache = CACHES[label]

    def run() -> object:
        return evaluator(by_parameter, order, cache=cache)()

    work = plan(by_parameter, order, cache=cache)
    kept = work.dtype.itemsize * work.kept_elements
    return Call(order, label, layers, allocated_bytes(run), work.cost.peak_bytes, kept)


def judge(evidence: Evidence, sizes: Sizes) -> list[Statement]:
    """Judge counts, growth of loss-first both ways, its gains, and what input-first shares."""
    pays = [
        gain_part(evidence, cell_name(LOSS_FIRST, width, layers))
        for order, width in sweeps(sizes)
        for layers in depths(sizes, order, width)
        if order == LOSS_FIRST and layers >= LEAST_LAYERS
    ]
    return [
        Statement(EXACT, tuple(count_parts(evidence, COUNTS))),
        Statement(LINEAR, tuple(_growth_parts(evidence, sizes, CACHED, "n"))),
        Statement(QUADRATIC, tuple(_growth_parts(evidence, sizes, SCRATCH, "n^2"))),
        Statement(PAYS, tuple(pays)),
        Statement(GROWS, tuple(_gain_growth_parts(evidence, sizes))),
        Statement(NOTHING_SHARED, tuple(_shared_parts(evidence))),
    ]


def _measured(
    evidence: Evidence, sizes: Sizes, order: str, width: int, label: str
) -> list[tuple[int, Series]]:
    """Return depth and series of one way, wherever it was measured."""
    names = ((n, cell_name(order, width, n)) for n in depths(sizes, order, width))
    return [(n, s) for n, name in names for s in evidence.pair(name) or () if s.name == label]


def _growth_parts(evidence: Evidence, sizes: Sizes, label: Label, law: str) -> list[Part]:
    """Judge slope and rival laws of one way in one memory regime."""
    reason = "no memory regime holds four depths over half a decade above the overhead"
    whole = sweep_of("L", _measured(evidence, sizes, LOSS_FIRST, wide(sizes), label), law)
    where = f"of loss-first, {label}, over L"
    return [
        part
        for what, judgement in (("slope", slope_part), ("rivals", rival_part))
        for part in regime_parts(whole, evidence, f"{what} {where}", reason, judgement)
    ]


def _gain_growth_parts(evidence: Evidence, sizes: Sizes) -> list[Part]:
    """Judge the exponent of the gain over depth, both networks: it is above 0."""
    parts = []
    for width in (NARROW, wide(sizes)):
        depth = [n for n in depths(sizes, LOSS_FIRST, width) if n >= LEAST_LAYERS]
        pairs = [evidence.pair(cell_name(LOSS_FIRST, width, n)) for n in depth]
        name = f"exponent of the gain over depth, layers of {width}"
        measured = [(n, pair) for n, pair in zip(depth, pairs, strict=True) if pair]
        if len(measured) < LEAST_LAYERS:
            parts.append(undecided(name, "not measured in this run"))
            continue
        logs = np.log([n for n, _ in measured])
        weights = (logs - logs.mean()) / ((logs - logs.mean()) ** 2).sum()
        gains = np.column_stack([process_ratios(*pair) for _, pair in measured])
        formula = np.log([formula_ratio(*pair) for _, pair in measured]) @ weights
        widening = evidence.noise_floor / float(logs[-1] - logs[0])
        margin, unit = (0.0, np.inf), "exponent"
        slope = estimate(gains @ weights)
        parts.append(timed(name, slope, float(formula), margin, widening=widening, unit=unit))
    return parts


def _shared_parts(evidence: Evidence) -> list[Part]:
    """Judge how many products a cache saves: none input-first."""
    products: Counts | None = evidence.checks.get(PRODUCTS)
    if not products:
        return [undecided("products", "not counted in this run", timed=False)]
    return [
        exact(f"products with a cache, {name}", *pair, unit="products")
        for name, pair in products.items()
        if name.startswith(INPUT_FIRST)
    ]


def shows(evidence: Evidence, sizes: Sizes) -> Iterator[show.Lines]:
    """Show, above, seconds over depth of both networks; below, bytes."""
    times = tuple(_times(evidence, sizes, width) for width in (NARROW, wide(sizes)))
    yield show.Lines(
        "gradients",
        _title(evidence, sizes),
        "Above: seconds for all gradients, with lines for the formula's growth. "
        "Below: bytes allocated at most, lines for the formula's; and those kept for others. "
        f"Input-first is not measured in layers of {wide(sizes)}, where it takes long.",
        (times, (_memory(evidence),)),
        inches=7.6,
        numbers=_table(evidence, sizes),
    )


def _title(evidence: Evidence, sizes: Sizes) -> str:
    """Say what a cache gains loss-first in the deepest network that was measured."""
    width = wide(sizes)
    for layers in reversed(depths(sizes, LOSS_FIRST, width)):
        if pair := evidence.pair(cell_name(LOSS_FIRST, width, layers)):
            gain = told_from_one(ratio(*pair), evidence.noise_floor)
            return (
                f"A cache makes all gradients of {layers} layers {gain} times as fast loss-first; "
                f"formula {brief(formula_ratio(*pair))}"
            )
    return "All parameter gradients over depth"


def _depth_axis(layers: tuple[int, ...]) -> show.Axis:
    return show.Axis("depth L (layers)", "sizes", layers)


def _times(evidence: Evidence, sizes: Sizes, width: int) -> show.Panel:
    """Show points, and for each way a line of the formula's growth through the deepest."""
    curves = []
    for order, label in SHOWN:
        arm = INPUT_FIRST if order == INPUT_FIRST else label
        points = _measured(evidence, sizes, order, width, arm)
        if points:
            curve = show.time_curve(f"{order}, {label}", points, look=order, **POINTS[label])
            growth = np.array([s.cost.multiplications for _, s in points], dtype=float)
            line = growth * curve.y[-1] / growth[-1]
            curves += [curve, show.Curve(GROWTH, curve.x, line, look=order, line=LINES[label])]
    ticks = tuple(n for n in depths(sizes, LOSS_FIRST, width) if n not in {3, 7})
    y = show.Axis("time, all gradients (s)", "seconds")
    return show.Panel(f"layers of {width}", _depth_axis(ticks), y, tuple(curves))


def _memory(evidence: Evidence) -> show.Panel:
    """Show what a call allocates at most, with the formula's peak as a line, and what is kept."""
    memory: Memory = evidence.checks.get(MEMORY) or Memory(())
    curves = []
    for order, label in WAYS:
        calls = [call for call in memory.calls if (call.order, call.label) == (order, label)]
        if not calls:
            continue
        sizes = [(c.layers, c.allocated, c.predicted, c.kept) for c in calls]
        x, allocated, predicted, kept = np.array(sizes, dtype=float).T
        name = f"{order}, {label}"
        curves.append(show.Curve(name, x, allocated, look=order, **POINTS[label]))
        curves.append(show.Curve(PREDICTED, x, predicted, look=order, line=LINES[label]))
        if (order, label) == (LOSS_FIRST, CACHED):
            name = "of it adjoints kept, loss-first"
            curves.append(show.Curve(name, x, kept, look="fourth", marks="filled", line="-."))
    title, y = f"memory, layers of {NARROW}", show.Axis("allocated at most (bytes)", "bytes")
    return show.Panel(title, _depth_axis(MEASURED), y, tuple(curves))


def _table(evidence: Evidence, sizes: Sizes) -> show.Table:
    """List times both ways at every depth, and the gain beside the formula's."""
    rows = []
    for order, width in sweeps(sizes):
        for layers in depths(sizes, order, width):
            if pair := evidence.pair(cell_name(order, width, layers)):
                low, gain, high = ratio(*pair)
                slower = f"loss-first, {SCRATCH}" if order == LOSS_FIRST else INPUT_FIRST
                name = f"{slower}: {layers} layers of {width}"
                times = (series.time for series in pair)
                rows.append((name, *times, gain, (low, high), formula_ratio(*pair)))
    units: dict[str, show.Unit] = {"way, network": "text", "time": "seconds"}
    units |= {"loss-first with a cache": "seconds", "ratio": "ratio", "95 % interval": "interval"}
    units |= {"by the formula": "ratio"}
    return show.table("Times of all parameter gradients", units, rows)


EXPERIMENT = Experiment(
    "C8",
    "Caching adjoints",
    "Cached adjoints make the cost of all parameter gradients grow linearly with depth loss-first, "
    "where each from scratch makes it grow quadratically; input-first a cache is of no use.",
    cells=cells,
    judge=judge,
    checks={
        COUNTS: Check(count_gradients, Counts),
        PRODUCTS: Check(count_products, Counts),
        MEMORY: Check(measure_memory, Memory),
    },
    shows=shows,
    gradient_formulas=((LOSS_FIRST, True), (LOSS_FIRST, False), (INPUT_FIRST, False)),
)
