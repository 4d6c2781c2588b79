"""Beside the claims: PyTorch, JAX and numpy on the same networks and data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.adapters import frameworks
from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.intervals import Triple
from jacchain.analysis.ratios import ratio
from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.experiments.cell import LOSS_FIRST, Arm, Cell, Dims, evaluation_arm
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.show import Axis, Level, Look, Mark, Rows, Table, Unit, table
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.titles import brief
from jacchain.measuring.hosts import Kernel, prepared_in
from jacchain.networks import Network, gradients_evaluator, jvp, mlp, vjp
from jacchain.networks.zoo import ZOO, load_network
from jacchain.records.values import NonNegative

OURS = "jacchain"
COMPILE = "peers:compile"
CHAIN = "lenet-300-100"
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Case:
    """A network with a batch of random inputs and classes."""

    sizes: Dims
    samples: int
    convolutional: bool = False

    def network(self, dtype: np.dtype[Any], seed: int) -> Network:
        """Return the network: random weights, tanh, and softmax cross-entropy after it."""
        if self.convolutional:
            return load_network("lenet-5", rng=seed, dtype=dtype)
        return mlp(*self.sizes, activation="tanh", loss="cross_entropy", rng=seed, dtype=dtype)

    def data(self, dtype: np.dtype[Any], seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs of shape `(samples, |x|)`, and their classes of shape `(samples,)`."""
        rng = np.random.default_rng([seed, self.samples])
        inputs = rng.standard_normal((self.samples, self.sizes[0])).astype(dtype)
        return inputs, rng.integers(self.sizes[-1], size=self.samples)


CASES: Mapping[str, Case] = {
    "784-512-256-10, batch of 256": Case((784, 512, 256, 10), 256),
    "784-512-256-10, batch of 1": Case((784, 512, 256, 10), 1),
    "4096-1024-1024-1024, batch of 128": Case((4096, 1024, 1024, 1024), 128),
    "LeNet-5, batch of 64": Case((784, 4704, 1176, 1600, 400, 120, 84, 10), 64, True),
}
FRAMEWORKS = {
    "torch.autograd.grad": frameworks.torch_gradients,
    "jax.grad": frameworks.jax_gradients,
}
MODES = ("jax.jacrev", "jax.jacfwd")
TOGETHER = ", in one process"


def cells(_: Sizes) -> list[Cell]:
    """Compare all gradients with each framework's, a Jacobian in both modes, and multi_dot.

    Each library has a process of its own. Gradients are also compared in one process, where the
    libraries' threads disturb each other.
    """
    dims = (1, *reversed(ZOO[CHAIN].sizes))
    gradients = [
        _cell(f"{name}, {peer}{where}", name, _dims(case), partial(_gradients, case, peer, where))
        for where in ("", TOGETHER)
        for name, case in CASES.items()
        for peer in FRAMEWORKS
    ]
    case = f"{CHAIN}, Jacobian"
    jacobians = [_cell(f"{case}, {mode}", case, dims, partial(_jacobian, mode)) for mode in MODES]
    case, peer = f"{CHAIN}, chain", "numpy.linalg.multi_dot"
    return [*gradients, *jacobians, _cell(f"{case}, {peer}", case, dims, _multi_dot)]


def _dims(case: Case) -> Dims:
    return (1, *reversed(case.sizes))


def _cell(
    name: str, case: str, dims: Dims, arms: Callable[[np.dtype[Any], int], tuple[Arm, ...]]
) -> Cell:
    return Cell(f"peers {name}", dims, arms, group=case, shared=False)


def _cost(network: Network, multiplications: int, results: int) -> Cost:
    """Read each parameter in all three products of its layer, or what takes their place."""
    parameters = sum(p.size for p in network.parameters.values())
    itemsize = network.dtype.itemsize
    return Cost(
        products=3 * len(network.layers),
        multiplications=multiplications,
        bytes=itemsize * (2 * parameters + results),
        held_bytes=itemsize * parameters,
        peak_bytes=itemsize * results,
    )


def _gradients(
    case: Case, peer: str, where: str, dtype: np.dtype[Any], seed: int
) -> tuple[Arm, ...]:
    network, (inputs, classes) = case.network(dtype, seed), case.data(dtype, seed)
    # A sweep forward, one by the weights and one by the inputs. Of convolutions it is what their
    # sparse chain takes, which is no framework's formula.
    chain = network.chain(inputs[0], int(classes[0])) if case.convolutional else network.dims
    multiplications = 3 * case.samples * plan(chain, LOSS_FIRST).multiplications
    results = sum(p.size for p in network.parameters.values()) + inputs.size
    cost = _cost(network, multiplications, results)
    ours, theirs = (
        partial(_prepare, case, dtype, seed, gradients)
        for gradients in (gradients_evaluator, FRAMEWORKS[peer])
    )
    if where == TOGETHER:
        return Arm(OURS, cost, ours), Arm(peer, cost, theirs)
    return _apart(cost, peer, ours, theirs)


def _prepare(
    case: Case, dtype: np.dtype[Any], seed: int, gradients: Callable[..., Kernel]
) -> Kernel:
    return gradients(case.network(dtype, seed), *case.data(dtype, seed))


def _apart(
    cost: Cost, peer: str, ours: Callable[[], Kernel], theirs: Callable[[], Kernel]
) -> tuple[Arm, ...]:
    """Return both arms, each in the process of its library."""
    return (
        Arm(OURS, cost, partial(prepared_in, OURS, ours)),
        Arm(peer, cost, partial(prepared_in, peer.partition(".")[0], theirs)),
    )


def _jacobian(mode: str, dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    network = load_network(CHAIN, rng=seed, dtype=dtype)
    vectors, outputs = network.sizes[-1 if mode == "jax.jacrev" else 0], network.sizes[-1]
    multiplications = vectors * plan(network.dims, LOSS_FIRST).multiplications
    cost = _cost(network, multiplications, outputs * network.sizes[0])
    prepares = (partial(prepare, mode, dtype, seed) for prepare in (_our_jacobian, _jax_jacobian))
    return _apart(cost, mode, *prepares)


def _our_jacobian(mode: str, dtype: np.dtype[Any], seed: int) -> Kernel:
    network, x = _point(dtype, seed)
    eye = np.eye(network.sizes[-1 if mode == "jax.jacrev" else 0], dtype=dtype)
    return lambda: vjp(network, x, eye) if mode == "jax.jacrev" else jvp(network, x, eye).T


def _jax_jacobian(mode: str, dtype: np.dtype[Any], seed: int) -> Kernel:
    return frameworks.jax_jacobian(*_point(dtype, seed), mode.removeprefix("jax."))


def _point(dtype: np.dtype[Any], seed: int) -> tuple[Network, NDArray[Any]]:
    """Return the network of `CHAIN`, and an input of shape ``(|x|,)``."""
    network = load_network(CHAIN, rng=seed, dtype=dtype)
    return network, np.random.default_rng(seed).standard_normal(network.sizes[0]).astype(dtype)


def _multi_dot(dtype: np.dtype[Any], seed: int) -> tuple[Arm, ...]:
    network = load_network(CHAIN, rng=seed, dtype=dtype)
    chain = network.chain(np.random.default_rng(seed).standard_normal(network.sizes[0]), 3)
    ours = evaluation_arm(OURS, chain, "optimal")
    arrays = [factor.to_dense() for factor in chain.factors]
    theirs = partial(np.linalg.multi_dot, arrays)
    return ours, Arm("numpy.linalg.multi_dot", ours.cost, lambda: theirs)


def compile_all(seed: int) -> dict[str, float]:
    """Return the seconds that jax compiles each case's gradients, which its times leave out."""
    dtype = np.dtype("float32")
    return {
        name: frameworks.compile_seconds(case.network(dtype, seed), *case.data(dtype, seed))
        for name, case in CASES.items()
    }


def measured(evidence: Evidence, sizes: Sizes) -> list[tuple[Series, Series]]:
    """Return (ours, theirs) of each cell of processes apart; their group is the case."""
    names = [cell.name for cell in cells(sizes) if not cell.name.endswith(TOGETHER)]
    return [pair for name in names if (pair := evidence.pair(name))]


def together(evidence: Evidence, theirs: Series) -> tuple[float, float, float] | None:
    """Return the ratio theirs / ours of the same two in one process, where that was measured."""
    pair = evidence.pair(theirs.cell + TOGETHER)
    return ratio(*pair[::-1]) if pair else None


def answer(evidence: Evidence, sizes: Sizes) -> Iterator[str]:
    """Yield a sentence for each case and peer: its time beside ours, with the interval."""
    for ours, theirs in measured(evidence, sizes):
        low, middle, high = (f"{value:.4g}" for value in ratio(theirs, ours))
        times = f"{middle} ({low} to {high}) times as long as jacchain"
        beside = together(evidence, theirs)
        also = f"; both in one process, {beside[1]:.4g} times" if beside else ""
        yield f"{theirs.group}: {theirs.name} takes {times}{also}"


def shows(evidence: Evidence, sizes: Sizes) -> Iterator[Rows]:
    """Show a row for each case and peer: theirs / ours on a logarithmic axis."""
    pairs = measured(evidence, sizes)
    spans = [ratio(theirs, ours) for ours, theirs in pairs]
    left = min([0.5, *(0.8 * low for low, *_ in spans)])
    right = max([2.0, *(1.25 * high for *_, high in spans)])
    ticks = tuple(tick for tick in TICKS if left <= tick <= right)
    axis = Axis("time of the other / jacchain (ratio)", "ratio", ticks, (left, right))
    yield Rows(
        "peers",
        _title(spans, evidence.noise_floor),
        "Paired blocks, with 95 % intervals, each library in a process of its own; right "
        "of 1, jacchain is faster. Time to compile is not in it: it stands in the table.",
        tuple(f"{theirs.group}\n{theirs.name}" for _, theirs in pairs),
        ((axis, tuple((_mark(*span),) for span in spans)),),
        levels=(Level("", 1.0, axis="x", line="-"),),
        numbers=_table(evidence, pairs),
    )


def _title(spans: Sequence[Triple], noise_floor: float) -> str:
    """Say in how many cases we are surely faster, and surely slower."""
    if not spans:
        return "Time of each framework over ours"
    faster = sum(low > 1 + noise_floor for low, *_ in spans)
    slower = sum(high * (1 + noise_floor) < 1 for *_, high in spans)
    middle = brief(float(np.median([span[1] for span in spans])))
    return (
        f"jacchain is surely faster in {faster} of {len(spans)} cases, slower in {slower}; "
        f"others take {middle} times as long (median)"
    )


def _mark(low: float, middle: float, high: float) -> Mark:
    look: Look = "third" if low > 1 else "input-first" if high < 1 else "muted"
    return Mark("", middle, (low, high), look)


def _table(evidence: Evidence, pairs: list[tuple[Series, Series]]) -> Table:
    units: dict[str, Unit] = {"case, peer": "text", "jacchain": "seconds"}
    units |= {"peer": "seconds", "peer / jacchain": "ratio", "95 % interval": "interval"}
    units |= {"the same in one process": "ratio", "compiled once in (float32)": "seconds"}
    compiled = evidence.checks.get(COMPILE, {})
    rows = []
    for ours, theirs in pairs:
        low, middle, high = ratio(theirs, ours)
        beside = together(evidence, theirs)
        seconds = compiled.get(theirs.group) if theirs.name == "jax.grad" else None
        label, one = f"{theirs.group}: {theirs.name}", beside and beside[1]
        rows.append((label, ours.time, theirs.time, middle, (low, high), one, seconds))
    return table("Other frameworks beside ours", units, rows)


EXPERIMENT = Experiment(
    "peers",
    "Frameworks beside us",
    "The same gradients by PyTorch and JAX on the same networks and data, in paired blocks, each "
    "library in a process of its own; both sides return arrays that the caller may keep.",
    cells=cells,
    checks={COMPILE: Check(compile_all, dict[str, NonNegative])},
    shows=shows,
    answer=answer,
    needs=("torch", "jax"),
    extra="peers",
    default=False,
    is_claim=False,
)
