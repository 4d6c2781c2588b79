"""Reading and tables: plain and gzipped, cells and samples."""

import gzip
from dataclasses import replace

import pandas as pd
import pytest

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.load import load
from jacchain.records.read import compress, first_session, read_records


def write(folder, *records):
    """Write records unchecked, as a hand might."""
    file = folder / "records.jsonl"
    file.write_bytes(b"".join(map(encode, records)))
    return file


def test_folder_file_and_gzip_are_the_same(tmp_path, run):
    file = write(tmp_path, *run)
    other = tmp_path / "other"
    other.mkdir()
    compress(tmp_path, other / "records.jsonl.gz")
    for path in (tmp_path, file, str(file), other, other / "records.jsonl.gz"):
        assert read_records(path) == run
        pd.testing.assert_frame_equal(load(path), load(tmp_path))
        pd.testing.assert_frame_equal(load(path, samples=True), load(tmp_path, samples=True))


def test_compressing_again_gives_the_same_bytes(tmp_path, run):
    write(tmp_path, *run)
    compress(tmp_path, tmp_path / "a.gz")
    compress(tmp_path / "a.gz", tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # RFC 1952: no time stamp


def test_a_cell_has_a_row_for_each_order(tmp_path, run):
    first, second = load(write(tmp_path, *run)).to_dict("records")
    assert (first["arm"], first["order"], first["bracketing"]) == ("A", "loss-first", ((0, 1), 2))
    assert (second["arm"], second["order"]) == ("B", "input-first")
    assert first["seconds"] == [1.0, 2.0, 4.0, 5.0]  # ABBA: 1 4 5 2, then BAAB
    assert second["seconds"] == [4.0, 5.0, 1.0, 2.0]
    assert first["round"] == first["block"] == [0, 0, 1, 1]
    assert first["process"] == [0, 0, 0, 0]
    assert first["flagged"] == [False] * 4
    assert first["dims"] == (1, 2, 4, 3)
    assert (first["dtype"], first["threads"]) == ("float64", 1)


def test_a_sample_has_a_row(tmp_path, session, cell, block):
    table = load(write(tmp_path, session, cell, block), samples=True)
    assert table["arm"].tolist() == list("ABBA")
    assert table["position"].tolist() == [0, 1, 2, 3]
    assert table["seconds"].tolist() == [1.0, 4.0, 5.0, 2.0]
    assert table["cpu_seconds"].tolist() == [1.0, 4.0, 4.5, 0.0]
    assert table["order"].tolist() == ["loss-first", "input-first", "input-first", "loss-first"]


def test_both_tables_hold_the_same_samples(tmp_path, run, cell, block):
    control = replace(cell, cell="A/A", role="ceiling", arms=cell.arms[:1])
    late = [replace(block, process=p, round=r, flagged=p == 1) for p, r in ((2, 0), (1, 3), (1, 1))]
    single = replace(block, cell="A/A", sequence="AA", seconds=(1.0, 2.0), cpu_seconds=(1.0, 2.0))
    write(tmp_path, *run, *late, single, control)  # in any order of lines
    lists = ["seconds", "process", "round", "flagged"]
    long = load(tmp_path)[["cell", "order", "arm", *lists]].explode(lists, ignore_index=True)
    samples = load(tmp_path, samples=True)[long.columns]
    by = ["cell", "arm", "process", "round", "seconds"]
    assert len(samples) == 4 * 5 + 2
    pd.testing.assert_frame_equal(
        long.sort_values(by, ignore_index=True),
        samples.sort_values(by, ignore_index=True),
        check_dtype=False,
    )
    blocks = list(zip(*load(tmp_path).loc[0, ["process", "round"]], strict=True))
    assert blocks == sorted(blocks)


def test_a_skipped_cell_has_rows_without_samples(tmp_path, cell):
    write(tmp_path, replace(cell, skipped="needs 10 TB", error=None))
    table = load(tmp_path)
    assert table["skipped"].tolist() == ["needs 10 TB"] * 2
    assert table["seconds"].tolist() == [[], []]
    assert load(tmp_path, samples=True).empty


def test_counts_stay_exact_integers(tmp_path, cell):
    huge, rows = 2**60 + 1, 2**80 + 2
    flops = {"multiplications": rows // 2, "flops": rows, "row_flops": rows}
    arms = (replace(cell.arms[0], counted=huge, **flops), cell.arms[1])
    table = load(write(tmp_path, replace(cell, arms=arms)))
    assert table["counted"].tolist() == [huge, None]
    assert table["flops"].tolist() == [rows, cell.arms[1].flops]
    assert table["working_set"].dtype == "int64"
    assert table["error"].dtype == "float64"


def test_no_records_is_an_empty_table_with_its_columns(tmp_path, run):
    empty = load(write(tmp_path))
    assert empty.empty
    assert list(empty) == list(load(write(tmp_path, *run)))


def test_a_torn_last_line_is_ignored_and_the_file_left_alone(tmp_path, run):
    file = write(tmp_path, *run)
    torn = file.read_bytes()[:-30]
    file.write_bytes(torn)
    with pytest.warns(RecordsWarning, match="torn"):
        assert read_records(tmp_path) == run[:-1]
    assert file.read_bytes() == torn


def test_missing_records_name_the_files_looked_for(tmp_path):
    with pytest.raises(RecordsError, match=r"records\.jsonl or .*records\.jsonl\.gz"):
        read_records(tmp_path)
    with pytest.raises(RecordsError, match="nowhere"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("keep", [5, 15, 100, -1])
def test_a_damaged_gzip_file_is_named(tmp_path, run, keep):
    file = tmp_path / "records.jsonl.gz"
    write(tmp_path, *run)
    file.write_bytes(gzip.compress((tmp_path / "records.jsonl").read_bytes())[:keep])
    with pytest.raises(RecordsError, match=r"records\.jsonl\.gz: damaged gzip file.*Copy it"):
        read_records(file)


def test_mixed_runs_are_refused(tmp_path, here, run, block):
    write(tmp_path, *run, replace(block, process=1, identity=replace(here, threads=4)))
    with pytest.raises(RecordsError, match="line 6: measured with threads 4 instead of 1"):
        load(tmp_path)


def test_sessions_of_two_profiles_are_refused(tmp_path, run, session):
    write(tmp_path, *run, replace(session, profile="full"))
    with pytest.raises(RecordsError, match=r"line 6: .*'full' in a run of 'quick'.*Delete that"):
        load(tmp_path)


def test_repeated_lines_are_refused(tmp_path, run, block):
    write(tmp_path, *run, block)
    with pytest.raises(RecordsError, match=r"line 6: repeats .* which line 3 holds\. Delete one"):
        load(tmp_path)


def test_samples_without_their_cell_are_refused(tmp_path, session, cell, block):
    write(tmp_path, session, block)
    with pytest.raises(RecordsError, match=r"'x=3' has blocks .* Resume"):
        load(tmp_path)
    write(tmp_path, replace(cell, arms=cell.arms[:1]), block)
    with pytest.raises(RecordsError, match="1 arm, but a block 'ABBA'"):
        load(tmp_path)
    write(tmp_path, cell, replace(block, sequence="AA", seconds=(1.0,) * 2, cpu_seconds=(1.0,) * 2))
    with pytest.raises(RecordsError, match="2 arms, but a block 'AA'"):
        load(tmp_path)


def test_the_first_session_is_the_one_that_started_the_run(run, session):
    assert first_session([*run, replace(session, seed=8)]) is session
    with pytest.raises(RecordsError, match="no session"):
        first_session(run[1:])
