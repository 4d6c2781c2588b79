"""Agrees, disagrees, inconclusive: how parts are judged and how a claim follows from its parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jacchain.analysis.noise import TOO_NOISY

Judgement = Literal["agrees", "disagrees", "inconclusive"]
Interval = tuple[float, float]

SIGNIFICANCE = 0.05
ENOUGH_PARTS = 0.8


@dataclass(frozen=True)
class Part:
    """One thing that a claim says, measured.

    `interval` is statistical, `widened` the same with the noise floor; both are in `unit`, as are
    `measured` and `margin`, the range in which the part agrees. `p` is the p-value of "it lies
    inside the margin", after widening.
    """

    name: str
    measured: float
    expected: float
    margin: Interval
    unit: str = ""
    interval: Interval | None = None
    widened: Interval | None = None
    p: float = 1.0
    verdict: Judgement = "inconclusive"
    reason: str = ""
    timed: bool = True

    @property
    def slack(self) -> float:
        """Distance of the measured value from the nearest edge of the margin; negative outside."""
        return min(self.measured - self.margin[0], self.margin[1] - self.measured)


@dataclass(frozen=True)
class Verdict:
    """What was found about one claim. The figures are those of its most telling part."""

    claim: str
    verdict: Judgement
    measured: float | None
    expected: float | None
    interval: Interval | None
    unit: str
    reason: str
    parts: tuple[Part, ...]


def exact(name: str, measured: float, expected: float, *, unit: str = "", reason: str = "") -> Part:
    """A part that must be met to the digit, as integers are."""
    agrees = measured == expected
    return Part(
        name,
        measured,
        expected,
        (expected, expected),
        unit,
        verdict="agrees" if agrees else "disagrees",
        p=float(agrees),
        reason=reason or ("equal" if agrees else f"measured {measured}, expected {expected}"),
        timed=False,
    )


def undecided(name: str, reason: str, *, unit: str = "") -> Part:
    """A part that could not be judged, with the reason."""
    nan = float("nan")
    return Part(name, nan, nan, (nan, nan), unit, reason=reason)


def _position(part: Part) -> Judgement:
    """Where the widened interval lies, before the correction for several parts."""
    low, high = part.widened or (part.measured, part.measured)
    if part.margin[0] <= low and high <= part.margin[1]:
        return "agrees"
    outside = high < part.margin[0] or low > part.margin[1]
    return "disagrees" if outside else "inconclusive"


def holm(p_values: Sequence[float], significance: float = SIGNIFICANCE) -> list[bool]:
    """Which hypotheses fall when several are tested at once.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979) 65-70.

    Examples
    --------
    >>> holm([0.001, 0.04, 0.03])
    [True, False, False]
    """
    falls = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values)):
        if p_values[index] > significance / (len(p_values) - rank):
            break
        falls[index] = True
    return falls


def decide(parts: Sequence[Part], noise_floor: float) -> tuple[Part, ...]:
    """Every part with its verdict: by its interval, by Holm, and by the noise of the machine."""
    falls = holm([part.p for part in parts])
    return tuple(_decided(part, fall, noise_floor) for part, fall in zip(parts, falls, strict=True))


def _decided(part: Part, falls: bool, noise_floor: float) -> Part:
    if not part.timed or part.widened is None:
        return part
    if noise_floor > TOO_NOISY:
        reason = f"the noise floor is {noise_floor:.0%}, above {TOO_NOISY:.0%}"
        return replace(part, verdict="inconclusive", reason=reason)
    position = _position(part)
    if position == "disagrees" and not falls:
        reason = f"outside the margin, but not significantly so among all parts (p = {part.p:.2g})"
        return replace(part, verdict="inconclusive", reason=reason)
    places = {"agrees": "lies inside", "disagrees": "lies outside"}
    place = places.get(position, "crosses an edge of")
    low, high = part.widened
    reason = f"{low:.3g} to {high:.3g} {place} {_range(part.margin)}"
    return replace(part, verdict=position, reason=part.reason or reason)


def _range(margin: Interval) -> str:
    low, high = margin
    if np.isinf(high):
        return f"what is above {low:.3g}"
    return f"what is below {high:.3g}" if np.isinf(low) else f"{low:.3g} to {high:.3g}"


def judge(claim: str, parts: Sequence[Part], noise_floor: float) -> Verdict:
    """The verdict on a claim.

    It agrees if no part disagrees and at least 80 % agree, and disagrees if any part does.
    """
    decided = decide(parts, noise_floor)
    agreeing = sum(p.verdict == "agrees" for p in decided)
    if any(p.verdict == "disagrees" for p in decided):
        verdict: Judgement = "disagrees"
    elif decided and agreeing >= ENOUGH_PARTS * len(decided):
        verdict = "agrees"
    else:
        verdict = "inconclusive"
    telling = _most_telling([p for p in decided if p.verdict == verdict] or list(decided))
    reason = _reason(verdict, decided, telling)
    if telling is None:
        return Verdict(claim, verdict, None, None, None, "", reason, decided)
    figures = telling.measured, telling.expected, telling.interval, telling.unit
    return Verdict(claim, verdict, *figures, reason, decided)


def _most_telling(parts: Sequence[Part]) -> Part | None:
    """The part nearest to an edge of its margin, or farthest outside; exact ones come last."""
    measured = [p for p in parts if np.isfinite(p.measured)]
    inexact = [p for p in measured if p.margin[0] < p.margin[1]]
    return min(inexact or measured, key=lambda p: p.slack / _scale(p), default=None)


def _scale(part: Part) -> float:
    finite = [abs(edge) for edge in part.margin if np.isfinite(edge)]
    return max([*finite, 1e-12])


def _reason(verdict: Judgement, parts: Sequence[Part], telling: Part | None) -> str:
    if not parts:
        return "nothing of this claim was measured"
    share = _shares(parts)
    if verdict == "inconclusive":
        telling = next((p for p in parts if p.verdict == "inconclusive"), telling)
    return f"{share}; {telling.name}: {telling.reason}" if telling else share


def _shares(parts: Sequence[Part]) -> str:
    """How many parts agree, those of times and those of exact figures apart."""
    groups = {"timed": [p for p in parts if p.timed], "exact": [p for p in parts if not p.timed]}
    counts = {
        name: f"{sum(p.verdict == 'agrees' for p in group)} of {len(group)}"
        for name, group in groups.items()
        if group
    }
    if len(counts) == 1:
        return f"{next(iter(counts.values()))} parts agree"
    return f"{counts['timed']} timed parts and {counts['exact']} exact ones agree"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for `verdicts.json`: not-a-number and infinite edges become null."""
    parts = [vars(part) for part in verdict.parts]
    plain: dict[str, Any] = _plain(vars(verdict) | {"parts": parts})
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
