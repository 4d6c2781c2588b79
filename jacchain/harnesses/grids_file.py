"""The cells that all harnesses measure: `benchmarks/grids.json`, for asv and pytest-benchmark.

`python -m jacchain.harnesses.grids_file FILE` writes it; a test holds the file equal.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from jacchain.analysis.evidence import BOTH, Dims
from jacchain.chains.planners import plan
from jacchain.chains.registry import Registry
from jacchain.experiments.grids import all_grids
from jacchain.experiments.sizes import Sizes
from jacchain.records.table import COST_COLUMNS

DENSE_FROM = {"x": 1024, "z1": 1024, "z2": 1024, "z3": 1024, "all_z": 128, "depth": 8}
GRIDS = all_grids(Sizes("quick"))  # of no machine: fitted to no cache
TITLES = {name: f"over {grid.over or grid.variable}" for name, grid in GRIDS.items()}
_SUFFIXES = {"x": "X", "z1": "Z1", "z2": "Z2", "z3": "Z3", "all_z": "AllZ", "depth": "Depth"}
BENCHMARKS = {  # asv's, by sweep
    sweep: f"evaluation.Over{suffix}.time_evaluate" for sweep, suffix in _SUFFIXES.items()
}
_LOGARITHMS = {name: f"log2_{name}" for name in ("x", "z1", "z2", "z3")}
PARAMETERS = _LOGARITHMS | {"all_z": "log2_z", "depth": "layers"}
_ARMS = Registry("order", dict(zip(BOTH, "AB", strict=True)))


def shared_grids() -> dict[str, Any]:
    """Return the sweeps of the quick profile, at powers of two where asv takes a logarithm.

    asv draws a parameter on a linear axis: so it gets the logarithm of a size, an integer.

    `sweeps` has by name the `variable` as in the article, asv's `parameter`, `dense_from` (the size
    from which the cost of calls is small), and `cells`, a list of `[size, dims]`.

    Examples
    --------
    >>> shared_grids()["sweeps"]["x"]["cells"][0]
    [16, [1, 16, 32, 128, 16]]
    """
    sweeps = {
        name: {
            "variable": grid.variable,
            "parameter": PARAMETERS[name],
            "dense_from": DENSE_FROM[name],
            "cells": [
                [size, list(dims)]
                for size, dims in grid.cells
                if size.bit_count() == 1 or not _is_logarithm(name)
            ],
        }
        for name, grid in GRIDS.items()
    }
    return {"sweeps": sweeps}


def _is_logarithm(sweep: str) -> bool:
    """Whether asv's parameter is the logarithm of the size."""
    return PARAMETERS[sweep].startswith("log2_")


def asv_cells() -> dict[tuple[str, str], tuple[str, int, Dims]]:
    """Return sweep, size and dims of each cell, by asv's benchmark and its parameter as text.

    Examples
    --------
    >>> asv_cells()["evaluation.OverX.time_evaluate", "10"]
    ('x', 1024, (1, 16, 32, 128, 1024))
    """
    return {
        (BENCHMARKS[name], _parameter(name, size)): (name, size, tuple(dims))
        for name, grid in shared_grids()["sweeps"].items()
        for size, dims in grid["cells"]
    }


def _parameter(sweep: str, size: int) -> str:
    return str(size.bit_length() - 1 if _is_logarithm(sweep) else size)


def cell_facts(dims: Dims, order: str) -> dict[str, Any]:
    """Return what is known of a cell before it is measured, by columns of the table of results.

    Raises ValueError if dims are no chain, or the order is neither of the two.

    Examples
    --------
    >>> facts = cell_facts((1, 16, 32, 128, 1024), "loss-first")
    >>> facts["multiplications"], facts["dtype"], facts["threads"]
    (135680, 'float64', 1)
    """
    settings = {"dtype": "float64", "threads": 1, "arm": _ARMS[order]}
    cost = plan(dims, order).cost
    return settings | {name: getattr(cost, name) for name in COST_COLUMNS}


def as_text() -> str:
    """Return what `benchmarks/grids.json` holds: a line for each cell.

    Examples
    --------
    >>> json.loads(as_text()) == shared_grids()
    True
    """
    text = json.dumps(shared_grids(), indent=1)
    text = re.sub(r"\[[\s\d,]+\]", lambda dims: json.dumps(json.loads(dims[0])), text)
    return re.sub(r"\[\s+(\d+),\s+(\[.*\])\s+\]", r"[\1, \2]", text) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_text(), "utf-8")
