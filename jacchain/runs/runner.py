"""A run: it starts the measuring processes one after the other and stores what they print."""

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from threadpoolctl import threadpool_limits

from jacchain.analysis.verdicts import Verdict
from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.experiment import Experiment
from jacchain.limits import available_bytes
from jacchain.measuring.cores import shared_cores
from jacchain.measuring.environment import environment, fingerprint
from jacchain.measuring.threads import thread_environment
from jacchain.records.codec import decode
from jacchain.records.schema import (
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    Key,
    Record,
    SessionRecord,
)
from jacchain.records.store import Store
from jacchain.runs.admission import Admission, Session, admit
from jacchain.runs.assess import evidence_of, verdict_on
from jacchain.runs.job import Job, RunError
from jacchain.runs.worker import REQUEST, Emit, Request, batches_of

Progress = Callable[[float, float], None]  # predicted seconds done, and in all
Finished = Callable[[Verdict], None]

CHECK_SECONDS = 1.0  # that an untimed check is predicted to take


def identity_of(facts: dict[str, Any], *, threads: int, dtype: str) -> Identity:
    """Say what records of this machine, software, thread count and dtype may be mixed with."""
    versions = {name: facts[name] for name in ("numpy", "blas", "jacchain")}
    return Identity(machine=fingerprint(facts), dtype=dtype, threads=threads, **versions)


def run(
    out: Path,
    job: Job,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> bool:
    """Measure what is asked for and not yet on record; False if there was nothing to measure.

    The folder `out` is made if need be and locked while the run lasts; `fresh` sets earlier records
    aside. `progress` is called after every record with the predicted seconds that are done, and in
    all.
    `finished` is called with the verdict on each claim, as soon as its checks, its cells, and, if
    it is judged on times, their blocks are on record: in a resumed run, before the first.

    Raises RecordsError if the folder can't be written, or holds records that must not be mixed with
    these; RunError if it holds a run of another profile or chain, or the measuring process fails.
    """
    facts = environment()
    identity = identity_of(facts, threads=job.threads, dtype=job.dtype)
    with Store.open(out, identity, fresh=fresh) as store:
        sessions = [r for r in store.records if isinstance(r, SessionRecord)]
        _check_same(store, job, sessions)
        if _complete(store, job, sessions):
            return False
        seed = sessions[0].seed if sessions else secrets.randbits(32)
        facts |= {"cpu_share_of_threads": shared_cores()}
        facts |= {"claims_left_out": [e.claim for e in job.left_out]} if job.left_out else {}
        store.append(_session(identity, job, seed, facts))
        unfinished = _Unfinished(job, store, finished)
        for record in tuple(store.records):
            unfinished.see(record)
        unfinished.tell()
        report = _reporting(job, store, progress)

        def keep(record: Record) -> None:
            store.append(record)
            report(record)
            unfinished.see(record)

        for process in range(job.sampling.processes):
            _serve(_request(store, job, process, seed), keep)
            unfinished.tell()
        return True


def forecast(job: Job) -> list[Admission]:
    """Predict every cell of a job, from rates measured in a fraction of a second.

    Examples
    --------
    >>> from jacchain.runs.job import job_of
    >>> [cell.skipped for cell in forecast(job_of("chain", ["chain-1x4x2"]))]
    [None, None, None]
    """
    identity = identity_of(environment(), threads=job.threads, dtype=job.dtype)
    with threadpool_limits(job.threads, user_api="blas"):  # as a worker has them from its start
        rates = rough_rates(job.dtype)
    session = Session(identity, job.sampling, rates, available_bytes(), seed=0)
    return [admit(cell, session.arms(cell), session) for cell in job.cells]


def _session(identity: Identity, job: Job, seed: int, facts: dict[str, Any]) -> SessionRecord:
    return SessionRecord(
        identity=identity,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=job.sampling.name,
        claims=job.claims,
        seed=seed,
        environment=facts,
    )


def _check_same(store: Store, job: Job, sessions: list[SessionRecord]) -> None:
    """Refuse to resume a run of another profile, or of another chain of the user's own."""
    if not sessions:
        return
    before, now = sessions[0].profile, job.sampling.name
    if before == now == "chain":
        before, now = (" ".join(claims) for claims in (sessions[0].claims, job.claims))
    if before != now:
        remedy = "use --fresh to start anew or --out for another folder"
        message = f"{store.path.parent} holds a run of {before}, not of {now}; {remedy}"
        raise RunError(message)


def _complete(store: Store, job: Job, sessions: list[SessionRecord]) -> bool:
    """Whether every claim is named, every cell has its blocks, and every check its values."""
    names = {cell.name for cell in job.cells}
    cells = {r.cell: r for r in store.records if isinstance(r, CellRecord) and r.cell in names}
    blocks = Counter(r.cell for r in store.records if isinstance(r, BlockRecord))
    return (
        {claim for session in sessions for claim in session.claims}.issuperset(job.claims)
        and names <= cells.keys()
        and all(r.skipped or blocks[r.cell] >= job.sampling.blocks for r in cells.values())
        and all(store.done(("check", name)) for name in job.checks)
    )


def _request(store: Store, job: Job, process: int, seed: int) -> Request:
    records = store.records
    return Request(
        identity=store.identity,
        sampling=job.sampling,
        sizes=job.sizes,
        process=process,
        seed=seed,
        claims=job.claims,
        batches={r.cell: batches_of(r) for r in records if isinstance(r, CellRecord)},
        done=frozenset(r.key for r in records if r.key),
    )


# The measuring process runs this jacchain, but nothing else that lies in the user's folder.
_START = """
import sys
from runpy import run_module
names = ("site-packages", "dist-packages")
installed = [i for i, path in enumerate(sys.path) if path.endswith(names)]
sys.path.insert(min(installed, default=len(sys.path)), sys.argv.pop())
run_module("jacchain.runs.worker", run_name="__main__", alter_sys=True)
"""


@contextmanager
def _worker(request: Request, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the measuring process; it ends with this one, whose end of its input closes with it."""
    command = [sys.executable, "-P", "-c", _START, str(Path(__file__).parents[2])]
    environ = os.environ | thread_environment(request.identity.threads)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, env=environ) as process:
        assert process.stdin
        try:
            with suppress(BrokenPipeError):  # why it died is read in its errors
                process.stdin.write(REQUEST.dump_json(request) + b"\n")
                process.stdin.flush()
            yield process
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()


def _serve(request: Request, keep: Emit) -> None:
    """Keep every record that the worker prints; an unfinished one is torn, and not kept.

    Its errors go to a file: a pipe that nobody reads while it works would fill up and block it.
    """
    with TemporaryFile() as errors, _worker(request, errors) as worker:
        assert worker.stdout
        for line in worker.stdout:
            if line.endswith(b"\n"):
                keep(decode(line))
        if worker.wait() != 0:
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip()
            reason = text.splitlines()[-1] if text else f"exit status {worker.returncode}"
            message = f"the measuring process failed: {reason}; finished cells are kept, run again"
            raise RunError(message)


class _Unfinished:
    """The claims that lack records, and which they lack.

    Those judged on times are told when no process measures: judging takes a core for seconds.
    """

    def __init__(self, job: Job, store: Store, finished: Finished | None) -> None:
        self._job, self._store, self._finished = job, store, finished
        self._missing = {e.claim: _needed(e, job) for e in job.experiments if finished}
        self._measured: list[Experiment] = []

    def see(self, record: Record) -> None:
        """Strike a record off, and tell the verdicts on untimed claims that lack no more."""
        for experiment in self._job.experiments:
            missing = self._missing.get(experiment.claim)
            if missing is None:
                continue
            if record.key is not None:
                missing.discard(record.key)
            if isinstance(record, CellRecord) and record.skipped:
                missing -= {key for key in missing if key[:2] == ("block", record.cell)}
            if not missing:
                del self._missing[experiment.claim]
                if experiment.timed:
                    self._measured.append(experiment)
                else:
                    self._tell(experiment)

    def tell(self) -> None:
        """Tell the verdicts on the timed claims that lack no more."""
        while self._measured:
            self._tell(self._measured.pop(0))

    def _tell(self, experiment: Experiment) -> None:
        """Judge this claim alone, by the records so far."""
        evidence = evidence_of(self._store.records, [experiment])
        verdict = verdict_on(experiment, evidence, self._job.sizes)
        if verdict and self._finished:
            self._finished(verdict)


def _needed(experiment: Experiment, job: Job) -> set[Key]:
    """Keys of the records that a claim is judged on."""
    cells = [cell.name for cell in experiment.cells(job.sizes)]
    needed: set[Key] = {("check", name) for name in experiment.checks}
    needed |= {("cell", cell) for cell in cells}
    if experiment.timed:
        rounds = product(cells, range(job.sampling.processes), range(job.sampling.rounds))
        needed |= {("block", *visit) for visit in rounds}
    return needed


class Work:
    """The seconds of a job that are done, and in all, as predicted: cells differ widely.

    `predicted` has those of all blocks of each cell, and `blocks` how many they are.
    """

    def __init__(self, predicted: dict[str, float], blocks: int, checks: int) -> None:
        self._predicted, self._blocks = dict(predicted), blocks
        self._checks = CHECK_SECONDS * checks
        self.done = 0.0

    @property
    def total(self) -> float:
        """Seconds of all cells that are not skipped, and of the checks."""
        return sum(self._predicted.values()) + self._checks

    def see(self, record: Record) -> None:
        """Count what a record tells."""
        if isinstance(record, CellRecord) and record.skipped:
            self._predicted[record.cell] = 0.0
        elif isinstance(record, BlockRecord):
            self.done += self._predicted.get(record.cell, 0.0) / self._blocks
        elif isinstance(record, CheckRecord):
            self.done += CHECK_SECONDS


def _reporting(job: Job, store: Store, progress: Progress | None) -> Callable[[Record], None]:
    """Return what tells the progress after each record, beginning with those that are stored."""
    if not progress:
        return lambda _: None
    predicted = {a.cell: 0.0 if a.skipped else a.seconds for a in forecast(job)}
    work = Work(predicted, job.sampling.blocks, len(job.checks))
    for record in store.records:
        work.see(record)

    def report(record: Record) -> None:
        work.see(record)
        progress(work.done, work.total)

    return report
