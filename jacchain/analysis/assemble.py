"""From the records of a run to evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacchain.analysis.evidence import Count, Evidence, Series
from jacchain.analysis.noise import noise_of, regimes
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
    processes = sorted({block.process for several in blocks.values() for block in several})
    measured = {
        cell.cell: _series(cell, blocks.get(cell.cell, []), processes, adjust) for cell in cells
    }
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
    return complete(evidence, environment.get("l2_bytes"), environment.get("llc_bytes"))


def complete(evidence: Evidence, l2: int | None, llc: int | None) -> Evidence:
    """Return the evidence with what its own cells say of the machine.

    The memory regimes follow from the ceilings, the noise floor from the controls, the overhead
    from the chain of ones. `l2` and `llc` are the bytes of the caches, None where unknown.
    """
    ladder = [
        (s.cost.working_set, s.cost.bytes / s.time, s.cost.bytes / s.interval[0])
        for s in evidence.ceilings
        if (s.group, s.name) == ("row-matrix", "v @ M")
    ]
    calls = [s.time / s.cost.products for arms in evidence.of_role("overhead") for s in arms]
    return replace(
        evidence,
        regimes=regimes(l2, llc, ladder),
        noise=noise_of(evidence.controls),
        overhead=max(calls, default=0.0),
    )


def _series(
    cell: CellRecord, blocks: Sequence[BlockRecord], processes: Sequence[int], adjust: Adjust
) -> tuple[Series, ...]:
    """All arms of a cell, by process and round; none if it has no block, or `adjust` leaves none.

    `processes` are those of the run, so that the same row of every cell is the same process.
    """
    by_process = [[block for block in blocks if block.process == number] for number in processes]
    series = [
        adjust(_arm(cell, index, by_process)) for index in range(len(cell.arms) * bool(blocks))
    ]
    arms = tuple(arm for arm in series if arm is not None)
    return arms if len(arms) == len(cell.arms) else ()


def _arm(cell: CellRecord, index: int, by_process: Sequence[Sequence[BlockRecord]]) -> Series:
    """One arm's samples; nan where there is no block, as in a run that was cut short."""
    seconds = np.full((len(by_process), max(map(len, by_process)), 2), np.nan)
    flagged = np.zeros(seconds.shape, dtype=bool)
    for process, blocks in enumerate(by_process):
        for place, block in enumerate(blocks):
            seconds[process, place] = _samples(block, ARMS[index])
            flagged[process, place] = block.flagged
    where, arm = (cell.cell, cell.role, cell.group, cell.dims), cell.arms[index]
    return Series(*where, arm.name, arm.cost, seconds, flagged)


def _samples(block: BlockRecord, letter: str) -> list[float]:
    """Seconds of one arm in a block, in order."""
    runs = zip(block.sequence, block.seconds, strict=True)
    return [seconds for run, seconds in runs if run == letter]
