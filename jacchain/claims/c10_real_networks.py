"""C10: all of it extends to convolutional and recurrent networks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.ratios import formula_ratio, ratio
from jacchain.analysis.verdicts import Statement
from jacchain.chains.chain import Chain
from jacchain.chains.count import COUNT_LIMIT, count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.plan import Plan
from jacchain.chains.planners import plan
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, LOSS_FIRST, Arm, Cell, Dims, evaluation_arm
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.parts import Counts, count_parts, order_parts
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.titles import brief, told_from_one
from jacchain.measuring.memory import allocated_bytes
from jacchain.networks import AffineLayer, Network, RecurrentLayer, unrolled_chain
from jacchain.networks.zoo import load_network
from jacchain.records.values import Executed

SIDE, STATE, CLASSES = 28, 64, 10
EXACT = "Executed multiplications of both networks equal those of the structures of their layers."
FASTER = "Loss-first is faster for each network wherever the formula's ratio is at least 2."
SPARSE, DENSE = FORMS = ("as they are", "dense")
COUNTS, MEMORY = "C10:counts", "C10:memory"

SeriesByRow = dict[tuple[str, str, str], Series]


def image(seed: int) -> tuple[NDArray[np.float64], int]:
    """Return 28 x 28 pixels from -1 to 1 as (784,), and a class: costs depend on neither."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, SIDE * SIDE), int(rng.integers(CLASSES))


def lenet(dtype: np.dtype[Any], seed: int) -> Chain:
    """Return the chain of LeNet-5, with activations folded into their layers."""
    return load_network("lenet-5", rng=seed, dtype=dtype).chain(*image(seed))


def recurrent(dtype: np.dtype[Any], seed: int) -> Chain:
    """Return the chain of a recurrent network that reads an image by rows, a factor a step."""
    rng = np.random.default_rng(seed)

    def weight(*shape: int) -> NDArray[Any]:
        return np.asarray(rng.standard_normal(shape) / np.sqrt(shape[-1]), dtype)

    Wx, Wh, W = weight(STATE, SIDE), weight(STATE, STATE), weight(CLASSES, STATE)
    reads = RecurrentLayer(Wx, Wh, np.zeros(STATE, dtype), steps=SIDE)
    network = Network([reads, AffineLayer(W, np.zeros(CLASSES, dtype))], "cross_entropy")
    return unrolled_chain(network, *image(seed))


LENET, RECURRENT = "LeNet-5", "recurrent, 28 steps"
NETWORKS: Mapping[str, Callable[[np.dtype[Any], int], Chain]] = {LENET: lenet, RECURRENT: recurrent}
_STATES = (STATE + SIDE * (SIDE - t) for t in range(SIDE - 1, 0, -1))
DIMS: Mapping[str, Dims] = {
    LENET: (1, 10, 84, 120, 400, 1600, 1176, 4704, 784),
    RECURRENT: (1, CLASSES, STATE, *_STATES, SIDE * SIDE),
}
ROWS = tuple(product(NETWORKS, FORMS))


def name(network: str, compared: str) -> str:
    """Return the name of a cell of this claim."""
    return f"C10 {network}, {compared}"


def dense_orders(sizes: Sizes) -> tuple[str, ...]:
    """Return the orders in which dense factors are multiplied: input-first takes long."""
    return sizes.pick(quick=(LOSS_FIRST,), standard=BOTH, full=BOTH)


def compared_forms(sizes: Sizes) -> tuple[str, ...]:
    """Return the forms of the factors that are multiplied in both orders."""
    return FORMS if dense_orders(sizes) == BOTH else (SPARSE,)


def cells(sizes: Sizes) -> list[Cell]:
    """Compare both orders of each network's factors, and dense factors with them as they are."""
    arms: dict[str, Callable[[str, np.dtype[Any], int], tuple[Arm, ...]]] = {
        f"orders, factors {form}": partial(_orders, form) for form in compared_forms(sizes)
    }
    arms |= {f"{order}, by form": partial(_forms, order) for order in dense_orders(sizes)}
    one_chain = f"orders, factors {SPARSE}"  # others build dense factors for each arm
    return [
        Cell(name(network, key), DIMS[network], partial(make, network), shared=key == one_chain)
        for network in NETWORKS
        for key, make in arms.items()
    ]


def _orders(form: str, network: str, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    chain = NETWORKS[network](dtype, seed)
    return tuple(_arm(order, chain, order, form) for order in BOTH)


def _forms(order: str, network: str, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    chain = NETWORKS[network](dtype, seed)
    return tuple(_arm(form, chain, order, form) for form in (DENSE, SPARSE))


def _arm(label: str, chain: Chain, order: str, form: str) -> Arm:
    if form == SPARSE:
        return evaluation_arm(label, chain, order)
    cost = plan(chain.dims, order, dtype=chain.dtype).cost
    return Arm(label, cost, lambda: evaluator(densified(chain), order))


def densified(chain: Chain) -> Chain:
    """Return the same chain with every element stored."""
    return Chain(factor.to_dense() for factor in chain.factors)


def _chains(seed: int) -> Iterator[tuple[str, str, Chain]]:
    """Yield each network and form, with its chain."""
    for network, build in NETWORKS.items():
        chain = build(np.dtype("float64"), seed)
        yield network, SPARSE, chain
        yield network, DENSE, densified(chain)


def count_networks(seed: int) -> Counts:
    """Return executed and predicted multiplications, where there are not too many to execute."""
    counts: Counts = {}
    for (network, form, chain), order in product(_chains(seed), BOTH):
        predicted = plan(chain, order).multiplications
        if predicted <= COUNT_LIMIT // 10:
            counts[f"{network}, factors {form}, {order}"] = (count(chain, order), predicted)
    return counts


@dataclass(frozen=True)
class Memory:
    """Bytes of a network's factors in one form, and of one order's evaluation beside them.

    `predicted` is the plan's peak of intermediates; `allocated` is what preparing and evaluating
    allocate at most.
    """

    factors: Executed
    predicted: Executed
    allocated: Executed


def measure_memory(seed: int) -> dict[str, Memory]:
    """Return the memory of each network, form and order."""
    memory = {}
    for (network, form, chain), order in product(_chains(seed), BOTH):
        work = plan(chain, order)
        taken = work.cost.held_bytes, work.cost.peak_bytes
        allocated = allocated_bytes(partial(_evaluate, chain, work))
        memory[f"{network}, {form}, {order}"] = Memory(*taken, allocated)
    return memory


def _evaluate(chain: Chain, order: Plan) -> object:
    return evaluator(chain, order)()


def judge(evidence: Evidence, sizes: Sizes) -> list[Statement]:
    """Judge that counts are exact, and C5's rule for each network in each form."""
    cells = [
        name(network, f"orders, factors {form}")
        for network in NETWORKS
        for form in compared_forms(sizes)
    ]
    return [
        Statement(EXACT, tuple(count_parts(evidence, COUNTS))),
        Statement(FASTER, order_parts(evidence, cells)),
    ]


def measured(evidence: Evidence) -> SeriesByRow:
    """Return what was measured, by network, form and order."""
    series: SeriesByRow = {}
    for network, form in ROWS:
        orders = evidence.cells.get(name(network, f"orders, factors {form}"), ())
        series |= {(network, form, arm.name): arm for arm in orders}
        for order in BOTH:
            for arm in evidence.cells.get(name(network, f"{order}, by form"), ()):
                if arm.name == form:
                    series.setdefault((network, form, order), arm)
    return series


def shows(evidence: Evidence, _: Sizes) -> Iterator[show.Rows]:
    """Show seconds, multiplications and bytes, a row for each network and form."""
    series, memory = measured(evidence), evidence.checks.get(MEMORY, {})
    axes = (
        show.Axis("time per evaluation (s)", "seconds"),
        show.Axis("multiplications", "powers of 10"),
        show.Axis("allocated beside the factors (bytes)", "bytes"),
    )
    marks = [_marks(network, form, series, memory) for network, form in ROWS]
    yield show.Rows(
        "networks",
        _title(evidence),
        "Seconds per evaluation with 95 % intervals; multiplications; "
        f"bytes of the factors, and what an evaluation allocates beside them.{_missing(series)}",
        tuple(f"{network}\n{form}" for network, form in ROWS),
        tuple(zip(axes, zip(*marks, strict=True), strict=True)),
        numbers=_table(evidence, series, memory),
    )


def _title(evidence: Evidence) -> str:
    """Say how the orders' times compare in each network, with its factors as they are."""
    texts = [
        f"{network}: input-first takes {told_from_one(ratio(*pair[::-1]), evidence.noise_floor)} "
        f"times as long; formula {brief(formula_ratio(*pair[::-1]))}"
        for network in NETWORKS
        if (pair := evidence.pair(name(network, f"orders, factors {SPARSE}")))
    ]
    return "\n".join(texts) or "Real networks: factors as they are, and dense"


def _missing(series: SeriesByRow) -> str:
    """Name the orders of which no time is shown."""
    keys = ((network, form, order) for network, form in ROWS for order in BOTH)
    missing = [", ".join(key) for key in keys if key not in series]
    return f" Not measured: {'; '.join(missing)}." if missing else ""


def _marks(
    network: str, form: str, series: SeriesByRow, memory: Mapping[str, Memory]
) -> tuple[tuple[show.Mark, ...], ...]:
    """Return what stands in one row of the three panels."""

    def mark(order: str, value: float, ends: show.Interval | None = None) -> show.Mark:
        return show.Mark(order, value, ends, cast("show.Look", order))

    arms = {o: series[network, form, o] for o in BOTH if (network, form, o) in series}
    labels = {order: f"{network}, {form}, {order}" for order in BOTH}
    taken = {order: memory[label] for order, label in labels.items() if label in memory}
    factors = [show.Mark("the factors themselves", m.factors) for m in taken.values()]
    return (
        tuple(mark(order, arm.time, arm.interval) for order, arm in arms.items()),
        tuple(mark(order, arm.cost.multiplications) for order, arm in arms.items()),
        (*factors[:1], *(mark(order, m.allocated) for order, m in taken.items())),
    )


def _table(evidence: Evidence, series: SeriesByRow, memory: Mapping[str, Memory]) -> show.Table:
    units: dict[str, show.Unit] = {"network, factors, order": "text", "time": "seconds"}
    units |= {"multiplications": "count", "factors": "bytes", "intermediates, formula": "bytes"}
    units |= {"allocated, measured": "bytes", "dense / as they are": "ratio"}
    units |= {"95 % interval": "interval"}
    rows = []
    for (network, form, order), arm in series.items():
        label = f"{network}, {form}, {order}"
        m = memory.get(label)
        sizes = (m.factors, m.predicted, m.allocated) if m else (None,) * 3
        pair = evidence.pair(name(network, f"{order}, by form")) if form == SPARSE else None
        low, middle, high = ratio(*pair) if pair else (None,) * 3
        interval = (low, high) if pair else None
        rows.append((label, arm.time, arm.cost.multiplications, *sizes, middle, interval))
    return show.table("Real networks", units, rows)


EXPERIMENT = Experiment(
    "C10",
    "Convolutional and recurrent networks",
    "All of it extends to convolutional and recurrent networks, tried on LeNet-5 (28 x 28 pixels) "
    "and on a recurrent network that reads an image in 28 steps: their multiplications are those "
    "of the structures, and loss-first is cheaper.",
    cells=cells,
    judge=judge,
    checks={
        COUNTS: Check(count_networks, Counts),
        MEMORY: Check(measure_memory, dict[str, Memory]),
    },
    shows=shows,
)
