"""Runs: killed, resumed, refused and failing ones."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import psutil
import pytest
import threadpoolctl

from jacchain.costs.timemodel import Rates, rough_rates
from jacchain.experiments import job as jobs
from jacchain.experiments import runner
from jacchain.experiments.cells import Cell
from jacchain.experiments.job import RunError, job_of_chain, job_of_claims
from jacchain.experiments.registry import chosen
from jacchain.experiments.runner import forecast, run
from jacchain.measure.threads import usable_cores
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord, SessionRecord

# A run in a process of its own, which prints a line for each record on the disk.
SCRIPT = """
import sys
from pathlib import Path
from jacchain.experiments import runner
from jacchain.experiments.cells import Cell
from jacchain.experiments.job import Job
from jacchain.experiments.profiles import Profile

profile = Profile("tiny", 2, 8, 15.0, 0, 0, 0, 0, (), ())
cells = Cell((1, 4, 3, 2)), Cell((1, 1, 1), role="overhead")
runner.run(Path(sys.argv[1]), Job(profile, (), cells),
           progress=lambda *units: print(*units, flush=True))
"""

# A run of a check, and of a cell of which each call takes many seconds.
LONG = """
import sys
from pathlib import Path
from jacchain.experiments import runner
from jacchain.experiments.cells import Cell
from jacchain.experiments.job import Job
from jacchain.experiments.profiles import Profile
from jacchain.experiments.registry import chosen

profile = Profile("tiny", 1, 1, 1e9, 0, 0, 0, 0, (), ())
job = Job(profile, chosen(["C3"]), (Cell((1, 4000, 4000, 4000), engine="einsum"),))
runner.run(Path(sys.argv[1]), job, progress=lambda *units: print(*units, flush=True))
"""


def keys(folder):
    """How often each key is on record; sessions have none."""
    return Counter(r.key for r in read_records(folder) if r.key)


def expected_keys(job):
    found = {("cell", cell.id) for cell in job.cells}
    return found | {
        ("block", cell.id, process, number)
        for cell in job.cells
        for process in range(job.profile.processes)
        for number in range(job.profile.rounds)
    }


@pytest.fixture(scope="module")
def finished(tiny_job, tmp_path_factory):
    """The folder of an undisturbed run; not to be written to."""
    folder = tmp_path_factory.mktemp("finished")
    assert run(folder, tiny_job) is True
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it."""
    (tmp_path / "records.jsonl").write_bytes((finished / "records.jsonl").read_bytes())
    return tmp_path


@pytest.fixture
def pretend(monkeypatch, tmp_path_factory):
    """A function that puts a shell script in the place of the measuring process."""

    def replace_worker(script):
        path = tmp_path_factory.mktemp("worker") / "worker"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(runner.sys, "executable", str(path))

    return replace_worker


def test_every_cell_and_block_is_on_record_once(finished, tiny_job):
    assert keys(finished) == dict.fromkeys(expected_keys(tiny_job), 1)


def test_the_session_says_what_was_run(finished):
    (session,) = (r for r in read_records(finished) if isinstance(r, SessionRecord))
    assert (session.profile, session.claims) == ("tiny", ())
    assert session.environment["numpy"] == np.__version__ == session.identity.numpy


def test_a_complete_run_measures_nothing_more(folder, tiny_job, pretend):
    pretend("exit 9")  # no process may be started
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, tiny_job) is False
    assert (folder / "records.jsonl").read_bytes() == before


def kill(script, folder, lines):
    """Start a run, kill it after so many lines of progress, and return its processes."""
    with subprocess.Popen(
        [sys.executable, "-c", script, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as parent:
        for _ in range(lines):
            parent.stdout.readline()
        workers = psutil.Process(parent.pid).children()
        parent.kill()
    return workers


def left_alive(workers, timeout):
    """Those that have not ended by then; an orphan stays a zombie until somebody reaps it."""
    _, left = psutil.wait_procs(workers, timeout=timeout)
    return [w for w in left if w.is_running() and w.status() != psutil.STATUS_ZOMBIE]


def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, tiny, tiny_job):
    job = replace(tiny_job, profile=replace(tiny, rounds=8))
    workers = []
    for lines in np.random.default_rng(5).integers(0, 9, size=4):
        workers += kill(SCRIPT, str(tmp_path), int(lines))
    torn = tmp_path / "records.jsonl"
    torn.write_bytes(torn.read_bytes() + b'{"kind":"block","sch')
    assert len(workers) >= 2
    assert left_alive(workers, timeout=60) == []
    with pytest.warns(UserWarning, match="removed a torn last line"):
        assert run(tmp_path, job) is True
    assert keys(tmp_path) == dict.fromkeys(expected_keys(job), 1)
    sessions = [r for r in read_records(tmp_path) if isinstance(r, SessionRecord)]
    assert len({session.seed for session in sessions}) == 1
    assert run(tmp_path, job) is False


def test_a_worker_amid_a_long_cell_ends_with_the_killed_run(tmp_path):
    workers = kill(LONG, str(tmp_path), 1)
    alive = left_alive(workers, timeout=5)
    for worker in alive:
        worker.kill()
    assert len(workers) == 1
    assert alive == []


def test_a_resumed_run_measures_what_is_missing_with_the_batches_on_record(folder, tiny_job):
    file = folder / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(line for line in lines if b'"round":1' not in line))
    progress = []
    assert run(folder, tiny_job, progress=lambda *units: progress.append(units)) is True
    assert progress == [(5, 8), (6, 8), (7, 8), (8, 8)]
    assert keys(folder) == dict.fromkeys(expected_keys(tiny_job), 1)


def test_a_run_grows_by_the_cells_and_claims_that_are_asked_for(folder, tiny_job):
    more = replace(tiny_job, experiments=chosen(["C1"]), cells=(*tiny_job.cells, Cell((1, 5, 2))))
    assert run(folder, more) is True
    assert keys(folder) == dict.fromkeys(expected_keys(more), 1)
    assert run(folder, replace(more, cells=tiny_job.cells)) is False


def test_a_claim_whose_cells_are_all_on_record_is_named_in_a_session(folder, tiny_job):
    """C1 and C2 share their cells; each is judged only where a session names it."""
    for claim in ("C1", "C2"):
        job = replace(tiny_job, experiments=chosen([claim]))
        assert run(folder, job) is True
        assert run(folder, job) is False
    sessions = [r.claims for r in read_records(folder) if isinstance(r, SessionRecord)]
    assert sessions == [(), ("C1",), ("C2",)]
    assert keys(folder) == dict.fromkeys(expected_keys(tiny_job), 1)


def test_cells_left_over_from_other_claims_do_not_keep_a_run_from_completion(folder, tiny_job):
    file = folder / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(x for x in lines if b'"block"' not in x or b"overhead" not in x))
    assert run(folder, replace(tiny_job, cells=tiny_job.cells[:1])) is False


def test_fresh_sets_the_records_aside(folder, tiny_job):
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, tiny_job, fresh=True) is True
    assert (folder / "records-previous.jsonl").read_bytes() == before
    assert keys(folder) == dict.fromkeys(expected_keys(tiny_job), 1)


def test_another_profile_is_refused(folder, tiny_job):
    other = replace(tiny_job, profile=replace(tiny_job.profile, name="standard"))
    with pytest.raises(RunError, match=r"run of tiny, not of standard.*--fresh.*--out"):
        run(folder, other)


def test_another_chain_is_refused(folder, tiny_job):
    with pytest.raises(RunError, match=r"run of 1 4 3 2, not of 1 6 6; use --fresh.*--out"):
        run(folder, replace(tiny_job, cells=(Cell((1, 6, 6)),)))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (f'"numpy":"{np.__version__}"', '"numpy":"1.0"', "numpy '1.0' instead of"),
        ('"dtype":"float64"', '"dtype":"float32"', "dtype 'float32' instead of 'float64'"),
        ('"threads":1', '"threads":7', "threads 7 instead of 1"),
    ],
)
def test_records_of_another_identity_are_refused_by_name(folder, tiny_job, old, new, named):
    file = folder / "records.jsonl"
    altered = file.read_text().replace(old, new)
    file.write_text(altered)
    with pytest.raises(RecordsError, match=rf"line 1: measured with {named}.*--out.*--fresh"):
        run(folder, tiny_job)
    assert file.read_text() == altered


def test_a_worker_that_fails_gives_the_reason_and_keeps_what_is_finished(folder, tiny_job):
    bad = replace(tiny_job, cells=(*tiny_job.cells, Cell((1, 4, 3, 2), engine="abacus")))
    with pytest.raises(RunError, match=r"unknown engine 'abacus'.*finished cells are kept"):
        run(folder, bad)
    assert keys(folder) == dict.fromkeys(expected_keys(tiny_job), 1)


@pytest.mark.parametrize("cells", [2, 4000])  # a request that fits in the pipe, and one too large
def test_a_worker_that_dies_at_once_is_reported(tmp_path, tiny_job, pretend, cells):
    pretend("echo 'ImportError: no such thing' >&2; exit 3")
    job = replace(tiny_job, cells=tuple(Cell((1, n, 2)) for n in range(1, cells + 1)))
    with pytest.raises(RunError, match="process failed: ImportError: no such thing; finished"):
        run(tmp_path, job)


def test_a_worker_may_say_more_than_a_pipe_holds(tmp_path, tiny_job, pretend):
    pretend("yes some warning | head -c 1048576 >&2; echo >&2; echo 'MemoryError' >&2; exit 3")
    with pytest.raises(RunError, match="process failed: MemoryError; finished"):
        run(tmp_path, tiny_job)


def test_a_worker_killed_amid_a_line_is_reported(tmp_path, tiny_job, pretend):
    pretend("""read line; printf '{"kind":"bl'; kill -9 $$""")
    with pytest.raises(RunError, match="process failed: exit status -9; finished"):
        run(tmp_path, tiny_job)
    assert keys(tmp_path) == {}


def test_the_worker_starts_with_its_threads_in_the_environment(tmp_path, tiny_job, pretend):
    pretend("echo threads=$OPENBLAS_NUM_THREADS,$MKL_NUM_THREADS >&2; exit 1")
    cores = usable_cores()
    with pytest.raises(RunError, match=f"threads={cores},{cores}"):
        run(tmp_path, replace(tiny_job, threads=cores))


def test_a_failing_callback_leaves_no_worker_behind(tmp_path, tiny_job):
    def fail(*_):
        workers.extend(psutil.Process().children())
        raise KeyboardInterrupt

    workers = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, tiny_job, progress=fail)
    assert workers
    assert not any(worker.is_running() for worker in workers)
    assert sum(keys(tmp_path).values()) == 1


@pytest.fixture
def told():
    """What was told after which record, and a function that makes the callback for a folder."""
    said = []

    def telling(folder):
        return lambda claim: said.append((claim, read_records(folder)[-1].key))

    return said, telling


def claim(name, *cells, **changes):
    """The experiment of a claim, on other cells."""
    (experiment,) = chosen([name])
    return replace(experiment, cells=lambda _: list(cells), **changes)


def test_a_claim_is_told_when_its_last_record_is_there(tmp_path, tiny_job, told):
    said, telling = told
    cell = tiny_job.cells[0]
    counted, timed, checked = claim("C1", cell), claim("C5", cell), claim("C3", timed=False)
    job = replace(tiny_job, experiments=(counted, timed, checked))
    assert run(tmp_path, job, finished=telling(tmp_path)) is True
    assert said == [
        ("C3", ("check", "C3:counts")),
        ("C1", ("cell", cell.id)),
        ("C5", ("block", cell.id, 1, 1)),
    ]


def test_a_resumed_run_tells_first_what_was_finished(folder, tiny_job, told):
    said, telling = told
    old, new = tiny_job.cells[0], Cell((1, 5, 2))
    experiments = claim("C1", old), claim("C5", new)
    job = replace(tiny_job, experiments=experiments, cells=(*tiny_job.cells, new))
    assert run(folder, job, finished=telling(folder)) is True
    assert said == [("C1", None), ("C5", ("block", new.id, 1, 1))]  # None: the session
    assert run(folder, job, finished=telling(folder)) is False
    assert len(said) == 2


def test_a_claim_of_skipped_cells_is_finished_without_blocks(tmp_path, tiny_job, told):
    said, telling = told
    cell = tiny_job.cells[0]
    profile = replace(tiny_job.profile, cell_seconds=0.0)
    job = replace(tiny_job, profile=profile, experiments=(claim("C5", cell),))
    assert run(tmp_path, job, finished=telling(tmp_path)) is True
    assert said == [("C5", ("cell", cell.id))]


def test_a_folder_below_a_file_is_refused(tmp_path, tiny_job):
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match=r"can't write to the folder.*--out"):
        run(tmp_path / "file" / "run", tiny_job)


def test_a_skipped_cell_completes_a_run(tmp_path, tiny_job):
    job = replace(tiny_job, profile=replace(tiny_job.profile, cell_seconds=0.0))
    assert run(tmp_path, job) is True
    assert all(r.skipped for r in read_records(tmp_path) if isinstance(r, CellRecord))
    assert not any(isinstance(r, BlockRecord) for r in read_records(tmp_path))
    assert run(tmp_path, job) is False


def test_a_forecast_measures_nothing_and_says_what_would_be_skipped(tiny_job):
    cells = (*tiny_job.cells, Cell((1, 10**6, 10**6)))
    found = forecast(replace(tiny_job, cells=cells))
    assert [f.cell for f in found] == [cell.id for cell in cells]
    assert [f.skipped is None for f in found] == [True, True, False]
    assert "GiB available" in found[2].skipped


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


def test_a_forecast_goes_by_the_rate_of_the_engine(tiny_job, monkeypatch):
    """18 and 32 multiplications at one a second; 3 of each order in each of 4 blocks."""
    rates = Rates(overhead=0.0, flops=np.inf, bandwidth=np.inf, loop=2.0)
    monkeypatch.setattr(runner, "rough_rates", lambda _: rates)
    cells = (Cell((1, 4, 3, 2)), Cell((1, 4, 3, 2), engine="einsum"))
    fast, slow = forecast(replace(tiny_job, cells=cells))
    assert fast.seconds < 1
    assert slow.seconds == 4 * 3 * (18 + 32)


def test_a_job_of_claims_has_their_cells_with_controls_each_once():
    job = job_of_claims("quick", ("c3", "C5"), threads=1, dtype="float32")
    names = [cell.id for cell in job.cells]
    assert job.claims == ("C3", "C5")
    assert len(set(names)) == len(names)
    assert Counter(cell.role for cell in job.cells)["control"] >= 2
    assert job.profile.name == "quick"


def test_no_claims_are_all_claims():
    job = job_of_claims("quick", (), threads=1, dtype="float64")
    assert job.claims == tuple(e.claim for e in chosen([]))
    assert "C9:digits" in job.checks


def test_a_job_of_a_chain_has_its_controls():
    job = job_of_chain((1, 4, 3, 2), threads=1, dtype="float64")
    assert Counter(cell.role for cell in job.cells) == {"cell": 1, "control": 2}
    assert {cell.dims for cell in job.cells} == {(1, 4, 3, 2)}


def test_without_scikit_learn_the_digits_name_the_remedy(monkeypatch):
    monkeypatch.setattr(jobs, "find_spec", lambda _: None)
    with pytest.raises(RunError, match=r"pip install 'jacchain\[data\]'"):
        job_of_claims("quick", ("C9",), threads=1, dtype="float64")
    assert job_of_claims("quick", ("C1",), threads=1, dtype="float64").claims == ("C1",)


@pytest.mark.parametrize("dims", [(1,), (1, 5), (2, 3, 4), (1, 0, 4), (1, 3, -2), (), (1,) * 191])
def test_dims_that_are_no_chain_with_a_scalar_loss_are_refused(dims):
    with pytest.raises(ValueError, match="expected at least three sizes of 1 or more"):
        job_of_chain(dims, threads=1, dtype="float64")


@pytest.mark.parametrize("threads", [0, -1, usable_cores() + 1])
def test_threads_that_cannot_be_had_are_refused(threads):
    with pytest.raises(ValueError, match=f"{threads} threads; expected 1 to {usable_cores()}"):
        job_of_chain((1, 2, 3), threads=threads, dtype="float64")


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="'slow'; known are quick, standard, full"):
        job_of_claims("slow", (), threads=1, dtype="float64")
    with pytest.raises(ValueError, match="'C77'; known are C1, C2"):
        job_of_claims("quick", ("C77",), threads=1, dtype="float64")
    with pytest.raises(ValueError, match="'int8'; known are float32, float64"):
        job_of_claims("quick", (), threads=1, dtype="int8")
