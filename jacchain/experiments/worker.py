"""The process that measures: it visits every cell in every round and prints records.

It is started by the runner as `python -m jacchain.experiments.worker`, with the BLAS threads in
its environment before numpy is loaded, a request as one line of JSON on its standard input, and
record lines expected on its standard output. It has no state worth keeping: killed at any moment,
the records that it has printed are whole, and the next worker goes on from them. It ends when its
standard input does: whoever asked is gone, and what runs beside a resumed run would disturb it.
"""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from jacchain.chains.chain import Chain
from jacchain.costs.machine import Ceiling, ceilings
from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.cells import Cell, Dims
from jacchain.experiments.compared import admit_ways, describe_comparison
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.prepare import (
    Kernel,
    Session,
    admit,
    build_chain,
    build_kernels,
    describe,
    describe_ceiling,
)
from jacchain.experiments.profiles import Profile
from jacchain.experiments.registry import chosen
from jacchain.measure.blocks import measure_block
from jacchain.measure.caches import Caches
from jacchain.measure.memory import available_bytes
from jacchain.measure.threads import confine, pin_threads
from jacchain.records.codec import encode
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord, Identity, Record

Station = Cell | Ceiling | Comparison
Emit = Callable[[Record], None]


@dataclass(frozen=True)
class Request:
    """What one worker is asked to do. `known` has the batches of cells that are on record."""

    identity: Identity
    caches: Caches
    profile: Profile
    process: int
    seed: int
    cells: tuple[Cell, ...]
    claims: tuple[str, ...]
    known: dict[str, tuple[int, ...] | None]
    done: frozenset[tuple[str, int]]
    checked: frozenset[str]


REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


@dataclass
class _Group:
    """What is kept of all stations of the same dims: one chain, and kernels by station."""

    chain: Chain | None
    ways: tuple[Way, ...]
    bytes: int
    kernels: dict[str, list[Kernel]] = field(default_factory=dict)


class KernelCache:
    """Kernels with their arrays, kept between rounds as far as memory allows.

    Cells of the same dims, such as a cell and its controls, share one chain.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._groups: dict[Dims | str, _Group] = {}

    def get(self, station: Station, session: Session) -> list[Kernel]:
        """The kernels of a station; the least recently used groups make room for a new one."""
        group = self._group(station, session)
        if station.id not in group.kernels:
            group.kernels[station.id] = _kernels(station, group, session)
        return group.kernels[station.id]

    def chain(self, cell: Cell, session: Session) -> Chain:
        """The chain of a cell."""
        chain = self._group(cell, session).chain
        assert chain is not None
        return chain

    def ways(self, comparison: Comparison, session: Session) -> tuple[Way, ...]:
        """Both ways of a comparison."""
        return self._group(comparison, session).ways

    def _group(self, station: Station, session: Session) -> _Group:
        key = station.dims if isinstance(station, Cell) else station.id
        group = self._groups.pop(key, None)
        if group is None:
            ways = _ways(station, session)
            needed = _bytes(station, ways, session)
            self._make_room(needed)
            group = _Group(_chain(station, session), ways, needed)
        self._groups[key] = group
        return group

    def _make_room(self, needed: int) -> None:
        while self._groups and needed + sum(g.bytes for g in self._groups.values()) > self._limit:
            del self._groups[next(iter(self._groups))]


def _ways(station: Station, session: Session) -> tuple[Way, ...]:
    """Both ways of a comparison, whose arrays come later."""
    if not isinstance(station, Comparison):
        return ()
    return station.ways(session.dtype, session.seed)


def _bytes(station: Station, ways: tuple[Way, ...], session: Session) -> int:
    if isinstance(station, Cell):
        return admit(station, session)[1]
    if isinstance(station, Comparison):
        return admit_ways(ways, session)[1]
    return station.working_set


def _chain(station: Station, session: Session) -> Chain | None:
    return build_chain(station, session) if isinstance(station, Cell) else None


def _kernels(station: Station, group: _Group, session: Session) -> list[Kernel]:
    if isinstance(station, Cell):
        assert group.chain is not None
        return build_kernels(station, group.chain)
    if isinstance(station, Comparison):
        return [way.prepare() for way in group.ways]
    return [station.build(station.shape, session.dtype)]


def _describe(station: Station, session: Session, cache: KernelCache) -> CellRecord:
    if isinstance(station, Ceiling):
        return describe_ceiling(station, cache.get(station, session)[0], session)
    if isinstance(station, Comparison):
        ways = cache.ways(station, session)
        kernels = () if admit_ways(ways, session)[2] else cache.get(station, session)
        return describe_comparison(station, ways, kernels, session)
    if admit(station, session)[2]:
        return describe(station, None, [], session)
    kernels = cache.get(station, session)
    return describe(station, cache.chain(station, session), kernels, session)


def _chosen(request: Request) -> tuple[Experiment, ...]:
    """The experiments that are asked for: none of a chain of the user's own."""
    return chosen(request.claims) if request.claims else ()


def _stations(request: Request, session: Session) -> dict[str, Station]:
    """Cells, comparisons and ceilings by name; a run without cells needs no ceilings."""
    found: list[Station] = list(request.cells)
    for experiment in _chosen(request):
        found += experiment.comparisons(request.profile)
    if request.cells and request.profile.most_x:
        found += ceilings(
            request.caches.l2,
            request.caches.llc,
            dtype=session.dtype,
            memory=session.memory // 4,
        )
    return {station.id: station for station in found}


def visits(stations: Iterable[Station], rng: np.random.Generator) -> list[Station]:
    """One round: every station once, in an order drawn at random, those of a sweep in a row.

    What is compared is measured within a second or so of each other: a machine that is slow for
    some seconds is slow for one block of a whole sweep, and leaves its slope as it is.
    """
    sweeps: dict[str, list[Station]] = {}
    for station in stations:
        sweeps.setdefault(station.sweep or station.id, []).append(station)
    groups = list(sweeps.values())
    return [
        groups[group][member]
        for group in rng.permutation(len(groups))
        for member in rng.permutation(len(groups[group]))
    ]


def measure(request: Request, emit: Emit) -> None:
    """Visit every station in each round and emit what is not on record."""
    pin_threads(request.identity.threads)
    if any("jax" in e.needs for e in _chosen(request)):
        confine(request.identity.threads)  # it takes every core that it sees
    memory = available_bytes()
    rates = rough_rates(request.identity.dtype)
    session = Session(
        request.identity, request.caches, rates, request.profile, memory, request.seed
    )
    stations = _stations(request, session)
    cache = KernelCache(session.memory * 3 // 5)
    batches = dict(request.known)
    for number in range(request.profile.rounds):
        rng = np.random.default_rng([request.seed, request.process, number])
        for station in visits(stations.values(), rng):
            name = station.id
            if name not in batches:
                record = _describe(station, session, cache)
                emit(record)
                batches[name] = None if record.skipped else tuple(a.batch for a in record.arms)
            batch = batches[name]
            if batch is None or (name, number) in request.done:
                continue
            block = measure_block(cache.get(station, session), batch, rng)
            emit(_record(block, name, number, request))


def _record(block: Any, cell: str, number: int, request: Request) -> BlockRecord:
    return BlockRecord(
        identity=request.identity,
        cell=cell,
        process=request.process,
        round=number,
        **vars(block),
    )


def check(request: Request, emit: Emit) -> None:
    """Run the untimed checks of the claims that are not on record."""
    for experiment in _chosen(request):
        for name, function in experiment.checks.items():
            if name not in request.checked:
                values = function(request.seed % 2**32)
                emit(CheckRecord(identity=request.identity, check=name, values=values))


def _print(record: Record) -> None:
    sys.stdout.buffer.write(encode(record))
    sys.stdout.buffer.flush()


def _end_with_input() -> None:
    """Wait for the end of the standard input, without a lock or a share of the CPU, and end."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def main() -> None:
    """Serve one request; end at once when whoever asked is gone, or reads no more.

    Checks come first, so that the claims that need no times are settled early.
    """
    request = REQUEST.validate_json(sys.stdin.buffer.readline())
    Thread(target=_end_with_input, daemon=True).start()
    try:
        if request.process == 0:
            check(request, _print)
        measure(request, _print)
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
