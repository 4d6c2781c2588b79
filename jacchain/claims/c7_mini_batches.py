"""C7: a step on a mini-batch costs less than one on the whole set, and loss-first stays faster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.ratios import formula_ratio, ratio
from jacchain.analysis.verdicts import Part, Statement, exact, undecided
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.experiments import show
from jacchain.experiments.cell import BOTH, Arm, Cell, Dims, evaluation_arm
from jacchain.experiments.experiment import Check, Experiment, Finding
from jacchain.experiments.parts import Counts, count_parts, gain_part, order_parts
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.titles import brief, told_from_one
from jacchain.measuring.memory import allocated_bytes
from jacchain.networks import batch_chain, mlp
from jacchain.records.values import Executed

NETWORK = (512, 256, 128, 10)
COUNTS, MEMORY = "C7:counts", "C7:memory"
COUNTED_SET = 12  # samples of a whole set whose steps are counted
COUNTED = (12, 6, 4, 3, 2, 1)  # batches that divide it
COUNTED_NETWORK = (12, 9, 7, 5)  # counting executes each multiplication
MEASURED = (64, 16, 4, 1)  # batches whose memory is measured, the whole set first
BELOW_ONE = float(np.nextafter(1, 0))

EXACT = "A step on a batch executes as many multiplications as its plan says."
PROPORTION = (
    "Multiplications of a step fall in proportion to the batch, from the whole set down, in both "
    "orders."
)
TIME = "The time of a step on a batch is lower than on the whole set, at every batch, both orders."
PEAK = (
    "The peak memory of a step on a batch is lower than on the whole set, at every batch, both "
    "orders."
)
FASTER = "Loss-first is faster at every batch size where the formula's ratio is at least 2."


def batch_sizes(sizes: Sizes) -> tuple[int, ...]:
    """Return powers of four up to 16 in quick, of two up to 256 otherwise; last, the whole set.

    Examples
    --------
    >>> batch_sizes(Sizes())
    (1, 4, 16)
    """
    twos = tuple(2**k for k in range(9))
    return sizes.pick(quick=(1, 4, 16), standard=twos, full=twos)


def steps(sizes: Sizes) -> list[tuple[str, int, int]]:
    """Return order, whole set and batch of every step that is compared with the whole set's."""
    whole = batch_sizes(sizes)[-1]
    return [(order, whole, n) for order, n in product(BOTH, (1, 4, 16, 64)) if n < whole]


def orders_cell(samples: int) -> str:
    """Name the cell of both orders at a batch size."""
    return f"C7 orders, batch of {samples}"


def step_cell(order: str, whole: int, samples: int) -> str:
    """Name the cell that compares a step on the whole set with one on a batch."""
    return f"C7 {order}, whole set of {whole} / batch of {samples}"


def cells(sizes: Sizes) -> list[Cell]:
    """Compare both orders at each batch size, and the whole set with each batch."""
    dims = (1, *reversed(NETWORK))
    orders = [
        Cell(orders_cell(n), dims, partial(_orders, n), group="C7 orders")
        for n in batch_sizes(sizes)
    ]
    against_whole = [
        Cell(
            step_cell(*step),
            dims,
            partial(_steps, *step),
            group=f"C7 {step[0]}",
            shared=False,
            agree=False,
        )
        for step in steps(sizes)
    ]
    return [*orders, *against_whole]


def random_batch(
    network: Dims, samples: int, dtype: np.dtype[Any], seed: int, *, shared: bool = True
) -> Chain:
    """Return the chain of a batch at random points of a random network of these sizes."""
    rng = np.random.default_rng([seed, samples])
    layers = mlp(*network, activation="tanh", loss="cross_entropy", rng=seed, dtype=dtype)
    inputs = rng.standard_normal((samples, network[0]))
    return batch_chain(layers, inputs, rng.integers(network[-1], size=samples), shared=shared)


def _orders(samples: int, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    chain = random_batch(NETWORK, samples, dtype, seed)
    return tuple(evaluation_arm(order, chain, order) for order in BOTH)


def _steps(
    order: str, whole: int, samples: int, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, ...]:
    labels = {f"whole set of {whole}": whole, f"batch of {samples}": samples}
    return tuple(
        evaluation_arm(label, random_batch(NETWORK, n, dtype, seed), order)
        for label, n in labels.items()
    )


def count_batches(seed: int) -> Counts:
    """Count and predict the multiplications of small batches, by form, order and batch."""
    counts: Counts = {}
    for shared, order, n in product((True, False), BOTH, COUNTED):
        chain = random_batch(COUNTED_NETWORK, n, np.dtype("float64"), seed, shared=shared)
        name = f"{'shared' if shared else 'explicit'} factors, {order}, batch of {n}"
        counts[name] = count(chain, order), plan(chain, order).multiplications
    return counts


@dataclass(frozen=True)
class Memory:
    """Bytes that a step allocates at most, and the plan's peak of intermediates."""

    allocated: Executed
    predicted: Executed


def measure_memory(seed: int) -> dict[str, Memory]:
    """Return the memory of a step by order and batch."""
    memory = {}
    for order, n in product(BOTH, MEASURED):
        chain = random_batch(NETWORK, n, np.dtype("float64"), seed)
        peak = plan(chain, order).cost.peak_bytes
        allocated = allocated_bytes(partial(_evaluate, chain, order))
        memory[f"{order}, batch of {n}"] = Memory(allocated, peak)
    return memory


def _evaluate(chain: Chain, order: str) -> object:
    return evaluator(chain, order)()


def judge(evidence: Evidence, sizes: Sizes) -> list[Statement]:
    """Judge counts, time and memory of a batch against the whole set, and both orders."""
    return [
        Statement(EXACT, tuple(count_parts(evidence, COUNTS))),
        Statement(PROPORTION, tuple(_proportion_parts(evidence))),
        Statement(TIME, tuple(gain_part(evidence, step_cell(*step)) for step in steps(sizes))),
        Statement(PEAK, tuple(_peak_parts(evidence))),
        Statement(FASTER, order_parts(evidence, map(orders_cell, batch_sizes(sizes)))),
    ]


def _proportion_parts(evidence: Evidence) -> list[Part]:
    """Compare the multiplications of each batch, times the batches in a set, with the set's."""
    counts: Counts = evidence.checks.get(COUNTS) or {}
    by_form: dict[str, dict[int, int]] = {}
    for name, (executed, _) in counts.items():
        form, _, batch = name.rpartition(", batch of ")
        by_form.setdefault(form, {})[int(batch)] = executed
    return [
        exact(
            f"{form}, batch of {n}: multiplications of {COUNTED_SET // n} steps",
            executed * (COUNTED_SET // n),
            batches[COUNTED_SET],
            unit="multiplications",
        )
        for form, batches in by_form.items()
        for n, executed in batches.items()
        if n < COUNTED_SET
    ] or [undecided("multiplications", "not counted in this run", timed=False)]


def _peak_parts(evidence: Evidence) -> list[Part]:
    memory: Mapping[str, Memory] = evidence.checks.get(MEMORY) or {}
    if not memory:
        return [undecided("memory", "not measured in this run", timed=False)]
    whole, *batches = MEASURED
    return [
        exact(
            f"{order}, batch of {n} / whole set of {whole}: bytes allocated at most",
            memory[f"{order}, batch of {n}"].allocated
            / memory[f"{order}, batch of {whole}"].allocated,
            n / whole,
            margin=(0.0, BELOW_ONE),
            unit="ratio",
        )
        for order, n in product(BOTH, batches)
    ]


def measured(evidence: Evidence, sizes: Sizes) -> list[tuple[int, Series, Series]]:
    """Return batch size, loss-first and input-first, wherever both were measured."""
    pairs = ((n, evidence.pair(orders_cell(n))) for n in batch_sizes(sizes))
    return [(n, *pair) for n, pair in pairs if pair]


def findings(evidence: Evidence, sizes: Sizes) -> Iterator[Finding]:
    """Say why time comes nearer to the formula in a batch."""
    rows = measured(evidence, sizes)
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


def shows(evidence: Evidence, sizes: Sizes) -> Iterator[show.Lines]:
    """Show seconds and bytes of a step over the batch size."""
    axis = show.Axis("batch size (samples)", "sizes", batch_sizes(sizes))
    batches = measured(evidence, sizes)
    times = tuple(
        show.time_curve(
            order, [(n, pair[index]) for n, *pair in batches], look=order, marks="filled"
        )
        for index, order in enumerate(BOTH)
        if batches
    )
    memory: Mapping[str, Memory] = evidence.checks.get(MEMORY) or {}
    yield show.Lines(
        "steps",
        _title(evidence, sizes),
        "Left: seconds of a step with 95 % intervals; right: bytes that it allocates at most, "
        "lines for the plan's peak. The largest batch is the whole set.",
        (
            (
                show.Panel("time", axis, show.Axis("time of a step (s)", "seconds"), times),
                show.Panel(
                    "memory",
                    show.Axis("batch size (samples)", "sizes", tuple(reversed(MEASURED))),
                    show.Axis("allocated at most (bytes)", "bytes"),
                    _memory_curves(memory) if memory else (),
                ),
            ),
        ),
        inches=4.4,
        numbers=_table(evidence, sizes),
    )


def _title(evidence: Evidence, sizes: Sizes) -> str:
    """Say how much less a step on one sample takes than on the whole set, in both orders."""
    *_, whole = batch_sizes(sizes)
    pairs = {order: evidence.pair(step_cell(order, whole, 1)) for order in BOTH}
    texts = [
        f"{order}'s step on 1 of {whole} samples is "
        f"{told_from_one(ratio(*pair), evidence.noise_floor)} times as fast; "
        f"formula {brief(formula_ratio(*pair))}"
        for order, pair in pairs.items()
        if pair
    ]
    return "\n".join(texts) or "Cost of a step over the batch size"


def _memory_curves(memory: Mapping[str, Memory]) -> tuple[show.Curve, ...]:
    x = np.array(sorted(MEASURED), dtype=float)
    curves = []
    for order in BOTH:
        taken = [memory[f"{order}, batch of {n:.0f}"] for n in x]
        allocated, predicted = np.array([(m.allocated, m.predicted) for m in taken], float).T
        curves.append(show.Curve(order, x, allocated, look=order, marks="filled", line=""))
        curves.append(show.Curve("peak by the plan", x, predicted, look=order))
    return tuple(curves)


def _table(evidence: Evidence, sizes: Sizes) -> show.Table:
    """List both orders at every batch size, and each against the whole set."""
    *_, whole = batch_sizes(sizes)
    units: dict[str, show.Unit] = {"batch": "count"}
    units |= dict.fromkeys(BOTH, "seconds")
    units |= {"input-first / loss-first": "ratio", "by multiplications": "ratio"}
    units |= {f"whole set / batch, {order}": "ratio" for order in BOTH}
    rows = []
    for n, loss, inputs in measured(evidence, sizes):
        against_whole = (evidence.pair(step_cell(order, whole, n)) for order in BOTH)
        falls = (ratio(*pair)[1] if pair else None for pair in against_whole)
        ratios = ratio(inputs, loss)[1], formula_ratio(inputs, loss)
        rows.append((n, loss.time, inputs.time, *ratios, *falls))
    return show.table(f"Times of a step, network {' x '.join(map(str, NETWORK))}", units, rows)


EXPERIMENT = Experiment(
    "C7",
    "Mini-batches",
    "Mini-batches help: a step on a batch takes fewer multiplications, less time and less memory "
    "than one on the whole set; and loss-first stays faster at every batch size.",
    cells=cells,
    judge=judge,
    findings=findings,
    checks={COUNTS: Check(count_batches, Counts), MEMORY: Check(measure_memory, dict[str, Memory])},
    shows=shows,
)
