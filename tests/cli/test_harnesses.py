"""The commands on results of asv and pytest-benchmark, as they are typed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from jacchain import cli

ROOT = Path(__file__).resolve().parents[2]


def test_the_stored_history_is_drawn(run, tmp_path):
    results = ("--source", "asv", "--results", ROOT / "results/asv")
    code, out, _ = run("plot", *results, "--numpy", "2.0.2", "--out", tmp_path)
    assert code == cli.DONE
    assert f"files in {tmp_path}" in out
    assert "numpy 2.0.2" in (tmp_path / "cost_x.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--source", "timeit"),
            "unknown source 'timeit'; the known ones are ['asv', 'own', 'pytest']",
        ),
        (("--numpy", "2.0.2"), "--numpy choose among asv's results; give --source asv"),
        (("--source", "asv", "--results", "nowhere"), "no results of asv in nowhere"),
        (("--source", "pytest", "--results", "nowhere"), "can't read nowhere"),
    ],
)
def test_what_can_not_be_drawn_is_named(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("plot", *arguments)
    assert code == cli.BAD_INPUT
    assert message in " ".join(err.replace("│", "").split())


def test_harnesses_are_compared_on_one_cell(run, tmp_path, monkeypatch):
    """For real, in two rounds: all visits, their files, the table and the figure."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cli.harnesses, "SIZES", {"z1": (32,)})
    out_folder = os.path.relpath(tmp_path)
    code, out, err = run("compare-harnesses", "--rounds", "2", "--out", out_folder)
    assert code == cli.DONE, err
    assert len(re.findall(r"loss-first|input-first", out)) >= 2
    assert "2 rounds" in out
    assert (tmp_path / "harnesses.svg").is_file()
    code, out, _ = run("compare-harnesses", "--rounds", "2", "--out", tmp_path, "--json")
    assert code == cli.DONE
    comparison = json.loads(out)
    for cell in comparison["cells"]:
        assert cell["dims"] == [1, 64, 256, 32, 256]
        assert all(1e-7 < seconds < 1 for seconds in cell["medians"].values())
        assert cell["medians"].keys() == {"own", "asv", "pytest", "own again", "own alone"}


def dashboard(clone, *arguments, **environ):
    command = [sys.executable, "-m", "jacchain", "dashboard", *arguments]
    env = os.environ | environ
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False, env=env)


def test_what_can_not_be_written_is_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "file").touch()
    code, _, err = run("compare-harnesses", "--out", tmp_path / "file")
    assert code == cli.BAD_INPUT
    assert f"{tmp_path / 'file'}" in err


def test_without_git_the_remedy_is_named(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "")
    messages = {"compare-harnesses": "with git installed", "dashboard": "git is not installed"}
    for command, message in messages.items():
        code, _, err = run(command)
        assert code == cli.BAD_INPUT
        assert message in err


@pytest.mark.parametrize("host", ["", "192.0.2.1", "::2"])
def test_an_address_of_no_use_is_refused(run, monkeypatch, tmp_path, host):
    monkeypatch.setattr("jacchain.harnesses.site.build", lambda _: tmp_path)
    monkeypatch.setattr("jacchain.harnesses.site.summary", lambda _: "a site")
    code, _, err = run("dashboard", "--host", host, "--port", "0")
    assert code == cli.BAD_INPUT
    assert "--host" in err


@pytest.fixture(scope="module")
def clone(make_clone):
    return make_clone()


@pytest.fixture(scope="module")
def built(clone, tmp_path_factory):
    """A clone whose dashboard was built on a machine without npm."""
    bare = tmp_path_factory.mktemp("bin")
    (bare / "git").symlink_to(shutil.which("git"))
    return clone, dashboard(clone, "--build-only", PATH=str(bare))


def test_without_npm_the_site_is_as_asv_makes_it(built):
    clone, done = built
    assert done.returncode == cli.DONE, done.stderr
    assert "6 benchmarks, 8 commits" in done.stdout
    assert "will need the internet: npm is missing: install Node.js" in done.stderr
    index = (clone / ".asv/html/index.html").read_text()
    assert "https://code.jquery.com" in index
    assert "complexity.html" in index
    assert (clone / ".asv/html/complexity.html").is_file()


# Jobs in the background are started deaf to interrupts, and what they start is.
HEEDING = """
import signal
from jacchain.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@contextmanager
def _ended(process):
    """Whatever fails, nothing waits for a process that goes on."""
    try:
        yield
    finally:
        process.kill()


def test_the_dashboard_is_served_on_loopback(built):
    clone, _ = built
    command = [sys.executable, "-c", HEEDING, "dashboard", "--port", "0"]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, cwd=clone, stdout=pipe, stderr=pipe, text=True) as serving,
        _ended(serving),
    ):
        address = None
        for line in serving.stdout:
            address = re.search(r"http://127\.0\.0\.1:\d+/", line)
            if address:
                break
        assert address, serving.stderr.read()
        with urlopen(address[0] + "complexity.html") as page:
            assert "Complexity" in page.read().decode()
        serving.send_signal(signal.SIGINT)
        assert serving.wait(30) == cli.DONE


def untimed(folder):
    """Leave results, but none of a time."""
    for path in folder.glob("*-*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"results": {}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: next(folder.glob("*-*.json")).write_text("{"), "damaged"),
        (lambda folder: (folder / "machine.json").unlink(), "desk/machine.json: No such file"),
        (lambda folder: (folder / "machine.json").write_text("{"), "machine.json: damaged"),
        (lambda folder: (folder.parent / "benchmarks.json").unlink(), "benchmarks.json: No such"),
        (shutil.rmtree, "no results of asv"),
        (untimed, "no times among the results"),
    ],
    ids=["corrupt", "machine", "damaged machine", "benchmarks", "none", "untimed"],
)
def test_bad_results_leave_the_site_that_was_there(built, damage, message, tmp_path):
    clone, _ = built
    results = clone / "results/asv"
    kept = shutil.copytree(results, tmp_path / "kept")
    before = (clone / ".asv/html/index.html").stat().st_mtime_ns
    damage(results / "desk")
    done = dashboard(clone, "--build-only")
    shutil.rmtree(results)
    shutil.copytree(kept, results)
    assert done.returncode == cli.BAD_INPUT
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (clone / ".asv/html/index.html").stat().st_mtime_ns == before
