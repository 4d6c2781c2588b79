"""Records to test with."""

from dataclasses import replace

import pytest

from jacchain.records.schema import (
    Arm,
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
LOSS_FIRST = Arm(
    order="loss-first",
    bracketing=((0, 1), 2),
    products=2,
    multiplications=20,
    flops=40,
    bytes=400,
    peak_elements=8,
    working_set=360,
    regime="L2",
    row_flops=40,
    matrix_flops=0,
    counted=20,
    counted_dims=(1, 2, 4, 3),
    batch=10,
)
INPUT_FIRST = replace(
    LOSS_FIRST, order="input-first", bracketing=(0, (1, 2)), counted=None, counted_dims=None
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
        claims=("C1", "C5"),
        seed=7,
        environment={"cpu": "a µ-processor", "caches": [32768, 1048576]},
    )


@pytest.fixture(scope="session")
def cell():
    return CellRecord(
        identity=HERE,
        cell="x=3",
        role="cell",
        engine="numpy",
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
        cell="x=3",
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
    return CheckRecord(identity=HERE, check="taylor", values={"order": 2.01, "holds": True})


@pytest.fixture(scope="session")
def run(session, cell, block, check):
    """All records of a small run."""
    return [session, cell, block, check, replace(block, round=1, sequence="BAAB")]


@pytest.fixture
def folder(tmp_path, here, run):
    """A folder that holds all records of a small run."""
    with Store.open(tmp_path / "run", here) as store:
        for record in run:
            store.append(record)
    return tmp_path / "run"
