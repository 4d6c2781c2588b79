"""Values that are read off a figure where a pointer rests: titles in its SVG.

A page that shows the SVG as a picture lays them over it, since pictures have no titles inside.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.figure import Figure

from jacchain.experiments.show import Array, Axis, Interval
from jacchain.report.units import interval, number
from jacchain.units import seconds, size

REACH = 6  # points around a value in which it is shown
HIDDEN = 2  # points between two values of which one would hide the other: they are shown together
WRITTEN = {"seconds": seconds, "seconds from 0": seconds, "bytes": size}
_LAYER = re.compile(r'<g id="values".*?</g>', re.DOTALL)


Value = tuple[Any, float, float, str]  # its axes, its place on them, and its text

_NOTED: WeakKeyDictionary[Figure, list[Value]] = WeakKeyDictionary()


def note(axes: Any, x: Iterable[float], y: Iterable[float], texts: Iterable[str]) -> None:
    """Note what is shown where a pointer rests on these places of axes."""
    values = _NOTED.setdefault(axes.figure.canvas.figure, [])
    values += ((axes, *value) for value in zip(x, y, texts, strict=True))


def reading(name: str, axis: Axis, value: float, ends: Interval | Array | None = None) -> str:
    r"""Write one value of an axis, with its interval where it has one.

    Examples
    --------
    >>> reading("loss-first", Axis("time (s)", "seconds"), 0.0125, np.array([0.012, 0.013]))
    'loss-first: time 12.5\xa0ms (12\xa0ms to 13\xa0ms)'
    >>> reading("", Axis("|x|", "powers of 2"), 1024.0)
    '|x| 1,024'
    """
    write = WRITTEN.get(axis.scale, number)
    label = re.sub(r" \([^)]*\)$", "", axis.label)
    known = ends is not None and np.isfinite(ends).all()
    spread = f" ({interval((ends[0], ends[1]), write)})" if ends is not None and known else ""
    return f"{name}{': ' if name else ''}{label} {write(float(value))}{spread}"


def with_values(svg: str, page: Figure) -> str:
    """Return the SVG text of a page, drawn already, with its values as titles."""
    scale = 72 / page.dpi
    height = page.bbox.height * scale
    texts: dict[tuple[float, float], list[str]] = {}
    for axes, x, y, text in _NOTED.get(page, ()):
        right, up = axes.transData.transform((x, y)) * scale
        if axes.bbox.padded(1).contains(right / scale, up / scale):
            place = (right, height - up)
            near = (p for p in texts if max(abs(p[0] - place[0]), abs(p[1] - place[1])) < HIDDEN)
            texts.setdefault(next(near, place), []).append(text)
    circles = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{REACH}"><title>{escape(lines)}</title></circle>'
        for (x, y), lines in ((place, "\n".join(several)) for place, several in texts.items())
    ]
    layer = f'<g id="values" fill="none" pointer-events="all">{"".join(circles)}</g>'
    return svg.replace("</svg>", f"{layer}\n</svg>") if circles else svg


def split_values(svg: str) -> tuple[str, str]:
    """Return an SVG text without its values, and the values; empty where it has none.

    Examples
    --------
    >>> split_values('<svg><g id="values"><circle/></g></svg>')
    ('<svg></svg>', '<g id="values"><circle/></g>')
    """
    layer = _LAYER.search(svg)
    return _LAYER.sub("", svg), layer[0] if layer else ""
