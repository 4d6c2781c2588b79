"""The measuring process: what it prints, what it leaves out, and when it ends."""

import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
import threadpoolctl

from jacchain.claims import registry
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.sizes import Sizes
from jacchain.measure.threads import usable_cores
from jacchain.records.codec import decode
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord
from jacchain.runs.worker import REQUEST, KernelCache, Request, check, measure, visits
from tests.runs import tiny_claims

COMMAND = (sys.executable, "-m", "jacchain.runs.worker")
OWN = "chain-1x4x3x2"
NAMES = [cell.name for e in registry.chosen([OWN]) for cell in e.cells(Sizes())]


@pytest.fixture(autouse=True)
def _threads_given_back():
    with threadpoolctl.threadpool_limits():
        yield


@pytest.fixture
def request_(tiny, identity):
    return Request(
        identity=identity,
        sampling=tiny,
        sizes=Sizes(),
        process=0,
        seed=3,
        claims=(OWN,),
        batches={},
        done=frozenset(),
        checked=frozenset(),
    )


def measured(request):
    """Records of all cells of the claims named, measured in this process."""
    records = []
    measure(request, registry.chosen(request.claims), records.append)
    return records


@contextmanager
def asked(request):
    """A real process with its request, and its input left open."""
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        worker.stdin.write(REQUEST.dump_json(request) + b"\n")
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


def test_a_request_survives_its_way_through_json(request_):
    batches = {NAMES[0]: (3, 4), NAMES[1]: None}
    sent = replace(request_, batches=batches, done=frozenset({(NAMES[0], 1)}), seed=2**31)
    assert REQUEST.validate_json(REQUEST.dump_json(sent)) == sent


def test_the_process_prints_every_cell_and_block_once(request_):
    with asked(request_) as worker:
        records = [decode(line) for line in worker.stdout]
        assert worker.stderr.read() == b""
        assert worker.wait() == 0
    expected = {("cell", name) for name in NAMES}
    expected |= {("block", name, 0, number) for name in NAMES for number in (0, 1)}
    assert Counter(record.key for record in records) == dict.fromkeys(expected, 1)
    assert {record.identity for record in records} == {request_.identity}


def test_a_cell_is_described_before_its_first_block_and_rounds_follow_one_another(request_):
    records, seen = measured(request_), set()
    for record in records:
        if isinstance(record, CellRecord):
            seen.add(record.cell)
        assert record.cell in seen
    blocks = [record for record in records if isinstance(record, BlockRecord)]
    assert [block.round for block in blocks] == [0, 0, 0, 1, 1, 1]
    assert {block.sequence for block in blocks} <= {"ABBA", "BAAB"}


def test_one_arm_alone_is_measured_twice_in_a_block(request_):
    record, *blocks = measured(replace(request_, claims=("cell-1x4x3x2-loss-first",)))
    assert [arm.name for arm in record.arms] == ["loss-first"]
    assert [block.sequence for block in blocks] == ["AA", "AA"]


def test_it_goes_on_from_what_is_on_record(request_):
    first, second, third = NAMES
    batches = {first: (5, 6), second: None, third: (2, 2)}  # the second was skipped
    done = frozenset({(first, 0), (third, 0), (third, 1)})
    (record,) = measured(replace(request_, batches=batches, done=done))
    assert record.key == ("block", first, 0, 1)


def test_another_process_describes_nothing_again(request_):
    batches = dict.fromkeys(NAMES, (2, 2))
    records = measured(replace(request_, batches=batches, process=1))
    assert {(type(record), record.process) for record in records} == {(BlockRecord, 1)}
    assert len(records) == 2 * len(NAMES)


def test_cells_over_budget_are_skipped_with_their_reason(request_):
    sampling = replace(request_.sampling, cell_seconds=0.0)
    records = measured(replace(request_, sampling=sampling))
    assert {type(record) for record in records} == {CellRecord}
    assert all("over the profile's 0 s" in record.skipped for record in records)


def test_kernels_are_kept_only_as_far_as_memory_allows(session, make_comparison):
    cell = make_comparison(np.ones(3), np.ones(3))
    another = replace(cell, name="C0 another")
    for memory, kept in ((2**20, True), (1000, False)):  # a pair takes 200 + 2 * 48
        cache = KernelCache(replace(session, memory=memory * (1 if kept else 0.8)))
        first = cache.kernels(cell)
        assert cache.kernels(cell) is first
        cache.kernels(another)
        assert (cache.kernels(cell) is first) is kept


def test_checks_run_once_and_before_any_cell(request_, monkeypatch):
    monkeypatch.setattr(registry, "experiments", lambda: tiny_claims.CLAIMS)
    records = []
    experiments = registry.chosen(["checked", "counted"])
    check(request_, experiments, records.append)
    assert [(r.check, r.values) for r in records] == [(tiny_claims.COUNTS, {"a product": [6, 6]})]
    check(replace(request_, checked=frozenset({tiny_claims.COUNTS})), experiments, records.append)
    assert len(records) == 1


@pytest.mark.parametrize("process", [0, 1])
def test_only_the_first_process_runs_checks_and_runs_them_first(request_, process):
    command = (sys.executable, "-m", "tests.runs.tiny_claims")
    asking = replace(request_, claims=("checked", "counted"), process=process)
    line = REQUEST.dump_json(asking) + b"\n"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        worker.stdin.write(line)
        worker.stdin.flush()
        kinds = [type(decode(line)) for line in worker.stdout]
    assert kinds == [*[CheckRecord][process:], CellRecord, BlockRecord, BlockRecord]


@pytest.mark.parametrize("threads", sorted({1, usable_cores()}))
def test_threads_are_pinned_before_anything_is_measured(request_, threads):
    seen = set()

    def look(_):
        pools = threadpoolctl.threadpool_info()
        seen.update(p["num_threads"] for p in pools if p["user_api"] == "blas")

    pinned = replace(request_, identity=replace(request_.identity, threads=threads))
    measure(pinned, registry.chosen([OWN]), look)
    assert seen <= {threads}


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_it_ends_quietly_when_nobody_asks_or_reads_any_more(request_, closed):
    endless = replace(request_.sampling, rounds=10**6, cell_seconds=1e9)
    with asked(replace(request_, sampling=endless)) as worker:
        decode(worker.stdout.readline())
        getattr(worker, closed).close()
        if closed == "stdin":
            worker.stdout.read()
        assert worker.stderr.read() == b""  # until it ends


def test_it_ends_amid_a_long_call_when_nobody_asks_any_more(request_):
    """A call takes half a second, and a block several; none is printed any more."""
    claim = "cell-1x2500x2500x2500-input-first"
    sampling = replace(request_.sampling, cell_seconds=1e9)
    with asked(replace(request_, claims=(claim,), sampling=sampling)) as worker:
        assert isinstance(decode(worker.stdout.readline()), CellRecord)
        worker.stdin.close()
        assert worker.stdout.read() == b""


def test_a_request_that_is_none_fails(request_):
    broken = REQUEST.dump_json(request_).replace(b'"seed":3', b'"seed":"three"') + b"\n"
    child = subprocess.run(COMMAND, input=broken, capture_output=True, check=False)
    assert child.returncode == 1
    assert b"seed" in child.stderr
    assert child.stdout == b""
