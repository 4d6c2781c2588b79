"""What tests of several rooms share: clones of the repository, and rounds of all harnesses."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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


TIMES = {(1, 4, 3): 2e-6, (1, 64, 32): 2e-4, (1, 256, 64): 1e-3, (1, 512, 512): 4e-2}


@pytest.fixture(scope="session")
def harness_rounds():
    """A function that simulates rounds of all harnesses, each so much slower than the truth."""

    from jacchain.harnesses.visits import VISITS

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
