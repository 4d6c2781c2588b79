"""The measuring process: what it prints, what it leaves out, and when it ends."""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
import threadpoolctl

from jacchain.claims import registry
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.sizes import Sizes
from jacchain.limits import usable_cores
from jacchain.measuring import clock
from jacchain.records.codec import decode
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord
from jacchain.runs.worker import REQUEST, KernelCache, Request, check, measure, visits
from tests.records.examples import HERE
from tests.runs.tiny_claims import CHECKED, COMPARISON, COUNTS, INSTANT, TINY, blas_threads

WORKER = "jacchain.runs.worker"
OWN = "chain-1x4x3x2"
NAMES = [cell.name for e in registry.chosen([OWN]) for cell in e.cells(Sizes())]
NOTHING = {"batches": {}, "done": frozenset()}
ASK = Request(HERE, TINY, Sizes(), process=0, seed=3, claims=(OWN,), **NOTHING)


@pytest.fixture(autouse=True)
def _threads_given_back():
    with threadpoolctl.threadpool_limits():
        yield


def measured(**changes):
    """Records of all cells of a request with these changes, measured in this process."""
    request, records = replace(ASK, **changes), []
    measure(request, registry.chosen(request.claims), records.append)
    return records


@contextmanager
def serving(module=WORKER, **changes):
    """A real process with its request, and its input left open."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        worker.stdin.write(REQUEST.dump_json(replace(ASK, **changes)) + b"\n")
        worker.stdin.flush()
        yield worker


def test_a_round_visits_each_cell_once_and_those_of_a_group_in_a_row():
    cells = [
        chain_cell((1, n, 2 + len(group)), group=group)
        for group in ("x", "", "z1")
        for n in range(1, 9)
    ]
    rng = np.random.default_rng(0)
    first, second = (visits(cells, rng) for _ in range(2))
    assert first != second
    for order in (first, second):
        assert sorted(cell.name for cell in order) == sorted(cell.name for cell in cells)
        groups = [name for name, _ in groupby(cell.group for cell in order) if name]
        assert sorted(groups) == ["x", "z1"]


def test_a_cell_is_described_before_its_first_block_and_rounds_follow_one_another():
    records = measured()
    first = {record.cell: type(record) for record in reversed(records)}
    assert first == dict.fromkeys(NAMES, CellRecord)
    blocks = [record for record in records if isinstance(record, BlockRecord)]
    assert [block.round for block in blocks] == [0, 0, 0, 1, 1, 1]
    assert {block.sequence for block in blocks} <= {"ABBA", "BAAB"}


def test_one_arm_alone_is_measured_twice_in_a_block():
    record, *blocks = measured(claims=("cell-1x4x3x2-loss-first",))
    assert [arm.name for arm in record.arms] == ["loss-first"]
    assert record.error is record.error_bound is None  # there is nothing to agree with
    assert [block.sequence for block in blocks] == ["AA", "AA"]


def test_it_goes_on_from_what_is_on_record():
    first, second, third = NAMES
    batches = {first: (5, 6), second: None, third: (2, 2)}  # the second was skipped
    done = frozenset(("block", *visit) for visit in ((first, 0, 0), (third, 0, 0), (third, 0, 1)))
    (record,) = measured(batches=batches, done=done)
    assert record.key == ("block", first, 0, 1)


@pytest.mark.parametrize(("memory", "is_kept"), [(2**20, True), (800, False)])
def test_kernels_are_kept_only_as_far_as_memory_allows(memory, is_kept):
    cache = KernelCache(replace(INSTANT, memory=memory))  # a pair takes 176 + 2 * 40
    first = cache.kernels(COMPARISON)
    assert cache.kernels(COMPARISON) is first
    cache.kernels(replace(COMPARISON, name="C0 another"))
    assert (cache.kernels(COMPARISON) is first) is is_kept


def test_checks_on_record_are_not_run_again():
    records = []
    check(ASK, [CHECKED], records.append)
    assert [(r.check, r.values) for r in records] == [(COUNTS, {"a product": [6, 6]})]
    check(replace(ASK, done=frozenset({("check", COUNTS)})), [CHECKED], records.append)
    assert len(records) == 1


@pytest.mark.parametrize("process", [0, 1])
def test_only_the_first_process_runs_checks_and_runs_them_first(process):
    with serving(
        "tests.runs.tiny_claims", claims=("counted", "checked"), process=process
    ) as worker:
        kinds = [type(decode(line)) for line in worker.stdout]
        assert worker.stderr.read() == b""
    assert kinds == [*[CheckRecord][process:], CellRecord, BlockRecord, BlockRecord]


def test_a_clock_too_coarse_is_refused_before_anything_is_timed(monkeypatch):
    monkeypatch.setattr(clock, "clock_step", lambda: 0.0156)
    records = []
    with pytest.raises(RuntimeError, match=r"steps of 15\.6 ms"):
        measure(ASK, registry.chosen([OWN]), records.append)
    assert records == []


@pytest.mark.parametrize("threads", sorted({1, usable_cores()}))
def test_threads_are_pinned_before_anything_is_measured(threads):
    seen = set()
    pinned = replace(ASK, identity=replace(HERE, threads=threads))
    measure(pinned, registry.chosen([OWN]), lambda _: seen.update(blas_threads()))
    assert seen == {threads}


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_it_ends_quietly_when_nobody_asks_or_reads_any_more(closed):
    with serving(sampling=replace(TINY, rounds=10**6, cell_seconds=1e9)) as worker:
        decode(worker.stdout.readline())
        getattr(worker, closed).close()
        if closed == "stdin":
            worker.stdout.read()
        assert worker.stderr.read() == b""  # until it ends


def test_it_ends_amid_a_long_call_when_nobody_asks_any_more():
    """A call takes half a second, and a block several; none is printed any more."""
    claims = ("cell-1x2500x2500x2500-input-first",)
    with serving(claims=claims, sampling=replace(TINY, cell_seconds=1e9)) as worker:
        assert isinstance(decode(worker.stdout.readline()), CellRecord)
        worker.stdin.close()
        assert worker.stdout.read() == b""


def test_a_request_that_is_none_fails():
    broken = REQUEST.dump_json(ASK).replace(b'"seed":3', b'"seed":"three"') + b"\n"
    command = [sys.executable, "-m", WORKER]
    child = subprocess.run(command, input=broken, capture_output=True, check=False)
    assert (child.returncode, child.stdout) == (1, b"")
    assert b"seed" in child.stderr
