"""Our own engine, asv and pytest-benchmark side by side, for the command `compare-harnesses`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from jacchain.analysis.verdicts import as_json as plain
from jacchain.experiments.show import (
    Axis,
    Band,
    Curve,
    Level,
    Lines,
    Look,
    Panel,
    Table,
    Unit,
    table,
)
from jacchain.harnesses.comparison import (
    CONTROL,
    LEAST_SECONDS,
    MARGIN,
    PAIRS,
    Compared,
    Comparison,
    Pair,
    ratio_text,
)
from jacchain.report.publish import write_figures
from jacchain.report.terminal import marked, print_table
from jacchain.units import seconds, share

HARNESSES = ("own", "asv", "pytest")
NAMES = {"own": "own engine", "asv": "asv", "pytest": "pytest-benchmark"}
LOOKS: dict[Pair, Look] = dict(zip(PAIRS, ("third", "fourth", "fifth"), strict=True))
WITHIN = share(MARGIN[1] - 1, 0)
TEXT: Unit = "text"
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
    """Print which pairs agree, times of every chain and order, ratios of each pair, findings."""
    console.print(f"{headline(comparison)}.", highlight=False)
    for pair, verdict in comparison.verdicts.items():
        answer = escape(_pair_answer(comparison, pair))
        verdict_text = f"{_pair_name(pair)} {marked(verdict.verdict)}"
        console.print(f"{verdict_text}: {answer}", highlight=False)
    print_table(console, times_table(comparison))
    print_table(console, ratios_table(comparison))
    console.print(
        f"own is our own engine, pytest is pytest-benchmark. {' / '.join(CONTROL)} is the second "
        "visit of our own engine in each round over its first, so what equal work differs by: "
        f"{share(comparison.noise)}, which widens every interval before it is judged.",
        highlight=False,
    )
    for finding in comparison.findings:
        cause = finding.cause if finding.vanishes else "The cause is not known."
        console.print(f"{finding.observed} {cause} {finding.without}", highlight=False)


def headline(comparison: Comparison) -> str:
    """Say in one sentence, without a full stop, how many pairs of harnesses agree."""
    verdicts = comparison.verdicts
    names = [_pair_name(pair) for pair, v in verdicts.items() if v.verdict == "agrees"]
    several = f": {', '.join(names)}" if 0 < len(names) < len(verdicts) else ""
    return f"{len(names)} of {len(verdicts)} pairs of harnesses agree within {WITHIN}{several}"


def times_table(comparison: Comparison) -> Table:
    """List the median time per call by each harness."""
    units: dict[str, Unit] = {"cell": "text"}
    units |= dict.fromkeys((NAMES[name] for name in HARNESSES), "seconds")
    units |= {"judged": "text"}
    rows = (
        (row.name, *(row.medians[name] for name in HARNESSES), _judged(row))
        for row in comparison.rows
    )
    caption = f"Time per call: median over {comparison.rounds} rounds"
    return table(caption, units, rows)


def ratios_table(comparison: Comparison) -> Table:
    """List the ratios of those times, with the control: our own engine's two visits."""
    names = ("cell", *map(" / ".join, (*PAIRS, CONTROL)))
    rows = (
        (row.name, *(ratio_text(row.ratios[pair]) for pair in (*PAIRS, CONTROL)))
        for row in comparison.rows
    )
    caption = "Ratio of times (95 % interval): above 1 the first of both harnesses takes longer"
    return table(caption, dict.fromkeys(names, TEXT), rows)


def _pair_name(pair: Pair) -> str:
    return " / ".join(NAMES[name] for name in pair)


def _judged(row: Compared) -> str:
    return "yes" if row.judged else f"no: under {seconds(LEAST_SECONDS)}"


def _pair_answer(comparison: Comparison, pair: Pair) -> str:
    """Say by how much a pair differs in the middle, and why it does not agree, if so."""
    ratios = [row.ratios[pair][1] for row in comparison.rows if row.judged]
    if not ratios:
        return f"no call takes {seconds(LEAST_SECONDS)}, and shorter ones are not judged."
    first, second = (NAMES[name] for name in pair)
    middle = float(np.exp(np.median(np.log(ratios))))
    cells = f"{len(ratios)} judged cell{'' if len(ratios) == 1 else 's'}"
    longer = f"{first} takes {middle:.2f} times as long as {second} in the middle of {cells}"
    verdict = comparison.verdicts[pair]
    reasons = [s.reason for s in verdict.statements if s.verdict != "agrees"]
    return f"{'; '.join((longer, *reasons))}."


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
        (Band(f"within {WITHIN}", *MARGIN),),
    )
    title = headline(comparison)
    caption = "Medians over all rounds; the cells left of the dotted line are too short to judge."
    return Lines("harnesses", title, caption, ((panel,),), inches=4.6)


def _curve(comparison: Comparison, pair: Pair) -> Curve:
    shift = APART ** (PAIRS.index(pair) - 1)
    times = np.array([shift * row.medians["own"] for row in comparison.rows])
    ratios = np.array([row.ratios[pair] for row in comparison.rows])
    label, ends = _pair_name(pair), ratios[:, [0, 2]]
    return Curve(label, times, ratios[:, 1], ends, LOOKS[pair], marks="filled", line="")
