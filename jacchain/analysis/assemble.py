"""From the records of a run to evidence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Count, Evidence, Series
from jacchain.analysis.noise import noise_floor, regimes
from jacchain.records.read import first_session
from jacchain.records.schema import BlockRecord, CellRecord, Record
from jacchain.records.table import ARMS, blocks_by_cell


def assemble(
    records: Sequence[Record],
    checks: Mapping[str, Any],
    *,
    adjust: Callable[[Series], Series | None] = lambda series: series,
) -> Evidence:
    """Arrange the records of a run for judging.

    Raises RecordsError if there is no session, or blocks don't fit their cells.

    Parameters
    ----------
    records
        Of one run, its sessions among them.
    checks
        Values of the untimed checks, by name.
    adjust
        Applied to every series, `unflagged` for example; None leaves it out.
    """
    environment = first_session(records).environment
    blocks = blocks_by_cell(records)
    cells = [record for record in records if isinstance(record, CellRecord)]
    measured = {cell.cell: _series(cell, blocks.get(cell.cell, []), adjust) for cell in cells}
    evidence = Evidence(
        cells={name: arms for name, arms in measured.items() if arms},
        checks=checks,
        counts=tuple(count for cell in cells for count in _counts(cell)),
        skipped={cell.cell: cell.skipped for cell in cells if cell.skipped is not None},
    )
    ladder = [
        (s.cost.working_set, s.cost.bytes / s.time)
        for s in evidence.ceilings
        if (s.group, s.name) == ("row-matrix", "v @ M")
    ]
    calls = [s.time / s.cost.products for arms in evidence.of_role("overhead") for s in arms]
    machine = {
        "regimes": regimes(environment.get("l2_bytes"), environment.get("llc_bytes"), ladder),
        "noise_floor": noise_floor(evidence.controls),
        "overhead": max(calls, default=0.0),
    }
    return Evidence(**(vars(evidence) | machine))


def _series(
    cell: CellRecord,
    blocks: Sequence[BlockRecord],
    adjust: Callable[[Series], Series | None],
) -> tuple[Series, ...]:
    """Both arms of a cell; none while one of them has fewer than two rounds.

    Processes are cut to the same number of rounds; one that was interrupted before half of the
    rounds of the longest is left out, so that the others keep theirs.
    """
    by_process: dict[int, list[BlockRecord]] = {}
    for block in blocks:
        by_process.setdefault(block.process, []).append(block)
    longest = max(map(len, by_process.values()), default=0)
    whole = [rounds for rounds in by_process.values() if len(rounds) >= longest / 2]
    rounds = min(map(len, whole), default=0)
    if rounds < 2:
        return ()
    kept = [process[:rounds] for process in whole]
    series = [adjust(_arm(cell, index, kept)) for index in range(len(cell.arms))]
    arms = tuple(arm for arm in series if arm is not None)
    return arms if len(arms) == len(cell.arms) else ()


def _arm(cell: CellRecord, index: int, kept: Sequence[Sequence[BlockRecord]]) -> Series:
    """One arm's samples in the blocks of each process, as many in each."""
    seconds = [[_samples(block, ARMS[index]) for block in process] for process in kept]
    flagged = [[[block.flagged] * 2 for block in process] for process in kept]
    return Series(
        cell=cell.cell,
        role=cell.role,
        group=cell.group,
        dims=cell.dims,
        name=cell.arms[index].name,
        cost=cell.arms[index].cost,
        seconds=np.array(seconds, dtype=float),
        flagged=np.array(flagged, dtype=bool),
    )


def _samples(block: BlockRecord, letter: str) -> list[float]:
    """Seconds of one arm in a block, in order."""
    runs = zip(block.sequence, block.seconds, strict=True)
    return [seconds for run, seconds in runs if run == letter]


def _counts(cell: CellRecord) -> list[Count]:
    return [
        Count(arm.name, cell.dims, arm.counted_dims, arm.counted)
        for arm in cell.arms
        if arm.counted is not None and arm.counted_dims is not None
    ]
