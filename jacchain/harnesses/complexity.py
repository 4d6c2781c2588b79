"""The page "Complexity" of the dashboard: time over each size, with the formula drawn through it.

Every time is asv's median; the formula's two coefficients, seconds per product and seconds per
multiplication, are fitted to those of one order, machine, numpy and commit.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from operator import itemgetter
from typing import Any

import numpy as np
from markupsafe import Markup

from jacchain.analysis.evidence import BOTH, Dims
from jacchain.chains.planners import plan
from jacchain.costs.fit import solve
from jacchain.harnesses.grids_file import BENCHMARKS, PARAMETERS, TITLES, asv_cells
from jacchain.harnesses.readers import UNKNOWN, Timing
from jacchain.report.mathml import formula_mathml, typeset
from jacchain.report.page import template_environment
from jacchain.report.style import DARK, LOOKS

Series = dict[str, Any]
AT_BOUND = 1e-9  # share of every time up to which a coefficient counts as 0
_ORDERS = "&".join(f"p-order='{order}'" for order in BOTH)  # asv shows the first alone


def sweep_series(timings: Iterable[Timing]) -> dict[str, list[Series]]:
    """Return the measured sweeps by name: a series for each machine, numpy, commit and order.

    A series has `machine`, `numpy` (and its Python), `commit`, `date` (of the commit, ISO 8601),
    `order`, `points` (size, seconds and its 95 % interval), `multiplications` (of each point),
    `line` (size, fitted seconds), `call` and `multiplication` (the fitted seconds of each, None
    where the fit puts it at its bound of 0: the times then don't identify it).
    """
    cells = asv_cells()
    groups: dict[tuple[str, ...], list[tuple[int, Dims, Timing]]] = defaultdict(list)
    for timing in timings:
        if len(timing.values) == 2 and (timing.benchmark, timing.values[0]) in cells:
            sweep, size, dims = cells[timing.benchmark, timing.values[0]]
            numpy, python = (timing.env.get(name, UNKNOWN) for name in ("numpy", "python"))
            key = (sweep, timing.machine, f"{numpy} on Python {python}", timing.commit)
            groups[*key, timing.values[1]].append((size, dims, timing))
    sweeps: dict[str, list[Series]] = defaultdict(list)
    for (sweep, machine, numpy, commit, order), rows in sorted(groups.items()):
        date = datetime.fromtimestamp(rows[0][2].date / 1000, UTC).isoformat()
        origin = {"machine": machine, "numpy": numpy, "commit": commit, "date": date}
        sweeps[sweep].append(
            origin | {"order": order} | _fitted(sorted(rows, key=itemgetter(0)), order)
        )
    return sweeps


def _fitted(rows: list[tuple[int, Dims, Timing]], order: str) -> Series:
    """Return points, and the formula through them."""
    times = [timing.median for *_, timing in rows]
    costs = [plan(dims, order).cost for _, dims, _ in rows]
    call, multiplication, line = formula_through([dims for _, dims, _ in rows], order, times)
    by_call = max(call * cost.products / y for cost, y in zip(costs, line, strict=True))
    by_work = max(
        multiplication * cost.multiplications / y for cost, y in zip(costs, line, strict=True)
    )
    return {
        "points": [[size, t.median, *t.interval] for size, _, t in rows],
        "line": [[size, y] for (size, *_), y in zip(rows, line, strict=True)],
        "multiplications": [cost.multiplications for cost in costs],
        "call": call if by_call > AT_BOUND else None,
        "multiplication": multiplication if by_work > AT_BOUND else None,
    }


def formula_through(
    dims: Sequence[Dims], order: str, times: Sequence[float]
) -> tuple[float, float, list[float]]:
    """Fit the formula's two coefficients to times, by least squares of relative residuals.

    Returns the seconds per product, those per multiplication, and the fitted seconds of each chain.

    Examples
    --------
    >>> call, multiplication, line = formula_through([(1, 2, 3), (1, 4, 9)], "loss-first", [7, 37])
    >>> round(call, 9), round(multiplication, 9), [round(y, 9) for y in line]
    (1.0, 1.0, [7.0, 37.0])
    """
    costs = [plan(sizes, order).cost for sizes in dims]
    design = np.array([[cost.products, cost.multiplications] for cost in costs], dtype=float)
    call, multiplication = solve(design, np.array(times, dtype=float))
    line = design @ (call, multiplication)
    return float(call), float(multiplication), [float(y) for y in line]


def render_complexity(timings: Iterable[Timing], *, project: str) -> str:
    """Write the page, with its data and its script inside; it loads nothing."""
    series = sweep_series(timings)
    sweeps = [
        {
            "name": name,
            "title": typeset(f"O{TITLES[name][1:]}"),
            "formulas": [(order, formula_mathml(order, 3)) for order in BOTH],
            "link": f"index.html#{benchmark}?x-axis={PARAMETERS[name]}&y-axis-scale=log&{_ORDERS}",
            "benchmark": benchmark,
        }
        for name, benchmark in BENCHMARKS.items()
        if name in series
    ]
    data = {"sweeps": series}
    return (
        template_environment("jacchain.harnesses")
        .get_template("complexity.html")
        .render(
            project=project,
            sweeps=sweeps,
            colours={order: (LOOKS[order].colour, DARK[LOOKS[order].colour]) for order in BOTH},
            data=Markup(json.dumps(data, allow_nan=False).replace("<", "\\u003c")),
            css=_template("jacchain.report", "report.css"),
            script=_template("jacchain.harnesses", "complexity.js"),
        )
    )


def _template(package: str, name: str) -> Markup:
    """Return a file of our own, to be written as it is."""
    return Markup((files(package) / "templates" / name).read_text("utf-8"))
