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
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.cells import Cell, Dims
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.prepare import Session, admit
from jacchain.experiments.profiles import Profile, chain_profile, profile_named
from jacchain.experiments.registry import chosen
from jacchain.experiments.worker import REQUEST, Request
from jacchain.experiments.workload import chain_workload, workload
from jacchain.measure.caches import Caches
from jacchain.measure.environment import environment, fingerprint
from jacchain.measure.memory import available_bytes
from jacchain.measure.threads import thread_environment, usable_cores
from jacchain.records.codec import decode
from jacchain.records.schema import (
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    Record,
    SessionRecord,
)
from jacchain.records.store import Store

Progress = Callable[[int, int], None]  # units done, units in all


class RunError(Exception):
    """A run that can't be done as asked, or whose measuring process failed."""


@dataclass(frozen=True)
class Order:
    """What the user asks for."""

    profile: Profile
    experiments: tuple[Experiment, ...]
    cells: tuple[Cell, ...]
    threads: int = 1
    dtype: str = "float64"

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the claims."""
        return tuple(e.claim for e in self.experiments)

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the untimed checks."""
        return tuple(name for e in self.experiments for name in e.checks)


def order_claims(profile: str, claims: tuple[str, ...], *, threads: int, dtype: str) -> Order:
    """Order a run of some claims (all of them if none is named) in a named profile.

    Raises
    ------
    ValueError
        If the profile, a claim or the dtype is unknown, or the threads can't be had.
    RunError
        If a claim needs a library that is not installed.
    """
    _check_settings(threads, dtype)
    known, picked = profile_named(profile), chosen(claims)
    if any("digits" in name for e in picked for name in e.checks) and not find_spec("sklearn"):
        message = "claim C9 needs scikit-learn: pip install 'jacchain[data]', or choose --claims"
        raise RunError(message)
    return Order(known, picked, workload(known, picked), threads, dtype)


def order_chain(dims: Dims, *, threads: int, dtype: str) -> Order:
    """Order the measurement of one chain in both orders.

    Raises
    ------
    ValueError
        If dims are no chain with a scalar loss, or as `order_claims` raises.
    """
    _check_settings(threads, dtype)
    if len(dims) < 3 or dims[0] != 1 or min(dims) < 1:
        message = (
            f"dims are {' '.join(map(str, dims))}; expected at least three sizes of 1 or more, "
            "loss first and beginning with 1, such as 1 10 256 784"
        )
        raise ValueError(message)
    return Order(chain_profile(), (), chain_workload(dims), threads, dtype)


def _check_settings(threads: int, dtype: str) -> None:
    if dtype not in {"float32", "float64"}:
        message = f"unknown dtype {dtype!r}; known are float32, float64"
        raise ValueError(message)
    cores = usable_cores()
    if not 1 <= threads <= cores:
        message = f"{threads} threads; expected 1 to {cores}, the cores that may be used here"
        raise ValueError(message)


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


def run(out: Path, order: Order, *, fresh: bool = False, progress: Progress | None = None) -> bool:
    """Measure what is ordered and not yet on record.

    Parameters
    ----------
    out
        Folder of the records; made if need be, locked while the run lasts.
    order
        From `order_claims` or `order_chain`.
    fresh
        Set earlier records aside and start anew.
    progress
        Called after every record with the units done and the units in all.

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
    identity = identity_of(facts, threads=order.threads, dtype=order.dtype)
    with Store.open(out, identity, fresh=fresh) as store:
        first = next((r for r in store.records if isinstance(r, SessionRecord)), None)
        _check_same(store, order, first)
        if _complete(store, order):
            return False
        seed = first.seed if first else secrets.randbits(32)
        store.append(_session(identity, order, seed, facts))
        for process in range(order.profile.processes):
            _serve(store, _request(store, order, process, seed, facts), order, progress)
        return True


@dataclass(frozen=True)
class Forecast:
    """What one cell would take; `skipped` says why it would not be measured."""

    cell: str
    seconds: float
    bytes: int
    skipped: str | None


def forecast(order: Order) -> list[Forecast]:
    """Predict every cell of an order, from rates measured in a fraction of a second."""
    facts = environment()
    identity = identity_of(facts, threads=order.threads, dtype=order.dtype)
    caches = Caches(l2=facts["l2_bytes"], llc=facts["llc_bytes"])
    rates = rough_rates(order.dtype)
    session = Session(identity, caches, rates, order.profile, available_bytes(), seed=0)
    return [Forecast(cell.id, *admit(cell, session)) for cell in order.cells]


def _session(identity: Identity, order: Order, seed: int, facts: dict[str, Any]) -> SessionRecord:
    return SessionRecord(
        identity=identity,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        profile=order.profile.name,
        claims=order.claims,
        seed=seed,
        environment=facts,
    )


def _check_same(store: Store, order: Order, first: SessionRecord | None) -> None:
    """Refuse to resume a run of another profile, or of another chain of the user's own."""
    chains = [r.dims for r in store.records if isinstance(r, CellRecord) and r.role == "cell"]
    held, asked = first and first.profile, order.profile.name
    if held == asked and not order.experiments and chains:
        held, asked = (f"1 {' '.join(map(str, d[1:]))}" for d in (chains[0], order.cells[0].dims))
    if first and held != asked:
        message = (
            f"{store.path.parent} holds a run of {held}, not of {asked}; "
            "use --fresh to start anew or --out for another folder"
        )
        raise RunError(message)


def _complete(store: Store, order: Order) -> bool:
    """Whether every claim is named, every cell has its blocks, and every check its values."""
    claims = {c for r in store.records if isinstance(r, SessionRecord) for c in r.claims}
    asked = {cell.id for cell in order.cells}
    cells = {
        r.cell: r
        for r in store.records
        if isinstance(r, CellRecord) and (r.cell in asked or (asked and r.role == "ceiling"))
    }
    blocks = Counter(r.cell for r in store.records if isinstance(r, BlockRecord))
    return (
        claims.issuperset(order.claims)
        and asked <= cells.keys()
        and all(r.skipped or blocks[r.cell] >= order.profile.blocks for r in cells.values())
        and all(store.done(("check", name)) for name in order.checks)
    )


def _request(store: Store, order: Order, process: int, seed: int, facts: dict[str, Any]) -> Request:
    cells = [r for r in store.records if isinstance(r, CellRecord)]
    return Request(
        identity=store.identity,
        caches=Caches(l2=facts["l2_bytes"], llc=facts["llc_bytes"]),
        profile=order.profile,
        process=process,
        seed=seed,
        cells=order.cells,
        claims=order.claims,
        known={r.cell: None if r.skipped else tuple(a.batch for a in r.arms) for r in cells},
        done=frozenset(
            (r.cell, r.round)
            for r in store.records
            if isinstance(r, BlockRecord) and r.process == process
        ),
        checked=frozenset(r.check for r in store.records if isinstance(r, CheckRecord)),
    )


@contextmanager
def _worker(request: Request) -> Iterator[subprocess.Popen[bytes]]:
    """The measuring process; it dies with this one, by the closed pipe, or when this one fails."""
    command = [sys.executable, "-m", "jacchain.experiments.worker"]
    environ = os.environ | thread_environment(request.identity.threads)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ) as process:
        try:
            yield process
        finally:
            process.kill()


def _serve(store: Store, request: Request, order: Order, progress: Progress | None) -> None:
    """Store every record that the worker prints; an unfinished one is torn, and not stored."""
    with _worker(request) as worker:
        assert worker.stdin
        assert worker.stdout
        assert worker.stderr
        with suppress(BrokenPipeError), worker.stdin as stdin:  # why it died is read below
            stdin.write(REQUEST.dump_json(request))
        for line in worker.stdout:
            if line.endswith(b"\n"):
                store.append(decode(line))
            if progress:
                progress(*_units(store.records, order))
        error = worker.stderr.read().decode(errors="replace").strip()
        if worker.wait() != 0:
            reason = error.splitlines()[-1] if error else f"exit status {worker.returncode}"
            message = f"the measuring process failed: {reason}; finished cells are kept, run again"
            raise RunError(message)


def _units(records: list[Record], order: Order) -> tuple[int, int]:
    """Blocks and checks done, and expected in all, going by the cells seen so far."""
    cells = [r for r in records if isinstance(r, CellRecord)]
    skipped = sum(r.skipped is not None for r in cells)
    stations = max(len(cells), len(order.cells)) - skipped
    done = sum(isinstance(r, BlockRecord | CheckRecord) for r in records)
    return done, stations * order.profile.blocks + len(order.checks)
