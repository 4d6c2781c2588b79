"""The ratio of times of the two orders of a cell, as a part that can be judged."""

import numpy as np

from jacchain.analysis.evidence import Series, log_ratios
from jacchain.analysis.intervals import sign_test
from jacchain.analysis.paired import ratio
from jacchain.analysis.verdicts import Part

CHEAPER, FAR_CHEAPER = 1.0, 10.0
LEAST_RATIO, LARGE_RATIO = 2.0, 100.0


def formula_ratio(cheaper: Series, dearer: Series) -> float:
    """Multiplications of one order over those of the other."""
    return dearer.multiplications / cheaper.multiplications


def ratio_part(
    cheaper: Series,
    dearer: Series,
    noise_floor: float,
    threshold: float | None = None,
    *,
    name: str | None = None,
) -> Part:
    """Time(dearer) / time(cheaper) of one cell, paired within blocks, is above the threshold.

    By default that of C5: 10 where the formula's ratio is at least 100, else 1.
    """
    formula = formula_ratio(cheaper, dearer)
    threshold = threshold or (FAR_CHEAPER if formula >= LARGE_RATIO else CHEAPER)
    low, middle, high = ratio(dearer, cheaper)
    floor = 1 + noise_floor
    return Part(
        name or f"time ratio at {_name(cheaper.dims)}",
        middle,
        formula,
        (threshold, np.inf),
        unit=f"{dearer.order} / {cheaper.order}",
        interval=(low, high),
        widened=(low / floor, high * floor),
        p=sign_test(log_ratios(dearer, cheaper), float(np.log(threshold / floor))),
    )


def _name(dims: tuple[int, ...]) -> str:
    if len(dims) == 5:
        return "|z3|, |z2|, |z1|, |x| = " + ", ".join(map(str, dims[1:]))
    if len(set(dims[1:])) == 1:
        return f"{len(dims) - 2} layers of {dims[1]}"
    return " x ".join(map(str, dims))
