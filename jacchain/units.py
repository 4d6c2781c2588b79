"""How a value is written with its unit, in reports, on terminals, in figures and on the dashboard.

A no-break space stands between the two, so that no line ends there.
"""

import re

SPACE = "\u00a0"
_SPLIT = re.compile(r"(?<=\d) (?=(?:%|[µmn]?s|min|[KMGT]iB)(?!\w))")


def seconds(value: float) -> str:
    r"""Write a duration with the unit that suits it.

    Examples
    --------
    >>> seconds(0.0000123), seconds(0.25), seconds(75)
    ('12.3\xa0µs', '250\xa0ms', '75\xa0s')
    >>> seconds(200), seconds(24000), seconds(24228937.4)
    ('3.33\xa0min', '6.67\xa0h', '280\xa0d')
    """
    for unit, scale in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= 2 * scale:
            return f"{value / scale:.3g}{SPACE}{unit}"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale or value == 0:
            return f"{value / scale:.3g}{SPACE}{unit}"
    return f"{value * 1e9:.3g}{SPACE}ns"


def size(value: float) -> str:
    r"""Write bytes with a binary prefix.

    Examples
    --------
    >>> size(1536), size(3 * 2**20)
    ('1.5\xa0KiB', '3\xa0MiB')
    """
    for unit, scale in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{value / scale:.3g}{SPACE}{unit}"
    return f"{value:.0f}{SPACE}B"


def share(value: float, digits: int = 1) -> str:
    r"""Write a share as per cent, with so many digits after the point.

    Examples
    --------
    >>> share(0.976), share(0.25, 0)
    ('97.6\xa0%', '25\xa0%')
    """
    return f"{100 * value:.{digits}f}{SPACE}%"


def unbroken(text: str) -> str:
    r"""Put no-break spaces between numbers and their units in a text.

    Examples
    --------
    >>> unbroken("a 95 % interval, 3 sizes")
    'a 95\xa0% interval, 3 sizes'
    """
    return _SPLIT.sub(SPACE, text)
