"""C8: caching adjoints pays for all parameter gradients loss-first, and not input-first."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.slopes import judged_regimes, slope_part, sweep_of
from jacchain.analysis.verdicts import Part, undecided
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.experiment import Experiment, Figure
from jacchain.experiments.gains import count_parts, gain_part, no_gain_part
from jacchain.experiments.profiles import Profile
from jacchain.measure.memory import allocated_bytes
from jacchain.networks.mlp import mlp
from jacchain.records.values import Executed, Positive

Order = Literal["loss-first", "input-first"]
SCRATCH, CACHED = "each from scratch", "with a cache"
NARROW, WIDE = 48, 256  # sizes of all layers: for all four ways, and for growth of loss-first
DEEPEST = 24  # layers that are to fit into the last level of cache, so that growth can be judged
COUNTS, MEMORY = "C8:counts", "C8:memory"
ORDERS: tuple[Order, ...] = (LOSS_FIRST, INPUT_FIRST)
COUNTED = (2, 3, 5, 6)  # layers, of 4 each
HELD = (2, 4, 8)  # layers, at which memory is measured
LEAST_LAYERS = 3


def depths(profile: Profile, order: str, width: int) -> tuple[int, ...]:
    """Numbers of layers at which a pair is measured."""
    if width != NARROW:
        return (6, 7, 8, 12, 16, 24) if profile.name == "quick" else (6, 7, 8, 12, 16, 24, 32, 48)
    most = 12 if order == LOSS_FIRST or profile.name != "quick" else 8
    return tuple(n for n in (1, 2, 3, 4, 6, 8, 12) if n <= most)


def name(order: str, width: int, layers: int) -> str:
    """Name of a comparison of this claim."""
    return f"C8 {order}, {layers} layers of {width}"


def wide(profile: Profile) -> int:
    """Size of the wide layers: less where what they touch would leave the cache.

    Each has two Jacobians and a gradient of `width^2` entries; that by the weights is sparse, with
    indices of 4 bytes.

    Examples
    --------
    >>> from jacchain.experiments.profiles import PROFILES, fitted
    >>> wide(PROFILES["quick"]), wide(fitted(PROFILES["quick"], 2**20, 2**25, "float64"))
    (256, 108)
    """
    if not profile.windows:
        return WIDE
    _, most = profile.windows[0]
    fitting = int((most / (DEEPEST * (3 * profile.itemsize + 4))) ** 0.5)
    return min(WIDE, max(NARROW + 16, fitting // 4 * 4))


def pairs(profile: Profile) -> tuple[tuple[Order, int], ...]:
    """The order and the size of layers of each sweep."""
    return ((LOSS_FIRST, NARROW), (INPUT_FIRST, NARROW), (LOSS_FIRST, wide(profile)))


def comparisons(profile: Profile) -> list[Comparison]:
    """From scratch and with a cache, over depth: both orders narrow, loss-first wide."""
    return [
        Comparison(
            name(order, width, layers),
            (1, *(width,) * (layers + 1)),
            partial(_ways, order, width, layers),
            f"C8 {order}, width {width}",
        )
        for order, width in pairs(profile)
        for layers in depths(profile, order, width)
    ]


def chains(width: int, layers: int, dtype: np.dtype[Any], seed: int) -> dict[str, Chain]:
    """The chain of each parameter of a random network."""
    rng = np.random.default_rng([seed, width, layers])
    network = mlp(*(width,) * (layers + 1), activation="tanh", rng=rng, dtype=dtype)
    return network.parameter_chains(rng.standard_normal(width), rng.standard_normal(width))


def _ways(
    order: Order, width: int, layers: int, dtype: np.dtype[Any], seed: int
) -> tuple[Way, Way]:
    of = chains(width, layers, dtype, seed)
    scratch, cached = (
        Way(
            label,
            plan(of, order, cache=cache).cost,
            partial(evaluator, of, order, cache=cache),
        )
        for label, cache in ((SCRATCH, False), (CACHED, True))
    )
    return scratch, cached


def count_gradients(seed: int) -> dict[str, Any]:
    """Executed and predicted multiplications of all four ways, over depth."""
    return {
        f"{order}, {label}, {layers} layers of 4": [
            count(of, order, cache=cache),
            plan(of, order, cache=cache).multiplications,
        ]
        for layers in COUNTED
        for of in (chains(4, layers, np.dtype("float64"), seed),)
        for order in ORDERS
        for label, cache in ((SCRATCH, False), (CACHED, True))
    }


@dataclass(frozen=True)
class Memory:
    """Bytes of each way at each depth: allocated by a call, predicted, and kept for others."""

    layers: list[Positive]
    allocated: dict[str, list[Executed]]
    predicted: dict[str, list[Executed]]
    kept: dict[str, list[Executed]]

    def __post_init__(self) -> None:
        """Refuse what can't be drawn: a way that is missing, or not one value for each depth."""
        ways = [f"{order}, {label}" for order in ORDERS for label in (SCRATCH, CACHED)]
        for rows in (self.allocated, self.predicted, self.kept):
            lengths = {way: len(row) for way, row in rows.items()}
            if not self.layers or lengths != dict.fromkeys(ways, len(self.layers)):
                message = f"bytes are {rows} at {self.layers} layers; expected {ways} at each"
                raise ValueError(message)


def hold_memory(seed: int) -> dict[str, Any]:
    """What one call of each way allocates at most, and what its cache holds."""
    found: dict[str, Any] = {"layers": list(HELD), "allocated": {}, "predicted": {}, "kept": {}}
    for order in ORDERS:
        for label, cache in ((SCRATCH, False), (CACHED, True)):
            way = f"{order}, {label}"
            rows = [_memory(layers, seed, order, cache=cache) for layers in HELD]
            for index, key in enumerate(("allocated", "predicted", "kept")):
                found[key][way] = [row[index] for row in rows]
    return found


def _memory(layers: int, seed: int, order: Order, *, cache: bool) -> tuple[int, int, int]:
    of = chains(NARROW, layers, np.dtype("float64"), seed)
    cost = plan(of, order, cache=cache)
    run = partial(_evaluate, of, order, cache=cache)
    return allocated_bytes(run), 8 * cost.peak_elements, 8 * cost.kept_elements


def _evaluate(of: dict[str, Chain], order: Order, *, cache: bool) -> object:
    return evaluator(of, order, cache=cache)()


def judge(evidence: Evidence, profile: Profile) -> list[Part]:
    """Counts; growth of loss-first both ways; gains of loss-first, and of input-first."""
    parts = count_parts(evidence, COUNTS) + growth_parts(evidence, profile)
    for width in (NARROW, wide(profile)):
        parts += [
            gain_part(evidence, name(LOSS_FIRST, width, layers))
            for layers in depths(profile, LOSS_FIRST, width)
            if layers >= LEAST_LAYERS
        ]
    return parts + [
        no_gain_part(evidence, name(INPUT_FIRST, NARROW, layers))
        for layers in depths(profile, INPUT_FIRST, NARROW)
    ]


def series(
    evidence: Evidence, profile: Profile, order: str, width: int, label: str
) -> list[tuple[int, Series]]:
    """Depth and what was measured of one way, wherever it was."""
    index = (SCRATCH, CACHED).index(label)
    named = ((n, name(order, width, n)) for n in depths(profile, order, width))
    return [
        (n, evidence.comparisons[key][index]) for n, key in named if key in evidence.comparisons
    ]


def growth_parts(evidence: Evidence, profile: Profile) -> list[Part]:
    """With a cache linear, without one quadratic: slopes and rival laws, in one memory regime."""
    parts: list[Part] = []
    for label, law in ((CACHED, "n"), (SCRATCH, "n^2")):
        of = f"loss-first, {label}, over L"
        found = series(evidence, profile, LOSS_FIRST, wide(profile), label)
        whole = sweep_of("gradients", "L", label, found, law)
        regimes = judged_regimes(whole, evidence) if whole else {}
        if not regimes:
            reason = "no memory regime holds four depths over half a decade above the overhead"
            parts.append(undecided(f"slope of {of}", reason, unit="exponent"))
        for regime, part in regimes.items():
            parts.append(slope_part(part, evidence.noise_floor, f"slope of {of}, {regime}"))
            parts.append(rival_part(part, evidence.noise_floor, f"rivals of {of}, {regime}"))
    return parts


EXPERIMENT = Experiment(
    "C8",
    "Caching adjoints",
    "Cached adjoints make the cost of all parameter gradients grow linearly with depth loss-first, "
    "where each from scratch makes it grow quadratically; input-first a cache is of no use.",
    gradient_formulas=((LOSS_FIRST, True), (LOSS_FIRST, False), (INPUT_FIRST, False)),
    cells=lambda _: [],
    comparisons=comparisons,
    judge=judge,
    checks={COUNTS: count_gradients, MEMORY: hold_memory},
    values={COUNTS: dict[str, tuple[Executed, Executed]], MEMORY: Memory},
    figures=(
        Figure(
            "gradients",
            "gradients",
            "All parameter gradients over depth",
            "Above: seconds for all gradients, with lines for the formula's growth. "
            "Below: bytes allocated at most, lines for the formula's; and those kept for others.",
        ),
    ),
)
