"""Records of a small run: a chain in both orders, and a check."""

from dataclasses import replace
from itertools import chain

import numpy as np

from jacchain.experiments.cell import chain_cell
from jacchain.records import schema

DIMS = (1, 2, 4, 3)
HERE = schema.Identity(
    machine="4f1c", numpy="2.1.0", blas="OpenBLAS 0.3", jacchain="0.1", dtype="float64", threads=1
)
SESSION = schema.SessionRecord(
    identity=HERE,
    started="2025-01-01T00:00:00+00:00",
    profile="quick",
    claims=("C5", "C9", "chain-1x2x4x3"),
    seed=7,
    environment={"cpu": "a µ-processor", "l2_bytes": 2**20, "llc_bytes": 2**25},
)
LOSS_FIRST, INPUT_FIRST = (
    schema.ArmRecord(name=arm.name, cost=arm.cost, batch=10)
    for arm in chain_cell(DIMS).arms(np.dtype("float64"), 0)
)
COUNTED = replace(LOSS_FIRST, counted=20, counted_dims=DIMS)
CELL = schema.CellRecord(
    identity=HERE,
    cell="chain 1x2x4x3",
    role="chain",
    group="x",
    dims=DIMS,
    arms=(COUNTED, INPUT_FIRST),
    error=1e-16,
    error_bound=1e-13,
    predicted_seconds=0.5,
    predicted_bytes=1000,
    skipped=None,
)
BLOCK = schema.BlockRecord(
    identity=HERE,
    cell=CELL.cell,
    process=0,
    round=0,
    sequence="ABBA",
    seconds=(1.0, 4.0, 5.0, 2.0),
    cpu_seconds=(1.0, 4.0, 4.5, 0.0),
    switches=1,
    steal=None,
    flagged=False,
)
VALUES = {"orders": [1.99, 2.01], "example": [[0.1, 0.03], [0.01, 0.0003]]}
CHECK = schema.CheckRecord(identity=HERE, check="C9:taylor", values=VALUES)
RUN = [SESSION, CELL, BLOCK, CHECK, replace(BLOCK, round=1, sequence="BAAB")]


def record_of(cell):
    """The record of a cell, without its measurement: nothing is allocated."""
    arms = cell.arms(np.dtype("float64"), 0)
    return replace(
        CELL,
        cell=cell.name,
        role=cell.role,
        group=cell.group,
        dims=cell.dims,
        arms=tuple(schema.ArmRecord(name=arm.name, cost=arm.cost, batch=10) for arm in arms),
    )


def _visited(cell):
    """A cell and two blocks of it."""
    seconds = BLOCK.seconds[: 2 * len(cell.arms)]
    sequence = "ABBA" if len(cell.arms) > 1 else "AA"
    times = {"sequence": sequence, "seconds": seconds, "cpu_seconds": seconds}
    return [cell, *(replace(BLOCK, cell=cell.cell, round=n, **times) for n in range(2))]


def _in_role(role, *names):
    arms = tuple(replace(COUNTED, name=name) for name in names)
    return replace(CELL, cell=role, role=role, group="row-matrix", arms=arms)


_CELLS = (
    _in_role("control", "loss-first", "loss-first"),
    _in_role("comparison", "slowly", "quickly"),
    _in_role("cause", "slowly", "quickly"),
    _in_role("ceiling", "v @ M"),
    _in_role("overhead", "1 x 1"),
    *(record_of(chain_cell((1, 2, 4, 3 * n), group="x")) for n in range(2, 8)),
)
# The same with cells of every other role, and chains enough for the time model.
WHOLE_RUN = [*RUN, *chain.from_iterable(map(_visited, _CELLS))]
