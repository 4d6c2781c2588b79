"""The environments that asv builds by `asv.conf.json` hold what their labels say."""

import json
import os
import subprocess
import sys
from pathlib import Path

from asv.config import Config

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import jacchain
import numpy

def track_numpy():
    major, minor, patch = map(int, numpy.__version__.split("."))
    return 10000 * major + 100 * minor + patch
"""
MACHINE = {"machine": "test", "os": "", "arch": "", "cpu": "", "num_cpu": "", "ram": ""}


def test_the_numpy_imported_is_the_one_on_the_label(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = vars(Config.load("asv.conf.json"))
    labels = config["matrix"]["req"]["numpy"]
    if sys.version_info >= (3, 13):  # for which 2.0.2 has no wheel
        labels[:] = [label.replace("2.0.2", "2.1.3") for label in labels]
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite/__init__.py").touch()
    (tmp_path / "suite/labels.py").write_text(SUITE)
    moved = {
        "version": 1,
        "repo": str(ROOT),
        "branches": ["HEAD"],
        "benchmark_dir": str(tmp_path / "suite"),
        "env_dir": str(tmp_path / "env"),
        "results_dir": str(tmp_path / "results"),
        "plugins": [],
    }
    (tmp_path / "asv.conf.json").write_text(json.dumps(config | moved))
    (tmp_path / ".asv-machine.json").write_text(json.dumps({"test": MACHINE, "version": 1}))
    for variable, place in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        if variable not in os.environ:  # pip is to find what it finds elsewhere
            monkeypatch.setenv(variable, str(Path.home() / place))
    monkeypatch.setenv("HOME", str(tmp_path))
    this = Path(sys.base_prefix, "bin")  # before any command of this name that chooses a Python
    monkeypatch.setenv("PATH", f"{this}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(
        "PIP_NO_COMPILE", "1"
    )  # what is imported once need not be compiled for later
    command = [
        sys.executable,
        "-m",
        "asv",
        "run",
        "--config",
        str(tmp_path / "asv.conf.json"),
        "--machine",
        "test",
        "--show-stderr",
        "HEAD^!",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for path in (tmp_path / "results/test").glob("*-*.json"):
        data = json.loads(path.read_text())
        (value,) = data["results"]["labels.track_numpy"][0]
        found[data["params"]["numpy"]] = f"{value // 10000}.{value // 100 % 100}.{value % 100}"
    assert found == {label: label for label in labels}
    assert len(labels) == 2
