"""Beside the claims: what it costs to build Jacobians, and when an explicit one pays."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial, reduce
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.ratios import crossing, ratio
from jacchain.chains.chain import Chain
from jacchain.chains.planners import plan
from jacchain.claims.c10_real_networks import DIMS
from jacchain.cost import Cost
from jacchain.experiments import show
from jacchain.experiments.cell import INPUT_FIRST, LOSS_FIRST, Arm, Cell, Dims
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.sizes import Sizes
from jacchain.jacobians import DenseJacobian, Jacobian, multiply
from jacchain.measuring.memory import allocated_bytes
from jacchain.networks import Network
from jacchain.networks.passes import ForwardPass, jacobians, pull_rows, push_forward
from jacchain.networks.zoo import ZOO, load_network
from jacchain.records.values import Executed

Array = NDArray[Any]
Measured = list[tuple[int, Series, Series]]
Mode = Literal["vjp", "jvp"]
MODES: Mapping[Mode, str] = {"vjp": "rows times J", "jvp": "J times columns"}
DENSE, STRUCTURED, FREE = "explicit, dense", "explicit, as they are", "matrix-free"
EXPLICIT = (DENSE, STRUCTURED)
LOOKS: Mapping[str, show.Look] = {DENSE: "input-first", STRUCTURED: "loss-first", FREE: "third"}
ALONE = "multiplying alone"
MEMORY = "construction:memory"
NETWORKS: Mapping[str, Dims] = {
    "lenet-300-100": (1, *reversed(ZOO["lenet-300-100"].sizes)),
    "lenet-5": DIMS["LeNet-5"],
}


def counts(sizes: Sizes) -> tuple[int, ...]:
    """Return how many vectors are multiplied with the Jacobians of one point."""
    every = (1, 4, 16, 64, 256)
    return sizes.pick(quick=(1, 16, 64), standard=every, full=every)


def name(network: str, mode: str, form: str, vectors: int) -> str:
    """Return the name of a cell of this study."""
    return f"construction {network}, {mode} of {vectors}, {form}"


def forms(network: str, sizes: Sizes) -> tuple[str, ...]:
    """Return the explicit forms that are measured: LeNet-5's dense one takes long to build."""
    if network == "lenet-5":
        return sizes.pick(quick=(STRUCTURED,), standard=EXPLICIT, full=EXPLICIT)
    return EXPLICIT


def cells(sizes: Sizes) -> list[Cell]:
    """Compare explicit with matrix-free for several numbers of vectors; building beside it."""
    arms: list[tuple[str, str, Callable[[np.dtype[Any], int], tuple[Arm, ...]]]] = []
    for network in NETWORKS:
        for form in forms(network, sizes):
            for mode, n in product(MODES, counts(sizes)):
                against_free = partial(_against_free, network, mode, form, n)
                arms.append((name(network, mode, form, n), network, against_free))
            building = name(network, "vjp", f"{form}, building", 1)
            arms.append((building, network, partial(_against_multiplying, network, form)))
    return [Cell(key, NETWORKS[network], make, shared=False) for key, network, make in arms]


@dataclass(frozen=True)
class _Point:
    """A network after a forward pass at a point, and vectors to multiply its Jacobians with.

    `vectors` is of shape `(n, |z_L|)` for "vjp", `(n, |x|)` for "jvp".
    """

    network: Network
    passed: ForwardPass
    vectors: Array
    mode: Mode

    def factors(self, form: str) -> list[Jacobian]:
        """Build every layer's Jacobian, the last first."""
        factors = jacobians(self.network.layers, self.passed)
        return factors if form == STRUCTURED else [DenseJacobian(f.to_dense()) for f in factors]

    def multiply(self, factors: list[Jacobian]) -> Array:
        """Multiply the vectors through the Jacobians: `(n, |x|)` or `(|z_L|, n)`."""
        if self.mode == "vjp":
            return reduce(multiply, factors, DenseJacobian(self.vectors)).to_dense()  # type: ignore[arg-type]
        columns: Jacobian = DenseJacobian(self.vectors.T)
        for factor in reversed(factors):
            columns = multiply(factor, columns)
        return columns.to_dense()

    def explicit(self, form: str) -> Array:
        """Build and multiply."""
        return self.multiply(self.factors(form))

    def free(self) -> Array:
        """Multiply straight from the layers."""
        if self.mode == "vjp":
            return pull_rows(self.network.layers, self.passed, self.vectors)
        return push_forward(self.network.layers, self.passed, self.vectors).T

    def costs(self, form: str) -> tuple[Cost, Cost]:
        """Return the cost of building and multiplying, and that of multiplying alone.

        To build an entry takes a multiplication.
        """
        factors = self.factors(STRUCTURED)
        if self.mode == "vjp":
            chain, order = Chain([DenseJacobian(self.vectors), *factors]), LOSS_FIRST
        else:
            chain, order = Chain([*factors, DenseJacobian(self.vectors.T)]), INPUT_FIRST
        alone = plan(chain if form == STRUCTURED else chain.dims, order, dtype=chain.dtype)
        entries = sum(structure.elements for structure in alone.structures)
        building = Cost(multiplications=entries, bytes=entries * chain.dtype.itemsize)
        return alone.cost + building, alone.cost


@cache
def _passed(network: str, dtype: np.dtype[Any], seed: int) -> tuple[Network, ForwardPass]:
    net = load_network(network, rng=seed, dtype=dtype)
    return net, net.forward(np.random.default_rng(seed).uniform(-1, 1, size=net.sizes[0]))


def _point(network: str, mode: Mode, vectors: int, dtype: np.dtype[Any], seed: int) -> _Point:
    net, passed = _passed(network, dtype, seed)
    size = net.sizes[-1 if mode == "vjp" else 0]
    rows = np.random.default_rng([seed, vectors]).standard_normal((vectors, size)).astype(dtype)
    return _Point(net, passed, rows, mode)


def _against_free(
    network: str, mode: Mode, form: str, vectors: int, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, ...]:
    point = _point(network, mode, vectors, dtype, seed)
    both, alone = point.costs(form)
    explicit = partial(point.explicit, form)
    return Arm(form, both, lambda: explicit), Arm(FREE, alone, lambda: point.free)


def _against_multiplying(
    network: str, form: str, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, ...]:
    point = _point(network, "vjp", 1, dtype, seed)
    both, alone = point.costs(form)
    explicit = partial(point.explicit, form)
    return (
        Arm(form, both, lambda: explicit),
        Arm(ALONE, alone, lambda: partial(point.multiply, point.factors(form))),
    )


@dataclass(frozen=True)
class Memory:
    """Bytes of a network's Jacobians in a form, and what building them allocates at most.

    Without Jacobians: bytes that the forward pass left, and what multiplying allocates.
    """

    stored: Executed
    allocated: Executed


def measure_memory(seed: int) -> dict[str, Memory]:
    """Return the memory of each network and form."""
    memory = {}
    for network in NETWORKS:
        point = _point(network, "vjp", 1, np.dtype("float64"), seed)
        for form in EXPLICIT:
            stored = sum(f.nbytes + 4 * f.structure.indices for f in point.factors(form))
            allocated = allocated_bytes(partial(point.factors, form))
            memory[f"{network}, {form}"] = Memory(stored, allocated)
        arrays = (*point.passed.outputs, *point.passed.preactivations)
        left = sum(array.nbytes for array in {id(a): a for a in arrays}.values())
        memory[f"{network}, {FREE}"] = Memory(left, allocated_bytes(point.free))
    return memory


def measured(evidence: Evidence, sizes: Sizes, network: str, mode: str, form: str) -> Measured:
    """Return (vectors, explicit, matrix-free) for each number of vectors that was measured."""
    pairs = ((n, evidence.pair(name(network, mode, form, n))) for n in counts(sizes))
    return [(n, *pair) for n, pair in pairs if pair]


def pays_from(rows: Measured) -> float | None:
    """Return from how many vectors on the explicit form is surely faster; None if it never is.

    That is where the low ends of the 95 % intervals of matrix-free / explicit stay above 1.
    """
    gains = np.array([ratio(free, explicit)[0] for _, explicit, free in rows])
    return crossing(np.array([n for n, *_ in rows], float), gains, 1.0)


def shows(evidence: Evidence, sizes: Sizes) -> Iterator[show.Lines]:
    """Show seconds over the number of vectors, a panel for each network and direction."""
    panels = [[_panel(evidence, sizes, network, mode) for mode in MODES] for network in NETWORKS]
    yield show.Lines(
        "construction",
        _title(evidence, sizes),
        "Seconds for so many vectors at one point, forward pass not included: Jacobians built "
        "and multiplied, dense and as they are, against matrix-free. Dotted: from where on an "
        f"explicit form surely is faster, if it is.{_missing(evidence, sizes)}",
        tuple(map(tuple, panels)),
        inches=7.4,
        shared=True,
        numbers=_table(evidence, sizes),
    )


def _title(evidence: Evidence, sizes: Sizes) -> str:
    """Say, for each network, from how many vectors on an explicit Jacobian as it is pays."""
    texts = []
    for network in NETWORKS:
        rows = [measured(evidence, sizes, network, mode, STRUCTURED) for mode in MODES]
        words = [
            f"{_from(pairs)} {what}" for pairs, what in zip(rows, ("rows", "columns"), strict=True)
        ]
        if all(rows):
            texts.append(f"{network}: explicit pays {' and '.join(words)}")
    return "\n".join(texts) or "Building Jacobians, or multiplying without them"


def _from(rows: Measured) -> str:
    place = pays_from(rows)
    if place is not None:
        return f"from {place:.0f}"
    return f"for no number up to {rows[-1][0]} of" if rows else ""


def _missing(evidence: Evidence, sizes: Sizes) -> str:
    """Name the forms of which no time is shown."""
    missing = [
        f"{network}, {form}"
        for network, form in product(NETWORKS, EXPLICIT)
        if not any(measured(evidence, sizes, network, mode, form) for mode in MODES)
    ]
    return f" Not measured: {'; '.join(missing)}." if missing else ""


def _panel(evidence: Evidence, sizes: Sizes, network: str, mode: Mode) -> show.Panel:
    curves: list[show.Curve] = []
    levels = []
    for form in EXPLICIT:
        rows = measured(evidence, sizes, network, mode, form)
        if not rows:
            continue
        if form == STRUCTURED:
            curves.append(_curve(FREE, [(n, free) for n, _, free in rows]))
        curves.append(_curve(form, [(n, explicit) for n, explicit, _ in rows]))
        place = pays_from(rows)
        if place is not None and place > rows[0][0]:
            label = f"{form}: pays from here"
            levels.append(show.Level(label, place, axis="x", look=LOOKS[form], line=":"))
    return show.Panel(
        f"{network}\n{MODES[mode]}",
        show.Axis("vectors at one point", "sizes", counts(sizes)),
        show.Axis("time (s)", "seconds"),
        tuple(curves),
        tuple(levels),
    )


def _curve(form: str, points: list[tuple[int, Series]]) -> show.Curve:
    return show.time_curve(form, points, look=LOOKS[form], marks="filled")


def _table(evidence: Evidence, sizes: Sizes) -> show.Table:
    units: dict[str, show.Unit] = {"network, form": "text", "building and one row": "seconds"}
    units |= {"one row alone": "seconds", "rows: pays from": "text", "columns: pays from": "text"}
    units |= {"bytes held": "bytes", "allocated in building": "bytes"}
    labels = product(NETWORKS, (*EXPLICIT, FREE))
    rows = (_row(evidence, sizes, network, form) for network, form in labels)
    return show.table("Explicit Jacobians against matrix-free", units, rows)


def _row(evidence: Evidence, sizes: Sizes, network: str, form: str) -> tuple[Any, ...]:
    label = f"{network}, {form}"
    memory = evidence.checks.get(MEMORY, {}).get(label)
    taken = (memory.stored, memory.allocated) if memory else (None, None)
    if form == FREE:
        rows = measured(evidence, sizes, network, "vjp", STRUCTURED)
        return (label, None, rows[0][2].time if rows else None, None, None, *taken)
    pair = evidence.pair(name(network, "vjp", f"{form}, building", 1))
    times = (pair[0].time, pair[1].time) if pair else (None, None)
    pays = (_pays(measured(evidence, sizes, network, mode, form)) for mode in MODES)
    return (label, *times, *pays, *taken)


def _pays(rows: Measured) -> str:
    """Say from how many vectors on the explicit form is faster."""
    if not rows:
        return "not measured"
    place, (most, explicit, free) = pays_from(rows), rows[-1]
    if place is not None:
        return f"{place:.0f} vectors"
    return f"not up to {most}: {ratio(explicit, free)[1]:.4g} x matrix-free there"


EXPERIMENT = Experiment(
    "construction",
    "What it costs to build Jacobians",
    "Explicit Jacobians are built first and multiplied then; matrix-free products come straight "
    "from the layers. An explicit one pays where it is multiplied with enough vectors.",
    cells=cells,
    checks={MEMORY: Check(measure_memory, dict[str, Memory])},
    shows=shows,
    is_claim=False,
)
