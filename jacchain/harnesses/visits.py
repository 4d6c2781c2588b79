"""The same cells by our own engine, by asv and by pytest-benchmark, round by round.

Each round visits every harness once, in an order drawn at random, and our own engine twice more:
as before, so that the ratio of the two visits is what noise makes of two equal things; and with one
order of one cell in a process, as asv measures it, instead of pairs in turns with other cells. All
visits run in this environment, one after the other, with one BLAS thread, and leave their results.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from jacchain.analysis.evidence import BOTH, Dims
from jacchain.chains.registry import Registry
from jacchain.claims.own_chain import cell_claim
from jacchain.harnesses import readers
from jacchain.harnesses.grids_file import asv_cells
from jacchain.harnesses.guard import run_guarded
from jacchain.harnesses.rounds import DRAFT, ORDER, keep, locked, open_folder, round_folders
from jacchain.measuring.environment import environment
from jacchain.measuring.threads import thread_environment
from jacchain.records.errors import RecordsError
from jacchain.runs.job import RunError, job_of
from jacchain.runs.runner import identity_of, run

PROFILE = "harnesses"
SUITE, TESTS = "benchmarks/asv_suite", "benchmarks/pytest_suite"
LIBRARIES = {"asv": "asv", "pytest": "pytest", "pytest_benchmark": "pytest-benchmark"}
MACHINE = {"machine": "here", "os": "", "arch": "", "cpu": "", "num_cpu": "", "ram": ""}


@dataclass(frozen=True)
class Shared:
    """One cell that all harnesses have, by its sweep and size."""

    sweep: str
    size: int
    dims: Dims
    benchmark: str  # of asv
    value: str  # of asv's first parameter


def shared_cells(sizes: Mapping[str, tuple[int, ...]]) -> tuple[Shared, ...]:
    """Return the shared cells at these sizes of each sweep.

    Raises ValueError if a size is none of the sweep; the message lists those that are.

    Examples
    --------
    >>> shared_cells({"x": (1024,)})[0].dims
    (1, 16, 32, 128, 1024)
    """
    cells = {
        f"{sweep} {size}": Shared(sweep, size, dims, benchmark, value)
        for (benchmark, value), (sweep, size, dims) in asv_cells().items()
    }
    registry = Registry("shared cell", cells)
    return tuple(registry[f"{sweep} {size}"] for sweep, some in sizes.items() for size in some)


def run_asv(root: Path, results: Path, pattern: str, *options: str) -> tuple[int, str]:
    """Run benchmarks of the checkout `root` in this environment, by asv; return status and output.

    `pattern` is a regular expression that picks benchmarks, `options` are more of `asv run`'s.
    """
    with TemporaryDirectory(dir=results.parent, prefix=DRAFT) as folder:
        config = {
            "version": 1,
            "project": "jacchain",
            "repo": str(root),
            "branches": ["HEAD"],
            "environment_type": "existing",
            "benchmark_dir": str(root / SUITE),
            "results_dir": str(results),
            "html_dir": f"{folder}/html",
        }
        Path(folder, "asv.conf.json").write_text(json.dumps(config))
        # asv asks for the machine in the home folder, and is to leave the user's own as it is.
        machines = {MACHINE["machine"]: MACHINE, "version": 1}
        Path(folder, ".asv-machine.json").write_text(json.dumps(machines))
        command = [
            *(sys.executable, "-P", "-m", "asv", "run", "--config", f"{folder}/asv.conf.json"),
            *("--environment", f"existing:{sys.executable}", "--machine", MACHINE["machine"]),
            *("--show-stderr", "--bench", pattern),
            *options,
        ]
        environ = os.environ | thread_environment(1) | {"HOME": folder}
        return run_guarded(command, root, environ)


def _visit_own(_: Path, target: Path, cells: tuple[Shared, ...]) -> None:
    run(target, job_of(PROFILE, [cell_claim(cell.dims) for cell in cells]))


def _visit_own_alone(_: Path, target: Path, cells: tuple[Shared, ...]) -> None:
    claims = [cell_claim(cell.dims, order) for cell in cells for order in BOTH]
    for number, claim in enumerate(claims):
        run(target / f"{number:02}", job_of(PROFILE, [claim]))


def _visit_asv(root: Path, target: Path, cells: tuple[Shared, ...]) -> None:
    picked = (rf"{re.escape(c.benchmark)}\({c.value}, " for c in cells)
    options = ("--set-commit-hash", _commit(root), "--record-samples", "--attribute", "rounds=1")
    _expect(*run_asv(root, target, f"^({'|'.join(picked)})", *options), "asv")


def _visit_pytest(root: Path, target: Path, cells: tuple[Shared, ...]) -> None:
    target.mkdir()
    tests = [
        f"{TESTS}/test_cells.py::test_evaluate[{c.sweep}-{c.size}-{order}]"
        for c in cells
        for order in BOTH
    ]
    settings = ("enable", "warmup=on", "min-time=0.01", "max-time=0.5")
    options = [f"--benchmark-{setting}" for setting in settings]
    options += ["-p", "no:cacheprovider", f"--benchmark-json={target / 'results.json'}"]
    command = [sys.executable, "-P", "-m", "pytest", *options, *tests]
    environ = {name: value for name, value in os.environ.items() if name[:7] != "PYTEST_"}
    _expect(*run_guarded(command, root, environ), "pytest")


def _expect(status: int, printed: str, name: str) -> None:
    if status:
        last = (printed.strip().splitlines() or [f"exit status {status}"])[-1]
        message = f"{name} failed: {last}; finished rounds are kept, run again"
        raise RunError(message)


def _commit(root: Path) -> str:
    command = ["git", "rev-parse", "HEAD"]
    answer = which("git") and subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False
    )
    if not answer or answer.returncode:
        message = f"git knows no commit in {root}; run this in a clone, with git installed"
        raise RunError(message)
    return answer.stdout.strip()


Visit = Callable[[Path, Path, tuple[Shared, ...]], None]
VISITS: dict[str, Visit] = {
    "own": _visit_own,
    "asv": _visit_asv,
    "pytest": _visit_pytest,
    "own again": _visit_own,
    "own alone": _visit_own_alone,
}


def measure(
    root: Path,
    out: Path,
    cells: tuple[Shared, ...],
    *,
    rounds: int,
    fresh: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Measure the rounds missing from `out`, as ``round-00/<harness>``; keep each once it is whole.

    `root` is a checkout, with the suites of both harnesses. There are to be at least 2 `rounds`;
    `fresh` removes earlier ones first, and nothing else. `progress` gets the visits done, and those
    in all.

    Raises RunError if a harness is missing or fails, or the folder holds rounds of other cells, of
    another setting or of unknown origin; RecordsError if another comparison is measuring into it.
    """
    _check_tools(root)
    out = out.resolve()  # asv takes a relative path from elsewhere
    setting = _setting(cells, _commit(root))
    rng = np.random.default_rng()
    with locked(out):
        earlier = open_folder(out, setting, fresh=fresh)
        for number in range(rounds):
            name, done = f"round-{number:02}", number * len(VISITS)
            if name not in earlier:
                with TemporaryDirectory(dir=out, prefix=DRAFT) as folder:
                    order = [str(name) for name in rng.permutation(list(VISITS))]
                    for place, visit in enumerate(order):
                        VISITS[visit](root, Path(folder, visit), cells)
                        progress(done + place + 1, rounds * len(VISITS))
                    Path(folder, ORDER).write_text(json.dumps(order) + "\n")
                    keep(out, Path(folder), name, setting, earlier)
                    Path(folder).mkdir()  # for the end of the draft
            progress(done + len(VISITS), rounds * len(VISITS))


def _check_tools(root: Path) -> None:
    if not (root / SUITE).is_dir() or not (root / TESTS).is_dir():
        message = f"there are no {SUITE} and {TESTS} in {root}; run this in a clone"
        raise RunError(message)
    missing = [package for module, package in LIBRARIES.items() if find_spec(module) is None]
    if missing:
        message = f"{', '.join(missing)} not installed: pip install 'jacchain[bench,test]'"
        raise RunError(message)


def _setting(cells: tuple[Shared, ...], commit: str) -> dict[str, Any]:
    """Say what rounds must have in common: cells, machine, software and commit."""
    identity = identity_of(environment(), threads=1, dtype="float64")
    return {"commit": commit, "cells": [[c.sweep, c.size] for c in cells], **vars(identity)}


def read_rounds(out: Path) -> pd.DataFrame:
    """Read all visits of all rounds as one table.

    Its columns are ``dims``, ``order`` and ``seconds`` (a list, per call) as of
    `jacchain.read_results`, ``visit`` (a name in `VISITS`) and ``turn`` (number of the round).

    Raises RecordsError if there are fewer than two rounds, or a file is damaged.
    """
    folders = round_folders(out)
    if len(folders) < 2:
        problem = f"{len(folders)} rounds in {out}; a ratio with an interval needs two or more"
        raise RecordsError(problem, "Measure some with `jacchain compare-harnesses`.")
    tables = [
        _read(name, folder / name).assign(visit=name, turn=number)
        for number, folder in enumerate(folders)
        for name in VISITS
    ]
    return pd.concat(tables, ignore_index=True)


def _read(name: str, path: Path) -> pd.DataFrame:
    if name == "asv":
        table = readers.asv_table(readers.read_asv(path))
    elif name == "pytest":
        table = readers.pytest_table(path / "results.json")
    elif name == "own alone":
        table = pd.concat([readers.read_source("own", p) for p in sorted(path.iterdir())])
    else:
        table = readers.read_source("own", path)
    return table[["dims", "order", "seconds"]]
