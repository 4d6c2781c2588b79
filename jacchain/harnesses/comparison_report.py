"""Our own engine, asv and pytest-benchmark side by side, for the command `compare-harnesses`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jacchain.analysis.verdicts import as_json as plain
from jacchain.experiments.show import Axis, Band, Curve, Level, Lines, Look, Panel
from jacchain.harnesses.comparison import (
    CONTROL,
    LEAST_SECONDS,
    MARGIN,
    PAIRS,
    Comparison,
    Pair,
    ratio_text,
)
from jacchain.report.publish import write_figures
from jacchain.report.terminal import marked
from jacchain.units import seconds, share

HARNESSES = ("own", "asv", "pytest")
NAMES = {"own": "own engine", "asv": "asv", "pytest": "pytest-benchmark"}
LOOKS: dict[Pair, Look] = dict(zip(PAIRS, ("third", "fourth", "fifth"), strict=True))
APART = 1.06  # factor between the points of one chain, so that no interval hides another
TICKS = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison for programs."""
    return {
        "rounds": comparison.rounds,
        "noise": comparison.noise,
        "cells": [
            {"dims": row.dims, "order": row.order, "medians": row.medians}
            | {"ratios": {" / ".join(pair): ratio for pair, ratio in row.ratios.items()}}
            for row in comparison.rows
        ],
        "verdicts": [plain(verdict) for verdict in comparison.verdicts.values()],
        "findings": [asdict(finding) for finding in comparison.findings],
    }


def print_harnesses(console: Console, comparison: Comparison) -> None:
    """Print medians of every chain and order, ratios of each pair with intervals, verdicts."""
    pairs = (*PAIRS, CONTROL)
    table = Table("cell", *HARNESSES, *map(" / ".join, pairs), box=SIMPLE_HEAD)
    for row in comparison.rows:
        times = (seconds(row.medians[name]) for name in HARNESSES)
        ratios = (ratio_text(row.ratios[pair]) for pair in pairs)
        table.add_row(row.name, *times, *ratios, style=None if row.judged else "dim")
    console.print(table)
    console.print(
        f"medians per call over {comparison.rounds} rounds; ratios with 95 % intervals; own again "
        f"/ own is within {share(comparison.noise)}; judged above {seconds(LEAST_SECONDS)}",
        highlight=False,
    )
    for verdict in comparison.verdicts.values():
        text = f"{verdict.claim} {marked(verdict.verdict)}: {escape(verdict.reason)}"
        console.print(text, highlight=False)
    for finding in comparison.findings:
        cause = finding.cause if finding.vanishes else "The cause is not known."
        console.print(f"{finding.observed} {cause} {finding.without}", highlight=False)


def draw_harnesses(comparison: Comparison, out: str | Path) -> list[Path]:
    """Draw the ratio of each pair into ``harnesses.svg`` and ``harnesses.png`` of a folder."""
    return write_figures([comparison_figure(comparison)], out)


def comparison_figure(comparison: Comparison) -> Lines:
    """Show the ratio of each pair over the time of a call, and where pairs agree."""
    times = [row.medians["own"] for row in comparison.rows]
    ends = [end for row in comparison.rows for pair in PAIRS for end in row.ratios[pair]]
    low, high = min(0.85, *ends) / 1.03, max(1.18, *ends) * 1.03
    limits = (min(times) / 1.5, max(times) * 1.5)
    panel = Panel(
        "",
        Axis("median time per call, own engine (s)", "seconds", limits=limits),
        Axis("ratio of medians, 95 % interval", "sizes", TICKS, (low, high)),
        tuple(_curve(comparison, pair) for pair in PAIRS),
        (Level("judged to the right", LEAST_SECONDS, "x", line=":"),),
        (Band("within 10 %", *MARGIN),),
    )
    title = "The same cells by three harnesses"
    caption = "Medians over all rounds; the cells left of the dotted line are too short to judge."
    return Lines("harnesses", title, caption, ((panel,),), inches=4.6)


def _curve(comparison: Comparison, pair: Pair) -> Curve:
    shift = APART ** (PAIRS.index(pair) - 1)
    times = np.array([shift * row.medians["own"] for row in comparison.rows])
    ratios = np.array([row.ratios[pair] for row in comparison.rows])
    label, ends = " / ".join(NAMES[name] for name in pair), ratios[:, [0, 2]]
    return Curve(label, times, ratios[:, 1], ends, LOOKS[pair], marks="filled", line="")
