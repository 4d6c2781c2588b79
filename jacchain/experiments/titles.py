"""Titles of figures that state what was measured, beside what the formula says."""

from jacchain.analysis.intervals import Interval, Triple

RESOLVED = 0.15  # half of an exponent's interval, beyond which it says too little for a title


def brief(value: float) -> str:
    """Write a ratio in two or more digits, short enough for a title.

    Examples
    --------
    >>> brief(1.04), brief(28.61), brief(1234.5)
    ('1.0', '29', '1,234')
    """
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def told_from_one(ratio: Triple, noise_floor: float) -> str:
    """Write a ratio, or its interval where that, widened by the noise floor, holds 1.

    Examples
    --------
    >>> told_from_one((2.5, 2.7, 2.9), 0.05)
    '2.7'
    >>> told_from_one((0.98, 1.02, 1.06), 0.05)
    '0.98 to 1.06 (1 not ruled out)'
    """
    low, middle, high = ratio
    if low > 1 + noise_floor or high * (1 + noise_floor) < 1:
        return brief(middle)
    return f"{low:.2f} to {high:.2f} (1 not ruled out)"


def growth(order: str, over: str, slope: float, ends: Interval, formula: float) -> str:
    """Say with which exponent the time of an order grows; or between which, if it is not resolved.

    Examples
    --------
    >>> growth("input-first", "|z2|", 1.412, (1.39, 1.43), 1.4)
    "input-first's time grows as |z2|^1.41; formula 1.40"
    >>> growth("loss-first", "|x|", 1.1, (0.8, 1.4), 1.0)
    "loss-first's exponent over |x| is not resolved: 0.80 to 1.40; formula 1.00"
    """
    low, high = ends
    law = f"formula {formula:.2f}"
    if high - low <= 2 * RESOLVED:
        return f"{order}'s time grows as {over}^{slope:.2f}; {law}"
    return f"{order}'s exponent over {over} is not resolved: {low:.2f} to {high:.2f}; {law}"
