"""What C7's measurements say beside its verdict: turning points, and why gains are as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jacchain.analysis.evidence import Array, Evidence, Series
from jacchain.analysis.paired import crossing, ratio
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.experiment import Finding
from jacchain.experiments.profiles import Profile
from jacchain.experiments.ratios import formula_ratio

SIZES = (512, 256, 128, 10)
WIDE_SIZES = (1024, 1024, 1024, 10)  # its weights take long enough to read beside the calls
WIDE = "wide, loss-first"
NEAR = 2.0  # working sets within this factor have about the same bandwidth
HALF = 0.5  # of the ceiling: where memory and arithmetic take equally long, one after the other


def batch_sizes(profile: Profile) -> tuple[int, ...]:
    """Powers of four up to 64 in quick, of two up to 256 otherwise."""
    return (1, 4, 16, 64) if profile.name == "quick" else tuple(2**k for k in range(9))


def name(what: str, samples: int) -> str:
    """Name of a comparison of this claim."""
    return f"C7 {what}, batch of {samples}"


def measured(evidence: Evidence, profile: Profile, what: str) -> list[tuple[int, Series, Series]]:
    """Batch size and both ways, wherever a comparison was measured."""
    named = ((n, name(what, n)) for n in batch_sizes(profile))
    found = evidence.comparisons
    return [(n, *found[key]) for n, key in named if key in found]


@dataclass(frozen=True)
class Turning:
    """Batch sizes at which loss-first spends as long on memory as on arithmetic.

    `predicted` from the ceilings alone; `measured` where its rate reaches half of the ceiling, None
    where it does not.
    """

    predicted: float
    measured: float | None
    ceiling: float  # flops per second
    bandwidth: float  # bytes per second


def turning(evidence: Evidence, profile: Profile) -> Turning | None:
    """Where loss-first turns from bound by memory to bound by arithmetic; None if not measured.

    A batch of n reads each weight once, in `itemsize / bandwidth` seconds, and multiplies n times
    with it, in `2 n / ceiling`: both take equally long at `n = itemsize ceiling / (2 bandwidth)`.
    """
    sizes, rates = wide_rates(evidence, profile)
    flops = [rate(s) for s in evidence.ceilings.values() if s.engine == "matrix-matrix"]
    weights = profile.itemsize * sum(a * b for a, b in pairwise(WIDE_SIZES))
    read = [
        s.bytes / s.time
        for s in evidence.ceilings.values()
        if s.engine == "row-matrix" and weights / NEAR <= s.working_set <= NEAR * weights
    ]
    if not len(sizes) or not flops or not read:
        return None
    ceiling, bandwidth = max(flops), max(read)
    reached = crossing(sizes, rates, HALF * ceiling)
    return Turning(profile.itemsize * ceiling / (2 * bandwidth), reached, ceiling, bandwidth)


def wide_rates(evidence: Evidence, profile: Profile) -> tuple[Array, Array]:
    """Batch sizes and flops per second of the wide network; of one sample by itself first."""
    rows = measured(evidence, profile, WIDE)
    if not rows:
        return np.empty(0), np.empty(0)
    _, single, _ = rows[0]
    sizes = [1, *(n for n, _, _ in rows)]
    return np.array(sizes, float), np.array([rate(single), *(rate(batch) for *_, batch in rows)])


def rate(series: Series) -> float:
    """Flops per second."""
    return (series.row_flops + series.matrix_flops) / series.time


def findings(evidence: Evidence, profile: Profile) -> list[Finding]:
    """Why time comes nearer to the formula in a batch, and why input-first gains little."""
    return [*_order_finding(evidence, profile), *_gain_finding(evidence, profile)]


def _order_finding(evidence: Evidence, profile: Profile) -> list[Finding]:
    rows = measured(evidence, profile, "orders")
    if len(rows) < 2:
        return []
    (few, *_), (many, *_) = ends = rows[0], rows[-1]
    formulas = [formula_ratio(loss, inputs) for _, loss, inputs in ends]
    times = [ratio(inputs, loss)[1] for _, loss, inputs in ends]
    short = [formula / time for formula, time in zip(formulas, times, strict=True)]
    if short[0] < 1:
        return []
    return [
        Finding(
            f"In a batch of {few} input-first takes {times[0]:.3g} times as long as loss-first, "
            f"where it multiplies {formulas[0]:.3g} times as much.",
            "Loss-first multiplies a row by each matrix, and reads every weight for a single "
            "multiplication; the other order multiplies matrices.",
            f"In a batch of {many} loss-first multiplies matrices too: the ratio of times is "
            f"{times[1]:.3g}, that of multiplications {formulas[1]:.3g}. "
            f"Short of the formula {short[0]:.2g}-fold before, {short[1]:.2g}-fold now.",
            vanishes=short[1] < 1 + (short[0] - 1) / 4,
        )
    ]


def _gain_finding(evidence: Evidence, profile: Profile) -> list[Finding]:
    gains = {
        order: [ratio(single, batch) for _, single, batch in measured(evidence, profile, order)]
        for order in (LOSS_FIRST, INPUT_FIRST)
    }
    small = [middle for low, middle, _ in gains[INPUT_FIRST] if low < 1 + evidence.noise_floor]
    if not small or not gains[LOSS_FIRST]:
        return []
    return [
        Finding(
            f"In {len(small)} of {len(gains[INPUT_FIRST])} batch sizes input-first gains nothing "
            f"from the batch: one by one it takes {_list(small)} times as long.",
            "Its products are matrix by matrix for a single sample already, and so bound by "
            "arithmetic: a batch saves it only calls.",
            "Loss-first, whose products are row by matrix one by one, takes "
            f"{_list([middle for _, middle, _ in gains[LOSS_FIRST]])} times as long.",
            vanishes=all(low > 1 + evidence.noise_floor for low, _, _ in gains[LOSS_FIRST]),
        )
    ]


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
