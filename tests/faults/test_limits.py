"""Runs under random limits of memory and cores: what is started ends, what can't is skipped."""

import os
import random
import resource
from dataclasses import replace

import psutil
import pytest

from jacchain import limits
from jacchain.claims.own_chain import experiment_named
from jacchain.experiments.sizes import FIXED_PROFILES, Sizes
from jacchain.limits import allowed_cores, usable_cores
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord
from jacchain.runs.job import Job
from jacchain.runs.runner import run
from tests.faults import forks
from tests.runs.tiny_claims import TINY

MIB = 2**20
# One visit of every cell; what would take long is not tried.
SAMPLING = replace(TINY, processes=1, rounds=1, cell_seconds=0.3)
RUNS, PARTS = 200, 10


@pytest.fixture(scope="module", autouse=True)
def in_forks():
    with pytest.MonkeyPatch.context() as patch:
        forks.quickly(patch)
        patch.setitem(FIXED_PROFILES, SAMPLING.name, SAMPLING)
        yield


def drawn(rng, folder):
    """Draw the sizes of a chain, bytes of memory and cores, and write a control group of them."""
    sizes = [round(2 ** rng.uniform(6, 14)) for _ in range(rng.choice([2, 3]))]
    memory = round(2 ** rng.uniform(26, 30))  # 64 MiB to 1 GiB
    group = folder / "group"
    group.mkdir()
    (folder / "membership").write_text("0::/group\n")
    (group / "memory.max").write_text(rng.choice(["max", str(memory)]))
    (group / "memory.current").write_text(str(round(rng.uniform(0, memory))))
    (group / "cpu.max").write_text(rng.choice(["max 100000", "50000 100000", "150000 100000"]))
    cores = sorted(os.sched_getaffinity(0))
    return [1, *sizes], memory, rng.sample(cores, rng.randint(1, len(cores)))


def measure_within(folder, dims, memory, cores):
    """Measure a chain with so much more memory than now, on these cores, in the group there."""
    limits._MEMBERSHIP, limits._ROOT = folder / "membership", folder
    os.sched_setaffinity(0, cores)
    room = psutil.Process().memory_info().vms + memory
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    assert usable_cores() <= allowed_cores() == len(cores)
    name = "chain-" + "x".join(map(str, dims))
    run(folder / "run", Job((experiment_named(name),), SAMPLING, Sizes(), usable_cores()))


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_admitted_is_measured_and_the_rest_skipped(tmp_path, faults_seed, part):
    rng, skipped = random.Random(f"limits {faults_seed} {part}"), set()
    for number in range(RUNS // PARTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        dims, memory, cores = drawn(rng, folder)
        process = forks.start(measure_within, folder, dims, memory, cores)
        process.join()
        configuration = f"{dims} in {memory / MIB:.0f} MiB on {cores}"
        assert process.exitcode == 0, configuration
        records = read_records(folder / "run")
        cells = {r.cell: r.skipped for r in records if isinstance(r, CellRecord)}
        blocks = {r.cell for r in records if isinstance(r, BlockRecord)}
        assert blocks == {cell for cell, reason in cells.items() if not reason}, configuration
        skipped |= {reason for reason in cells.values() if reason}
    assert all(reason.startswith(("needs ", "would take ")) for reason in skipped), skipped
    assert any(reason.startswith("needs ") for reason in skipped)
