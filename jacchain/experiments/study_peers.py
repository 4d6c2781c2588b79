"""Beside the claims: PyTorch, JAX and numpy on the same networks and data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.experiments import peers
from jacchain.experiments.cells import Dims
from jacchain.experiments.comparison import Comparison, Result, Way
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.profiles import Profile
from jacchain.networks.gradients import gradients_evaluator
from jacchain.networks.matrix_free import jvp, vjp
from jacchain.networks.mlp import mlp
from jacchain.networks.network import Network
from jacchain.networks.zoo import ZOO, load

OURS = "jacchain"
COMPILE = "peers:compile"
CHAIN = "lenet-300-100"


@dataclass(frozen=True)
class Case:
    """A network with a batch of random inputs and classes."""

    sizes: Dims
    samples: int
    convolutional: bool = False

    def network(self, dtype: np.dtype[Any], seed: int) -> Network:
        """The network with random weights, tanh hidden and softmax cross-entropy after it."""
        if self.convolutional:
            return load("lenet-5", rng=seed, dtype=dtype)
        return mlp(*self.sizes, activation="tanh", loss="cross_entropy", rng=seed, dtype=dtype)

    def data(self, dtype: np.dtype[Any], seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs, one a row, and their classes."""
        rng = np.random.default_rng([seed, self.samples])
        inputs = rng.standard_normal((self.samples, self.sizes[0])).astype(dtype)
        return inputs, rng.integers(self.sizes[-1], size=self.samples)


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "784-512-256-10, batch of 256": Case((784, 512, 256, 10), 256),
        "784-512-256-10, batch of 1": Case((784, 512, 256, 10), 1),
        "4096-1024-1024-1024, batch of 128": Case((4096, 1024, 1024, 1024), 128),
        "LeNet-5, batch of 64": Case((784, 4704, 1176, 1600, 400, 120, 84, 10), 64, True),
    }
)
FRAMEWORKS = ("torch.autograd.grad", "jax.grad")
MODES = ("jax.jacrev", "jax.jacfwd")


def name(case: str, peer: str) -> str:
    """Name of a comparison of this study."""
    return f"peers {case}, {peer}"


def comparisons(_: Profile) -> list[Comparison]:
    """All gradients by each framework; a Jacobian in both modes; numpy's multi_dot."""
    found = [
        Comparison(name(case, peer), (1, *reversed(of.sizes)), partial(_gradients, of, peer))
        for case, of in CASES.items()
        for peer in FRAMEWORKS
    ]
    dims = (1, *reversed(ZOO[CHAIN].sizes))
    found += [
        Comparison(name(f"{CHAIN}, Jacobian", mode), dims, partial(_jacobian, mode))
        for mode in MODES
    ]
    return [*found, Comparison(name(f"{CHAIN}, chain", "numpy.linalg.multi_dot"), dims, _multi_dot)]


def _work(network: Network, multiplications: int, results: int) -> Cost:
    """Each parameter read in all three products of its layer, or what takes their place."""
    parameters = sum(p.size for p in network.parameters.values())
    itemsize = network.dtype.itemsize
    return Cost(
        products=3 * len(network.layers),
        multiplications=multiplications,
        bytes=itemsize * (2 * parameters + results),
        held_bytes=itemsize * parameters,
        peak_bytes=itemsize * results,
    )


def _gradients(case: Case, peer: str, dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    network, (inputs, classes) = case.network(dtype, seed), case.data(dtype, seed)
    results = sum(p.size for p in network.parameters.values()) + inputs.size
    multiplications = peers.sweep_multiplications(network, case.samples)
    if case.convolutional:  # of its chain, forward and by the weights: the formula of no framework
        chain = network.chain(inputs[0], int(classes[0]))
        multiplications = 3 * case.samples * plan(chain, "loss-first").multiplications
    work = _work(network, multiplications, results)
    theirs: Callable[[], Callable[[], Result]] = (
        partial(peers.jax_gradients, network, inputs, classes)
        if peer == "jax.grad"
        else partial(peers.torch_gradients, network, inputs, classes)
    )
    return Way(OURS, work, partial(gradients_evaluator, network, inputs, classes)), Way(
        peer, work, theirs
    )


def _jacobian(mode: str, dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    network = load(CHAIN, rng=seed, dtype=dtype)
    x = np.random.default_rng(seed).standard_normal(network.sizes[0]).astype(dtype)
    rows = network.sizes[-1] if mode == "jax.jacrev" else network.sizes[0]
    work = _work(network, peers.sweep_multiplications(network, rows) // 3, 10 * len(x))
    eye = np.eye(rows, dtype=dtype)

    def ours() -> Callable[[], NDArray[Any]]:
        if mode == "jax.jacrev":
            return lambda: vjp(network, x, eye)
        return lambda: jvp(network, x, eye).T

    return Way(OURS, work, ours), Way(mode, work, partial(peers.jax_jacobian, network, x, mode[4:]))


def _multi_dot(dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    network = load(CHAIN, rng=seed, dtype=dtype)
    chain = network.chain(np.random.default_rng(seed).standard_normal(network.sizes[0]), 3)
    work = plan(chain, "optimal").cost
    arrays = [factor.to_dense() for factor in chain.factors]
    return (
        Way(OURS, work, partial(evaluator, chain, "optimal")),
        Way("numpy.linalg.multi_dot", work, lambda: partial(np.linalg.multi_dot, arrays)),
    )


def compile_all(seed: int) -> dict[str, Any]:
    """Seconds that jax takes to compile each case's gradients, which its times leave out."""
    dtype = np.dtype("float32")
    return {
        case: peers.compile_seconds(of.network(dtype, seed), *of.data(dtype, seed))
        for case, of in CASES.items()
    }


EXPERIMENT = Experiment(
    "peers",
    "Frameworks beside us",
    "The same gradients by PyTorch and JAX on the same networks and data, in paired blocks; both "
    "sides return arrays that the caller may keep.",
    cells=lambda _: [],
    comparisons=comparisons,
    judge=None,
    checks={COMPILE: compile_all},
    values={COMPILE: dict[str, Annotated[float, Field(ge=0)]]},
    needs=("torch", "jax"),
    default=False,
    figures=(
        Figure(
            "peers",
            "peers",
            "Time of each framework over ours",
            "Medians of paired blocks with 95 % intervals; right of 1, jacchain is faster. Time to "
            "compile is not in it: it stands in the table.",
        ),
    ),
)
