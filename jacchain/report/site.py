"""The dashboard: asv's site with our page in it, built beside the old one and served locally."""

import json
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jacchain.records.errors import RecordsError
from jacchain.records.harness import read_asv

CONFIG = "asv.conf.json"
SITE = Path(".asv/html")
WRITTEN = ("index.json", "complexity.html")  # by asv at its end, and by our plugin in it


class SiteError(Exception):
    """A dashboard that can't be built or served, with the reason and the remedy."""


def build(root: Path) -> Path:
    """Publish asv's results of a repository; the new site replaces the old one once it is whole.

    Returns
    -------
    Path
        The folder of the site.

    Raises
    ------
    RecordsError
        If there are no results, or damaged ones.
    SiteError
        If this is no checkout with its history, asv is missing, or asv fails.
    """
    _check_checkout(root)
    results = root / "results/asv"
    machines = {timing.machine for timing in read_asv(results)}
    for machine in sorted(machines):
        if not (results / machine / "machine.json").is_file():
            problem = f"{results / machine} has no machine.json"
            raise RecordsError(problem, "Write it with `asv machine`, or fetch it with git.")
    site = root / SITE
    site.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=site.parent, prefix="draft-") as folder:
        draft = Path(folder, "html")
        _publish(root, draft)
        _leave_out_unmeasured(draft)
        shutil.rmtree(site, ignore_errors=True)
        draft.replace(site)
    return site


def _check_checkout(root: Path) -> None:
    if not (root / CONFIG).is_file():
        message = f"there is no {CONFIG} in {root}; run this in a clone of the repository"
        raise SiteError(message)
    if find_spec("asv") is None:
        message = "asv is not installed: pip install 'jacchain[bench]'"
        raise SiteError(message)
    command = ["git", "rev-parse", "--is-shallow-repository"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{root} is no git repository; the dashboard needs its history: clone it"
        raise SiteError(message)
    if done.stdout.strip() == "true":
        message = "this clone is shallow, without the commits measured: git fetch --unshallow"
        raise SiteError(message)


def _publish(root: Path, target: Path) -> None:
    command = [sys.executable, "-m", "asv", "publish", "--no-pull", "--html-dir", str(target)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    printed = (done.stdout + done.stderr).strip().splitlines()
    for line in printed:
        if "UserWarning: " in line:
            print(f"warning: {line.split('UserWarning: ')[1]}", file=sys.stderr)  # noqa: T201
    if done.returncode or not all((target / name).is_file() for name in WRITTEN):
        reason = printed[-1] if printed else f"exit status {done.returncode}"
        message = f"asv publish failed: {reason}; the site that was there is kept"
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


def server(site: Path, *, host: str = "127.0.0.1", port: int = 8080) -> ThreadingHTTPServer:
    """A server of the site, not yet serving; port 0 takes a free one.

    Raises
    ------
    SiteError
        If the port is taken, or the address is none of this machine.
    """
    handler = partial(_Quiet, directory=str(site))
    try:
        return ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        message = f"can't serve on {host}:{port}: {error.strerror}; choose another with --port"
        raise SiteError(message) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server there.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_: Any) -> None:
        pass


def described(site: Path) -> str:
    """How much the site shows, from asv's own index."""
    index = json.loads((site / "index.json").read_text("utf-8"))
    commits = len(index["revision_to_hash"])
    return f"{len(index['benchmarks'])} benchmarks, {commits} commits"
