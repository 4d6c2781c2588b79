"""What a figure or a table of a claim shows, as data; `report` draws it.

Numbers are in base units: seconds, bytes, counts, ratios. An axis or a column says which, and the
report writes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Series

Array = NDArray[np.float64]
Unit = Literal[
    "text", "count", "number", "seconds", "bytes", "share", "interval", "ratio", "seconds interval"
]
Scale = Literal[
    "linear", "seconds", "seconds from 0", "bytes", "powers of 2", "powers of 10", "ratio", "sizes"
]
Look = Literal["loss-first", "input-first", "third", "fourth", "fifth", "muted"]
Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, and in which unit its values are.

    "seconds", "bytes" and "count" (an exact integer) are written in full units; "number" and
    "ratio" with four digits; "share" as per cent; "interval" and "seconds interval" as low to
    high. None is written as a
    dash, and a text as it stands, for what has no number there.
    """

    name: str
    unit: Unit = "text"


@dataclass(frozen=True)
class Table:
    """A caption, columns, and rows that begin with their own name; a row has a value a column."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


def table(caption: str, units: Mapping[str, Unit], rows: Iterable[tuple[Any, ...]]) -> Table:
    """Return a table whose columns have these names and units."""
    return Table(caption, tuple(Column(*column) for column in units.items()), tuple(rows))


@dataclass(frozen=True)
class Axis:
    """One axis of a panel."""

    label: str  #: with its unit in brackets; sizes such as `|z_1|` are typeset
    #: All but "linear" and "seconds from 0" are logarithmic: "ratio" in plain numbers, "sizes" with
    #: `ticks` in full
    scale: Scale = "linear"
    #: Where to write a number, as far as the axis goes; by default where the scale says
    ticks: tuple[float, ...] = ()
    limits: Interval | None = None  #: ends; by default what the data need


@dataclass(frozen=True)
class Curve:
    """Points, a line, or both."""

    #: In the legend; empty for none. Curves of one label share an entry, and one without points has
    #: an entry alone.
    label: str
    #: Of shape (n,)
    x: Array
    y: Array
    #: Low and high end of each point's 95 % interval, in `y`: shape (n, 2); None for none
    ends: Array | None = None
    #: Which colour and marker: those of an order, or of a third, fourth or fifth thing; "muted" for
    #: what is beside the data
    look: Look = "muted"
    #: Whether points are marked; "hollow" for open ones. A coloured line without marks, such as a
    #: formula's, is paler than the data and behind them.
    marks: Literal["", "filled", "hollow"] = ""
    line: Literal["", "-", "--", ":", "-."] = "-"  #: "" for none, else "-", "--", ":" or "-.".


def time_curve(
    label: str, points: Sequence[tuple[int, Series]], *, per_sample: bool = False, **style: Any
) -> Curve:
    """Show measured seconds over a size, or, `per_sample`, divided by it; `style` as of `Curve`."""
    sizes = np.array([size for size, _ in points], dtype=float)
    times = np.array([series.time for _, series in points])
    ends = np.array([series.interval for _, series in points]).reshape(-1, 2)
    calls = sizes if per_sample else np.ones_like(sizes)
    return Curve(label, sizes, times / calls, ends / calls[:, None], **style)


@dataclass(frozen=True)
class Level:
    """A straight line across a panel at one value of an axis; in `Rows` always of the panels' own.

    Without a label it is not in the legend.
    """

    label: str
    value: float
    axis: Literal["x", "y"] = "y"
    look: Look = "muted"
    line: Literal["-", "--", ":"] = "--"


@dataclass(frozen=True)
class Band:
    """A shaded stretch of an axis, as far as it is shown; `inside` is written in it.

    In `Rows` it is always of the panels' own axis.
    """

    label: str
    low: float
    high: float
    axis: Literal["x", "y"] = "y"
    inside: str = ""


@dataclass(frozen=True)
class Region:
    """A shaded region under a curve: x and y of shape (n,), down to the bottom of the panel."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One pair of axes with what is drawn on it; `note` is written in its upper right corner."""

    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...] = ()
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    regions: tuple[Region, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """What all figures have: `title` above, `caption` below, and `numbers`, the table behind it.

    `name` is that of its files, without the ending.
    """

    name: str
    title: str
    caption: str
    numbers: Table | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Lines(Figure):
    """Panels in rows, `inches` high in all.

    With `shared` the panels of a column share their x axis, and those of a row their y axis, and
    one legend stands below; else each row has its own legend, and may have fewer panels.

    `heights` are those of the rows, `widths` those of the columns, in proportion; rows with
    another number of panels are cut evenly.
    """

    panels: tuple[tuple[Panel, ...], ...]
    heights: tuple[float, ...] = ()
    widths: tuple[float, ...] = ()
    inches: float = 4.3
    shared: bool = False


@dataclass(frozen=True)
class Mark:
    """A point in a row: its value with the ends of its interval, and all values of a strip.

    `strip`, of shape (n,), is drawn behind it, and named "one block" in the legend. With `bar` a
    bar leads to it from 0, on an axis that begins there. Without a label it is not in the legend.
    """

    label: str
    value: float
    ends: Interval | None = None
    look: Look = "muted"
    strip: Array | None = None
    bar: bool = False


@dataclass(frozen=True)
class Rows(Figure):
    """Named rows, and panels below each other that have marks in each of them.

    `panels` has for each an axis and, for each row, its marks. The first row is on top.
    """

    rows: tuple[str, ...]
    panels: tuple[tuple[Axis, tuple[tuple[Mark, ...], ...]], ...]
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Scatter(Figure):
    """One panel of points, with the diagonal on which x and y are equal, if it is named."""

    panel: Panel
    diagonal: str = ""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring sizes of a sweep: `indices`, and the slopes of time and of the formula there.

    `judged` tells those of one memory regime from those between two, where the working set
    leaves a cache.
    """

    name: str
    indices: NDArray[np.intp]
    slope: float
    expected: float
    judged: bool


@dataclass(frozen=True)
class Swept:
    """One order over a swept size: seconds with their ends, and the formula's multiplications.

    All of shape (n,), `ends` of shape (n, 2). Points outside the judged stretches are hollow, and
    the formula's line is scaled to those inside.
    """

    order: Look
    sizes: Array
    times: Array
    ends: Array
    multiplications: Array
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Sweep(Figure):
    """Time over one size, an order a curve; above it, in which memory regime each order is."""

    x: Axis
    orders: tuple[Swept, ...]


@dataclass(frozen=True)
class Plane(Figure):
    """Numbers over two sizes, as maps with one scale of colours; nan where there is none.

    `maps` has titles and arrays of shape (rows, columns), `x` and `y` the sizes of columns and
    rows, the first row below, with their labels.
    """

    maps: tuple[tuple[str, Array], ...]
    x: Sequence[int]
    y: Sequence[int]
    labels: tuple[str, str, str]  # of x, of y, of the numbers
