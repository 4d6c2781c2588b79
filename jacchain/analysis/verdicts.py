"""Agrees, disagrees, inconclusive: of parts, of statements by parts, of claims by statements."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from jacchain.analysis.intervals import CONFIDENCE, LEAST_PROCESSES, Estimate, Interval
from jacchain.notebook import html_table
from jacchain.units import share

Judgement = Literal["agrees", "disagrees", "inconclusive"]

TOO_NOISY = 0.15  # a noise floor above which nothing timed is judged
ENOUGH_PARTS = 0.9  # of the parts of a timed statement


@dataclass(frozen=True)
class Part:
    """One thing that a statement says, measured.

    `margin` is the range in which the part agrees, in `unit` as is all else. `interval` is the 95 %
    interval over processes; `widened` the same with the noise floor; `simultaneous` holds the truth
    of all parts of the statement at once in 95 %, and is widened by effects of shape too.
    """

    name: str
    measured: float
    expected: float
    margin: Interval
    unit: str = ""
    interval: Interval | None = None
    widened: Interval | None = None
    simultaneous: Interval | None = None
    verdict: Judgement = "inconclusive"
    reason: str = ""
    timed: bool = True
    #: Of a timed part, on a logarithmic scale if it is `log`; `widening` is in the same unit, and
    #: so is `shape_effect`, what kernels that differ by shape, or a jump among sizes too few to
    #: show one, may make of it: it disagrees only beyond
    estimate: Estimate | None = None
    widening: float = 0.0
    shape_effect: float = 0.0
    log: bool = False

    @property
    def slack(self) -> float:
        """Distance of the measured value from the nearest edge of the margin; negative outside."""
        return min(self.measured - self.margin[0], self.margin[1] - self.measured)

    def bounds(self, confidence: float, extra: float = 0.0) -> Interval | None:
        """Return the interval of the estimate, wider by `extra`, in `unit`; None without one."""
        if self.estimate is None:
            return None
        low, high = self.estimate.interval(confidence)
        ends = np.array([low - extra, high + extra])
        low, high = (np.exp(ends) if self.log else ends).tolist()
        return low, high


@dataclass(frozen=True)
class Statement:
    """A sentence of the article in our words, with its margin, and the parts that it is judged by.

    All of its parts are timed, or all are exact.
    """

    sentence: str
    parts: tuple[Part, ...]
    verdict: Judgement = "inconclusive"
    reason: str = ""

    @property
    def timed(self) -> bool:
        """Whether it is judged on times; else on exact figures."""
        return any(part.timed for part in self.parts)

    @property
    def agreeing(self) -> int:
        """How many of its parts agree."""
        return sum(part.verdict == "agrees" for part in self.parts)

    @property
    def telling(self) -> Part | None:
        """The part that decides: of those judged as the statement is, the closest to an edge."""
        return _closest(self.parts, self.verdict)


def _figures(part: Part) -> tuple[str, ...]:
    ends = "" if part.interval is None else " to ".join(f"{end:.4g}" for end in part.interval)
    return f"{part.measured:.4g}", f"{part.expected:.4g}", ends, part.unit


@dataclass(frozen=True, repr=False)
class Verdict:
    """What was found about one claim, statement by statement.

    Examples
    --------
    >>> Verdict("C5", "inconclusive", "nothing was judged", ())
    Verdict('C5', 'inconclusive', 0 of 0 statements agree)
    """

    claim: str
    verdict: Judgement
    reason: str
    statements: tuple[Statement, ...]

    def __repr__(self) -> str:
        """Show the claim and what was found, not on what."""
        agree = f"{self.agreeing} of {len(self.statements)} statements agree"
        return f"Verdict({self.claim!r}, {self.verdict!r}, {agree})"

    def _repr_html_(self) -> str:
        """Show a notebook the parts of all statements."""
        rows = (
            (statement.sentence, part.name, part.verdict, *_figures(part))
            for statement in self.statements
            for part in statement.parts
        )
        columns = ("statement", "part", "verdict", "measured", "expected", "95 % interval", "unit")
        return html_table(f"{self.claim} {self.verdict}", columns, rows, self.reason)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of all statements."""
        return tuple(part for statement in self.statements for part in statement.parts)

    @property
    def agreeing(self) -> int:
        """How many of its statements agree."""
        return sum(statement.verdict == "agrees" for statement in self.statements)

    @property
    def telling(self) -> Part | None:
        """The part that decides: of the statements judged as the claim is, the closest."""
        deciding = [s for s in self.statements if s.verdict == self.verdict]
        parts = [s.telling for s in deciding if s.telling is not None]
        return _closest(parts, self.verdict)

    @property
    def equal(self) -> bool:
        """Whether there are parts, and each is an exact figure that equals what was expected."""
        equal = [p.measured == p.expected and p.margin[0] == p.margin[1] for p in self.parts]
        return bool(equal) and all(equal)

    @property
    def typical(self) -> Part | None:
        """Of the parts of `telling`'s statement in its unit, the middle one beside what to expect.

        None if nothing was measured.
        """
        worst = self.telling
        told = next((s.parts for s in self.statements if worst in s.parts), ())
        parts = [p for p in told if worst and p.unit == worst.unit and np.isfinite(p.measured)]
        parts.sort(key=lambda part: part.measured / (part.expected or 1.0))
        return parts[(len(parts) - 1) // 2] if parts else None


def _closest(parts: Sequence[Part], verdict: Judgement) -> Part | None:
    """Return the part nearest to an edge of its margin, or farthest outside; exact ones come last.

    Of those that were judged so, if there are any.
    """
    measured = [part for part in parts if np.isfinite(part.measured)]
    deciding = [part for part in measured if part.verdict == verdict] or measured
    inexact = [part for part in deciding if part.margin[0] < part.margin[1]]
    return min(inexact or deciding, key=lambda part: part.slack / _scale(part), default=None)


def timed(
    name: str,
    estimate: Estimate,
    expected: float,
    margin: Interval,
    *,
    widening: float,
    unit: str = "",
    log: bool = False,
    reason: str = "",
) -> Part:
    """A part that is judged on times; undecided on fewer than six processes, or without A/A pairs.

    `estimate` is of the logarithm of the measured value if `log`; `widening` is the noise floor's
    in the same unit. `reason` is said before where the interval lies.
    """
    if not estimate.decides:
        problem = f"{estimate.processes} processes; an interval needs {LEAST_PROCESSES}"
        return undecided(name, problem, unit=unit)
    if not np.isfinite(widening):
        return undecided(name, "no A/A pair was measured, so the noise is unknown", unit=unit)
    measured = float(np.exp(estimate.value)) if log else estimate.value
    basis: dict[str, Any] = {"estimate": estimate, "widening": widening, "log": log}
    part = Part(name, measured, expected, margin, unit, reason=reason, **basis)
    return replace(
        part, interval=part.bounds(CONFIDENCE), widened=part.bounds(CONFIDENCE, widening)
    )


def exact(
    name: str,
    measured: float,
    expected: float,
    *,
    margin: Interval | None = None,
    unit: str = "",
    reason: str = "",
) -> Part:
    """A part that is no time: it must be met to the digit, as integers are, or lie in a margin."""
    low, high = margin or (expected, expected)
    agrees = low <= measured <= high
    wanted = f"expected {expected}" if margin is None else f"expected {_range(margin)}"
    return Part(
        name,
        measured,
        expected,
        (low, high),
        unit,
        verdict="agrees" if agrees else "disagrees",
        reason=reason or ("equal" if agrees and not margin else f"measured {measured}, {wanted}"),
        timed=False,
    )


def undecided(name: str, reason: str, *, unit: str = "", timed: bool = True) -> Part:
    """A part that could not be judged, with the reason."""
    nan = float("nan")
    return Part(name, nan, nan, (nan, nan), unit, reason=reason, timed=timed)


def _position(part: Part, interval: Interval | None) -> Judgement:
    """Where an interval lies: in the margin, wholly outside, or across an edge."""
    low, high = interval or (np.nan, np.nan)
    if part.margin[0] <= low and high <= part.margin[1]:
        return "agrees"
    return "disagrees" if high < part.margin[0] or low > part.margin[1] else "inconclusive"


def _decided(part: Part, several: int, noise_floor: float) -> Part:
    """Judge one timed part of `several`.

    It agrees if its widened 95 % interval lies inside the margin: to be wrong on a statement that
    holds of all its parts, one part alone must be wrong. It disagrees if its simultaneous interval,
    by Bonferroni, lies outside: one part of many that is wrong by chance contradicts nothing.
    """
    if not part.timed or part.estimate is None:
        return part
    extra = part.widening + part.shape_effect
    simultaneous = part.bounds(1 - (1 - CONFIDENCE) / several, extra)
    part = replace(part, simultaneous=simultaneous)
    if noise_floor > TOO_NOISY:
        reason = f"the noise floor is {share(noise_floor, 0)}, above {share(TOO_NOISY, 0)}"
        return replace(part, verdict="inconclusive", reason=reason)
    inside, beyond = _position(part, part.widened), _position(part, simultaneous)
    verdict = "disagrees" if beyond == "disagrees" else inside
    low, high = part.widened or (np.nan, np.nan)
    place = {"agrees": "lies inside", "disagrees": "lies outside"}.get(
        verdict, "crosses an edge of"
    )
    text = f"{low:.3g} to {high:.3g} {place} {_range(part.margin)}"
    if verdict == "disagrees" != beyond:
        verdict = "inconclusive"
        text += ", but not so surely that none of all parts would by chance"
    reason = f"{part.reason}; {text}" if part.reason else text
    return replace(part, verdict=verdict, reason=reason)


def _range(margin: Interval) -> str:
    low, high = margin
    if np.isinf(high):
        return f"what is above {low:.3g}"
    return f"what is below {high:.3g}" if np.isinf(low) else f"{low:.3g} to {high:.3g}"


def decide(statement: Statement, noise_floor: float) -> Statement:
    """Judge a statement and its parts.

    An exact one agrees if all parts do. A timed one agrees if at least 90 % of its parts do, all
    could be judged, and the widened 95 % interval of none lies wholly outside. Either disagrees if
    a part does. What remains is inconclusive, and so is a statement without parts.

    Raises ValueError if its parts are timed and exact.
    """
    if len({part.timed for part in statement.parts}) > 1:
        message = f"'{statement.sentence}' has timed and exact parts; make two statements of it"
        raise ValueError(message)
    several = sum(part.estimate is not None for part in statement.parts)
    parts = tuple(_decided(part, several, noise_floor) for part in statement.parts)
    verdict = _verdict(parts)
    judged = replace(statement, parts=parts, verdict=verdict)
    return replace(judged, reason=_reason(judged))


def _verdict(parts: Sequence[Part]) -> Judgement:
    verdicts = [part.verdict for part in parts]
    if "disagrees" in verdicts:
        return "disagrees"
    agreeing, judged = verdicts.count("agrees"), [p for p in parts if np.isfinite(p.measured)]
    least = ENOUGH_PARTS if any(part.timed for part in parts) else 1.0
    outside = any(_position(part, part.widened) == "disagrees" for part in parts if part.estimate)
    enough = len(parts) > 0 and agreeing >= least * len(parts)
    return "agrees" if enough and len(judged) == len(parts) and not outside else "inconclusive"


def _reason(statement: Statement) -> str:
    """Say how many parts agree, and what the part says that decides."""
    parts = statement.parts
    if not parts:
        return "nothing of it was measured"
    share = f"{statement.agreeing} of {len(parts)} parts agree"
    unjudged = [part for part in parts if not np.isfinite(part.measured)]
    if statement.verdict == "inconclusive" and unjudged:
        return f"{share}; {unjudged[0].name}: {unjudged[0].reason}"
    telling = statement.telling
    return f"{share}; {telling.name}: {telling.reason}" if telling else share


def judge(claim: str, statements: Sequence[Statement], noise_floor: float) -> Verdict:
    """Judge a claim: it agrees if all of its statements do, and disagrees if one does."""
    decided = tuple(decide(statement, noise_floor) for statement in statements)
    verdicts = [statement.verdict for statement in decided]
    verdict: Judgement = "inconclusive"
    if "disagrees" in verdicts:
        verdict = "disagrees"
    elif verdicts and set(verdicts) == {"agrees"}:
        verdict = "agrees"
    telling = next((s for s in decided if s.verdict == verdict), None)
    share = f"{verdicts.count('agrees')} of {len(decided)} statements agree"
    reason = share
    if telling and verdict != "agrees":
        reason = f"{share}; {telling.sentence} {telling.reason}"
    return Verdict(claim, verdict, reason if decided else "nothing of it was measured", decided)


def _scale(part: Part) -> float:
    finite = [abs(edge) for edge in part.margin if np.isfinite(edge)]
    return max([*finite, 1e-12])


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for `verdicts.json`: not-a-number and infinite edges become null."""
    result: dict[str, Any] = plain(asdict(verdict))
    return result


def plain(value: Any) -> Any:
    """Return a value as JSON has it: not-a-number and infinities become None, tuples lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
