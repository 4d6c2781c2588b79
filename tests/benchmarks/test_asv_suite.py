"""The asv suite, run by asv in this environment."""

import subprocess
from pathlib import Path

from scripts.bench_smoke import BENCHMARKS, main, smoke

ROOT = Path(__file__).resolve().parents[2]


def test_every_benchmark_runs():
    ran, printed = smoke()
    assert ran == BENCHMARKS, printed


def test_a_broken_benchmark_is_seen(tmp_path, monkeypatch):
    suite = tmp_path / "benchmarks/asv_suite"
    suite.mkdir(parents=True)
    (suite / "__init__.py").touch()
    (suite / "broken.py").write_text("def track_one():\n    raise ValueError\n")
    monkeypatch.setattr("scripts.bench_smoke.ROOT", tmp_path)
    for command in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(command, cwd=tmp_path, check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "a"], cwd=tmp_path, check=True)
    assert main(["track_one"]) == 1
