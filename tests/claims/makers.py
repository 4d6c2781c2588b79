"""Makers of evidence about a claim's cells, whose truth is known, and verdicts on it."""

from dataclasses import replace
from functools import cache

import numpy as np

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import judge
from jacchain.experiments.cell import unique
from jacchain.experiments.sizes import Sizes
from jacchain.runs import simulated
from jacchain.runs.simulated import REGIMES, Machine, blank_series

SHAPE = (1, 12, 2)  # processes, blocks, samples
NOISE = 0.01
OVERHEAD = 8e-7
QUICK, STANDARD = Sizes(), Sizes("standard")

_blank = cache(blank_series)  # nothing is prepared, so nothing runs


def obeys(series):
    """Take the time of calls, multiplications and bytes: a batch reads its matrices once."""
    cost = series.cost
    return OVERHEAD * cost.products + 5e-11 * cost.multiplications + cost.bytes / 40e9


def scaled(factor, *, name, cell=""):
    """The same machine, but for the arms of this name in the cells whose names end so."""
    return lambda s: obeys(s) * (factor if s.name == name and s.cell.endswith(cell) else 1.0)


def simulate_cells(cells, law=obeys):
    """The arms of cells, with the seconds that the law says, times noise of 1 %."""
    rng = np.random.default_rng(0)
    return {
        cell.name: tuple(
            replace(blank, seconds=law(blank) * np.exp(rng.normal(0, NOISE, SHAPE)))
            for blank in _blank(cell, SHAPE)
        )
        for cell in unique(cells)
    }


def simulate(experiment, law=obeys, *, sizes=QUICK, **facts):
    """Every cell of an experiment."""
    facts = {"regimes": REGIMES, "overhead": OVERHEAD} | facts
    return Evidence(simulate_cells(experiment.cells(sizes), law), **facts)


def simulate_chains(law, *, noise=1.0, regimes=REGIMES):
    """The chains and controls of C3, C4 and C5, with the noise of a real run."""
    evidence = simulated.simulate(Machine("a machine", law, (), noise), np.random.default_rng(0))
    return replace(evidence, regimes=regimes)


def judged(experiment, evidence, sizes=QUICK):
    """The verdict on an experiment's claim."""
    return judge(experiment.claim, experiment.judge(evidence, sizes), evidence.noise_floor)


def verdicts(verdict, name):
    """The verdicts on the parts whose names hold this."""
    return {part.verdict for part in verdict.parts if name in part.name}


def with_cells(evidence, cells):
    """The evidence with more cells."""
    return replace(evidence, cells={**evidence.cells, **cells})
