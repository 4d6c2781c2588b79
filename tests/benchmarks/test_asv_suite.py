"""The asv suite, run by asv in this environment."""

import json
import subprocess
import sys
from pathlib import Path

from jacchain.harnesses.readers import read_asv
from jacchain.harnesses.visits import run_asv
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


def test_the_suite_limits_a_blas_that_is_loaded_already():
    code = """
import os
os.environ.update(OPENBLAS_NUM_THREADS="2", MKL_NUM_THREADS="2", OMP_NUM_THREADS="2")
import numpy, threadpoolctl
import benchmarks.asv_suite
pools = threadpoolctl.threadpool_info()
print([pool["num_threads"] for pool in pools if pool["user_api"] == "blas"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) == {1}


def test_a_short_cell_is_batched(tmp_path):
    """Its calls take microseconds and a sample 10 ms: a lone call would time the clock."""
    pattern = r"^evaluation\.OverX\.time_evaluate\(7, 'loss-first'"
    options = ("--set-commit-hash", "HEAD", "--attribute", "rounds=1", "--attribute", "repeat=2")
    status, printed = run_asv(ROOT, tmp_path, pattern, *options)
    assert status == 0, printed
    (timing,) = read_asv(tmp_path)
    committed = ROOT / "results/asv/benchmarks.json"  # rewritten by every `asv run`
    assert (tmp_path / "benchmarks.json").read_text("utf-8") == committed.read_text("utf-8")
    assert timing.median < 1e-3
    assert timing.number > 20
    assert 2e-3 < timing.number * timing.median < 1  # a sample, as far as a busy machine lets it be
