"""The dashboard: asv's site with our page in it, built beside the old one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from jacchain.harnesses.json_files import check_asv_machine, read_asv_versions
from jacchain.harnesses.readers import read_asv
from jacchain.records.errors import RecordsError

CONFIG, BRANCH = "asv.conf.json", "main"
SITE = Path(".asv/html")
HOME = "complexity.html"  # the page that the site opens on
WRITTEN = ("index.json", HOME)  # by asv at its end, and by our plugin in it


class SiteError(Exception):
    """A dashboard that can't be built or served, with the reason and the remedy."""


def build(root: Path) -> Path:
    """Publish asv's results of a repository, and return the site's folder.

    The new site replaces the old one once it is whole.

    Raises RecordsError if there are no results, or damaged ones. Raises SiteError if this is no
    checkout with its history, asv is missing, or asv fails.
    """
    _check_checkout(root)
    results = root / "results/asv"
    timings = read_asv(results)
    if not timings:
        problem = f"no times among the results in {results}"
        raise RecordsError(problem, "Measure some with `make bench-quick`.")
    for machine in sorted({timing.machine for timing in timings}):
        check_asv_machine(results / machine / "machine.json")
    read_asv_versions(results / "benchmarks.json")
    if _git(root, "rev-parse", "--verify", "--quiet", BRANCH) is None:
        message = f"no branch {BRANCH} here, which asv draws: git fetch origin {BRANCH}:{BRANCH}"
        raise SiteError(message)
    _warn_of_unknown(root, {timing.commit for timing in timings})
    site = root / SITE
    site.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=site.parent, prefix="draft-") as folder:
        draft = Path(folder, "html")
        _publish(root, draft)
        _leave_out_unmeasured(draft)
        if site.is_dir():
            site.replace(Path(folder, "old"))
        draft.replace(site)
    return site


def _check_checkout(root: Path) -> None:
    if not (root / CONFIG).is_file():
        message = f"there is no {CONFIG} in {root}; run this in a clone of the repository"
        raise SiteError(message)
    if find_spec("asv") is None:
        message = "asv is not installed: pip install 'jacchain[bench]'"
        raise SiteError(message)
    if shutil.which("git") is None:
        message = "git is not installed, and the dashboard needs the repository's history"
        raise SiteError(message)
    asked = _run_git(root, "rev-parse", "--is-shallow-repository")
    if asked.returncode:
        reason = " ".join(asked.stderr.split())
        message = f"the dashboard needs the history of a clone, and git says of {root}: {reason}"
        raise SiteError(message)
    if asked.stdout.strip() == "true":
        message = "this clone is shallow, without the commits measured: git fetch --unshallow"
        raise SiteError(message)


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it fails."""
    result = _run_git(root, *arguments)
    return None if result.returncode else result.stdout.strip()


def _run_git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def _warn_of_unknown(root: Path, commits: Iterable[str]) -> None:
    for commit in sorted(commits):
        if _git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
            message = f"commit {commit[:8]} is not in this repository: asv's pages leave it out"
            _warn(f"{message}; fetch it, or delete its results")


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)  # noqa: T201


def _publish(root: Path, target: Path) -> None:
    command = [sys.executable, "-P", "-m", "asv", "publish", "--no-pull", "--html-dir", str(target)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    printed = (result.stdout + result.stderr).strip().splitlines()
    for line in printed:
        if "UserWarning: " in line:
            _warn(line.split("UserWarning: ")[1])
    if result.returncode or not all((target / name).is_file() for name in WRITTEN):
        reason = printed[-1] if printed else f"exit status {result.returncode}"
        message = (
            f"asv publish failed: {reason}; mend that, or restore the results with "
            "`git checkout results/asv` (the site that was there is kept)"
        )
        raise SiteError(message)


def _leave_out_unmeasured(site: Path) -> None:
    """Show the benchmarks that have results: asv lists all, and its pages fail on the others."""
    path = site / "index.json"
    index = json.loads(path.read_text("utf-8"))
    index["benchmarks"] = {
        name: benchmark
        for name, benchmark in index["benchmarks"].items()
        if (site / f"graphs/summary/{name}.json").is_file()
    }
    path.write_text(json.dumps(index), "utf-8")


def summary(site: Path) -> str:
    """Say how much the site shows, from asv's own index."""
    index = json.loads((site / "index.json").read_text("utf-8"))
    commits = len(index["revision_to_hash"])
    return f"{len(index['benchmarks'])} benchmarks, {commits} commits"
