"""Runs with comparisons: measured, resumed, foretold, read back and refused."""

import shlex
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import threadpoolctl

from jacchain.analysis.assemble import assemble
from jacchain.experiments import c8_caching as c8
from jacchain.experiments import runner
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST, Cell
from jacchain.experiments.job import Job, job_of_claims
from jacchain.experiments.judging import assess
from jacchain.experiments.prepare import Session
from jacchain.experiments.profiles import PROFILES
from jacchain.experiments.registry import chosen
from jacchain.experiments.runner import forecast, run
from jacchain.experiments.worker import KernelCache, Request, measure, visits
from jacchain.measure.caches import Caches
from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError
from jacchain.records.load import load
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord, Identity, SessionRecord

BRIEF = replace(PROFILES["quick"], processes=1, rounds=2)
NAMES = [c8.name(order, c8.NARROW, n) for order in (LOSS_FIRST, INPUT_FIRST) for n in (1, 2)]
IDS = [f"comparison:{name}" for name in NAMES]


def brief(_profile, _order, width):
    """Depths that take no time."""
    return (1, 2) if width == c8.NARROW else ()


# What the runner starts in the place of its worker: a real one, with those depths.
WORKER = f"""
from jacchain.experiments import c8_caching as c8
from jacchain.experiments.worker import main
c8.depths = lambda profile, order, width: (1, 2) if width == {c8.NARROW} else ()
main()
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """C8 at few depths, here and in measuring processes."""
    path = tmp_path_factory.mktemp("worker") / "worker"
    path.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(WORKER)}\n")
    path.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c8, "depths", brief)
        patch.setattr(runner.sys, "executable", str(path))
        yield Job(BRIEF, chosen(["C8"]), ())


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    """The folder of an undisturbed run, and the claims told; not to be written to."""
    folder, told = tmp_path_factory.mktemp("finished"), []
    kept = []
    assert run(
        folder, small, finished=lambda claim: told.append((claim, kept[-1])),
        progress=lambda *units: kept.append(units),
    ) is True  # fmt: skip
    return folder, told


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it."""
    (tmp_path / "records.jsonl").write_bytes((finished[0] / "records.jsonl").read_bytes())
    return tmp_path


def keys(folder):
    return Counter(r.key for r in read_records(folder) if r.key)


def expected_keys():
    found = {("check", c8.COUNTS), ("check", c8.MEMORY), *(("cell", name) for name in IDS)}
    return found | {("block", name, 0, number) for name in IDS for number in (0, 1)}


@pytest.fixture
def request_(tiny):
    identity = Identity(
        machine="4f1c", numpy="2", blas="some", jacchain="0", dtype="float64", threads=1
    )
    return Request(
        identity, Caches(2**16, 2**18), tiny, process=0, seed=3, cells=(), claims=("C8",),
        known={}, done=frozenset(), checked=frozenset(),
    )  # fmt: skip


def measured(request):
    records = []
    with threadpoolctl.threadpool_limits():
        measure(request, records.append)
    return records


@pytest.mark.usefixtures("small")
def test_the_worker_describes_each_comparison_and_takes_its_blocks(request_):
    records = measured(request_)
    described = {r.cell: r for r in records if isinstance(r, CellRecord)}
    assert sorted(described) == sorted(IDS)
    assert {r.role for r in described.values()} == {"comparison"}
    for record in described.values():
        assert [arm.order for arm in record.arms] == [c8.SCRATCH, c8.CACHED]
        assert record.error <= record.error_bound
    blocks = [r for r in records if isinstance(r, BlockRecord)]
    assert Counter(r.cell for r in blocks) == dict.fromkeys(IDS, 2)
    assert {r.sequence for r in blocks} <= {"ABBA", "BAAB"}
    assert [r.round for r in blocks] == [0] * 4 + [1] * 4
    for record in records:
        encode(record)  # raises if it could not be written


@pytest.mark.usefixtures("small")
def test_the_worker_goes_on_from_what_is_known_and_done(request_):
    known = dict.fromkeys(IDS, (5, 6)) | {IDS[0]: None}  # the first was skipped
    done = frozenset((name, number) for name in IDS[1:] for number in (0, 1)) - {(IDS[2], 1)}
    (record,) = measured(replace(request_, known=known, done=done))
    assert record.key == ("block", IDS[2], 0, 1)


@pytest.mark.usefixtures("small")
def test_comparisons_over_budget_are_skipped_with_their_reason(request_):
    records = measured(replace(request_, profile=replace(request_.profile, cell_seconds=0.0)))
    assert sorted(r.cell for r in records) == sorted(IDS)
    assert all("over the profile's 0 s" in r.skipped for r in records)


def test_comparisons_of_a_sweep_are_visited_in_a_row():
    (claim,) = chosen(["C7"])
    several = claim.comparisons(PROFILES["quick"])
    order = [of.sweep for of in visits(several, np.random.default_rng(0))]
    assert order != [of.sweep for of in several]
    assert sum(a != b for a, b in pairwise(order)) == len(set(order)) - 1 == 4


def test_ways_are_kept_only_as_far_as_memory_allows(request_, make_comparison, tiny):
    of = make_comparison(np.ones(3), np.ones(3))
    other = replace(of, name="C0 another")
    session = Session(request_.identity, request_.caches, None, tiny, 2**30, 0)
    session = replace(session, rates=runner.rough_rates("float64"))
    ample, tight = KernelCache(2**20), KernelCache(500)  # of a pair 2 (200 + 8 * 6)
    for cache, kept in ((ample, True), (tight, False)):
        first = cache.get(of, session)
        assert cache.get(of, session) is first
        cache.get(other, session)
        assert (cache.get(of, session) is first) is kept


def test_every_comparison_check_and_block_is_on_record_once(finished):
    assert keys(finished[0]) == dict.fromkeys(expected_keys(), 1)


def test_the_claim_is_told_with_its_last_block(finished):
    assert finished[1] == [("C8", (10, 10))]  # two checks, and two blocks of each comparison


def test_a_complete_run_measures_nothing_more(folder, small):
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, small) is False
    assert (folder / "records.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("lost", "first"),
    [(b'"round":1', (7, 10)), (b'"kind":"check"', (9, 10)), (IDS[3].encode() + b'"', (8, 10))],
)
def test_a_resumed_run_measures_what_is_missing(folder, small, lost, first):
    file = folder / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(line for line in lines if lost not in line))
    progress = []
    assert run(folder, small, progress=lambda *units: progress.append(units)) is True
    assert progress[0] == first
    assert progress[-1] == (10, 10)
    assert keys(folder) == dict.fromkeys(expected_keys(), 1)
    seeds = {r.seed for r in read_records(folder) if isinstance(r, SessionRecord)}
    assert len(seeds) == 1


def test_a_run_of_cells_grows_by_comparisons(tmp_path, small):
    cells = Job(BRIEF, (), (Cell((1, 1, 1), role="overhead"),))
    assert run(tmp_path, replace(cells, profile=replace(BRIEF, most_x=0))) is True
    assert run(tmp_path, small) is True
    assert expected_keys() < keys(tmp_path).keys()


def test_the_forecast_lists_comparisons_after_cells(small):
    cell = Cell((1, 4, 3, 2))
    found = forecast(replace(small, cells=(cell,)))
    assert [f.cell for f in found] == [cell.id, *IDS]
    assert all(f.skipped is None and f.bytes > 0 and f.seconds > 0 for f in found)
    budget = replace(small, profile=replace(BRIEF, cell_seconds=0.0))
    assert all("over the profile's 0 s" in f.skipped for f in forecast(budget))


@pytest.mark.parametrize("claim", ["C7", "C8", "C10"])
def test_a_job_of_compared_claims_has_controls_too(claim):
    job = job_of_claims("quick", (claim,), threads=1, dtype="float64")
    assert {cell.role for cell in job.cells} == {"control", "overhead"}
    assert set(job.stations) > {of.id for of in job.comparisons}
    assert len(set(job.stations)) == len(job.stations)


def test_without_scikit_learn_real_networks_name_the_remedy(monkeypatch):
    monkeypatch.setattr("jacchain.experiments.job.find_spec", lambda _: None)
    with pytest.raises(runner.RunError, match=r"C10 needs sklearn.*jacchain\[data\]"):
        job_of_claims("quick", ("C10",), threads=1, dtype="float64")


def test_evidence_has_comparisons_by_name_and_apart_from_cells(finished):
    evidence = assemble(load(finished[0]), {}, {})
    assert sorted(evidence.comparisons) == sorted(NAMES)
    assert (evidence.series, evidence.controls) == ({}, ())
    for name, (scratch, cached) in evidence.comparisons.items():
        assert (scratch.order, cached.order) == (c8.SCRATCH, c8.CACHED)
        assert scratch.cell == cached.cell == f"comparison:{name}"
        assert scratch.seconds.shape == cached.seconds.shape == (1, 2, 2)


def test_comparisons_are_judged_from_their_records(finished):
    assessment = assess(finished[0])
    (verdict,) = (v for v in assessment.verdicts if v.claim == "C8")
    exact = [part for part in verdict.parts if not part.timed and np.isfinite(part.measured)]
    assert [(p.verdict, p.measured) for p in exact] == [("agrees", 4 * len(c8.COUNTED))]
    judged = {part.name for part in verdict.parts if part.widened is not None}
    assert judged == {f"time ratio, {name}" for name in NAMES if INPUT_FIRST in name}


def test_skipped_comparisons_are_evidence_of_their_reason(tmp_path, small):
    job = replace(small, profile=replace(BRIEF, cell_seconds=0.0))
    assert run(tmp_path, job) is True
    assert run(tmp_path, job) is False
    evidence = assess(tmp_path).evidence
    assert evidence.comparisons == {}
    assert sorted(evidence.skipped) == sorted(IDS)
    (verdict,) = (v for v in assess(tmp_path).verdicts if v.claim == "C8")
    reasons = {part.name: part.reason for part in verdict.parts if part.verdict == "inconclusive"}
    for name in NAMES:
        assert (INPUT_FIRST in name) == ("over the profile's 0 s" in reasons.get(name, ""))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"role":"comparison"', '"role":"contest"', "role is 'contest'"),
        (f'"order":"{c8.SCRATCH}"', f'"order":"{c8.CACHED}"', "orders of a comparison are"),
        ('"role":"comparison"', '"role":"cell"', "has an arm 'each from scratch'"),
        ('"kept":{', '"kept":7,"more":{', "C8:memory: kept is 7"),
        ('"layers":[2,4,8]', '"layers":["2",4,8]', "C8:memory: layers"),
    ],
)
def test_edited_records_are_refused_with_a_remedy(folder, old, new, named):
    file = folder / "records.jsonl"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(RecordsError, match=rf"{named}.*Delete that line"):
        assess(folder)


def test_checks_of_the_claim_are_on_record_as_they_are_returned(finished):
    found = {r.check: r.values for r in read_records(finished[0]) if isinstance(r, CheckRecord)}
    assert all(measured == expected for measured, expected in found[c8.COUNTS].values())
    assert found[c8.MEMORY]["layers"] == list(c8.HELD)
