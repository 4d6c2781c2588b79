"""Results of harnesses whose truth is known."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from jacchain.analysis.evidence import BOTH
from jacchain.chains.planners import plan
from jacchain.harnesses.grids_file import asv_cells
from jacchain.harnesses.visits import VISITS

TIMES = {(1, 4, 3): 2e-6, (1, 64, 32): 2e-4, (1, 256, 64): 1e-3, (1, 512, 512): 4e-2}
COLUMNS = ["result", "params", "stats_ci_99_a", "stats_ci_99_b", "stats_number", "samples"]


@pytest.fixture(scope="session")
def make_rounds():
    """Return a function that simulates six rounds of all harnesses: factors on time, by visit."""

    def make(*, noise=0.01, **factors):
        rng = np.random.default_rng(0)
        rows = []
        for dims, order, visit, turn in product(TIMES, BOTH, VISITS, range(6)):
            errors = rng.normal(0, noise) + rng.normal(0, 0.002, size=5)
            seconds = TIMES[dims] * factors.get(visit, 1.0) * np.exp(errors)
            rows.append((dims, order, visit, turn, list(seconds)))
        return pd.DataFrame(rows, columns=["dims", "order", "visit", "turn", "seconds"])

    return make


@pytest.fixture(scope="session")
def asv_results(tmp_path_factory):
    """All evaluations at two commits by two versions of numpy, a nanosecond a multiplication."""
    folder = tmp_path_factory.mktemp("asv") / "desk"
    folder.mkdir()
    benchmarks = {}
    for (benchmark, value), (_, _, dims) in asv_cells().items():
        benchmarks.setdefault(benchmark, {})[value] = dims
    results = {}
    for benchmark, cells in benchmarks.items():
        pairs = product(cells.values(), BOTH)
        times = [1e-9 * plan(dims, order).multiplications for dims, order in pairs]
        samples = [[f * time for f in (0.9, 0.95, 1, 1, 1.05, 1.1)] for time in times]
        params = [list(cells), [repr(order) for order in BOTH]]
        low, high = ([factor * time for time in times] for factor in (0.9, 1.1))
        results[benchmark] = [times, params, low, high, [10] * len(times), samples]
    for (commit, date), numpy in product((("ab", 1000), ("cd", 2000)), ("2.4.6", "2.10.0")):
        data = {
            "version": 2,
            "commit_hash": commit * 20,
            "date": date,
            "params": {"numpy": numpy, "python": "3.11"},
            "result_columns": COLUMNS,
            "results": results,
        }
        (folder / f"{commit}-{numpy}.json").write_text(json.dumps(data))
    return folder.parent


@pytest.fixture
def write_pytest(tmp_path):
    """Return a function that writes a file of pytest-benchmark: (extra_info, stats) pairs."""

    def write(*benchmarks):
        path = tmp_path / "results.json"
        results = [{"extra_info": info, "stats": stats} for info, stats in benchmarks]
        head = {"commit_info": {"id": "abab"}, "datetime": "2026-11-25T00:00:00"}
        path.write_text(json.dumps(head | {"benchmarks": results}))
        return path

    return write
