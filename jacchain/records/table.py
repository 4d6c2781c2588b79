"""Records as pandas tables."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from jacchain.cost import Cost
from jacchain.inputs import check_flag, check_type
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.schema import BlockRecord, CellRecord, Record

ARMS = "AB"
COST_COLUMNS = (*(field.name for field in fields(Cost)), "flops", "working_set")
CELL_COLUMNS = (
    *("cell", "role", "group", "dims", "dtype", "threads", "arm", "order"),
    *COST_COLUMNS,
    *("counted", "counted_dims", "batch"),
    *("error", "error_bound", "predicted_seconds", "predicted_bytes", "skipped"),
    *("process", "round", "block", "seconds", "flagged"),
)
SAMPLE_COLUMNS = (
    *("cell", "order", "arm", "process", "round", "position"),
    *("seconds", "cpu_seconds", "switches", "steal", "flagged"),
)

Row = dict[str, Any]


def read_results(path: str | Path, *, samples: bool = False) -> pd.DataFrame:
    """Read the records of one run as a table.

    Parameters
    ----------
    path : str or Path
        A folder with ``records.jsonl`` or ``records.jsonl.gz``, or such a file.
    samples : bool
        One row for each sample, instead of one for each cell and order.

    Returns
    -------
    DataFrame
        One row for each cell and arm:

        - ``cell``, ``role``, ``group``, ``dims`` (tuple, loss first), ``dtype``, ``threads``;
        - ``arm`` ("A" or "B") and ``order``: the name of the order, or of what else was timed;
        - what one call takes, by formula: ``products``, ``multiplications``,
          ``row_multiplications``, ``flops``, and ``bytes``, ``held_bytes``, ``peak_bytes``,
          ``working_set`` (all in bytes), as `jacchain.cost.Cost` says;
        - ``counted`` multiplications at ``counted_dims``, or None; ``batch`` (calls per sample);
        - ``error`` (largest absolute difference of the arms' results) and ``error_bound`` (the
          most of it that rounding explains, in the same unit), ``predicted_seconds``,
          ``predicted_bytes``, ``skipped`` (the reason, or missing);
        - lists with one entry for each sample, blocks ordered by process and round: ``process``,
          ``round``, ``block`` (index within the cell), ``seconds`` (per call), ``flagged``.

        Or one row for each sample: ``cell``, ``order``, ``arm``, ``process``, ``round``,
        ``position`` (within the block), ``seconds`` and ``cpu_seconds`` (per call), and of its
        block ``switches`` (involuntary), ``steal`` (seconds) and ``flagged``.

    Raises
    ------
    RecordsError
        If the records can't be read or don't belong together.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:  # a run that was interrupted before its first cell
    ...     Path(folder, "records.jsonl").touch()
    ...     list(read_results(folder, samples=True))
    ['cell', 'order', 'arm', 'process', 'round', 'position',
     'seconds', 'cpu_seconds', 'switches', 'steal', 'flagged']
    """
    check_type(path, str | os.PathLike, "the path")
    check_flag(samples, "samples")
    records = read_records(path)
    blocks = blocks_by_cell(records)
    rows = [
        row
        for cell in records
        if isinstance(cell, CellRecord)
        for row in (_sample_rows if samples else _cell_rows)(cell, blocks.get(cell.cell, []))
    ]
    if samples:
        return pd.DataFrame(rows, columns=SAMPLE_COLUMNS)
    table = pd.DataFrame(rows, columns=CELL_COLUMNS, dtype=object)
    # A missing count would turn the others into floats, and they are exact integers.
    return table.infer_objects().assign(counted=table["counted"])


def blocks_by_cell(records: Sequence[Record]) -> dict[str, list[BlockRecord]]:
    """Return the blocks of every cell, ordered by process and round.

    Raises RecordsError if a block has no cell, or other arms than its cell.
    """
    arms = {r.cell: ARMS[: len(r.arms)] for r in records if isinstance(r, CellRecord)}
    blocks = defaultdict(list)
    for record in records:
        if isinstance(record, BlockRecord):
            if set(record.sequence) != set(arms.get(record.cell, "")):
                raise _misfit(record, arms.get(record.cell))
            blocks[record.cell].append(record)
    for group in blocks.values():
        group.sort(key=lambda block: (block.process, block.round))
    return dict(blocks)


def _misfit(block: BlockRecord, arms: str | None) -> RecordsError:
    if arms is None:
        problem = f"cell {block.cell!r} has blocks of samples, but no line of its own"
        return RecordsError(problem, "Resume the run, which writes that line again.")
    problem = f"cell {block.cell!r} has the arms {', '.join(arms)}, but a block {block.sequence!r}"
    return RecordsError(problem, "Delete the line of that block.")


def _cell_rows(cell: CellRecord, blocks: Sequence[BlockRecord]) -> Iterator[Row]:
    """One row for each arm, its samples in lists."""
    for letter, arm in zip(ARMS, cell.arms, strict=False):
        samples = [
            (index, block, seconds)
            for index, block in enumerate(blocks)
            for run, seconds in zip(block.sequence, block.seconds, strict=True)
            if run == letter
        ]
        yield {
            **vars(cell),
            **vars(cell.identity),
            **vars(arm),
            **{name: getattr(arm.cost, name) for name in COST_COLUMNS},
            "arm": letter,
            "order": arm.name,
            "process": [block.process for _, block, _ in samples],
            "round": [block.round for _, block, _ in samples],
            "block": [index for index, _, _ in samples],
            "seconds": [seconds for _, _, seconds in samples],
            "flagged": [block.flagged for _, block, _ in samples],
        }


def _sample_rows(cell: CellRecord, blocks: Sequence[BlockRecord]) -> Iterator[Row]:
    """One row for each sample."""
    for block in blocks:
        for position, letter in enumerate(block.sequence):
            yield {
                **vars(block),
                "order": cell.arms[ARMS.index(letter)].name,
                "arm": letter,
                "position": position,
                "seconds": block.seconds[position],
                "cpu_seconds": block.cpu_seconds[position],
            }
