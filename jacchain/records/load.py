"""Records as pandas tables."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.schema import Arm, BlockRecord, CellRecord, Record

ARMS = "AB"
ARM_COLUMNS = tuple(field.name for field in fields(Arm))
FACTS = ("error", "error_bound", "predicted_seconds", "predicted_bytes", "skipped")
CELL_COLUMNS = (
    *("cell", "role", "engine", "dims", "dtype", "threads", "arm"),
    *ARM_COLUMNS,
    *FACTS,
    *("process", "round", "block", "seconds", "flagged"),
)
SAMPLE_COLUMNS = (
    *("cell", "order", "arm", "process", "round", "position"),
    *("seconds", "cpu_seconds", "switches", "steal", "flagged"),
)

Row = dict[str, Any]


def load(path: str | Path, *, samples: bool = False) -> pd.DataFrame:
    """Load the records of one run as a table.

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

        - ``cell``, ``role``, ``engine``, ``dims`` (tuple, loss first), ``dtype``, ``threads``;
        - ``arm`` ("A" or "B"), ``order``, ``bracketing`` (nested tuples or None), ``products``;
        - ``multiplications``, ``flops``, ``row_flops``, ``matrix_flops`` and ``bytes`` per call;
          ``counted`` multiplications at ``counted_dims``, or None;
        - ``peak_elements`` (elements), ``working_set`` (bytes), ``regime`` (by nominal cache
          sizes), ``batch`` (calls per sample);
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
    ...     list(load(folder, samples=True))
    ['cell', 'order', 'arm', 'process', 'round', 'position',
     'seconds', 'cpu_seconds', 'switches', 'steal', 'flagged']
    """
    records = read_records(path)
    blocks = _blocks(records)
    rows = [
        row
        for cell in records
        if isinstance(cell, CellRecord)
        for row in (_sample_rows if samples else _cell_rows)(cell, blocks[cell.cell])
    ]
    if samples:
        return pd.DataFrame(rows, columns=SAMPLE_COLUMNS)
    table = pd.DataFrame(rows, columns=CELL_COLUMNS, dtype=object)
    # A missing count would turn the others into floats, and they are exact integers.
    return table.infer_objects().assign(counted=table["counted"])


def _blocks(records: list[Record]) -> dict[str, list[BlockRecord]]:
    """Return the blocks of every cell, ordered by process and round."""
    arms = {r.cell: len(r.arms) for r in records if isinstance(r, CellRecord)}
    blocks = defaultdict(list)
    for record in records:
        if isinstance(record, BlockRecord):
            _check_arms(record, arms.get(record.cell, 0))
            blocks[record.cell].append(record)
    for group in blocks.values():
        group.sort(key=lambda block: (block.process, block.round))
    return blocks


def _check_arms(block: BlockRecord, arms: int) -> None:
    if not arms:
        problem = f"cell {block.cell!r} has blocks of samples, but no line of its own"
        raise RecordsError(problem, "Resume the run, which writes that line again.")
    if set(block.sequence) != set(ARMS[:arms]):
        have = "1 arm" if arms == 1 else f"{arms} arms"
        problem = f"cell {block.cell!r} has {have}, but a block {block.sequence!r}"
        raise RecordsError(problem, "Delete the line of that block.")


def _cell_rows(cell: CellRecord, blocks: list[BlockRecord]) -> Iterator[Row]:
    """One row for each arm, its samples in lists."""
    for letter, arm in zip(ARMS, cell.arms, strict=False):
        taken = [
            (index, block, seconds)
            for index, block in enumerate(blocks)
            for run, seconds in zip(block.sequence, block.seconds, strict=True)
            if run == letter
        ]
        yield {
            **vars(cell),
            **vars(cell.identity),
            **vars(arm),
            "arm": letter,
            "process": [block.process for _, block, _ in taken],
            "round": [block.round for _, block, _ in taken],
            "block": [index for index, _, _ in taken],
            "seconds": [seconds for _, _, seconds in taken],
            "flagged": [block.flagged for _, block, _ in taken],
        }


def _sample_rows(cell: CellRecord, blocks: list[BlockRecord]) -> Iterator[Row]:
    """One row for each sample."""
    for block in blocks:
        for position, letter in enumerate(block.sequence):
            yield {
                **vars(block),
                "order": cell.arms[ARMS.index(letter)].order,
                "arm": letter,
                "position": position,
                "seconds": block.seconds[position],
                "cpu_seconds": block.cpu_seconds[position],
            }
