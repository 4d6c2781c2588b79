"""How numbers are written: in tables, on the terminal, in words."""

from collections.abc import Callable, Mapping
from math import isfinite, isinf, isnan
from typing import Any

from jacchain.experiments.show import Unit
from jacchain.units import seconds, share, size

Interval = tuple[float, float]

NONE = "-"


def number(value: float | None) -> str:
    """Write four digits of a measured value, all of an integer.

    Examples
    --------
    >>> number(528896), number(1.04857), number(None)
    ('528,896', '1.049', '-')
    """
    if value is None:
        return NONE
    if isinstance(value, int):
        return f"{value:,}"  # exact, however long
    if not isfinite(value):
        return NONE
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def short(value: float) -> str:
    """Write a ratio in at most four characters or so.

    Examples
    --------
    >>> [short(value) for value in (0.734, 4.21, 93.6, 1234, 56789)]
    ['0.73', '4.2', '94', '1234', '57k']
    """
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:.{digits}f}"


def interval(ends: Interval | None, write: Callable[[float], str] = number) -> str:
    """Write both ends, or a dash where there is no interval, or a boundless one.

    Examples
    --------
    >>> interval((0.98765, 1.5)), interval(None)
    ('0.9877 to 1.5', '-')
    """
    if ends is None or isnan(ends[0]):
        return NONE
    return f"{write(ends[0])} to {write(ends[1])}"


def margin(ends: Interval) -> str:
    """Say in words in which range a part agrees.

    Examples
    --------
    >>> [margin(ends) for ends in ((10, float("inf")), (0.85, 1.15), (7, 7))]
    ['at least 10', '0.85 to 1.15', 'exactly 7']
    """
    low, high = ends
    if isnan(low):
        return NONE
    if low == high:
        return f"exactly {number(low)}"
    if isinf(high):
        return f"at least {number(low)}"
    return f"at most {number(high)}" if isinf(low) else interval(ends)


FORMATS: Mapping[Unit, Callable[[Any], str]] = {
    "text": str,
    "count": lambda value: f"{value:,}",
    "number": number,
    "ratio": number,
    "seconds": seconds,
    "bytes": size,
    "share": share,
    "interval": interval,
    "seconds interval": lambda ends: interval(ends, seconds),
}


def cell_text(value: Any, unit: Unit) -> str:
    r"""Write the value of a table's cell in the unit of its column.

    None and not-a-number are a dash, and a text stands as it is in any column, for what has no
    number there.

    Examples
    --------
    >>> cell_text(0.25, "seconds"), cell_text(None, "bytes"), cell_text("not built", "seconds")
    ('250\xa0ms', '-', 'not built')
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return NONE
    return value if isinstance(value, str) else FORMATS[unit](value)
