"""Simulated machines: what the verdicts say of machines whose behaviour is known.

A simulated machine gives every chain of the quick profile a true time and the noise of a real
run; the claims' own `judge` functions then judge it as they judge a measurement. The table of
1,000 runs of each machine is written by ``python -m jacchain.runs.simulated``; a test runs it
again and compares.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import BOTH, Array, Evidence, Regimes, Series
from jacchain.analysis.intervals import median_interval
from jacchain.analysis.noise import noise_floor
from jacchain.analysis.ratios import log_ratios
from jacchain.analysis.slopes import judged_regimes, slope, slope_part
from jacchain.analysis.verdicts import judge
from jacchain.claims.registry import chosen
from jacchain.experiments.cell import Cell, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.grids import all_grids
from jacchain.experiments.sizes import PROFILES, Sampling, Sizes
from jacchain.experiments.sweep_parts import measured_sweep

CLAIMS = ("C3", "C4", "C5")
QUICK, QUICK_SIZES = PROFILES["quick"], Sizes("quick")
MIB = 2**20
REGIMES = Regimes(l2=MIB, llc_low=4 * MIB, llc_high=65 * MIB, memory=520 * MIB)
RUNS = 1000
TABLE = "simulated.json"
Row = dict[str, Any]

_OVERHEAD = 8e-7  # seconds per product
_RATE = 2e-10  # seconds per multiplication: eight bytes read at 40 GB/s
_SLOW_SHARE, _SLOW = 0.4, 1.35  # of the time a neighbour shares the core, for seconds at a time,
_ALONE = 0.1  # and so slows a round of a whole sweep; of the blocks this share is another way
_DRIFT, _JITTER = 0.05, 0.02  # standard deviations of ln(time), of a block and of a sample
_SPIKE_SHARE, _SPIKE = 0.02, 0.3


@dataclass(frozen=True)
class Machine:
    """A machine whose behaviour is known."""

    name: str  #: in a few words
    #: Turns a series, whose times are yet unknown, into true seconds
    law: Callable[[Series], float]
    #: Verdicts, on which claims, and the lowest and highest share of the runs that may have them
    bounds: tuple[tuple[str, tuple[str, ...], float, float], ...]
    noise: float = 1.0  #: Scales all noise


def obeys(series: Series) -> float:
    """Take the formula's time: overhead, and one rate for every multiplication."""
    return _OVERHEAD * series.cost.products + _RATE * series.cost.multiplications


def superlinear(series: Series) -> float:
    """Grow with `|x|^1.2`."""
    return float(obeys(series) * (series.dims[-1] / 64) ** 0.2)


def deviates(series: Series) -> float:
    """Grow over `|z2|` with an exponent a quarter above the formula's."""
    swept = len(series.dims) == 5 and series.dims[1] == series.dims[3] == 256
    return obeys(series) * ((series.dims[2] / 256) ** 0.25 if swept else 1.0)


def cliff(series: Series) -> float:
    """Obey the formula, with a bandwidth that falls threefold on leaving each cache."""
    edges = (2 * MIB, 120 * MIB)
    steps = sum(1 / (1 + (edge / series.cost.working_set) ** 4) for edge in edges)
    return float(obeys(series) * 3.0**steps)


MACHINES = (
    Machine("obeys", obeys, (("disagrees", CLAIMS, 0.0, 0.05), ("agrees", CLAIMS, 0.80, 1.0))),
    Machine("grows with |x|^1.2", superlinear, (("disagrees", ("C3",), 0.95, 1.0),)),
    Machine("25 % steeper over |z2|", deviates, (("disagrees", ("C4",), 0.95, 1.0),)),
    Machine("obeys, too noisy", obeys, (("inconclusive", CLAIMS, 0.95, 1.0),), noise=16.0),
    Machine("obeys, with a cache cliff", cliff, (("disagrees", CLAIMS, 0.0, 0.05),)),
)


def _noise(
    shape: tuple[int, ...], sweeps: NDArray[np.intp], rng: np.random.Generator, scale: float
) -> Array:
    """Factors on time, shape (cells, processes, rounds, samples).

    A block is in the state of its sweep in that round, or alone in one of its own; drift, jitter
    and spikes come on top. `sweeps` numbers the sweep of each cell.
    """
    blocks = shape[:-1]
    states = rng.random((len(sweeps), *blocks[1:]))[sweeps]
    states = np.where(rng.random(blocks) < _ALONE, rng.random(blocks), states)
    slow = np.where(states < _SLOW_SHARE, np.log(_SLOW), 0.0)
    drift = np.abs(rng.normal(0, _DRIFT, blocks))
    jitter = rng.normal(0, _JITTER * scale, shape)
    spikes = np.where(rng.random(shape) < _SPIKE_SHARE * scale, _SPIKE, 0.0)
    return np.asarray(np.exp((slow + drift)[..., None] + jitter + spikes))


@cache
def _experiments() -> tuple[Experiment, ...]:
    return chosen(CLAIMS)


@cache
def _blank(sampling: Sampling, sizes: Sizes) -> tuple[list[tuple[Series, ...]], NDArray[np.intp]]:
    """Both arms of every chain and control, without times; and the number of each one's group."""
    cells = unique(cell for e in _experiments() for cell in e.cells(sizes))
    timed = [cell for cell in cells if cell.role in {"chain", "control"}]
    groups = np.unique([cell.group or cell.name for cell in timed], return_inverse=True)[1]
    shape = (sampling.processes, sampling.rounds, 2)
    return [blank_series(cell, shape) for cell in timed], groups


def blank_series(cell: Cell, shape: tuple[int, int, int]) -> tuple[Series, ...]:
    """Return the arms of a cell as series of ones, shape (processes, rounds, 2)."""
    where = cell.name, cell.role, cell.group, cell.dims
    seconds, flagged = np.ones(shape), np.zeros(shape, dtype=bool)
    arms = cell.arms(np.dtype("float64"), 0)
    return tuple(Series(*where, arm.name, arm.cost, seconds, flagged) for arm in arms)


def simulate(
    machine: Machine,
    rng: np.random.Generator,
    *,
    sampling: Sampling = QUICK,
    sizes: Sizes = QUICK_SIZES,
) -> Evidence:
    """Simulate one run of a machine."""
    blank, sweeps = _blank(sampling, sizes)
    *blocks, samples = blank[0][0].seconds.shape
    noise = _noise((len(blank), *blocks, 2 * samples), sweeps, rng, machine.noise)
    cells = {
        arms[0].cell: tuple(
            replace(series, seconds=machine.law(series) * part)
            for series, part in zip(arms, np.split(factors, 2, axis=-1), strict=True)
        )
        for arms, factors in zip(blank, noise, strict=True)
    }
    evidence = Evidence(cells, _checks(), regimes=REGIMES, overhead=_OVERHEAD)
    return replace(evidence, noise_floor=noise_floor(evidence.controls))


@cache
def _checks() -> dict[str, Any]:
    """The untimed checks of these claims: a machine of any speed counts the same."""
    return {name: check.run(0) for e in _experiments() for name, check in e.checks.items()}


def tally(machine: Machine, runs: int = RUNS, seed: int = 0) -> list[Row]:
    """Judge so many runs of one machine: a row for each claim and bound, and two for intervals.

    A row has `machine`, `runs`, `what`, its `share` of the runs (of the intervals), the bounds
    `low` and `high` on that share, and whether they are `met`.

    Examples
    --------
    >>> [row["what"] for row in tally(MACHINES[1], runs=2) if row["met"]]
    ['C3 disagrees']
    """
    rng = np.random.default_rng(seed)
    verdicts = {claim: Counter[str]() for claim in CLAIMS}
    covered: dict[str, list[bool]] = {"ratios": [], "slopes": []}
    judges = {e.claim: e.judge for e in _experiments() if e.claim in CLAIMS and e.judge}
    for _ in range(runs):
        evidence = simulate(machine, rng)
        for claim, parts in judges.items():
            verdict = judge(claim, parts(evidence, QUICK_SIZES), evidence.noise_floor)
            verdicts[claim][verdict.verdict] += 1
        if machine is MACHINES[0]:
            covered["ratios"] += _ratio_coverage(evidence, machine.law)
            covered["slopes"] += _slope_coverage(evidence, machine.law)
    rows = [
        _row(machine.name, runs, f"{claim} {verdict}", verdicts[claim][verdict] / runs, low, high)
        for verdict, claims, low, high in machine.bounds
        for claim in claims
    ]
    what = "95 % intervals of {} that hold the truth"
    return rows + [
        _row(machine.name, runs, what.format(name), float(np.mean(inside)), 0.93, 0.97)
        for name, inside in covered.items()
        if inside
    ]


def _row(machine: str, runs: int, what: str, share: float, low: float, high: float) -> Row:
    met = low <= share <= high
    bounds = {"share": round(share, 4), "low": low, "high": high, "met": met}
    return {"machine": machine, "runs": runs, "what": what, **bounds}


def _ratio_coverage(evidence: Evidence, law: Callable[[Series], float]) -> list[bool]:
    pairs = list(evidence.chains.values())
    low, _, high = median_interval([log_ratios(inputs, loss) for loss, inputs in pairs])
    truth = np.array([np.log(law(inputs) / law(loss)) for loss, inputs in pairs])
    return [bool(inside) for inside in (low <= truth) & (truth <= high)]


def _slope_coverage(evidence: Evidence, law: Callable[[Series], float]) -> list[bool]:
    inside = []
    for grid in all_grids(QUICK_SIZES).values():
        for index, order in enumerate(BOTH):
            whole = measured_sweep(evidence, grid, order)
            times = {size: law(evidence.chains[dims][index]) for size, dims in grid.cells}
            for part in judged_regimes(whole, evidence).values() if whole else ():
                true = [times[int(size)] for size in part.sizes]
                truth = float(slope(np.log(part.sizes), np.log(true)))
                interval = slope_part(part, evidence.noise_floor, "").interval
                low, high = interval or (np.nan, np.nan)
                inside.append(low <= truth <= high)
    return inside


def published() -> list[Row]:
    """Return the table as it was last written: a row for each machine and bound."""
    rows: list[Row] = json.loads((files("jacchain.runs") / TABLE).read_text())
    return rows


def main(machines: Sequence[Machine] = MACHINES) -> None:
    """Write the table anew, beside this file."""
    rows = [row for machine in machines for row in tally(machine)]
    Path(__file__).with_name(TABLE).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
