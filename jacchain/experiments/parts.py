"""Parts that several claims judge: ratios of times, and counts."""

from collections.abc import Iterable, Sequence

import numpy as np

from jacchain.analysis.evidence import Evidence, Pair, Series
from jacchain.analysis.intervals import Interval, estimate
from jacchain.analysis.ratios import formula_ratio, log_ratio, process_ratios
from jacchain.analysis.verdicts import Part, exact, timed, undecided
from jacchain.records.values import Executed

FASTER = (1.0, np.inf)
LEAST_RATIO, LARGE_RATIO = 2.0, 100.0

Counts = dict[str, tuple[Executed, Executed]]
"""Values of a check: executed and predicted multiplications, by what was counted."""


def ratio_part(
    first: Series,
    second: Series,
    noise_floor: float,
    *,
    margin: Interval = FASTER,
    name: str = "",
) -> Part:
    """Judge whether time(first) / time(second), paired within blocks, lies in a margin.

    By default it is to be above 1. The interval is widened by the noise floor; the part is named by
    the cell's sizes if not by `name`.
    """
    return timed(
        name or f"time ratio at {sizes_in_words(first.dims)}",
        log_ratio(first, second),
        formula_ratio(first, second),
        margin,
        unit=f"{first.name} / {second.name}",
        widening=noise_floor,
        log=True,
    )


def mean_ratio_part(pairs: Sequence[Pair], noise_floor: float, *, margin: Interval) -> Part:
    """Judge the geometric mean of first / second over the cells of several pairs.

    The expected value is that of multiplications.
    """
    logs = np.array([process_ratios(*pair) for pair in pairs])
    formulas = np.log([formula_ratio(*pair) for pair in pairs])
    return timed(
        f"geometric mean of the time ratios of {len(pairs)} cells",
        estimate(logs.mean(axis=0)),
        float(np.exp(formulas.mean())),
        margin,
        unit=f"{pairs[0][0].name} / {pairs[0][1].name}",
        widening=noise_floor,
        log=True,
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


def gain_part(evidence: Evidence, cell: str) -> Part:
    """Judge whether the first arm of a cell takes longer than the second."""
    pair = evidence.pair(cell)
    if pair is None:
        return not_measured(evidence, cell)
    return ratio_part(*pair, evidence.noise_floor, name=f"time ratio, {cell}")


def order_parts(evidence: Evidence, cells: Iterable[str]) -> tuple[Part, ...]:
    """Judge whether loss-first is faster, in cells of (loss-first, input-first).

    Only where the formula's ratio is 2 or more.
    """
    parts = []
    for cell in cells:
        pair = evidence.pair(cell)
        if pair is None:
            parts.append(not_measured(evidence, cell))
        elif formula_ratio(*pair[::-1]) >= LEAST_RATIO:
            name = f"time ratio, {cell}"
            parts.append(ratio_part(*pair[::-1], evidence.noise_floor, name=name))
    return tuple(parts)


def not_measured(evidence: Evidence, cell: str) -> Part:
    """Say why a cell can't be judged."""
    return undecided(cell, evidence.skipped.get(cell, "not measured in this run"))


def count_parts(evidence: Evidence, check: str) -> list[Part]:
    """Return one part if all counts are as predicted, else one for each that is not."""
    counts: Counts | None = evidence.checks.get(check)
    if not counts:
        return [undecided("multiplications", "not counted in this run", timed=False)]
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
