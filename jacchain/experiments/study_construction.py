"""Beside the claims: what it costs to build Jacobians, and when an explicit one pays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial, reduce
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.paired import crossing, ratio
from jacchain.chains.chain import Chain
from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.experiments.c10_real_networks import DIMS, densified
from jacchain.experiments.cells import Dims
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.profiles import Profile
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.products import multiply
from jacchain.measure.memory import allocated_bytes
from jacchain.networks.network import Network
from jacchain.networks.passes import ForwardPass, jacobians, pull_rows, push_forward
from jacchain.networks.zoo import ZOO, load
from jacchain.records.values import Executed

Array = NDArray[Any]
Mode = Literal["vjp", "jvp"]
MODES: tuple[Mode, ...] = ("vjp", "jvp")
DENSE, STRUCTURED, FREE = "explicit, dense", "explicit, as they are", "matrix-free"
ALONE = "multiplying alone"
MEMORY = "construction:memory"
NETWORKS: Mapping[str, Dims] = MappingProxyType(
    {
        "lenet-300-100": (1, *reversed(ZOO["lenet-300-100"].sizes)),
        "lenet-5": DIMS["LeNet-5"],
    }
)


def counts(profile: Profile) -> tuple[int, ...]:
    """How many vectors are multiplied with the Jacobians of one point."""
    return (1, 16, 256) if profile.name == "quick" else (1, 4, 16, 64, 256)


def name(network: str, mode: str, form: str, vectors: int) -> str:
    """Name of a comparison of this study."""
    return f"construction {network}, {mode} of {vectors}, {form}"


def forms(network: str, profile: Profile) -> tuple[str, ...]:
    """Explicit forms that are measured: the dense one of LeNet-5 takes long to build."""
    small = profile.name == "quick" and network == "lenet-5"
    return (STRUCTURED,) if small else (DENSE, STRUCTURED)


def comparisons(profile: Profile) -> list[Comparison]:
    """Explicit against matrix-free, for several numbers of vectors; building beside multiplying."""
    found = []
    for network, dims in NETWORKS.items():
        for form in forms(network, profile):
            for mode in MODES:
                for k in counts(profile):
                    ways = partial(_against_free, network, mode, form, k)
                    found.append(Comparison(name(network, mode, form, k), dims, ways))
            ways = partial(_against_multiplying, network, form)
            found.append(Comparison(name(network, "vjp", f"{form}, building", 1), dims, ways))
    return found


@dataclass(frozen=True)
class _Point:
    """A network after a forward pass, with vectors to multiply its Jacobians with."""

    network: Network
    passed: ForwardPass
    vectors: Array  # one a row
    mode: Mode

    def factors(self, form: str) -> list[Jacobian]:
        """Build every layer's Jacobian, the last first."""
        found = jacobians(self.network.layers, self.passed)
        return found if form == STRUCTURED else [DenseJacobian(f.to_dense()) for f in found]

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

    def chain(self) -> Chain:
        """The vectors and the Jacobians, for planning."""
        factors = self.factors(STRUCTURED)
        if self.mode == "vjp":
            return Chain([DenseJacobian(self.vectors), *factors])
        return Chain([*factors, DenseJacobian(self.vectors.T)])


@cache
def _passed(network: str, dtype: np.dtype[Any], seed: int) -> tuple[Network, ForwardPass]:
    found = load(network, rng=seed, dtype=dtype)
    return found, found.forward(np.random.default_rng(seed).uniform(-1, 1, size=found.sizes[0]))


def _point(network: str, mode: Mode, vectors: int, dtype: np.dtype[Any], seed: int) -> _Point:
    found, passed = _passed(network, dtype, seed)
    size = found.sizes[-1 if mode == "vjp" else 0]
    rows = np.random.default_rng([seed, vectors]).standard_normal((vectors, size)).astype(dtype)
    return _Point(found, passed, rows, mode)


def _works(point: _Point, form: str) -> tuple[Cost, Cost]:
    """Of building and multiplying, and of multiplying alone; building multiplies every entry."""
    chain = point.chain() if form == STRUCTURED else densified(point.chain())
    order = "loss-first" if point.mode == "vjp" else "input-first"
    alone = plan(chain, order).cost
    entries = sum(s.elements for s in chain.structures)
    return alone + Cost(multiplications=entries, bytes=entries * chain.dtype.itemsize), alone


def _against_free(
    network: str, mode: Mode, form: str, vectors: int, dtype: np.dtype[Any], seed: int
) -> tuple[Way, Way]:
    point = _point(network, mode, vectors, dtype, seed)
    built, alone = _works(point, form)
    return (
        Way(form, built, lambda: partial(point.explicit, form)),
        Way(FREE, alone, lambda: point.free),
    )


def _against_multiplying(
    network: str, form: str, dtype: np.dtype[Any], seed: int
) -> tuple[Way, Way]:
    point = _point(network, "vjp", 1, dtype, seed)
    built, alone = _works(point, form)

    def prepared() -> Callable[[], Array]:
        return partial(point.multiply, point.factors(form))

    return Way(form, built, lambda: partial(point.explicit, form)), Way(ALONE, alone, prepared)


@dataclass(frozen=True)
class Memory:
    """Bytes of one network's Jacobians in a form, and what building allocates at most."""

    held: Executed
    allocated: Executed


def hold_jacobians(seed: int) -> dict[str, Any]:
    """Bytes of the Jacobians of each form; without them, of what the forward pass left."""
    found = {}
    for network in NETWORKS:
        point = _point(network, "vjp", 1, np.dtype("float64"), seed)
        for form in (DENSE, STRUCTURED):
            factors = point.factors(form)
            held = sum(f.nbytes + 4 * f.structure.indices for f in factors)
            allocated = allocated_bytes(partial(point.factors, form))
            found[f"{network}, {form}"] = {"held": held, "allocated": allocated}
        arrays = (*point.passed.outputs, *point.passed.preactivations)
        left = sum(array.nbytes for array in {id(a): a for a in arrays}.values())
        found[f"{network}, {FREE}"] = {"held": left, "allocated": allocated_bytes(point.free)}
    return found


def measured(
    evidence: Evidence, profile: Profile, network: str, mode: str, form: str
) -> list[tuple[int, Series, Series]]:
    """Number of vectors, explicit and matrix-free, wherever both were measured."""
    named = ((k, name(network, mode, form, k)) for k in counts(profile))
    found = evidence.comparisons
    return [(k, *found[key]) for k, key in named if key in found]


def pays_from(rows: list[tuple[int, Series, Series]]) -> float | None:
    """Number of vectors from which on the explicit form is faster; None if it never is."""
    gains = np.array([ratio(free, explicit)[1] for _, explicit, free in rows])
    return crossing(np.array([k for k, *_ in rows], float), gains, 1.0)


EXPERIMENT = Experiment(
    "construction",
    "What it costs to build Jacobians",
    "Explicit Jacobians are built first and multiplied then; matrix-free products come straight "
    "from the layers. An explicit one pays where it is multiplied with enough vectors.",
    cells=lambda _: [],
    comparisons=comparisons,
    judge=None,
    checks={MEMORY: hold_jacobians},
    values={MEMORY: dict[str, Memory]},
    figures=(
        Figure(
            "construction",
            "construction",
            "Building Jacobians, or multiplying without them",
            "Seconds for so many vectors at one point, forward pass not included: Jacobians built "
            "and multiplied, dense and as they are, against matrix-free.",
        ),
    ),
)
