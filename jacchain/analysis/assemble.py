"""From the records of a run to evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Count, Evidence, Series
from jacchain.analysis.noise import noise_floor, regimes
from jacchain.records.read import first_session
from jacchain.records.schema import BlockRecord, CellRecord, Record
from jacchain.records.table import ARMS, blocks_by_cell

Adjust = Callable[[Series], Series | None]
"""Applied to every series; None leaves it out."""


def assemble(
    records: Sequence[Record],
    checks: Mapping[str, Any],
    *,
    adjust: Adjust = lambda series: series,
) -> Evidence:
    """Arrange the records of a run, and the values of its checks by name, for judging.

    `adjust` may be `unflagged`. Raises RecordsError if there is no session, or blocks don't fit
    their cells.
    """
    environment = first_session(records).environment
    blocks = blocks_by_cell(records)
    cells = [record for record in records if isinstance(record, CellRecord)]
    measured = {cell.cell: _series(cell, blocks.get(cell.cell, []), adjust) for cell in cells}
    evidence = Evidence(
        cells={name: arms for name, arms in measured.items() if arms},
        checks=checks,
        counts=tuple(
            Count(arm.name, cell.dims, arm.counted_dims, arm.counted)
            for cell in cells
            for arm in cell.arms
            if arm.counted is not None and arm.counted_dims is not None
        ),
        skipped={cell.cell: cell.skipped for cell in cells if cell.skipped is not None},
    )
    ladder = [
        (s.cost.working_set, s.cost.bytes / s.time)
        for s in evidence.ceilings
        if (s.group, s.name) == ("row-matrix", "v @ M")
    ]
    calls = [s.time / s.cost.products for arms in evidence.of_role("overhead") for s in arms]
    return replace(
        evidence,
        regimes=regimes(environment.get("l2_bytes"), environment.get("llc_bytes"), ladder),
        noise_floor=noise_floor(evidence.controls),
        overhead=max(calls, default=0.0),
    )


def _series(cell: CellRecord, blocks: Sequence[BlockRecord], adjust: Adjust) -> tuple[Series, ...]:
    """Both arms of a cell by its blocks in order; none while one has fewer than two rounds.

    Processes are cut to the same number of rounds; one that was interrupted before half of the
    rounds of the longest is left out, so that the others keep theirs.
    """
    processes = [list(group) for _, group in groupby(blocks, key=lambda block: block.process)]
    longest = max(map(len, processes), default=0)
    whole = [process for process in processes if len(process) >= longest / 2]
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
    where, arm = (cell.cell, cell.role, cell.group, cell.dims), cell.arms[index]
    samples = np.array(seconds, dtype=float), np.array(flagged, dtype=bool)
    return Series(*where, arm.name, arm.cost, *samples)


def _samples(block: BlockRecord, letter: str) -> list[float]:
    """Seconds of one arm in a block, in order."""
    runs = zip(block.sequence, block.seconds, strict=True)
    return [seconds for run, seconds in runs if run == letter]
