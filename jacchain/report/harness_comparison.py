"""Our own engine, asv and pytest-benchmark side by side, for the command `compare-harnesses`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jacchain.analysis.verdicts import as_json as plain
from jacchain.experiments.harness_comparison import (
    CONTROL,
    LEAST_SECONDS,
    MARGIN,
    PAIRS,
    Comparison,
    shown,
)
from jacchain.report.publish import replacing
from jacchain.report.style import (
    FAINT,
    GREEN,
    LOOKS,
    MUTED,
    Axes,
    canvas,
    entitle,
    house_style,
    legend_below,
    save,
    time_scale,
)
from jacchain.report.terminal import STYLES, SYMBOLS, seconds

HARNESSES = ("own", "asv", "pytest")
NAMES = {"own": "own engine", "asv": "asv", "pytest": "pytest-benchmark"}
_BLUE, _RED = (look.colour for look in LOOKS.values())
_LOOKS = dict(zip(PAIRS, ((_BLUE, "o"), (_RED, "s"), (GREEN, "D")), strict=True))


def as_json(found: Comparison) -> dict[str, Any]:
    """For programs."""
    return {
        "rounds": found.rounds,
        "noise": found.noise,
        "cells": [
            asdict(row) | {"ratios": {_pair(p): t for p, t in row.ratios.items()}}
            for row in found.rows
        ],
        "verdicts": [plain(verdict) for verdict in found.verdicts.values()],
        "findings": [asdict(finding) for finding in found.findings],
    }


def _pair(pair: tuple[str, str]) -> str:
    return " / ".join(pair)


def print_harnesses(console: Console, found: Comparison) -> None:
    """Medians of every cell and order, ratios of each pair with intervals, verdicts."""
    pairs = (*PAIRS, CONTROL)
    table = Table("cell", *HARNESSES, *map(_pair, pairs), box=SIMPLE_HEAD)
    for row in found.rows:
        times = (seconds(row.medians[name]) for name in HARNESSES)
        ratios = (shown(row.ratios[pair]) for pair in pairs)
        table.add_row(row.name, *times, *ratios, style=None if row.judged else "dim")
    console.print(table)
    console.print(
        f"medians per call over {found.rounds} rounds; ratios with 95 % intervals; "
        f"own again / own is within {found.noise:.1%}; judged above {seconds(LEAST_SECONDS)}",
        highlight=False,
    )
    for verdict in found.verdicts.values():
        mark = f"[{STYLES[verdict.verdict]}]{SYMBOLS[verdict.verdict]} {verdict.verdict}[/]"
        console.print(f"{verdict.claim} {mark}: {escape(verdict.reason)}", highlight=False)
    for finding in found.findings:
        cause = finding.cause if finding.vanishes else "The cause is not known."
        console.print(f"{finding.observed} {cause} {finding.without}", highlight=False)


def draw_harnesses(found: Comparison, out: str | Path) -> list[Path]:
    """Ratio of each pair over the time of a call, as ``harnesses.svg`` and ``harnesses.png``."""
    with house_style(), replacing(Path(out)) as draft:
        page = canvas(height=4.6)
        axes = page.subplots()
        for pair in PAIRS:
            _draw_pair(axes, found, pair)
        times = [row.medians["own"] for row in found.rows]
        axes.axhspan(*MARGIN, color=FAINT, alpha=0.45, zorder=0.5, label="within 10 %")
        axes.axvline(LEAST_SECONDS, color=MUTED, linestyle=":", label="judged to the right")
        _scale(axes, times, found)
        legend_below(page, axes)
        entitle(page, "The same cells by three harnesses")
        names = [path.name for path in save(page, draft / "harnesses")]
    return [Path(out, name) for name in names]


def _draw_pair(axes: Axes, found: Comparison, pair: tuple[str, str]) -> None:
    colour, marker = _LOOKS[pair]
    low, middle, high = np.array([row.ratios[pair] for row in found.rows]).T
    shift = 1.06 ** (PAIRS.index(pair) - 1)  # so that their intervals do not hide each other
    times = [shift * row.medians["own"] for row in found.rows]
    axes.errorbar(
        times, middle, [middle - low, high - middle], fmt=marker, color=colour, markersize=4.5,
        elinewidth=1.1, label=" / ".join(NAMES[name] for name in pair),
    )  # fmt: skip


def _scale(axes: Axes, times: list[float], found: Comparison) -> None:
    time_scale(axes.xaxis)
    axes.set_yscale("log")
    ends = [end for row in found.rows for pair in PAIRS for end in row.ratios[pair]]
    low, high = min(0.85, *ends) / 1.03, max(1.18, *ends) * 1.03
    ticks = [t for t in (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5) if low < t < high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlim=(min(times) / 1.5, max(times) * 1.5), ylim=(low, high))
    axes.set_xlabel("median time per call, own engine (s)")
    axes.set_ylabel("ratio of medians, 95 % interval")
