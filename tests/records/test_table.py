"""Records as tables: a row for each arm of a cell, or for each sample."""

from dataclasses import replace

import pandas as pd
import pytest

from jacchain.records.errors import RecordsError
from jacchain.records.table import CELL_COLUMNS, SAMPLE_COLUMNS, blocks_by_cell, read_results
from tests.records.examples import BLOCK, CELL, RUN, SESSION, WHOLE_RUN


def test_a_cell_has_a_row_for_each_order(write):
    table = read_results(write(*RUN))
    assert list(table) == list(CELL_COLUMNS)
    first, second = table.to_dict("records")
    assert (first["arm"], first["order"], first["role"]) == ("A", "loss-first", "chain")
    assert (second["arm"], second["order"]) == ("B", "input-first")
    assert first["seconds"] == [1.0, 2.0, 4.0, 5.0]  # ABBA: 1 4 5 2, then BAAB
    assert second["seconds"] == [4.0, 5.0, 1.0, 2.0]
    assert first["round"] == first["block"] == [0, 0, 1, 1]
    assert (first["process"], first["flagged"]) == ([0] * 4, [False] * 4)
    assert (first["dims"], first["group"]) == ((1, 2, 4, 3), "x")
    assert (first["dtype"], first["threads"], first["batch"]) == ("float64", 1, 10)
    assert (first["counted"], first["counted_dims"]) == (20, (1, 2, 4, 3))
    for row, arm in zip((first, second), CELL.arms, strict=True):
        assert vars(arm.cost).items() <= row.items()
        assert (row["flops"], row["working_set"]) == (arm.cost.flops, arm.cost.working_set)


def test_a_sample_has_a_row(write):
    table = read_results(write(SESSION, CELL, BLOCK), samples=True)
    assert list(table) == list(SAMPLE_COLUMNS)
    assert table["arm"].tolist() == list("ABBA")
    assert table["position"].tolist() == [0, 1, 2, 3]
    assert table["seconds"].tolist() == [1.0, 4.0, 5.0, 2.0]
    assert table["cpu_seconds"].tolist() == [1.0, 4.0, 4.5, 0.0]
    assert table["order"].tolist() == ["loss-first", "input-first", "input-first", "loss-first"]
    assert table["switches"].tolist() == [1] * 4


def test_both_tables_hold_the_same_samples(write):
    late = [replace(BLOCK, process=p, round=r, flagged=p == 1) for p, r in ((2, 0), (1, 3), (1, 1))]
    file = write(*late, *WHOLE_RUN[::-1])  # in any order of lines
    lists = ["seconds", "process", "round", "flagged"]
    long = read_results(file)[["cell", "order", "arm", *lists]].explode(lists, ignore_index=True)
    samples = read_results(file, samples=True)[long.columns]
    by = ["cell", "arm", "process", "round", "seconds"]
    pd.testing.assert_frame_equal(
        long.sort_values(by, ignore_index=True),
        samples.sort_values(by, ignore_index=True),
        check_dtype=False,
    )
    blocks = blocks_by_cell([*late, *WHOLE_RUN])[BLOCK.cell]
    visits = [(visit.process, visit.round) for visit in blocks]
    assert visits == [(0, 0), (0, 1), (1, 1), (1, 3), (2, 0)]


def test_a_skipped_cell_has_rows_without_samples(write):
    file = write(replace(CELL, skipped="needs 10 TB", error=None))
    table = read_results(file)
    assert table["skipped"].tolist() == ["needs 10 TB"] * 2
    assert table["seconds"].tolist() == [[], []]
    assert read_results(file, samples=True).empty


def test_counts_stay_exact_integers(write):
    huge, rows = 2**60 + 1, 2**80 + 1
    cost = replace(CELL.arms[0].cost, multiplications=rows, row_multiplications=rows)
    arms = (replace(CELL.arms[0], counted=huge, cost=cost), CELL.arms[1])
    table = read_results(write(replace(CELL, arms=arms)))
    assert table["counted"].tolist() == [huge, None]
    assert table["flops"].tolist() == [2 * rows, CELL.arms[1].cost.flops]
    assert table["working_set"].dtype == "int64"
    assert table["error"].dtype == "float64"


def test_no_records_is_an_empty_table_with_its_columns(write):
    assert read_results(write()).equals(pd.DataFrame(columns=CELL_COLUMNS, dtype=object))


def test_samples_that_do_not_fit_their_cell_are_refused(write):
    with pytest.raises(RecordsError, match=r"'chain 1x2x4x3' has blocks .* Resume"):
        read_results(write(BLOCK))
    with pytest.raises(RecordsError, match=r"has the arms A, but a block 'ABBA'\. Delete"):
        read_results(write(replace(CELL, arms=CELL.arms[:1]), BLOCK))
    alone = replace(BLOCK, sequence="AA", seconds=(1.0,) * 2, cpu_seconds=(1.0,) * 2)
    with pytest.raises(RecordsError, match="has the arms A, B, but a block 'AA'"):
        read_results(write(CELL, alone))
