"""The commands on results of asv and pytest-benchmark, as they are typed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from jacchain import cli

ROOT = Path(__file__).resolve().parents[2]


def test_the_stored_history_is_drawn(output, tmp_path):
    results = ("--source", "asv", "--results", ROOT / "results/asv")
    out = output("plot", *results, "--numpy", "2.0.2", "--out", tmp_path)
    assert f"files in {tmp_path}" in out
    assert "numpy 2.0.2" in (tmp_path / "cost_x.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--source timeit", "unknown source 'timeit'; the known ones are ['asv', 'own', 'pytest']"),
        ("--numpy 2.0.2", "--numpy choose among asv's results; give --source asv"),
        ("--source asv --results nowhere", "no results of asv in nowhere"),
        ("--source pytest --results nowhere", "can't read nowhere"),
    ],
)
def test_what_can_not_be_drawn_is_named(refuse, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    refuse(["plot", *arguments.split()], message)


def test_harnesses_are_compared_on_one_cell(output, tmp_path, monkeypatch):
    """For real, in two rounds: all visits, their files, the table and the figure."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cli.harnesses, "SIZES", {"z1": (32,)})
    out = output("compare-harnesses", "--rounds", "2", "--out", os.path.relpath(tmp_path))
    assert len(re.findall(r"loss-first|input-first", out)) >= 2
    assert "2 rounds" in out
    assert (tmp_path / "harnesses.svg").is_file()
    out = output("compare-harnesses", "--rounds", "2", "--out", tmp_path, "--json")
    for cell in json.loads(out)["cells"]:
        assert cell["dims"] == [1, 64, 256, 32, 256]
        assert all(1e-7 < seconds < 1 for seconds in cell["medians"].values())
        assert cell["medians"].keys() == {"own", "asv", "pytest", "own again", "own alone"}


def dashboard(clone, *arguments, **environ):
    command = [sys.executable, "-m", "jacchain", "dashboard", *arguments]
    env = os.environ | environ
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False, env=env)


def test_what_can_not_be_written_is_named(refuse, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "file").touch()
    refuse(["compare-harnesses", "--out", tmp_path / "file"], f"{tmp_path / 'file'}")


def test_without_git_the_remedy_is_named(refuse, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", "")
    refuse(["compare-harnesses"], "with git installed")
    refuse(["dashboard"], "git is not installed")


@pytest.mark.parametrize("host", ["", "192.0.2.1", "::2"])
def test_an_address_of_no_use_is_refused(run, monkeypatch, tmp_path, host):
    monkeypatch.setattr("jacchain.harnesses.site.build", lambda _: tmp_path)
    monkeypatch.setattr("jacchain.harnesses.site.summary", lambda _: "a site")
    code, _, err = run("dashboard", "--host", host, "--port", "0")
    assert code == cli.BAD_INPUT
    assert "--host" in err


@pytest.fixture(scope="module")
def built(make_clone, tmp_path_factory):
    """A clone whose dashboard was built on a machine without npm."""
    clone, bare = make_clone(), tmp_path_factory.mktemp("bin")
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


def test_the_dashboard_is_served_on_loopback(built):
    clone, _ = built
    command = [sys.executable, "-c", HEEDING, "dashboard", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=clone, stdout=pipe, stderr=pipe, text=True) as serving:
        try:
            addresses = (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in serving.stdout)
            address = next(filter(None, addresses), None)
            assert address, serving.stderr.read()
            with urlopen(address[0] + "complexity.html") as page:
                assert "Complexity" in page.read().decode()
            serving.send_signal(signal.SIGINT)
            assert serving.wait(30) == cli.DONE
        finally:
            serving.kill()  # whatever fails, nothing waits for a process that goes on


def untimed(folder):
    """Leave results, but none of a time."""
    for path in folder.glob("*-*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"results": {}}))


DAMAGES = {
    "damaged": lambda folder: next(folder.glob("*-*.json")).write_text("{"),
    "desk/machine.json: No such file": lambda folder: (folder / "machine.json").unlink(),
    "machine.json: damaged": lambda folder: (folder / "machine.json").write_text("{"),
    "benchmarks.json: No such": lambda folder: (folder.parent / "benchmarks.json").unlink(),
    "no results of asv": shutil.rmtree,
    "no times among the results": untimed,
}


@pytest.mark.parametrize("message", DAMAGES)
def test_bad_results_leave_the_site_that_was_there(built, message, tmp_path):
    clone, _ = built
    results = clone / "results/asv"
    kept = shutil.copytree(results, tmp_path / "kept")
    before = (clone / ".asv/html/index.html").stat().st_mtime_ns
    DAMAGES[message](results / "desk")
    done = dashboard(clone, "--build-only")
    shutil.rmtree(results)
    shutil.copytree(kept, results)
    assert done.returncode == cli.BAD_INPUT
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (clone / ".asv/html/index.html").stat().st_mtime_ns == before
