"""C5's findings: where and why the ratio of times is not that of multiplications."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jacchain.analysis.evidence import Evidence, Series, log_ratios
from jacchain.analysis.slopes import MOST_OVERHEAD
from jacchain.analysis.verdicts import Part
from jacchain.experiments.cells import BOTH, Dims
from jacchain.experiments.experiment import Finding
from jacchain.experiments.profiles import Profile
from jacchain.experiments.ratios import (
    FAR_CHEAPER,
    LARGE_RATIO,
    LEAST_RATIO,
    formula_ratio,
    ratio_part,
)

CAUSE_DIMS = ((1, 64, 64, 64, 1024), (1, 256, 256, 256, 256), (1, 16, 16, 16, 16384))


def findings(evidence: Evidence, _: Profile) -> list[Finding]:
    """Why time favours input-first more than the formula does, and where the claim fails."""
    pairs = [pair for pair in evidence.pairs() if formula_ratio(*pair) >= LEAST_RATIO]
    judged = [_judged(*pair, evidence) for pair in pairs]
    return [*_rate_finding(evidence), *_overhead_finding(judged), *_bandwidth_finding(judged)]


@dataclass(frozen=True)
class _Judged:
    """One cell: its part, the share of loss-first's time in calls, whether a cache holds it."""

    part: Part
    overhead: float
    cached: bool

    @property
    def agrees(self) -> bool:
        return self.part.widened is not None and self.part.widened[0] > self.part.margin[0]


def _judged(loss: Series, inputs: Series, evidence: Evidence) -> _Judged:
    return _Judged(
        ratio_part(loss, inputs, evidence.noise_floor),
        min(evidence.overhead * loss.products / loss.time, 1.0),
        evidence.regimes.name(loss.working_set) in {"L2", "leaving L2", "LLC"},
    )


def _rate_finding(evidence: Evidence) -> list[Finding]:
    """The ratio of times against the formula's, by numpy and by an engine of one rate."""
    found = [ratios for dims in CAUSE_DIMS if (ratios := _ratios(evidence, dims))]
    if not found:
        return []
    names = ("formula", "numpy", "einsum")
    formula, numpy, einsum = (np.array([ratios[name] for ratios in found]) for name in names)
    short, left = (float(np.exp(np.mean(np.log(formula / r)))) for r in (numpy, einsum))
    return [
        Finding(
            "Time favours input-first far more than the formula does: the ratios of times are "
            f"{_list(numpy)} where those of multiplications are {_list(formula)}.",
            "BLAS multiplies matrix by matrix at a higher rate than row by matrix: it uses each "
            "element many times while it is in a register or a cache, where row by matrix reads "
            "every element for one multiplication.",
            "With einsum, an unblocked loop that runs both at about one rate, the ratios of times "
            f"are {_list(einsum)}: they fall short of the formula {left:.1f}-fold instead of "
            f"{short:.1f}-fold.",
            vanishes=left < 1 + (short - 1) / 4,
        )
    ]


def _ratios(evidence: Evidence, dims: Dims) -> dict[str, float]:
    """Ratio of the formula, and of times by either engine; empty where one is missing."""
    found: dict[str, float] = {}
    for engine in ("numpy", "einsum"):
        loss, inputs = (evidence.get(dims, order, engine) for order in BOTH)
        if loss is None or inputs is None:
            return {}
        found[engine] = float(np.exp(np.median(log_ratios(inputs, loss))))
        found["formula"] = formula_ratio(loss, inputs)
    return found


def _overhead_finding(judged: list[_Judged]) -> list[Finding]:
    """Cells that do not agree since calls take their time, against those where they do not."""
    asked = [cell for cell in judged if cell.part.expected < LARGE_RATIO]  # only to be faster
    failing = [
        cell.overhead for cell in asked if not cell.agrees and cell.overhead >= MOST_OVERHEAD
    ]
    large = [cell.agrees for cell in asked if cell.overhead < MOST_OVERHEAD and cell.cached]
    if not failing or not large:
        return []
    return [
        Finding(
            f"In {len(failing)} of the {len(asked)} cells whose formula's ratio is under "
            f"{LARGE_RATIO:.0f}, all small, the ratio of times is not surely above 1.",
            "The fixed cost of a call: in these cells it takes "
            f"{min(failing):.0%} to {max(failing):.0%} of loss-first's time.",
            f"Where calls take under {MOST_OVERHEAD:.0%}, and the factors are in a cache, "
            f"{sum(large)} of {len(large)} such cells agree.",
            vanishes=all(large),
        )
    ]


def _bandwidth_finding(judged: list[_Judged]) -> list[Finding]:
    """Cells of a large formula ratio whose times do not follow, against those in a cache."""
    large = [cell for cell in judged if cell.part.expected >= LARGE_RATIO]
    failing = [cell.part for cell in large if not cell.agrees and not cell.cached]
    cached = [cell.agrees for cell in large if cell.cached]
    if not failing or not cached:
        return []
    return [
        Finding(
            f"In {len(failing)} cells the formula's ratio is {_list(p.expected for p in failing)}, "
            f"and that of times, {_list(p.measured for p in failing)}, is not surely over "
            f"{FAR_CHEAPER:.0f}.",
            "Loss-first is bound by memory: its factors have left the cache, and it reads each "
            "element from memory for a single multiplication. Input-first is bound by arithmetic.",
            "Where the formula's ratio is as large and the factors fit in a cache, "
            f"{sum(cached)} of {len(cached)} cells are over {FAR_CHEAPER:.0f} times faster "
            "loss-first.",
            vanishes=all(cached),
        )
    ]


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
