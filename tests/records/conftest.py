"""Records of a small run: a chain in both orders, a control, ceilings and a check."""

from dataclasses import replace

import pytest

from jacchain.cost import Cost
from jacchain.records.codec import encode
from jacchain.records.schema import (
    ArmRecord,
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    SessionRecord,
)
from jacchain.records.store import Store

HERE = Identity(
    machine="4f1c",
    numpy="2.1.0",
    blas="OpenBLAS 0.3.27",
    jacchain="0.1.0",
    dtype="float64",
    threads=1,
)
LOSS_FIRST = ArmRecord(
    name="loss-first",
    cost=Cost(
        products=2,
        multiplications=20,
        row_multiplications=20,
        bytes=264,
        held_bytes=176,
        peak_bytes=56,
    ),
    counted=20,
    counted_dims=(1, 2, 4, 3),
    batch=10,
)
INPUT_FIRST = ArmRecord(
    name="input-first",
    cost=Cost(
        products=2,
        multiplications=30,
        row_multiplications=6,
        bytes=296,
        held_bytes=176,
        peak_bytes=72,
    ),
    batch=10,
)


@pytest.fixture(scope="session")
def here():
    return HERE


@pytest.fixture(scope="session")
def session():
    return SessionRecord(
        identity=HERE,
        started="2025-01-01T00:00:00+00:00",
        profile="quick",
        claims=("C5", "C9", "chain-1x2x4x3"),
        seed=7,
        environment={"cpu": "a µ-processor", "l2_bytes": 2**20, "llc_bytes": 2**25},
    )


@pytest.fixture(scope="session")
def cell():
    return CellRecord(
        identity=HERE,
        cell="chain 1x2x4x3",
        role="chain",
        group="x",
        dims=(1, 2, 4, 3),
        arms=(LOSS_FIRST, INPUT_FIRST),
        error=1e-16,
        error_bound=1e-13,
        predicted_seconds=0.5,
        predicted_bytes=1000,
        skipped=None,
    )


@pytest.fixture(scope="session")
def block():
    return BlockRecord(
        identity=HERE,
        cell="chain 1x2x4x3",
        process=0,
        round=0,
        sequence="ABBA",
        seconds=(1.0, 4.0, 5.0, 2.0),
        cpu_seconds=(1.0, 4.0, 4.5, 0.0),
        switches=1,
        steal=None,
        flagged=False,
    )


@pytest.fixture(scope="session")
def check():
    values = {"orders": [1.99, 2.01], "example": [[0.1, 0.03], [0.01, 0.0003]]}
    return CheckRecord(identity=HERE, check="C9:taylor", values=values)


@pytest.fixture(scope="session")
def run(session, cell, block, check):
    """A chain of two rounds, and a check."""
    return [session, cell, block, check, replace(block, round=1, sequence="BAAB")]


NAMES = {
    "control": ("loss-first", "loss-first"),
    "comparison": ("slowly", "quickly"),
    "cause": ("slowly", "quickly"),
    "ceiling": ("v @ M",),
    "overhead": ("1 x 1",),
}


@pytest.fixture(scope="session")
def whole_run(run, cell, block):
    """The same with cells of every other role, and chains enough for the time model."""
    cells = [
        replace(
            cell,
            cell=role,
            role=role,
            group="row-matrix",
            arms=tuple(replace(LOSS_FIRST, name=name) for name in names),
        )
        for role, names in NAMES.items()
    ]
    cells += [
        replace(
            cell,
            cell=f"chain of {n}",
            dims=(1, 2, 4, 3 * n),
            arms=tuple(replace(arm, cost=n * arm.cost) for arm in cell.arms),
        )
        for n in range(2, 8)
    ]
    records = list(run)
    for record in cells:
        seconds = (1.0, 4.0, 5.0, 2.0)[: 2 * len(record.arms)]
        visit = replace(
            block,
            cell=record.cell,
            sequence="ABBA" if len(record.arms) > 1 else "AA",
            seconds=seconds,
            cpu_seconds=seconds,
        )
        records += [record, visit, replace(visit, round=1)]
    return records


@pytest.fixture
def write(tmp_path):
    """A function that writes records unchecked, as a hand might, and returns their file."""

    def into_file(*records):
        file = tmp_path / "records.jsonl"
        file.write_bytes(b"".join(map(encode, records)))
        return file

    return into_file


@pytest.fixture
def folder(tmp_path, here, run):
    """A folder that holds all records of a small run."""
    with Store.open(tmp_path / "run", here) as store:
        for record in run:
            store.append(record)
    return tmp_path / "run"
