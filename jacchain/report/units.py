"""How numbers are written: in tables, on the terminal, in words."""

from collections.abc import Callable, Mapping
from math import isfinite, isinf, isnan
from typing import Any

from jacchain.experiments.show import Unit

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


def seconds(value: float) -> str:
    """Write a duration with the unit that suits it.

    Examples
    --------
    >>> seconds(0.0000123), seconds(0.25), seconds(75)
    ('12.3 us', '250 ms', '75 s')
    >>> seconds(200), seconds(24000), seconds(24228937.4)
    ('3.33 min', '6.67 h', '280 d')
    """
    for unit, scale in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= 2 * scale:
            return f"{value / scale:.3g} {unit}"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def size(value: float) -> str:
    """Write bytes with a binary prefix.

    Examples
    --------
    >>> size(1536), size(3 * 2**20)
    ('1.5 KiB', '3 MiB')
    """
    for unit, scale in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f} B"


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


def share(value: float) -> str:
    """Write a share as per cent.

    Examples
    --------
    >>> share(0.976)
    '97.6 %'
    """
    return f"{100 * value:.1f} %"


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
    """Write the value of a table's cell in the unit of its column.

    None and not-a-number are a dash, and a text stands as it is in any column, for what has no
    number there.

    Examples
    --------
    >>> cell_text(0.25, "seconds"), cell_text(None, "bytes"), cell_text("not built", "seconds")
    ('250 ms', '-', 'not built')
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return NONE
    return value if isinstance(value, str) else FORMATS[unit](value)
