"""A run: it starts the measuring processes one after the other and stores what they print."""

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from threadpoolctl import threadpool_limits

from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.compared import admit_ways
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.job import Job, RunError
from jacchain.experiments.prepare import Session, admit
from jacchain.experiments.profiles import Profile
from jacchain.experiments.worker import REQUEST, Emit, Request
from jacchain.measure.caches import Caches
from jacchain.measure.environment import environment, fingerprint
from jacchain.measure.memory import available_bytes
from jacchain.measure.threads import thread_environment
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

Progress = Callable[[int, int], None]  # units done, units in all
Finished = Callable[[str], None]  # a claim


def identity_of(facts: dict[str, Any], *, threads: int, dtype: str) -> Identity:
    """What records of this machine, software, thread count and dtype may be mixed with."""
    return Identity(
        machine=fingerprint(facts),
        numpy=facts["numpy"],
        blas=facts["blas"],
        jacchain=facts["jacchain"],
        dtype=dtype,
        threads=threads,
    )


def run(
    out: Path,
    job: Job,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> bool:
    """Measure what is asked for and not yet on record.

    Parameters
    ----------
    out
        Folder of the records; made if need be, locked while the run lasts.
    job
        From `job_of_claims` or `job_of_chain`.
    fresh
        Set earlier records aside and start anew.
    progress
        Called after every record with the units done and the units in all.
    finished
        Called once with each claim, as soon as the records that it needs are there: those of its
        checks and cells, and all blocks of these if it is judged on times. Of a run that is
        resumed, the claims that were finished already come first.

    Returns
    -------
    bool
        False if the run was complete already, and nothing was measured.

    Raises
    ------
    RecordsError
        If the folder can't be written, or holds records that must not be mixed with these.
    RunError
        If it holds a run of another profile or chain, or the measuring process fails.
    """
    facts = environment()
    identity = identity_of(facts, threads=job.threads, dtype=job.dtype)
    with Store.open(out, identity, fresh=fresh) as store:
        first = next((r for r in store.records if isinstance(r, SessionRecord)), None)
        _check_same(store, job, first)
        if _complete(store, job):
            return False
        seed = first.seed if first else secrets.randbits(32)
        unfinished = _Unfinished(job, finished)

        def keep(record: Record) -> None:
            store.append(record)
            if progress:
                progress(*_units(store.records, job))
            unfinished.see(record)

        store.append(_session(identity, job, seed, facts))
        for record in store.records:
            unfinished.see(record)
        for process in range(job.profile.processes):
            _serve(_request(store, job, process, seed, facts), keep)
        return True


@dataclass(frozen=True)
class Forecast:
    """What one cell would take; `skipped` says why it would not be measured."""

    cell: str
    seconds: float
    bytes: int
    skipped: str | None


def forecast(job: Job) -> list[Forecast]:
    """Predict every cell of a job, from rates measured in a fraction of a second.

    Examples
    --------
    >>> from jacchain.experiments.job import job_of_chain
    >>> [cell.skipped for cell in forecast(job_of_chain((1, 4, 2), threads=1, dtype="float64"))]
    [None, None, None]
    """
    facts = environment()
    identity = identity_of(facts, threads=job.threads, dtype=job.dtype)
    caches = Caches(l2=facts["l2_bytes"], llc=facts["llc_bytes"])
    with threadpool_limits(job.threads, user_api="blas"):  # as a worker has them from its start
        rates = rough_rates(job.dtype)
    session = Session(identity, caches, rates, job.profile, available_bytes(), seed=0)
    cells = [Forecast(cell.id, *admit(cell, session)) for cell in job.cells]
    return cells + [
        Forecast(of.id, *admit_ways(of.ways(session.dtype, session.seed), session))
        for of in job.comparisons
    ]


def _session(identity: Identity, job: Job, seed: int, facts: dict[str, Any]) -> SessionRecord:
    return SessionRecord(
        identity=identity,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=job.profile.name,
        claims=job.claims,
        seed=seed,
        environment=facts,
    )


def _check_same(store: Store, job: Job, first: SessionRecord | None) -> None:
    """Refuse to resume a run of another profile, or of another chain of the user's own."""
    chains = [r.dims for r in store.records if isinstance(r, CellRecord) and r.role == "cell"]
    held, asked = first and first.profile, job.profile.name
    if held == asked and not job.experiments and chains:
        held, asked = (f"1 {' '.join(map(str, d[1:]))}" for d in (chains[0], job.cells[0].dims))
    if first and held != asked:
        message = (
            f"{store.path.parent} holds a run of {held}, not of {asked}; "
            "use --fresh to start anew or --out for another folder"
        )
        raise RunError(message)


def _complete(store: Store, job: Job) -> bool:
    """Whether every claim is named, every cell has its blocks, and every check its values."""
    claims = {c for r in store.records if isinstance(r, SessionRecord) for c in r.claims}
    asked = set(job.stations)
    cells = {
        r.cell: r
        for r in store.records
        if isinstance(r, CellRecord) and (r.cell in asked or (asked and r.role == "ceiling"))
    }
    blocks = Counter(r.cell for r in store.records if isinstance(r, BlockRecord))
    return (
        claims.issuperset(job.claims)
        and asked <= cells.keys()
        and all(r.skipped or blocks[r.cell] >= job.profile.blocks for r in cells.values())
        and all(store.done(("check", name)) for name in job.checks)
    )


def _request(store: Store, job: Job, process: int, seed: int, facts: dict[str, Any]) -> Request:
    cells = [r for r in store.records if isinstance(r, CellRecord)]
    return Request(
        identity=store.identity,
        caches=Caches(l2=facts["l2_bytes"], llc=facts["llc_bytes"]),
        profile=job.profile,
        process=process,
        seed=seed,
        cells=job.cells,
        claims=job.claims,
        known={r.cell: None if r.skipped else tuple(a.batch for a in r.arms) for r in cells},
        done=frozenset(
            (r.cell, r.round)
            for r in store.records
            if isinstance(r, BlockRecord) and r.process == process
        ),
        checked=frozenset(r.check for r in store.records if isinstance(r, CheckRecord)),
    )


@contextmanager
def _worker(request: Request, errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The measuring process; it ends with this one, whose end of its input closes with it."""
    command = [sys.executable, "-m", "jacchain.experiments.worker"]
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
            said = errors.read().decode(errors="replace").strip()
            reason = said.splitlines()[-1] if said else f"exit status {worker.returncode}"
            message = f"the measuring process failed: {reason}; finished cells are kept, run again"
            raise RunError(message)


class _Unfinished:
    """The claims that lack records, and which they lack."""

    def __init__(self, job: Job, finished: Finished | None) -> None:
        self._finished = finished or (lambda _: None)
        self._missing = {e.claim: _needed(e, job.profile) for e in job.experiments}

    def see(self, record: Record) -> None:
        """Strike a record off, and tell which claims lack no more."""
        for claim, missing in list(self._missing.items()):
            missing.discard(record.key)
            if isinstance(record, CellRecord) and record.skipped:
                missing -= {key for key in missing if key[:2] == ("block", record.cell)}
            if not missing:
                del self._missing[claim]
                self._finished(claim)


def _needed(experiment: Experiment, profile: Profile) -> set[Key]:
    """Keys of the records that a claim is judged on, those that claims share apart."""
    cells = [cell.id for cell in experiment.cells(profile)]
    cells += [of.id for of in experiment.comparisons(profile)]
    needed: set[Key] = {("check", name) for name in experiment.checks}
    needed |= {("cell", cell) for cell in cells}
    if experiment.timed:
        visits = product(cells, range(profile.processes), range(profile.rounds))
        needed |= {("block", *visit) for visit in visits}
    return needed


def _units(records: list[Record], job: Job) -> tuple[int, int]:
    """Blocks and checks done, and expected in all, going by the cells seen so far."""
    cells = [r for r in records if isinstance(r, CellRecord)]
    skipped = sum(r.skipped is not None for r in cells)
    stations = max(len(cells), len(job.stations)) - skipped
    done = sum(isinstance(r, BlockRecord | CheckRecord) for r in records)
    return done, stations * job.profile.blocks + len(job.checks)
