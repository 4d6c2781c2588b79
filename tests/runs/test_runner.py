"""Runs: killed, resumed, refused and failing ones."""

import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import psutil
import pytest
import threadpoolctl

from jacchain.claims import registry
from jacchain.claims.own_chain import experiment_named
from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.measure.threads import usable_cores
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord, SessionRecord
from jacchain.runs import runner
from jacchain.runs.assess import assess
from jacchain.runs.job import Job, RunError
from jacchain.runs.runner import forecast, run
from tests.runs.tiny_claims import CHAIN, CLAIMS, COMPARISON, COUNTS

PYTHON = sys.executable  # of which the runner's is made to differ

# A run in a process of its own, which prints a line for each record on the disk.
SCRIPT = """
import sys
from pathlib import Path
from jacchain.claims.own_chain import experiment_named
from jacchain.experiments.sizes import Sampling, Sizes
from jacchain.runs.job import Job
from jacchain.runs.runner import run

job = Job((experiment_named("chain-1x4x3x2"),), Sampling("tiny", 2, 3, 15.0), Sizes())
run(Path(sys.argv[1]), job, progress=lambda *units: print(*units, flush=True))
"""


def keys(folder):
    """How often each key is on record; sessions have none."""
    return Counter(r.key for r in read_records(folder) if r.key)


def expected_keys(job):
    names = [cell.name for cell in job.cells]
    visits = product(names, range(job.sampling.processes), range(job.sampling.rounds))
    expected = [("check", name) for name in job.checks] + [("cell", name) for name in names]
    return dict.fromkeys([*expected, *(("block", *visit) for visit in visits)], 1)


def lose(folder, text):
    """Remove every line with this text from the records."""
    file = folder / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(line for line in lines if text.encode() not in line))


@pytest.fixture(scope="module")
def pretend(tmp_path_factory):
    """A function that puts a shell script in the place of the measuring process."""

    def replace_worker(patch, script):
        path = tmp_path_factory.mktemp("worker") / "worker"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        patch.setattr(runner.sys, "executable", str(path))

    return replace_worker


@pytest.fixture
def broken(pretend, monkeypatch):
    """A function that breaks the measuring process by a shell script in its place."""
    return lambda script: pretend(monkeypatch, script)


@pytest.fixture(scope="module")
def job(tiny, pretend):
    """A claim on a count, one on a comparison and one on a check, known here and in workers."""
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch, f"exec {shlex.quote(PYTHON)} -m tests.runs.tiny_claims")
        patch.setattr(registry, "experiments", lambda: CLAIMS)
        patch.setitem(PROFILES.entries, "tiny", tiny)
        yield Job(tuple(CLAIMS.entries.values()), tiny, Sizes())


@pytest.fixture(scope="module")
def finished(job, tmp_path_factory):
    """The folder of an undisturbed run, its progress, and what was told after which record."""
    folder, progress, told = tmp_path_factory.mktemp("finished"), [], []

    def tell(verdict):
        told.append((verdict.claim, read_records(folder)[-1].key, verdict))

    done = run(folder, job, progress=lambda *units: progress.append(units), finished=tell)
    assert done is True
    return folder, progress, told


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it."""
    (tmp_path / "records.jsonl").write_bytes((finished[0] / "records.jsonl").read_bytes())
    return tmp_path


def test_every_cell_check_and_block_is_on_record_once(finished, job):
    assert keys(finished[0]) == expected_keys(job)


def test_progress_counts_blocks_and_checks_of_all(finished):
    """Two cells of two rounds in two processes, and a check; nothing more for a cell's record."""
    progress = finished[1]
    assert sorted(set(progress)) == [(done, 9) for done in range(1, 10)]
    assert progress == sorted(progress)


def test_each_claim_is_told_once_when_its_last_record_is_there(finished):
    told = {claim: key for claim, key, _ in finished[2]}
    assert len(told) == len(finished[2]) == 3
    assert told["checked"] == ("check", COUNTS)
    assert told["counted"] == ("cell", CHAIN.name)
    assert told["compared"][0] == "block"
    assert told["compared"][2:] == (1, 1)


def test_what_is_told_is_the_verdict_of_the_whole_run(finished):
    stored = {v.claim: v.verdict for v in assess(finished[0]).verdicts}
    assert {claim: verdict.verdict for claim, _, verdict in finished[2]} == stored
    assert stored["checked"] == stored["counted"] == "agrees"


def test_the_session_says_what_was_run(finished, job):
    (session,) = (r for r in read_records(finished[0]) if isinstance(r, SessionRecord))
    assert (session.profile, session.claims) == ("tiny", job.claims)
    assert session.environment["numpy"] in session.identity.numpy


def test_a_complete_run_measures_nothing_more(folder, job, broken):
    broken("exit 9")  # no process may be started
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, job) is False
    assert (folder / "records.jsonl").read_bytes() == before


def test_a_resumed_run_measures_what_is_missing(folder, job):
    for lost in ('"round":1', '"kind":"check"'):
        lose(folder, lost)
    progress = []
    assert run(folder, job, progress=lambda *units: progress.append(units)) is True
    assert progress == [(done, 9) for done in range(5, 10)]
    assert keys(folder) == expected_keys(job)
    sessions = [r for r in read_records(folder) if isinstance(r, SessionRecord)]
    assert len({session.seed for session in sessions}) == 1 < len(sessions)


def test_a_resumed_run_tells_first_what_was_finished(folder, job):
    lose(folder, f'"cell":"{COMPARISON}","process":1')
    told = []
    assert run(folder, job, finished=lambda v: told.append((v.claim, keys(folder)))) is True
    claims = [claim for claim, _ in told]
    assert sorted(claims[:2]) == ["checked", "counted"]
    assert claims[2] == "compared"
    assert told[0][1] == told[1][1] != expected_keys(job)  # before anything was measured
    assert run(folder, job, finished=told.append) is False
    assert len(told) == 3


def test_a_run_grows_by_the_claims_that_are_asked_for(tmp_path, job):
    counted, compared, checked = job.experiments
    for experiments in ((counted, checked), (compared, checked)):
        more = replace(job, experiments=experiments)
        assert run(tmp_path, more) is True
        assert run(tmp_path, more) is False
    assert keys(tmp_path) == expected_keys(job)
    sessions = [r.claims for r in read_records(tmp_path) if isinstance(r, SessionRecord)]
    assert sessions == [("counted", "checked"), ("compared", "checked")]


def test_a_claim_whose_cells_are_all_on_record_is_named_in_a_session(folder, job):
    """A claim is judged only where a session names it."""
    lone = replace(job, experiments=(experiment_named("cell-1x4x3x2"),))
    assert run(folder, lone) is True
    assert run(folder, lone) is False
    sessions = [r.claims for r in read_records(folder) if isinstance(r, SessionRecord)]
    assert sessions == [job.claims, lone.claims]
    assert keys(folder) == expected_keys(job)


def test_cells_left_over_from_other_claims_do_not_keep_a_run_from_completion(folder, job):
    lose(folder, f'"cell":"{COMPARISON}","process"')  # its blocks
    counted, _, checked = job.experiments
    assert run(folder, replace(job, experiments=(counted, checked))) is False


def test_skipped_cells_complete_a_run_and_finish_a_claim(tmp_path, job):
    told = []
    none = replace(job, sampling=replace(job.sampling, cell_seconds=0.0))
    assert run(tmp_path, none, finished=told.append) is True
    cells = [r for r in read_records(tmp_path) if isinstance(r, CellRecord)]
    assert all("over the profile's 0 s" in cell.skipped for cell in cells)
    assert not any(isinstance(r, BlockRecord) for r in read_records(tmp_path))
    (verdict,) = (v for v in told if v.claim == "compared")
    assert verdict.verdict == "inconclusive"
    assert "over the profile's 0 s" in verdict.reason
    assert run(tmp_path, none) is False


def test_fresh_sets_the_records_aside(folder, job, broken):
    broken("exit 0")
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, job, fresh=True) is True
    assert (folder / "records-previous.jsonl").read_bytes() == before
    assert keys(folder) == {}


def test_another_profile_is_refused(folder, job):
    other = replace(job, sampling=replace(job.sampling, name="standard"))
    with pytest.raises(RunError, match=r"run of tiny, not of standard.*--fresh.*--out"):
        run(folder, other)


def test_another_chain_is_refused(folder, job):
    file = folder / "records.jsonl"
    claims = ",".join(f'"{claim}"' for claim in job.claims)
    text = file.read_text()
    assert claims in text
    text = text.replace(claims, '"chain-1x4x3x2"').replace('"profile":"tiny"', '"profile":"chain"')
    file.write_text(text)
    other = experiment_named("chain-1x6x6")
    chain = replace(job, experiments=(other,), sampling=replace(job.sampling, name="chain"))
    message = r"run of chain-1x4x3x2, not of chain-1x6x6; use --fresh.*--out"
    with pytest.raises(RunError, match=message):
        run(folder, chain)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (f'"numpy":"{np.__version__}"', '"numpy":"1.0"', "numpy '1.0' instead of"),
        ('"dtype":"float64"', '"dtype":"float32"', "dtype 'float32' instead of 'float64'"),
        ('"threads":1', '"threads":7', "threads 7 instead of 1"),
    ],
)
def test_records_of_another_identity_are_refused_by_name(folder, job, old, new, named):
    file = folder / "records.jsonl"
    altered = file.read_text().replace(old, new)
    file.write_text(altered)
    with pytest.raises(RecordsError, match=rf"line 1: measured with {named}.*--out.*--fresh"):
        run(folder, job)
    assert file.read_text() == altered


def test_a_folder_below_a_file_is_refused(tmp_path, job):
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match=r"can't write to the folder.*--out"):
        run(tmp_path / "file" / "run", job)


def test_a_worker_that_fails_gives_the_reason_and_keeps_what_is_finished(folder, job):
    stranger = replace(job.experiments[0], claim="C77")
    with pytest.raises(RunError, match=r"unknown claim 'C77'.*finished cells are kept"):
        run(folder, replace(job, experiments=(*job.experiments, stranger)))
    assert keys(folder) == expected_keys(job)


@pytest.mark.parametrize("size", [2, 40_000])  # a request that fits in the pipe, and one too large
def test_a_worker_that_dies_at_once_is_reported(tmp_path, job, broken, size):
    broken("echo 'ImportError: no such thing' >&2; exit 3")
    chain = experiment_named(f"cell-{'x'.join(['1'] * size)}")
    many = replace(job, experiments=(replace(chain, cells=lambda _: []),))
    with pytest.raises(RunError, match="process failed: ImportError: no such thing; finished"):
        run(tmp_path, many)


def test_a_worker_may_say_more_than_a_pipe_holds(tmp_path, job, broken):
    broken("yes some warning | head -c 1048576 >&2; echo >&2; echo 'MemoryError' >&2; exit 3")
    with pytest.raises(RunError, match="process failed: MemoryError; finished"):
        run(tmp_path, job)


def test_a_worker_killed_amid_a_line_is_reported(tmp_path, job, broken):
    broken("""read line; printf '{"kind":"bl'; kill -9 $$""")
    with pytest.raises(RunError, match="process failed: exit status -9; finished"):
        run(tmp_path, job)
    assert keys(tmp_path) == {}


def test_the_worker_starts_with_its_threads_in_the_environment(tmp_path, job, broken):
    broken("echo threads=$OPENBLAS_NUM_THREADS,$MKL_NUM_THREADS >&2; exit 1")
    cores = usable_cores()
    with pytest.raises(RunError, match=f"threads={cores},{cores}"):
        run(tmp_path, replace(job, threads=cores))


def test_a_failing_callback_leaves_no_worker_behind(tmp_path, job):
    def fail(*_):
        workers.extend(psutil.Process().children())
        raise KeyboardInterrupt

    workers = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, job, progress=fail)
    assert workers
    assert not any(worker.is_running() for worker in workers)
    assert sum(keys(tmp_path).values()) == 1


def kill(folder, lines):
    """Start a run, kill it after so many lines of progress, and return its processes."""
    command = [PYTHON, "-c", SCRIPT, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        for _ in range(lines):
            parent.stdout.readline()
        workers = psutil.Process(parent.pid).children()
        parent.kill()
    return workers


def left_alive(workers):
    """Those that do not end; an orphan stays a zombie until somebody reaps it."""
    _, left = psutil.wait_procs(workers, timeout=60)
    return [w for w in left if w.is_running() and w.status() != psutil.STATUS_ZOMBIE]


def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, tiny_job, monkeypatch):
    """With the real measuring process, on a chain of the user's own."""
    monkeypatch.setattr(runner.sys, "executable", PYTHON)
    longer = replace(tiny_job, sampling=replace(tiny_job.sampling, rounds=3))
    workers = [worker for lines in (2, 5) for worker in kill(str(tmp_path), lines)]
    torn = tmp_path / "records.jsonl"
    torn.write_bytes(torn.read_bytes() + b'{"kind":"block","sch')
    assert len(workers) == 2
    assert left_alive(workers) == []
    with pytest.warns(UserWarning, match="removed a torn last line"):
        assert run(tmp_path, longer) is True
    assert keys(tmp_path) == expected_keys(longer)
    sessions = [r for r in read_records(tmp_path) if isinstance(r, SessionRecord)]
    assert len({session.seed for session in sessions}) == 1
    assert run(tmp_path, longer) is False


def test_a_forecast_measures_nothing_and_says_what_would_be_skipped(tiny_job):
    huge = experiment_named(f"cell-1x{10**6}x{10**6}")
    cells = forecast(replace(tiny_job, experiments=(*tiny_job.experiments, huge)))
    names = [cell.name for cell in tiny_job.cells]
    assert [cell.cell for cell in cells] == [*names, f"chain 1x{10**6}x{10**6}"]
    assert all(cell.seconds > 0 and cell.bytes > 0 for cell in cells)
    assert [cell.skipped is None for cell in cells] == [True, True, True, False]
    assert "GiB available" in cells[-1].skipped
    budget = replace(tiny_job, sampling=replace(tiny_job.sampling, cell_seconds=0.0))
    assert all("over the profile's 0 s" in cell.skipped for cell in forecast(budget))


def blas_threads():
    return {p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"}


def test_a_forecast_measures_with_the_threads_of_the_job_and_gives_them_back(tiny_job, monkeypatch):
    def look(dtype):
        seen.append(blas_threads())
        return rough_rates(dtype)

    seen = []
    monkeypatch.setattr(runner, "rough_rates", look)
    with threadpoolctl.threadpool_limits(usable_cores(), user_api="blas"):
        before = blas_threads()
        forecast(tiny_job)
        assert blas_threads() == before
    assert seen == [{tiny_job.threads}]
