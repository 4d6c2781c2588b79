"""The page "Complexity" of the dashboard: time over each size, with the formula drawn through it.

Every time is asv's median; the formula's two coefficients, seconds per product and seconds per
multiplication, are fitted to those of one order, machine, numpy and commit.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from jacchain.analysis.fit import solve
from jacchain.chains.planners import plan
from jacchain.experiments.cells import BOTH
from jacchain.experiments.published import BENCHMARKS, PARAMETERS, TITLES, asv_cells
from jacchain.records.harness import Timing
from jacchain.report.mathml import formula_mathml, typeset
from jacchain.report.style import LOOKS

Series = dict[str, Any]


def sweep_series(timings: Iterable[Timing]) -> dict[str, list[Series]]:
    """The measured sweeps, by name: one series for each machine, numpy, commit and order.

    Returns
    -------
    dict of list of dict
        Each series has `machine`, `numpy`, `commit`, `date` (of the commit, ISO 8601), `order`,
        `points` (size, seconds and its 99 % interval), `line` (size, fitted seconds), `call` and
        `multiplication` (the fitted seconds of each).
    """
    cells = asv_cells()
    groups: dict[tuple[str, ...], list[tuple[int, tuple[int, ...], Timing]]] = defaultdict(list)
    for timing in timings:
        if len(timing.values) == 2 and (timing.benchmark, timing.values[0]) in cells:
            sweep, size, dims = cells[timing.benchmark, timing.values[0]]
            key = (sweep, timing.machine, timing.env.get("numpy", ""), timing.commit)
            groups[*key, timing.values[1]].append((size, dims, timing))
    found: dict[str, list[Series]] = defaultdict(list)
    for (sweep, machine, numpy, commit, order), rows in sorted(groups.items()):
        date = datetime.fromtimestamp(rows[0][2].date / 1000, UTC).isoformat()
        origin = {"machine": machine, "numpy": numpy, "commit": commit, "date": date}
        found[sweep].append(origin | {"order": order} | _fitted(sorted(rows, key=_size), order))
    return found


def _size(row: tuple[int, tuple[int, ...], Timing]) -> int:
    return row[0]


def _fitted(rows: list[tuple[int, tuple[int, ...], Timing]], order: str) -> Series:
    """Points, and the formula with the coefficients that fit them best (relative squares)."""
    plans = [plan(dims, order) for _, dims, _ in rows]
    design = np.array([[len(p.steps), p.multiplications] for p in plans], dtype=float)
    times = np.array([timing.median for *_, timing in rows])
    call, multiplication = solve(design, times)
    line = design @ (call, multiplication)
    return {
        "points": [[size, t.median, *t.interval] for size, _, t in rows],
        "line": [[size, float(y)] for (size, *_), y in zip(rows, line, strict=True)],
        "call": float(call),
        "multiplication": float(multiplication),
    }


def render_complexity(timings: Iterable[Timing], *, project: str) -> str:
    """The page, with its data and its script inside; it loads nothing."""
    series = sweep_series(timings)
    sweeps = [
        {
            "name": name,
            "title": typeset(TITLES[name]),
            "formulas": [(order, formula_mathml(order, 3)) for order in BOTH],
            "link": f"index.html#{benchmark}?x-axis={PARAMETERS[name]}&y-axis-scale=log",
            "benchmark": benchmark,
        }
        for name, benchmark in BENCHMARKS.items()
        if name in series
    ]
    templates = files("jacchain.report") / "templates"
    environment = Environment(
        loader=PackageLoader("jacchain.report"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = {"sweeps": series, "colours": {order: LOOKS[order].colour for order in BOTH}}
    return environment.get_template("complexity.html").render(
        project=project,
        sweeps=sweeps,
        data=Markup(json.dumps(data).replace("<", "\\u003c")),
        css=Markup((templates / "report.css").read_text("utf-8")),
        script=Markup((templates / "complexity.js").read_text("utf-8")),
    )
