"""Makers of evidence about a claim's cells, whose truth is known, and verdicts on it."""

from dataclasses import replace
from functools import cache

import numpy as np

from jacchain.analysis.evidence import Evidence, Noise, Regimes
from jacchain.analysis.verdicts import judge
from jacchain.claims.registry import chosen
from jacchain.experiments.cell import unique
from jacchain.experiments.sizes import Sizes
from jacchain.runs.simulated import blank_series

SHAPE = (12, 1, 2)  # processes, blocks, samples
NOISE = 0.01
OVERHEAD = 8e-7
MIB = 2**20
REGIMES = Regimes(l2=MIB, llc_low=4 * MIB, llc_high=65 * MIB, memory=520 * MIB)
CACHES = {"l2": 2 * MIB, "llc": 260 * MIB}
QUICK, STANDARD = Sizes(**CACHES), Sizes("standard", **CACHES)


def obeys(series):
    """Take the time of calls, multiplications and bytes: a batch reads its matrices once."""
    cost = series.cost
    return OVERHEAD * cost.products + 5e-11 * cost.multiplications + cost.bytes / 40e9


def by_formula(series):
    """Take one rate for every multiplication, and the time of calls."""
    return OVERHEAD * series.cost.products + 2e-10 * series.cost.multiplications


def cliff(series):
    """Obey the formula, with a bandwidth that falls threefold on leaving each cache."""
    edges = (2 * MIB, 120 * MIB)
    steps = sum(1 / (1 + (edge / series.cost.working_set) ** 4) for edge in edges)
    return by_formula(series) * 3.0**steps


def scaled(factor, *, name, cell=""):
    """The same machine, but for the arms of this name in the cells whose names end so."""
    return lambda s: obeys(s) * (factor if s.name == name and s.cell.endswith(cell) else 1.0)


def simulate_cells(cells, law=obeys, noise=NOISE):
    """The arms of cells, with the seconds that the law says, times noise of 1 %."""
    rng = np.random.default_rng(0)
    return {
        cell.name: tuple(
            replace(blank, seconds=law(blank) * np.exp(rng.normal(0, noise, SHAPE)))
            for blank in blank_series(cell, SHAPE)
        )
        for cell in unique(cells)
    }


def simulate(experiment, law=obeys, *, sizes=QUICK, **facts):
    """Every cell of an experiment."""
    facts = {"regimes": REGIMES, "overhead": OVERHEAD, "noise": Noise(NOISE)} | facts
    return Evidence(simulate_cells(experiment.cells(sizes), law), **facts)


def simulate_chains(law, *, noise=NOISE, regimes=REGIMES):
    """The chains of C3, C4 and C5, A/A pairs, and what they count."""
    experiments = chosen(["C3", "C4", "C5"])
    cells = [c for e in experiments for c in e.cells(QUICK) if c.role in {"chain", "control"}]
    checks = _counts()
    facts = {"regimes": regimes, "overhead": OVERHEAD, "noise": Noise(NOISE)}
    return Evidence(simulate_cells(cells, law, noise), checks, **facts)


@cache
def _counts():
    return {n: c.run(0) for e in chosen(["C3", "C4", "C5"]) for n, c in e.checks.items()}


def judged(experiment, evidence, sizes=QUICK):
    """The verdict on an experiment's claim."""
    return judge(experiment.claim, experiment.judge(evidence, sizes), evidence.noise_floor)


def verdicts(verdict, name):
    """The verdicts on the parts whose names hold this."""
    return {part.verdict for part in verdict.parts if name in part.name}


def with_cells(evidence, cells):
    """The evidence with more cells."""
    return replace(evidence, cells={**evidence.cells, **cells})
