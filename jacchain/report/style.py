"""How every figure looks: colours, fonts, axes with units, files with the same bytes each time."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import StringIO
from math import ceil, log
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from PIL import Image

from jacchain.analysis.evidence import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.report.hover import with_values
from jacchain.units import SPACE, size

Axes = Any  # matplotlib ships no types that a strict check could use

INK, MUTED, FAINT = "#1f2328", "#57606a", "#d0d7de"
GREEN, ORANGE = "#009E73", "#E69F00"
# A phone shows a figure 360 pixels wide: there no text is smaller than 10 pixels.
WIDTH, HEIGHT = 5.2, 4.3  # inches
TEXT, TITLE = 11, 11.5
POWERS = 15.2  # font size of powers, whose exponents are 0.7 times as large
TITLE_CHARACTERS = 53  # of a line
TITLE_LINE = 0.2  # inches that another line takes
DPI = 120
FEW_BYTES = 2**9  # a range of bytes in which powers of 16 would be too few ticks
NUMBER = 0.3  # inches that three digits take along an axis
KEY, LETTER, MOST_COLUMNS = 0.6, 0.085, 4  # of a legend: inches beside a name, and a letter's
FONT = "DejaVu Sans"
FALLBACKS = f"'{FONT}', Verdana, sans-serif"  # where a reader of an SVG lacks it

GRID, HATCH = "#e6e9ed", "#8c959f"
SHADE, FAILING = "#eaeef2", "#f6dfd3"
REGIME_SHADES = {"L2": "#dbe9f6", "LLC": "#cfe8dc", "memory": "#f3e3d3"}
PAPER, BARE = "#ffffff", "#f6f8fa"  # BARE: where nothing was measured

RC: dict[str, Any] = {
    "font.family": FONT,
    "font.size": TEXT,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "hatch.color": HATCH,
    "hatch.linewidth": 0.8,
    "svg.hashsalt": "jacchain",
    "svg.fonttype": "none",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Look:
    """Colour (Okabe and Ito's, told apart by the colour-blind) and marker."""

    colour: str
    marker: str


LOOKS = {
    LOSS_FIRST: Look("#0072B2", "o"),
    INPUT_FIRST: Look("#D55E00", "s"),
    "third": Look(GREEN, "D"),
    "fourth": Look(ORANGE, "v"),
    "fifth": Look("#56B4E9", "^"),
    "muted": Look(MUTED, "D"),
}


DARK = {  # the colours of a reader who chose a dark page
    PAPER: "#14171c",
    BARE: "#1c2128",
    INK: "#e3e8ee",
    MUTED: "#9aa6b2",
    FAINT: "#343b45",
    GRID: "#262c34",
    SHADE: "#232a33",
    FAILING: "#4a2c1d",
    REGIME_SHADES["L2"]: "#1b324a",
    REGIME_SHADES["LLC"]: "#173b2d",
    REGIME_SHADES["memory"]: "#40301f",
    LOOKS[LOSS_FIRST].colour: "#4fa9ea",
    LOOKS[INPUT_FIRST].colour: "#ff8a42",
    GREEN: "#2cc495",
}


def with_dark_variant(svg: str) -> str:
    """Let an SVG text follow its reader's choice of light or dark; numbers in coloured cells stay.

    Examples
    --------
    >>> print(with_dark_variant('<svg><path style="fill: #1f2328"/></svg>').split("</style>")[1])
    <path style="fill: var(--c2)"/></svg>
    """
    names = {colour.lower(): f"--c{place}" for place, colour in enumerate(DARK)}

    def vary(tag: re.Match[str]) -> str:
        kept = PAPER if tag[0].startswith("<text") else ""
        return re.sub(
            "#[0-9a-f]{6}",
            lambda c: f"var({names[c[0]]})" if c[0] in names and c[0] != kept else c[0],
            tag[0],
        )

    light, dark = (
        " ".join(f"{name}: {colour};" for name, colour in zip(names.values(), colours, strict=True))
        for colours in (DARK, DARK.values())
    )
    style = f":root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    varied = re.sub("<[^>]+>", vary, svg)
    return re.sub("(<svg[^>]*>)", lambda tag: f"{tag[0]}<style>{style}</style>", varied, count=1)


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house's style, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(height: float = HEIGHT) -> Canvas:
    """Return an empty figure of so many inches, without any global state."""
    return Canvas(figsize=(WIDTH, height), layout="constrained")


def entitle(page: Canvas, text: str) -> None:
    """Give a figure its title, at its left edge, in as many lines as it takes.

    Each line after the first makes the figure so much higher.
    """
    lines = [part for line in text.splitlines() for part in wrap(line, TITLE_CHARACTERS)]
    page.set_figheight(page.get_figheight() + TITLE_LINE * (len(lines) - 1))
    page.suptitle(mathtext("\n".join(lines)), x=0.01, ha="left", fontsize=TITLE, fontweight="bold")


def save(figure: Canvas, stem: Path) -> list[Path]:
    """Write and return `stem`.svg and `stem`.png, the same bytes for the same figure.

    `Figure.savefig` would draw each of them twice. 256 colours make a third of the bytes.
    """
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    text = StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    drawn = with_values(text.getvalue(), figure)
    svg.write_text(drawn.replace(f"'{FONT}'", FALLBACKS), "utf-8")
    figure.set_layout_engine("none")  # laid out once, for both
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(256).save(png)
    return [svg, png]


def mathtext(text: str) -> str:
    """Typeset sizes such as `|z1|`, `|z_i|` and `|x|`.

    Examples
    --------
    >>> mathtext("Cost over |z1| and |x|")
    'Cost over $|z_1|$ and $|x|$'
    """
    indexed = re.sub(r"\|([a-z])_?(\w+)\|", r"$|\1_\2|$", text)
    return re.sub(r"\|([a-z])\|", r"$|\1|$", indexed)


def ends_of(axis: Any) -> tuple[float, float]:
    """Return both ends of what an axis shows now."""
    low, high = getattr(axis.axes, f"get_{axis.axis_name}lim")()
    return float(low), float(high)


def linear_scale(axis: Any) -> None:
    """Linear; ticks at whole numbers where all data are whole."""
    lines = (getattr(line, f"get_{axis.axis_name}data")() for line in axis.axes.lines)
    values = np.concatenate([[0.0], *(np.asarray(line, dtype=float) for line in lines)])
    if len(values) > 1 and np.all(values == np.rint(values)):
        axis.set_major_locator(ticker.MaxNLocator(6, integer=True))


def time_scale(axis: Any) -> None:
    """Logarithmic seconds, ticks with SI prefixes: more of them over less than two decades."""
    _log(axis, ticker.EngFormatter(unit="s", places=0, sep=SPACE), base=10)
    _refine(axis, 100)


def time_from_zero(axis: Any) -> None:
    """Linear seconds from 0, ticks with SI prefixes: the length of a bar is its time."""
    axis.set_major_formatter(ticker.EngFormatter(unit="s", sep=SPACE))
    axis.axes.set(**{f"{axis.axis_name}lim": (0, ends_of(axis)[1])})


def power_scale(axis: Any, base: int) -> None:
    """Logarithmic, ticks at powers of `base`, written as powers with legible exponents."""
    _log(axis, ticker.FuncFormatter(lambda value, _: power(value, base)), base=base)
    axis.set_tick_params(labelsize=POWERS)


def ratio_scale(axis: Any) -> None:
    """Logarithmic, ticks written as numbers: at powers of ten, or more over few decades."""
    _log(axis, ticker.FuncFormatter(lambda value, _: f"{value:g}"), base=10)
    _refine(axis, 1000)


def byte_scale(axis: Any) -> None:
    """Logarithmic bytes, ticks in KiB, MiB and GiB."""
    _log(axis, ticker.FuncFormatter(lambda value, _: size(value)), base=16)
    low, high = ends_of(axis)
    if high < FEW_BYTES * low:
        axis.set_major_locator(ticker.LogLocator(base=4, numticks=9))


def size_scale(axis: Any, sizes: Sequence[float]) -> None:
    """Logarithmic, with ticks at these sizes, or as many of them as there is room for, in full."""
    _log(axis, ticker.FuncFormatter(lambda value, _: f"{value:g}"), base=10)
    room = WIDTH * axis.axes.get_position().width
    axis.set_ticks(sizes[:: -max(1, ceil(NUMBER * len(sizes) / room))][::-1])


def keep_ticks(axis: Any, ticks: Sequence[float]) -> None:
    """Write numbers at these values alone, where the axis shows them."""
    low, high = ends_of(axis)
    axis.set_major_locator(ticker.FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_minor_locator(ticker.NullLocator())


def _log(axis: Any, formatter: Any, *, base: int) -> None:
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(ticker.LogLocator(base=base, numticks=9))
    axis.set_major_formatter(formatter)
    axis.set_minor_locator(ticker.NullLocator())


def _refine(axis: Any, few: float) -> None:
    """Put ticks at 1, 2 and 5 times powers of ten where the ends are less than `few` apart."""
    low, high = ends_of(axis)
    if high < few * low:
        axis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5), numticks=12))


SCALES: Mapping[str, Callable[[Any], None]] = {
    "linear": linear_scale,
    "seconds": time_scale,
    "seconds from 0": time_from_zero,
    "bytes": byte_scale,
    "powers of 2": partial(power_scale, base=2),
    "powers of 10": partial(power_scale, base=10),
    "ratio": ratio_scale,
}


def power(value: float, base: int) -> str:
    """Write a positive value as the nearest power.

    Examples
    --------
    >>> power(1024, 2), power(0.01, 10)
    ('$2^{10}$', '$10^{-2}$')
    """
    return f"${base}^{{{round(log(value, base))}}}$"


def legend_below(page: Any, axes: Iterable[Axes]) -> int:
    """Write a legend under the axes, each label once, orders first; return its number of rows."""
    entries = (zip(*a.get_legend_handles_labels()[::-1], strict=True) for a in axes)
    handles = {label: handle for pairs in entries for label, handle in pairs}
    names = [*(name for name in BOTH if name in handles)]
    names += [name for name in handles if name not in BOTH]
    if not names:
        return 0
    columns = legend_columns(names, page.bbox.width / page.dpi)
    page.legend(
        [handles[name] for name in names],
        [mathtext(name) for name in names],
        loc="outside lower center",
        ncols=columns,
        handlelength=1.8,
    )
    return ceil(len(names) / columns)


def legend_columns(names: Sequence[str], width: float) -> int:
    """Return how many columns of a legend fit side by side into so many inches.

    Examples
    --------
    >>> legend_columns(["loss-first", "input-first"], 6.4), legend_columns(["a" * 70, "b"], 6.4)
    (2, 1)
    """
    for columns in range(min(MOST_COLUMNS, len(names)), 1, -1):
        parts = np.array_split(np.array(names), columns)
        if sum(KEY + LETTER * max(map(len, part)) for part in parts) <= width:
            return columns
    return 1
