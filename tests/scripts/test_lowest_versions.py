"""The lowest versions that the tests run with are those that pyproject.toml declares."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_dependency_is_constrained_to_its_lower_bound():
    command = [sys.executable, ROOT / "scripts" / "lowest_versions.py"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    bounds = {bound for several in (project["dependencies"], *extras) for bound in several}
    bounds.remove("jacchain[bench,data,docs]")  # what the tests need of other extras
    constraints = printed.split()
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", constraint) for constraint in constraints)
    assert sorted(constraints) == sorted(bound.replace(">=", "==") for bound in bounds)
    assert "numpy==2.0" in constraints
