"""How every figure looks: colours, fonts, axes with units, files with the same bytes each time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from math import log
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.report.terminal import size

Axes = Any  # matplotlib ships no types that a strict check could use

INK, MUTED, FAINT = "#1f2328", "#57606a", "#d0d7de"
GREEN, ORANGE = "#009E73", "#E69F00"
TITLE = 12.5
POWERS = 13  # font size of powers, so that their exponents keep nearly 9 points
WIDTH, HEIGHT = 6.4, 4.3  # inches
DPI = 120
FEW_DECADES = 100.0  # a range in which powers of ten alone would be too few ticks
FONT = "DejaVu Sans"
FALLBACKS = f"'{FONT}', Verdana, sans-serif"  # where a reader of an SVG lacks it

RC: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 11.5,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
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
    "grid.color": "#e6e9ed",
    "grid.linewidth": 0.8,
    "hatch.color": "#8c959f",
    "hatch.linewidth": 0.8,
    "svg.hashsalt": "jacchain",
    "svg.fonttype": "none",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Look:
    """Colour (Okabe and Ito's, told apart by the colour-blind) and marker of one order."""

    colour: str
    marker: str


LOOKS = {LOSS_FIRST: Look("#0072B2", "o"), INPUT_FIRST: Look("#D55E00", "s")}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house's style, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(*, width: float = WIDTH, height: float = HEIGHT) -> Canvas:
    """An empty figure of so many inches, without any global state."""
    return Canvas(figsize=(width, height), layout="constrained")


def entitle(page: Canvas, text: str) -> None:
    """Give a figure its title, at its left edge."""
    page.suptitle(mathtext(text), x=0.01, ha="left", fontsize=TITLE, fontweight="bold")


def save(figure: Canvas, stem: Path) -> list[Path]:
    """Write `stem`.svg and `stem`.png, the same bytes for the same figure.

    Returns
    -------
    list of Path
        The two files, the SVG first.
    """
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg.write_text(text.getvalue().replace(f"'{FONT}'", FALLBACKS), "utf-8")
    figure.savefig(png, dpi=DPI, metadata={"Software": None})
    return [svg, png]


def mathtext(text: str) -> str:
    """Sizes such as |z1|, |z_i| and |x| as matplotlib typesets them.

    Examples
    --------
    >>> mathtext("Cost over |z1| and |x|")
    'Cost over $|z_1|$ and $|x|$'
    """
    return re.sub(r"\|([a-z])_?(\w*)\|", _symbol, text)


def _symbol(match: re.Match[str]) -> str:
    letter, index = match.groups()
    return f"$|{letter}_{index}|$" if index else f"$|{letter}|$"


def time_scale(axis: Any) -> None:
    """Logarithmic seconds, ticks with SI prefixes: more of them over less than two decades."""
    low, high = axis.get_view_interval()
    _log(axis, EngFormatter(unit="s", places=0), base=10)
    if 0 < low < high < FEW_DECADES * low:
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5), numticks=12))


def power_scale(axis: Any, base: int) -> None:
    """Logarithmic, ticks at powers of `base`, written as powers with legible exponents."""
    _log(axis, FuncFormatter(lambda value, _: power(value, base)), base=base)
    axis.set_tick_params(labelsize=POWERS)


def ratio_scale(axis: Any) -> None:
    """Logarithmic, ticks at powers of ten, written as numbers."""
    _log(axis, FuncFormatter(lambda value, _: f"{value:g}"), base=10)


def byte_scale(axis: Any) -> None:
    """Logarithmic bytes, ticks in KiB, MiB and GiB."""
    _log(axis, FuncFormatter(lambda value, _: size(value)), base=16)


def _log(axis: Any, formatter: Any, *, base: int) -> None:
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(base=base, numticks=9))
    axis.set_major_formatter(formatter)
    axis.set_minor_locator(NullLocator())


def power(value: float, base: int) -> str:
    """A tick's value, positive, as the nearest power.

    Examples
    --------
    >>> power(1024, 2), power(0.01, 10)
    ('$2^{10}$', '$10^{-2}$')
    """
    return f"${base}^{{{round(log(value, base))}}}$"


def legend_below(page: Canvas, axes: Axes) -> None:
    """A legend under the axes, where no data are: each label once, orders first."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    names = sorted(found, key=lambda name: (name not in BOTH, list(found).index(name)))
    handles = [found[name] for name in names]
    page.legend(handles, names, loc="outside lower center", ncols=2, handlelength=1.6)
