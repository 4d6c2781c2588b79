"""The table of the simulated machines: 1,000 runs each, their verdicts beside the bounds.

`python -m jacchain.experiments.tally` writes it anew; a test runs it again and holds it to that.
"""

import json
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Evidence, log_ratios
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.slopes import judged_regimes, slope, slope_part, sweep
from jacchain.analysis.verdicts import judge
from jacchain.experiments.cells import BOTH
from jacchain.experiments.grids import Grid, all_grids
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import CLAIMS, MACHINES, QUICK, Machine, simulate

RUNS = 1000
PUBLISHED = "simulated.json"
Row = dict[str, Any]

# Of each machine: what is tallied of which claims, and the bounds on its share of the runs.
BOUNDS: dict[str, tuple[tuple[str, tuple[str, ...], float, float], ...]] = {
    "obeys": (("disagrees", CLAIMS, 0.0, 0.05), ("agrees", CLAIMS, 0.80, 1.0)),
    "grows with |x|^1.2": (("disagrees", ("C3",), 0.95, 1.0),),
    "25 % steeper over |z2|": (("disagrees", ("C4",), 0.95, 1.0),),
    "obeys, too noisy": (("inconclusive", CLAIMS, 0.95, 1.0),),
    "obeys, with a cache cliff": (("disagrees", CLAIMS, 0.0, 0.05),),
}


def tally(machine: Machine, runs: int = RUNS, seed: int = 0) -> list[Row]:
    """Judge so many runs of one machine: a row for each claim and bound, and two for intervals.

    Returns
    -------
    list of dict
        Each with `machine`, `runs`, `what`, its `share` of the runs (of the intervals), the
        bounds `low` and `high` on that share, and whether they are `met`.

    Examples
    --------
    >>> [row["what"] for row in tally(MACHINES[1], runs=2) if row["met"]]
    ['C3 disagrees']
    """
    rng = np.random.default_rng(seed)
    verdicts = {claim: Counter[str]() for claim in CLAIMS}
    ratios, slopes = Counter[bool](), Counter[bool]()
    for _ in range(runs):
        evidence = simulate(machine, rng)
        for claim in CLAIMS:
            of = experiments()[claim].judge
            parts = of(evidence, QUICK) if of else []
            verdicts[claim][judge(claim, parts, evidence.noise_floor).verdict] += 1
        if machine.name == "obeys":
            ratios.update(_ratio_coverage(evidence, machine.law))
            slopes.update(_slope_coverage(evidence, machine.law))
    rows = [
        _row(machine.name, runs, f"{claim} {verdict}", verdicts[claim][verdict] / runs, low, high)
        for verdict, claims, low, high in BOUNDS[machine.name]
        for claim in claims
    ]
    covered = (("ratios", ratios), ("slopes", slopes))
    return rows + [_coverage_row(machine.name, runs, of, count) for of, count in covered if count]


def _coverage_row(machine: str, runs: int, of: str, count: Counter[bool]) -> Row:
    share = count[True] / count.total()
    return _row(machine, runs, f"95 % intervals of {of} that hold the truth", share, 0.93, 0.97)


def _row(machine: str, runs: int, what: str, share: float, low: float, high: float) -> Row:
    met = low <= share <= high
    return {
        "machine": machine, "runs": runs, "what": what, "share": round(share, 4),
        "low": low, "high": high, "met": met,
    }  # fmt: skip


def _ratio_coverage(evidence: Evidence, law: Callable[[Any], float]) -> list[bool]:
    pairs = evidence.pairs()
    low, _, high = median_interval([log_ratios(inputs, loss) for loss, inputs in pairs])
    truth = np.array([np.log(law(inputs) / law(loss)) for loss, inputs in pairs])
    return [bool(held) for held in (low <= truth) & (truth <= high)]


def _slope_coverage(evidence: Evidence, law: Callable[[Any], float]) -> list[bool]:
    return [
        held
        for grid in all_grids(QUICK).values()
        for order in BOTH
        for held in _sweep_coverage(evidence, law, grid, order)
    ]


def _sweep_coverage(
    evidence: Evidence, law: Callable[[Any], float], grid: Grid, order: str
) -> list[bool]:
    whole = sweep(evidence, grid.name, grid.variable, grid.cells, order)
    times = {size: law(evidence.series["numpy", dims, order]) for size, dims in grid.cells}
    held = []
    for part in judged_regimes(whole, evidence).values() if whole else ():
        truth = float(slope(np.log(part.sizes), np.log([times[int(size)] for size in part.sizes])))
        low, high = slope_part(part, evidence.noise_floor, "").interval or (np.nan, np.nan)
        held.append(low <= truth <= high)
    return held


def published() -> list[Row]:
    """The table as it was last written: a row for each machine and bound."""
    text = (files("jacchain.experiments") / PUBLISHED).read_text()
    rows: list[Row] = json.loads(text)
    return rows


def main() -> None:
    """Write the table anew, beside this file."""
    rows = [row for machine in MACHINES for row in tally(machine)]
    Path(__file__).with_name(PUBLISHED).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
