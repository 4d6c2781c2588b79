"""The scripts do what they say, run as a reader runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_script(tmp_path):
    """Return a function that runs a script, by default in an empty folder."""

    def run(name, *arguments, cwd=tmp_path, **environ):
        command = [sys.executable, ROOT / "scripts" / name, *map(str, arguments)]
        env = os.environ | {"MPLBACKEND": "agg"} | environ
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, env=env
        )

    return run


@pytest.fixture(scope="session")
def pytest_results(tmp_path_factory):
    """Evaluations timed by pytest-benchmark, a round each: over |x|, over |z1|, over all |z|."""
    path = tmp_path_factory.mktemp("pytest") / "results.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "benchmarks/pytest_suite",
    ]
    chosen = "[x-16- or [x-128- or [z1-32- or [z1-256- or [all_z-32-"
    options = ["--benchmark-enable", "--benchmark-max-time=0", "--benchmark-min-rounds=1"]
    command += ["-k", chosen, *options, f"--benchmark-json={path}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout
    return path


SOURCES = {"own": ROOT / "results/reference", "asv": ROOT / "results/asv", "pytest": None}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("script", ["plot_cost_over_x", "plot_cost_over_z", "plot_ratio"])
def test_a_figure_is_drawn_from_every_source(script, source, run_script, tmp_path, request):
    results = SOURCES[source] or request.getfixturevalue("pytest_results")
    done = run_script(f"{script}.py", "--source", source, "--results", results, "--out", "plot.png")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "plot.png") as picture:
        assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_the_suite_is_measured_judged_and_published(run_script, tmp_path):
    done = run_script("run_suite.py", "C1", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "C1 agrees" in done.stdout
    assert (tmp_path / "run/report.html").is_file()


def test_the_dashboard_is_copied_over_an_older_one_alone(run_script, make_clone, tmp_path):
    clone, target = make_clone(), tmp_path / "site"
    bare = tmp_path / "bin"  # without npm: what the pages load is not fetched
    bare.mkdir()
    (bare / "git").symlink_to(shutil.which("git"))
    for _ in range(2):
        done = run_script("publish_dashboard.py", target, cwd=clone, PATH=str(bare))
        assert done.returncode == 0, done.stderr
        assert "8 commits" in done.stdout
    assert (target / "complexity.html").read_bytes() == (
        clone / ".asv/html/complexity.html"
    ).read_bytes()
    (target / "complexity.html").unlink()
    done = run_script("publish_dashboard.py", target, cwd=clone)
    assert done.returncode == 1
    assert "is no dashboard" in done.stderr
    assert (target / "index.html").is_file()
