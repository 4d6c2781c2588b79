"""The process that measures: it visits every cell in every round and prints records.

It is started by the runner as `python -m jacchain.runs.worker`, with the BLAS threads in its
environment before numpy is loaded, a request as one line of JSON on its standard input, and
record lines expected on its standard output. It has no state worth keeping: killed at any moment,
the records that it has printed are whole, and the next worker goes on from them. It ends when its
standard input does: whoever asked is gone, and what runs beside a resumed run would disturb it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from jacchain.claims.registry import chosen
from jacchain.costs.timemodel import rough_rates
from jacchain.experiments.cell import Arm, Cell, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.sizes import Sampling, Sizes
from jacchain.limits import available_bytes
from jacchain.measuring.blocks import Kernel, measure_block
from jacchain.measuring.clock import check_clock
from jacchain.measuring.threads import confine, pin_threads
from jacchain.records.codec import encode
from jacchain.records.schema import BlockRecord, CellRecord, CheckRecord, Identity, Key, Record
from jacchain.runs.admission import Session, admit, needed_bytes
from jacchain.runs.describe import describe

Emit = Callable[[Record], None]
Batches = tuple[int, ...] | None

KEPT_MEMORY = 0.6  # share of the available memory that kernels may keep between rounds


@dataclass(frozen=True)
class Request:
    """What one worker is asked to do.

    `batches` has the calls per sample of cells that are on record, None of skipped ones; `done`
    the keys of all records.
    """

    identity: Identity
    sampling: Sampling
    sizes: Sizes
    process: int
    seed: int
    claims: tuple[str, ...]
    batches: dict[str, Batches]
    done: frozenset[Key]


REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


@dataclass(frozen=True)
class _Prepared:
    """The arms of a cell with their kernels; the arms keep what cells of the same chain share."""

    arms: tuple[Arm, ...]
    kernels: tuple[Kernel, ...]
    bytes: int


class KernelCache:
    """Kernels with their arrays, kept between rounds as far as memory allows."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._limit = KEPT_MEMORY * session.memory
        self._prepared: dict[str, _Prepared] = {}

    def kernels(self, cell: Cell, arms: Sequence[Arm] = ()) -> tuple[Kernel, ...]:
        """Return the kernels of a cell; the least recently used ones make room for new ones.

        Its arms are made anew if they are not given.
        """
        prepared = self._prepared.pop(cell.name, None)
        if prepared is None:
            new = tuple(arms) or self._session.arms(cell)
            needed = needed_bytes(cell, new)
            self._make_room(needed)
            prepared = _Prepared(new, tuple(arm.prepare() for arm in new), needed)
        self._prepared[cell.name] = prepared
        return prepared.kernels

    def _make_room(self, needed: int) -> None:
        kept = needed + sum(prepared.bytes for prepared in self._prepared.values())
        while self._prepared and kept > self._limit:
            oldest = next(iter(self._prepared))
            kept -= self._prepared.pop(oldest).bytes


def visits(cells: Iterable[Cell], rng: np.random.Generator) -> list[Cell]:
    """Order one round: every cell once, drawn at random, those of a group in a row.

    What is compared is measured within a second or so of each other: a machine that is slow for
    some seconds is slow for one block of a whole sweep, and leaves its slope as it is.
    """
    by_group: dict[str, list[Cell]] = {}
    for cell in cells:
        by_group.setdefault(cell.group or cell.name, []).append(cell)
    groups = list(by_group.values())
    return [
        groups[group][member]
        for group in rng.permutation(len(groups))
        for member in rng.permutation(len(groups[group]))
    ]


def measure(request: Request, experiments: Sequence[Experiment], emit: Emit) -> None:
    """Visit every cell in each round and emit what is not on record.

    Raises RuntimeError if the clock is too coarse, or jumps back again and again.
    """
    check_clock()
    pin_threads(request.identity.threads)
    if any("jax" in experiment.needs for experiment in experiments):
        confine(request.identity.threads)  # it takes every core that it sees
    rates = rough_rates(request.identity.dtype)
    session = Session(request.identity, request.sampling, rates, available_bytes(), request.seed)
    cells = unique(cell for e in experiments for cell in e.cells(request.sizes))
    cache, batches = KernelCache(session), dict(request.batches)
    visit: dict[str, Any] = {"identity": request.identity, "process": request.process}
    for number in range(request.sampling.rounds):
        rng = np.random.default_rng([request.seed, request.process, number])
        for cell in visits(cells, rng):
            if cell.name not in batches:
                record = _describe(cell, session, cache)
                emit(record)
                batches[cell.name] = batches_of(record)
            batch = batches[cell.name]
            key = ("block", cell.name, request.process, number)
            if batch is not None and key not in request.done:
                kernels = cache.kernels(cell)
                block = measure_block(kernels, batch, rng, threads=request.identity.threads)
                emit(BlockRecord(cell=cell.name, round=number, **visit, **vars(block)))


def batches_of(record: CellRecord) -> Batches:
    """Calls per sample of each arm; None of a skipped cell."""
    return None if record.skipped else tuple(arm.batch for arm in record.arms)


def _describe(cell: Cell, session: Session, cache: KernelCache) -> CellRecord:
    arms = session.arms(cell)
    admission = admit(cell, arms, session)
    kernels = () if admission.skipped else cache.kernels(cell, arms)
    return describe(cell, arms, kernels, admission, session)


def check(request: Request, experiments: Sequence[Experiment], emit: Emit) -> None:
    """Run the untimed checks that are not on record."""
    seed = request.seed % 2**32
    for experiment in experiments:
        for name, untimed in experiment.checks.items():
            if ("check", name) not in request.done:
                values = TypeAdapter(untimed.values).dump_python(untimed.run(seed), mode="json")
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
    experiments = chosen(request.claims)
    try:
        if request.process == 0:
            check(request, experiments, _print)
        measure(request, experiments, _print)
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
