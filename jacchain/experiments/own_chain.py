"""One chain of the user's own: which of the two orders is faster, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from jacchain.analysis.evidence import Evidence, Series, log_ratios
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.verdicts import Part, Verdict, judge, undecided
from jacchain.experiments.ratios import CHEAPER, ratio_part


@dataclass(frozen=True)
class Answer:
    """Which order is faster.

    `ratio` is slower over faster, with its interval widened by the noise floor; `sure` is whether
    that leaves 1 outside. `formula` is the ratio of multiplications in the same direction.
    """

    faster: Series
    slower: Series
    ratio: float
    interval: tuple[float, float]
    formula: float
    noise_floor: float

    @property
    def sure(self) -> bool:
        """Whether the noise of this machine leaves no doubt."""
        return self.interval[0] > 1


def answer(evidence: Evidence) -> Answer | None:
    """Compare the two orders of the one cell that was measured; None if it was skipped."""
    pair = next(iter(evidence.pairs()), None)
    if pair is None:
        return None
    faster, slower = pair if np.median(log_ratios(*pair)) <= 0 else pair[::-1]
    low, middle, high = (float(np.exp(v)) for v in median_interval(log_ratios(slower, faster)))
    floor = 1 + evidence.noise_floor
    formula = slower.multiplications / faster.multiplications
    interval = (low / floor, high * floor)
    return Answer(faster, slower, middle, interval, formula, evidence.noise_floor)


def verdict(evidence: Evidence) -> Verdict:
    """Judge whether the order with fewer multiplications takes less time."""
    return judge("chain", [_part(evidence)], evidence.noise_floor)


def _part(evidence: Evidence) -> Part:
    pairs = evidence.pairs()
    if not pairs:
        reason = next(iter(evidence.skipped.values()), "not measured")
        return undecided("time ratio of the orders", reason)
    fewer, more = sorted(pairs[0], key=lambda s: s.multiplications)
    if fewer.multiplications == more.multiplications:
        return undecided("time ratio of the orders", "both orders take as many multiplications")
    return ratio_part(fewer, more, evidence.noise_floor, threshold=CHEAPER)
