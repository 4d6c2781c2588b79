"""What tests of runs share: a profile and jobs that take a second."""

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.experiments.cells import Cell
from jacchain.experiments.harness_visits import VISITS
from jacchain.experiments.job import Job
from jacchain.experiments.profiles import PROFILES, Profile
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import REGIMES

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def make_clone(tmp_path_factory):
    """A function that clones this repository, with the files of the working tree, as main."""

    def clone():
        target = tmp_path_factory.mktemp("clones") / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
        subprocess.run(["git", "checkout", "-q", "-B", "main"], cwd=target, check=True)
        for name in ("jacchain", "benchmarks", "results/asv"):
            shutil.copytree(ROOT / name, target / name, dirs_exist_ok=True)
        return target

    return clone


@pytest.fixture(scope="session")
def tiny():
    """Two processes of two rounds, no sweeps."""
    return Profile("tiny", 2, 2, 15.0, 0, 0, 0, 0, (), ())


@pytest.fixture(scope="session")
def tiny_job(tiny):
    """One chain in both orders, and its overhead."""
    return Job(tiny, (), (Cell((1, 4, 3, 2)), Cell((1, 1, 1), role="overhead")))


TIMES = {(1, 4, 3): 2e-6, (1, 64, 32): 2e-4, (1, 256, 64): 1e-3, (1, 512, 512): 4e-2}


@pytest.fixture(scope="session")
def harness_rounds():
    """A function that simulates rounds of all harnesses, each so much slower than the truth."""

    def rounds(*, noise=0.01, turns=6, **factors):  # factors by the names of visits
        rng = np.random.default_rng(0)
        rows = [
            {"dims": dims, "order": order, "visit": visit, "turn": turn,
             "seconds": list(seconds * factors.get(visit, 1.0)
                             * np.exp(rng.normal(0, noise) + rng.normal(0, 0.002, size=5)))}
            for dims, seconds in TIMES.items() for order in ("loss-first", "input-first")
            for visit in VISITS for turn in range(turns)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    return rounds


def _pair(name, ways, law, dims=(1, 4, 3, 2), rng=None):
    """Both ways of a comparison, each with the seconds that the law says, and noise of 1 %."""
    rng = rng or np.random.default_rng(0)
    shape = (1, 12, 2)
    for arm, way in zip("AB", ways, strict=True):
        work = way.work
        blank = Series(
            f"comparison:{name}", "comparison", "numpy", dims, way.name, arm, work.products,
            work.multiplications, 2 * work.row_multiplications,
            2 * (work.multiplications - work.row_multiplications), work.bytes, work.working_set,
            np.ones(shape), np.zeros(shape, dtype=bool),
        )  # fmt: skip
        seconds = law(blank) * np.exp(rng.normal(0, 0.01, shape))
        yield replace(blank, seconds=seconds)


@cache
def _ways(claim, profile):
    """The ways of all comparisons of a claim; nothing is prepared, so nothing runs."""
    several = experiments()[claim].comparisons(PROFILES[profile])
    return [(of, of.ways(np.dtype("float64"), 0)) for of in several]


@pytest.fixture(scope="session")
def make_pair():
    """A function that simulates one comparison."""
    return lambda *args, **facts: tuple(_pair(*args, **facts))


@pytest.fixture(scope="session")
def compared():
    """A function that simulates the comparisons of a claim: `law` gives a series its seconds."""

    def evidence(claim, law, *, profile="quick", **facts):
        rng = np.random.default_rng(0)
        pairs = {
            of.name: tuple(_pair(of.name, ways, law, of.dims, rng))
            for of, ways in _ways(claim, profile)
        }
        known = {"regimes": REGIMES, "overhead": 1e-7}
        return Evidence(series={}, comparisons=pairs, **(known | facts))

    return evidence
