"""Makers of evidence about a claim's cells, whose truth is known, and verdicts on it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import judge
from jacchain.experiments.cell import unique
from jacchain.experiments.sizes import Sizes
from jacchain.runs.simulated import REGIMES, blank_series

SHAPE = (1, 12, 2)  # processes, blocks, samples
NOISE = 0.01
QUICK = Sizes()


def _simulate_arms(blanks, law, rng):
    """Return the arms with the seconds that the law says, times noise of 1 %."""
    return tuple(
        replace(blank, seconds=law(blank) * np.exp(rng.normal(0, NOISE, SHAPE))) for blank in blanks
    )


@cache
def _blanks(cells, sizes):
    """Return the arms of an experiment's cells; nothing is prepared, so nothing runs."""
    return [blank_series(cell, SHAPE) for cell in unique(cells(sizes))]


@pytest.fixture(scope="session")
def simulate():
    """A function that simulates every cell of an experiment: `law` gives a series its seconds."""

    def evidence(experiment, law, *, sizes=QUICK, **facts):
        rng = np.random.default_rng(0)
        cells = {
            blanks[0].cell: _simulate_arms(blanks, law, rng)
            for blanks in _blanks(experiment.cells, sizes)
        }
        known = {"regimes": REGIMES, "overhead": 1e-7}
        return Evidence(cells, **(known | facts))

    return evidence


@pytest.fixture(scope="session")
def simulate_cell():
    """A function that simulates one cell by itself."""

    def arms(cell, law):
        rng = np.random.default_rng(0)
        return _simulate_arms(blank_series(cell, SHAPE), law, rng)

    return arms


@pytest.fixture(scope="session")
def judged():
    """A function that returns the verdict on an experiment's claim."""

    def verdict(experiment, evidence, sizes=QUICK):
        return judge(experiment.claim, experiment.judge(evidence, sizes), evidence.noise_floor)

    return verdict


@pytest.fixture(scope="session")
def assert_same():
    """A function that runs both arms of a cell of each group: they differ by rounding alone."""

    def check(cells):
        groups = {}
        for cell in cells:
            groups.setdefault(cell.group, []).append(cell)
        for group in groups.values():
            cell = group[min(1, len(group) - 1)]  # small, but not the smallest
            first, second = (arm.prepare() for arm in cell.arms(np.dtype("float32"), 3))
            _assert_close(_copies(first()), _copies(second()), cell)

    return check


def _copies(result):
    """Return arrays by name: an arm may use the memory of its result again."""
    arrays = result if isinstance(result, dict) else {"": result}
    return {name: np.array(array).ravel() for name, array in arrays.items()}


def _assert_close(first, second, cell):
    """Compare arrays by name, to 16 eps times the inner sizes times the largest element."""
    assert first.keys() == second.keys()
    for name, array in first.items():
        bound = 16 * np.finfo(array.dtype).eps * sum(cell.dims[1:]) * np.abs(array).max()
        assert array.size == second[name].size
        assert np.abs(array - second[name]).max() <= bound, (cell.name, name)
