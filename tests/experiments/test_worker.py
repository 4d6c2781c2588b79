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

from jacchain.experiments.cells import Cell
from jacchain.experiments.worker import REQUEST, Request, check, measure, visits
from jacchain.measure.caches import Caches
from jacchain.measure.threads import usable_cores
from jacchain.records.codec import decode
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord, Identity

CELLS = (Cell((1, 4, 3, 2)), Cell((1, 4, 3, 2), ("loss-first",) * 2, role="control"))
COMMAND = (sys.executable, "-m", "jacchain.experiments.worker")


@pytest.fixture(autouse=True)
def _threads_given_back():
    with threadpoolctl.threadpool_limits():
        yield


@pytest.fixture
def request_(tiny):
    identity = Identity(
        machine="4f1c", numpy="2", blas="some", jacchain="0", dtype="float64", threads=1
    )
    return Request(
        identity=identity,
        caches=Caches(2**16, 2**18),
        profile=tiny,
        process=0,
        seed=3,
        cells=CELLS,
        claims=(),
        known={},
        done=frozenset(),
        checked=frozenset(),
    )


def measured(request):
    records = []
    measure(request, records.append)
    return records


def test_a_round_visits_each_station_once_and_those_of_a_sweep_in_a_row():
    cells = [
        Cell((1, n, 2 + len(sweep)), sweep=sweep) for sweep in ("x", "", "z1") for n in range(1, 9)
    ]
    rng = np.random.default_rng(0)
    first, second = (visits(cells, rng) for _ in range(2))
    assert first != second
    for found in (first, second):
        assert sorted(c.dims for c in found) == sorted(c.dims for c in cells)
        swept = [name for name, _ in groupby(c.sweep for c in found) if name]
        assert sorted(swept) == ["x", "z1"]


@contextmanager
def asked(request):
    """A real process with its request, and its input left open."""
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        worker.stdin.write(REQUEST.dump_json(request) + b"\n")
        worker.stdin.flush()
        yield worker


def served(request):
    """Records of a real process."""
    with asked(request) as worker:
        records = [decode(line) for line in worker.stdout]
        assert worker.stderr.read() == b""
        assert worker.wait() == 0
    return records


def test_a_request_survives_its_way_through_json(request_):
    known = {CELLS[0].id: (3, 4), CELLS[1].id: None}
    sent = replace(request_, known=known, done=frozenset({(CELLS[0].id, 1)}), claims=("C1",))
    assert REQUEST.validate_json(REQUEST.dump_json(sent)) == sent


def test_the_process_prints_every_cell_and_block_once(request_):
    records = served(request_)
    expected = {("cell", c.id) for c in CELLS}
    expected |= {("block", c.id, 0, number) for c in CELLS for number in (0, 1)}
    assert Counter(r.key for r in records) == dict.fromkeys(expected, 1)
    assert {r.identity for r in records} == {request_.identity}


def test_a_cell_is_described_before_its_first_block(request_):
    seen = set()
    for record in measured(request_):
        if isinstance(record, CellRecord):
            seen.add(record.cell)
        else:
            assert record.cell in seen


def test_rounds_follow_one_another(request_):
    rounds = [r.round for r in measured(request_) if isinstance(r, BlockRecord)]
    assert rounds == [0, 0, 1, 1]


def test_it_goes_on_from_what_is_known_and_done(request_):
    first, second = (cell.id for cell in CELLS)
    known = {first: (5, 6), second: None}  # the second was skipped
    (record,) = measured(replace(request_, known=known, done=frozenset({(first, 0)})))
    assert record.key == ("block", first, 0, 1)


def test_where_everything_is_on_record_it_prints_nothing(request_):
    done = frozenset((cell.id, number) for cell in CELLS for number in (0, 1))
    known = {cell.id: (2, 2) for cell in CELLS}
    assert measured(replace(request_, known=known, done=done)) == []


def test_another_process_describes_nothing_again(request_):
    known = {cell.id: (2, 2) for cell in CELLS}
    records = measured(replace(request_, known=known, process=1))
    assert {(type(r), r.process) for r in records} == {(BlockRecord, 1)}
    assert len(records) == 4


def test_a_cell_over_budget_is_skipped_with_its_reason(request_):
    records = measured(replace(request_, profile=replace(request_.profile, cell_seconds=0.0)))
    assert {type(r) for r in records} == {CellRecord}
    assert all("over the profile's 0 s" in r.skipped for r in records)


def test_sweeps_come_with_ceilings_and_runs_without_cells_do_not(request_):
    sweeping = replace(request_, profile=replace(request_.profile, most_x=1024, rounds=1))
    roles = Counter(r.role for r in measured(sweeping) if isinstance(r, CellRecord))
    assert roles["ceiling"] > 5
    assert measured(replace(sweeping, cells=())) == []


def test_checks_come_before_cells_in_the_first_process_only(request_):
    checking = replace(request_, claims=("C3",))
    kinds = [type(r) for r in served(checking)]
    assert kinds == [CheckRecord, *(2 * [CellRecord, BlockRecord]), *(2 * [BlockRecord])]
    assert CheckRecord not in map(type, served(replace(checking, process=1)))


def test_checks_run_once(request_):
    found = []
    asked = replace(request_, claims=("C9",), checked=frozenset({"C9:digits", "C9:taylor"}))
    check(asked, found.append)
    assert [record.check for record in found] == ["C9:product", "C9:descent"]
    check(replace(request_, claims=("C1",)), found.append)
    check(request_, found.append)
    assert len(found) == 2


@pytest.mark.parametrize("threads", sorted({1, usable_cores()}))
def test_threads_are_pinned_before_anything_is_measured(request_, threads):
    seen = set()

    def look(_):
        pools = threadpoolctl.threadpool_info()
        seen.update(p["num_threads"] for p in pools if p["user_api"] == "blas")

    measure(replace(request_, identity=replace(request_.identity, threads=threads)), look)
    assert seen <= {threads}


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_it_ends_quietly_when_nobody_asks_or_reads_any_more(request_, closed):
    endless = replace(request_, profile=replace(request_.profile, rounds=10**6, cell_seconds=1e9))
    with asked(endless) as worker:
        decode(worker.stdout.readline())
        getattr(worker, closed).close()
        if closed == "stdin":
            worker.stdout.read()
        assert worker.stderr.read() == b""  # until it ends


def test_a_request_that_is_none_fails(request_):
    broken = REQUEST.dump_json(request_).replace(b'"seed":3', b'"seed":"three"') + b"\n"
    child = subprocess.run(COMMAND, input=broken, capture_output=True, check=False)
    assert child.returncode == 1
    assert b"seed" in child.stderr
    assert child.stdout == b""
