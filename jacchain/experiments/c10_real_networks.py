"""C10: all of it extends to convolutional and recurrent networks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part
from jacchain.chains.chain import Chain
from jacchain.chains.count import COUNT_LIMIT, count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.plan import Plan
from jacchain.chains.planners import plan
from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST, Dims
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.gains import count_parts, order_part
from jacchain.experiments.profiles import Profile
from jacchain.measure.memory import allocated_bytes
from jacchain.networks.layers import AffineLayer
from jacchain.networks.network import Network
from jacchain.networks.recurrent import RecurrentLayer
from jacchain.networks.unrolled import unrolled_chain
from jacchain.networks.zoo import load
from jacchain.records.values import Executed

SIDE, STATE, CLASSES = 28, 64, 10
SPARSE, DENSE = "as they are", "dense"
COUNTS, MEMORY = "C10:counts", "C10:memory"


@cache
def digit(seed: int) -> tuple[NDArray[np.float64], int]:
    """A handwritten digit of scikit-learn, scaled up from 8 x 8 to 28 x 28, and its class."""
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    index = int(np.random.default_rng(seed).integers(len(images)))
    scaled = zoom(images[index].reshape(8, 8), SIDE / 8, order=1)
    return scaled.ravel() / 8.0 - 1.0, int(classes[index])  # from -1 to 1


def lenet(dtype: np.dtype[Any], seed: int) -> Chain:
    """The chain of LeNet-5, activations folded into their layers."""
    return load("lenet-5", rng=seed, dtype=dtype).chain(*digit(seed))


def recurrent(dtype: np.dtype[Any], seed: int) -> Chain:
    """The chain of a recurrent network that reads the digit row by row, one factor a step."""
    rng = np.random.default_rng(seed)

    def weight(*shape: int) -> NDArray[Any]:
        drawn = rng.standard_normal(shape) / np.sqrt(shape[-1])
        return np.asarray(drawn, dtype)

    Wx, Wh, W = weight(STATE, SIDE), weight(STATE, STATE), weight(CLASSES, STATE)
    reads = RecurrentLayer(Wx, Wh, np.zeros(STATE, dtype), steps=SIDE)
    network = Network([reads, AffineLayer(W, np.zeros(CLASSES, dtype))], "cross_entropy")
    return unrolled_chain(network, *digit(seed))


NETWORKS: Mapping[str, Callable[[np.dtype[Any], int], Chain]] = MappingProxyType(
    {"LeNet-5": lenet, "recurrent, 28 steps": recurrent}
)
DIMS: Mapping[str, Dims] = MappingProxyType(
    {
        "LeNet-5": (1, 10, 84, 120, 400, 1600, 1176, 4704, 784),
        "recurrent, 28 steps": (
            *(1, CLASSES, STATE),
            *(STATE + SIDE * (SIDE - t) for t in range(SIDE - 1, 0, -1)),
            SIDE * SIDE,
        ),
    }
)


def name(network: str, what: str) -> str:
    """Name of a comparison of this claim."""
    return f"C10 {network}, {what}"


def orders_of(profile: Profile) -> tuple[str, ...]:
    """Orders in which dense factors are multiplied: input-first takes long."""
    return (LOSS_FIRST,) if profile.name == "quick" else BOTH


def comparisons(profile: Profile) -> list[Comparison]:
    """Of each network both orders of its factors as they are; dense ones against these."""
    found = []
    for network in NETWORKS:
        ways = {f"orders, factors {SPARSE}": partial(_orders, network, dense=False)}
        ways |= {
            f"{order}, by form": partial(_forms, network, order) for order in orders_of(profile)
        }
        if INPUT_FIRST in orders_of(profile):
            ways[f"orders, factors {DENSE}"] = partial(_orders, network, dense=True)
        found += [
            Comparison(name(network, what), DIMS[network], make) for what, make in ways.items()
        ]
    return found


def _way(label: str, chain: Chain, order: str, *, dense: bool) -> Way:
    if not dense:
        return Way(label, plan(chain, order).cost, partial(evaluator, chain, order))
    work = plan(chain.dims, order, dtype=chain.dtype).cost
    return Way(label, work, lambda: evaluator(densified(chain), order))


def densified(chain: Chain) -> Chain:
    """The same chain with every element stored."""
    return Chain(factor.to_dense() for factor in chain.factors)


def _orders(network: str, dtype: np.dtype[Any], seed: int, *, dense: bool) -> tuple[Way, Way]:
    chain = NETWORKS[network](dtype, seed)
    loss, inputs = (_way(order, chain, order, dense=dense) for order in BOTH)
    return loss, inputs


def _forms(network: str, order: str, dtype: np.dtype[Any], seed: int) -> tuple[Way, Way]:
    chain = NETWORKS[network](dtype, seed)
    return _way(DENSE, chain, order, dense=True), _way(SPARSE, chain, order, dense=False)


def count_networks(seed: int) -> dict[str, Any]:
    """Executed and predicted multiplications, where there are not too many to execute."""
    found = {}
    for network, make in NETWORKS.items():
        chain = make(np.dtype("float64"), seed)
        for form in (SPARSE, DENSE):
            planning = chain if form == SPARSE else chain.dims
            for order in BOTH:
                predicted = plan(planning, order).multiplications
                if predicted <= COUNT_LIMIT // 10:
                    counting = chain if form == SPARSE else densified(chain)
                    found[f"{network}, factors {form}, {order}"] = [
                        count(counting, order),
                        predicted,
                    ]
    return found


@dataclass(frozen=True)
class Memory:
    """Bytes of one network's factors in one form, and what an evaluation allocates at most.

    `allocated` counts the memory that an evaluation is prepared with; `predicted` is the plan's
    peak of intermediates.
    """

    held: Executed
    predicted: dict[str, Executed]
    allocated: dict[str, Executed]

    def __post_init__(self) -> None:
        """Refuse what can't be drawn: an order that is missing."""
        for found in (self.predicted, self.allocated):
            if found.keys() != set(BOTH):
                message = f"bytes are {found}; expected those of {' and '.join(BOTH)}"
                raise ValueError(message)


def hold_networks(seed: int) -> dict[str, Any]:
    """Bytes of factors and intermediates, of each network and form."""
    found = {}
    for network, make in NETWORKS.items():
        sparse = make(np.dtype("float64"), seed)
        for form in (SPARSE, DENSE):
            chain = sparse if form == SPARSE else densified(sparse)
            plans = {order: plan(chain, order) for order in BOTH}
            found[f"{network}, {form}"] = {
                "held": plans[LOSS_FIRST].cost.held_bytes,
                "predicted": {order: 8 * p.peak_elements for order, p in plans.items()},
                "allocated": {
                    order: allocated_bytes(partial(_evaluate, chain, p))
                    for order, p in plans.items()
                },
            }
    return found


def _evaluate(chain: Chain, by: Plan) -> object:
    return evaluator(chain, by)()


def judge(evidence: Evidence, profile: Profile) -> list[Part]:
    """Counts are exact, and C5's rule holds for each network in each form."""
    forms = (SPARSE, DENSE) if INPUT_FIRST in orders_of(profile) else (SPARSE,)
    return count_parts(evidence, COUNTS) + [
        order_part(evidence, name(network, f"orders, factors {form}"))
        for network in NETWORKS
        for form in forms
    ]


EXPERIMENT = Experiment(
    "C10",
    "Convolutional and recurrent networks",
    "All of it extends to convolutional and recurrent networks: their multiplications are those of "
    "the structures, and loss-first is cheaper.",
    cells=lambda _: [],
    comparisons=comparisons,
    judge=judge,
    checks={COUNTS: count_networks, MEMORY: hold_networks},
    values={COUNTS: dict[str, tuple[Executed, Executed]], MEMORY: dict[str, Memory]},
    needs=("sklearn",),
    figures=(
        Figure(
            "networks",
            "networks",
            "Real networks: factors as they are, and dense",
            "Seconds per evaluation with 95 % intervals; multiplications; "
            "bytes of the factors, and what an evaluation allocates beside them.",
        ),
    ),
)
