"""What comparisons show, as parts that can be judged: one way's time over the other's."""

from dataclasses import replace

import numpy as np

from jacchain.analysis.evidence import Evidence, log_ratios
from jacchain.analysis.intervals import sign_test
from jacchain.analysis.noise import TOO_NOISY
from jacchain.analysis.verdicts import Part, exact, undecided
from jacchain.experiments.ratios import CHEAPER, LEAST_RATIO, formula_ratio, ratio_part


def count_parts(evidence: Evidence, check: str) -> list[Part]:
    """One part where all counts are what was predicted, else one for each that is not.

    However many were counted, they weigh as one: they are not to outvote what was timed.
    """
    counts = evidence.checks.get(check)
    if not counts:
        return [undecided("multiplications", "not counted in this run")]
    wrong = {of: pair for of, pair in counts.items() if pair[0] != pair[1]}
    if wrong:
        return [exact(of, *pair, unit="multiplications") for of, pair in wrong.items()]
    name = "executed multiplications that equal the predicted ones"
    return [exact(name, len(counts), len(counts), unit="counts")]


def why_not_judged(evidence: Evidence, name: str) -> Part | None:
    """Why a comparison can't be judged, as a part; None if it can be."""
    if name in evidence.comparisons:
        return None
    reason = evidence.skipped.get(f"comparison:{name}", "not measured in this run")
    return undecided(name, reason)


def gain_part(evidence: Evidence, name: str, *, least: float = CHEAPER) -> Part:
    """The first way takes over `least` times as long as the second."""
    missing = why_not_judged(evidence, name)
    if missing is not None:
        return missing
    first, second = evidence.comparisons[name]
    return ratio_part(second, first, evidence.noise_floor, least, name=f"time ratio, {name}")


def no_gain_part(evidence: Evidence, name: str) -> Part:
    """The first way takes no longer than the formula says it should, beside the second.

    Up to what is too noisy to judge anything: where the formula's ratio is 1, so is the measured
    one, and its interval can't lie under 1.
    """
    missing = why_not_judged(evidence, name)
    if missing is not None:
        return missing
    first, second = evidence.comparisons[name]
    part = gain_part(evidence, name)
    most = formula_ratio(second, first) * (1 + TOO_NOISY)
    logs = log_ratios(first, second) - np.log1p(evidence.noise_floor)
    return replace(part, margin=(0.0, most), p=sign_test(-logs, -float(np.log(most))))


def order_part(evidence: Evidence, name: str) -> Part:
    """C5's rule: the first order, loss-first, is faster; ten times where that is asked."""
    missing = why_not_judged(evidence, name)
    if missing is not None:
        return missing
    loss, inputs = evidence.comparisons[name]
    if formula_ratio(loss, inputs) < LEAST_RATIO:
        return undecided(name, f"the formula's ratio is under {LEAST_RATIO:.0f}")
    return ratio_part(loss, inputs, evidence.noise_floor, name=f"time ratio, {name}")
