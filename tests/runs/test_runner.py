"""Runs: killed, resumed, refused and failing ones."""

import re
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from io import StringIO
from itertools import accumulate, product
from operator import mul
from pathlib import Path

import psutil
import pytest
import threadpoolctl
from rich.console import Console

from jacchain.claims import registry
from jacchain.claims.own_chain import experiment_named
from jacchain.cli import shared
from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.limits import usable_cores
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord, SessionRecord
from jacchain.runs import runner
from jacchain.runs.assess import assess
from jacchain.runs.job import Job, RunError
from jacchain.runs.runner import Work, forecast, run
from tests.runs.tiny_claims import CHAIN, CLAIMS, COMPARISON, COUNTS, OWN, TINY, blas_threads

REFERENCE = Path(__file__).parents[2] / "results/reference"
PYTHON = sys.executable  # of which the runner's is made to differ

# A run in a process of its own, which prints a line for each record on the disk.
SCRIPT = """
import sys
from pathlib import Path
from jacchain.runs.runner import run
from tests.runs.tiny_claims import OWN
run(Path(sys.argv[1]), OWN, progress=lambda *units: print(*units, flush=True))
"""


def keys(folder):
    """How often each key is on record; sessions have none."""
    return Counter(r.key for r in read_records(folder) if r.key)


def sessions(folder):
    return [r for r in read_records(folder) if isinstance(r, SessionRecord)]


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


@pytest.fixture(scope="module")
def job(pretend):
    """A claim on a count, one on a comparison and one on a check, known here and in workers."""
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch, f"exec {shlex.quote(PYTHON)} -m tests.runs.tiny_claims")
        patch.setattr(registry, "experiments", lambda: CLAIMS)
        patch.setitem(PROFILES.entries, "tiny", TINY)
        yield Job(tuple(CLAIMS.entries.values()), TINY, Sizes())


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


def plain(terminal):
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", terminal.file.getvalue())


def in_seconds(text):
    """Read hours, minutes and seconds as the bar shows them."""
    hours, minutes, seconds = map(int, text.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def test_progress_goes_from_nothing_to_all(finished):
    """Two cells of two rounds in two processes, and a check."""
    done, totals = zip(*finished[1], strict=True)
    assert len(set(totals)) == 1
    assert done == tuple(sorted(done))
    assert done[-1] == pytest.approx(totals[0])
    assert len(set(done)) == 9


@pytest.fixture(scope="module")
def replayed():
    """Return a function that goes through a part of the committed run's blocks, by predicted work.

    It yields the seconds that the blocks took until now and in all, and the work so far.
    """
    records = read_records(REFERENCE)
    cells = {r.cell: r for r in records if isinstance(r, CellRecord) and not r.skipped}
    predicted = {name: cell.predicted_seconds for name, cell in cells.items()}

    def took(block):
        arms = cells[block.cell].arms
        batches = [arms["AB".index(letter)].batch for letter in block.sequence]
        return sum(map(mul, block.seconds, batches))

    def replay(processes):
        measured = (r for r in records if isinstance(r, BlockRecord))
        blocks = [block for block in measured if block.process < processes]
        elapsed = list(accumulate(map(took, blocks)))
        work = Work(predicted, len(blocks) // len(cells), 0)
        for block, now in zip(blocks, elapsed, strict=True):
            work.see(block)
            yield now, elapsed[-1], work
        assert work.done == pytest.approx(work.total)

    return replay


def test_the_time_that_remains_is_right_within_a_factor_of_two_from_a_tenth_on(
    replayed, monkeypatch
):
    """As the bar shows it, over a whole run."""
    clock = [0.0]
    terminal = Console(file=StringIO(), force_terminal=True, width=100, get_time=lambda: clock[0])
    monkeypatch.setattr(shared, "errors", terminal)
    with shared.bar("measuring", every=50) as update:
        for now, _, work in replayed(processes=12):
            clock[0] = now
            update(work.done, work.total)
    shown = re.findall(r"(\d+:\d\d:\d\d) left (\d+:\d\d:\d\d)", plain(terminal))
    tenths, total = set(), clock[0]
    for passed, left in (map(in_seconds, pair) for pair in shown):
        remains = total - passed
        if total / 10 < passed and remains > 10:  # whole seconds are shown
            tenths.add(int(10 * passed / total))
            assert 0.5 < left / remains < 2
    assert tenths == set(range(1, 10))


def test_work_is_weighed_by_what_it_takes(replayed):
    """Of two rounds, a factor of two holds unweighted too: the order of the cells is random."""
    for now, total, work in replayed(processes=1):
        if 0.1 < now / total < 0.9:
            estimate = now * (work.total - work.done) / work.done
            assert 0.8 < estimate / (total - now) < 1.25


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
    (session,) = sessions(finished[0])
    assert (session.profile, session.claims) == ("tiny", job.claims)
    assert session.environment["numpy"] in session.identity.numpy
    shares = session.environment["cpu_share_of_threads"]
    assert len(shares) == usable_cores()
    assert all(0 < share < 1.1 for share in shares)


def test_a_complete_run_measures_nothing_more(folder, job, pretend, monkeypatch):
    pretend(monkeypatch, "exit 9")  # no process may be started
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, job) is False
    assert (folder / "records.jsonl").read_bytes() == before


def test_a_resumed_run_measures_what_is_missing(folder, job):
    for lost in ('"round":1', '"kind":"check"'):
        lose(folder, lost)
    progress = []
    assert run(folder, job, progress=lambda *units: progress.append(units)) is True
    done, totals = zip(*progress, strict=True)
    assert len(progress) == 5
    assert done[0] > totals[0] / 9  # what was on record is done
    assert done[-1] == pytest.approx(totals[-1])
    assert keys(folder) == expected_keys(job)
    first, second = sessions(folder)
    assert first.seed == second.seed


def test_a_resumed_run_tells_first_what_was_finished(folder, job):
    lose(folder, f'"cell":"{COMPARISON.name}","process":1')
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
    claims = [session.claims for session in sessions(tmp_path)]
    assert claims == [("counted", "checked"), ("compared", "checked")]


def test_a_claim_whose_cells_are_all_on_record_is_named_in_a_session(folder, job):
    """A claim is judged only where a session names it."""
    lone = replace(job, experiments=(experiment_named("cell-1x4x3x2"),))
    assert run(folder, lone) is True
    assert run(folder, lone) is False
    assert [session.claims for session in sessions(folder)] == [job.claims, lone.claims]
    assert keys(folder) == expected_keys(job)


def test_cells_left_over_from_other_claims_do_not_keep_a_run_from_completion(folder, job):
    lose(folder, f'"cell":"{COMPARISON.name}","process"')  # its blocks
    counted, _, checked = job.experiments
    assert run(folder, replace(job, experiments=(counted, checked))) is False


def test_skipped_cells_complete_a_run_and_finish_a_claim(tmp_path, job):
    told = {}
    none = replace(job, sampling=replace(job.sampling, cell_seconds=0.0))
    assert run(tmp_path, none, finished=lambda v: told.update({v.claim: v})) is True
    records = read_records(tmp_path)
    skipped = [r.skipped for r in records if isinstance(r, CellRecord)]
    assert not any(isinstance(r, BlockRecord) for r in records)
    for reason in (*skipped, told["compared"].reason):
        assert "over the profile's 0\u00a0s" in reason
    assert told["compared"].verdict == "inconclusive"
    assert run(tmp_path, none) is False


def test_fresh_sets_the_records_aside(folder, job, pretend, monkeypatch):
    pretend(monkeypatch, "exit 0")
    before = (folder / "records.jsonl").read_bytes()
    assert run(folder, job, fresh=True) is True
    assert (folder / "records-previous.jsonl").read_bytes() == before
    assert keys(folder) == {}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sampling", PROFILES["standard"], "run of tiny, not of standard; use --fresh.*--out"),
        ("dtype", "float32", "line 1: measured with dtype 'float64' instead of 'float32'.*--fresh"),
        ("threads", 7, "line 1: measured with threads 1 instead of 7.*--out.*--fresh"),
    ],
)
def test_what_was_measured_otherwise_is_refused(folder, job, field, value, message):
    before = (folder / "records.jsonl").read_bytes()
    with pytest.raises((RunError, RecordsError), match=message):
        run(folder, replace(job, **{field: value}))
    assert (folder / "records.jsonl").read_bytes() == before


def test_a_worker_that_fails_gives_the_reason_and_keeps_what_is_finished(folder, job):
    stranger = replace(job.experiments[0], claim="C77")
    with pytest.raises(RunError, match=r"unknown claim 'C77'.*finished cells are kept"):
        run(folder, replace(job, experiments=(*job.experiments, stranger)))
    assert keys(folder) == expected_keys(job)


@pytest.mark.parametrize("size", [2, 40_000])  # a request that fits in the pipe, and one too large
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'ImportError: no such thing' >&2; exit 3", "ImportError: no such thing"),
        ("yes this | head -c 1048576 >&2; echo >&2; echo MemoryError >&2; exit 3", "MemoryError"),
        ("""read line; printf '{"kind":"bl'; kill -9 $$""", "exit status -9"),
        ("echo $OPENBLAS_NUM_THREADS,$MKL_NUM_THREADS >&2; exit 1", "{0},{0}"),
    ],
    ids=["dies at once", "says a lot", "is killed amid a line", "knows its threads"],
)
def test_a_worker_that_fails_is_reported(tmp_path, job, pretend, monkeypatch, script, reason, size):
    pretend(monkeypatch, script)
    chain = replace(experiment_named(f"cell-{'x'.join(['1'] * size)}"), cells=lambda _: [])
    reason = reason.format(usable_cores())
    with pytest.raises(RunError, match=f"process failed: {reason}; finished cells are kept"):
        run(tmp_path, replace(job, experiments=(chain,), threads=usable_cores()))
    assert keys(tmp_path) == {}


def test_a_failing_callback_leaves_no_worker_behind(tmp_path, job):
    def fail(*_):
        children = psutil.Process().children()
        workers.extend(child for child in children if "tests.runs.tiny_claims" in child.cmdline())
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


def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, monkeypatch):
    """With the real measuring process, on a chain of the user's own."""
    monkeypatch.setattr(runner.sys, "executable", PYTHON)
    workers = [worker for lines in (2, 5) for worker in kill(str(tmp_path), lines)]
    torn = tmp_path / "records.jsonl"
    torn.write_bytes(torn.read_bytes() + b'{"kind":"block","sch')
    assert len(workers) == 2
    _, left = psutil.wait_procs(workers, timeout=60)  # an orphan is a zombie until it is reaped
    assert not any(w.is_running() and w.status() != psutil.STATUS_ZOMBIE for w in left)
    with pytest.warns(UserWarning, match="removed a torn last line"):
        assert run(tmp_path, OWN) is True
    assert keys(tmp_path) == expected_keys(OWN)
    assert len({session.seed for session in sessions(tmp_path)}) == 1
    assert run(tmp_path, OWN) is False


def test_the_claims_left_out_are_on_record(tmp_path):
    job = replace(OWN, sampling=replace(OWN.sampling, processes=1, rounds=1))
    run(tmp_path, replace(job, left_out=(CLAIMS["checked"],)))
    assert sessions(tmp_path)[0].environment["claims_left_out"] == ["checked"]


def test_a_forecast_measures_nothing_and_says_what_would_be_skipped():
    huge = experiment_named(f"cell-1x{10**6}x{10**6}")
    cells = forecast(replace(OWN, experiments=(*OWN.experiments, huge)))
    names = [cell.name for cell in OWN.cells]
    assert [cell.cell for cell in cells] == [*names, f"chain 1x{10**6}x{10**6}"]
    assert all(cell.seconds > 0 and cell.bytes > 0 for cell in cells)
    assert [cell.skipped is None for cell in cells] == [True, True, True, False]
    assert "GiB available" in cells[-1].skipped


def test_a_forecast_measures_with_the_threads_of_the_job_and_gives_them_back(monkeypatch):
    seen = []
    monkeypatch.setattr(
        runner, "rough_rates", lambda dtype: seen.append(blas_threads()) or rough_rates(dtype)
    )
    with threadpoolctl.threadpool_limits(usable_cores(), user_api="blas"):
        before = blas_threads()
        forecast(OWN)
        assert blas_threads() == before
    assert seen == [{OWN.threads}]
