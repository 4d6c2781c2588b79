"""Parts that several claims judge: ratios of times, and counts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.intervals import LEAST_VALUES, sign_test
from jacchain.analysis.noise import TOO_NOISY
from jacchain.analysis.ratios import formula_ratio, log_ratios, ratio
from jacchain.analysis.verdicts import Part, exact, undecided
from jacchain.records.values import Executed

CHEAPER, FAR_CHEAPER = 1.0, 10.0
LEAST_RATIO, LARGE_RATIO = 2.0, 100.0

Counts = dict[str, tuple[Executed, Executed]]
"""Values of a check: executed and predicted multiplications, by what was counted."""


def ratio_part(
    first: Series, second: Series, noise_floor: float, *, least: float | None = None, name: str = ""
) -> Part:
    """Judge whether time(first) / time(second), paired within blocks, is above `least`.

    By default that is C5's threshold: 10 where the formula's ratio is at least 100, else 1. The
    interval is widened by the noise floor; the part is named by the cell's sizes if not by `name`.
    """
    name = name or f"time ratio at {sizes_in_words(first.dims)}"
    logs, formula = log_ratios(first, second), formula_ratio(first, second)
    if len(logs) < LEAST_VALUES:
        return undecided(name, f"{len(logs)} blocks; an interval needs {LEAST_VALUES}")
    least = least or (FAR_CHEAPER if formula >= LARGE_RATIO else CHEAPER)
    low, middle, high = ratio(first, second)
    floor = 1 + noise_floor
    return Part(
        name,
        middle,
        formula,
        (least, np.inf),
        unit=f"{first.name} / {second.name}",
        interval=(low, high),
        widened=(low / floor, high * floor),
        p=sign_test(logs, float(np.log(least / floor))),
    )


def sizes_in_words(dims: tuple[int, ...]) -> str:
    """Name the sizes of a chain, those of a deep one in short.

    Examples
    --------
    >>> sizes_in_words((1, 8, 8, 8, 64)), sizes_in_words((1, *[256] * 9))
    ('|z3|, |z2|, |z1|, |x| = 8, 8, 8, 64', '8 layers of 256')
    """
    if len(dims) == 5:
        return "|z3|, |z2|, |z1|, |x| = " + ", ".join(map(str, dims[1:]))
    if len(set(dims[1:])) == 1:
        return f"{len(dims) - 2} layers of {dims[1]}"
    return " x ".join(map(str, dims))


def gain_part(evidence: Evidence, cell: str, *, least: float = CHEAPER) -> Part:
    """Judge whether the first arm of a cell takes over `least` times as long as the second."""
    pair = evidence.pair(cell)
    if pair is None:
        return not_measured(evidence, cell)
    name = f"time ratio, {cell}"
    return ratio_part(*pair, evidence.noise_floor, least=least, name=name)


def no_gain_part(evidence: Evidence, cell: str) -> Part:
    """Judge whether the first arm takes no longer than the formula says, beside the second.

    Up to what is too noisy to judge anything: where the formula's ratio is 1, so is the measured
    one, and its interval can't lie under 1.
    """
    pair = evidence.pair(cell)
    if pair is None:
        return not_measured(evidence, cell)
    most = formula_ratio(*pair) * (1 + TOO_NOISY)
    logs = log_ratios(*pair) - np.log1p(evidence.noise_floor)
    p = sign_test(-logs, -float(np.log(most)))
    return replace(gain_part(evidence, cell), margin=(0.0, most), p=p)


def order_part(evidence: Evidence, cell: str) -> Part:
    """Judge C5's rule on a cell of (loss-first, input-first): loss-first is (far) faster."""
    pair = evidence.pair(cell)
    if pair is None:
        return not_measured(evidence, cell)
    loss, inputs = pair
    if formula_ratio(inputs, loss) < LEAST_RATIO:
        return undecided(cell, f"the formula's ratio is under {LEAST_RATIO:.0f}")
    return ratio_part(inputs, loss, evidence.noise_floor, name=f"time ratio, {cell}")


def not_measured(evidence: Evidence, cell: str) -> Part:
    """Say why a cell can't be judged."""
    return undecided(cell, evidence.skipped.get(cell, "not measured in this run"))


def count_parts(evidence: Evidence, check: str) -> list[Part]:
    """Return one part if all counts are as predicted, else one for each that is not.

    However many were counted, they weigh as one: they are not to outvote what was timed.
    """
    counts: Counts | None = evidence.checks.get(check)
    if not counts:
        return [undecided("multiplications", "not counted in this run")]
    wrong = {name: pair for name, pair in counts.items() if pair[0] != pair[1]}
    if wrong:
        return [exact(name, *pair, unit="multiplications") for name, pair in wrong.items()]
    name = "executed multiplications that equal the predicted ones"
    return [exact(name, len(counts), len(counts), unit="counts")]


def list_numbers(values: Sequence[float] | np.ndarray) -> str:
    """Write numbers with three digits, for a sentence.

    Examples
    --------
    >>> list_numbers([1.0, 12.345])
    '1, 12.3'
    """
    return ", ".join(f"{value:.3g}" for value in values)
