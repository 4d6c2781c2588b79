"""Reading records from a folder, a file or a gzipped file, whole or torn; what must not mix."""

import gzip
import os
from dataclasses import replace
from unittest.mock import Mock

import pytest

from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.read import compress, first_session, read_records, whole_lines
from tests.records.examples import BLOCK, HERE, RUN, SESSION


def test_folder_file_and_gzip_are_the_same(tmp_path, write):
    file = write(*RUN)
    copy = tmp_path / "copy"
    copy.mkdir()
    compress(tmp_path, copy / "records.jsonl.gz")
    for path in (tmp_path, file, str(file), copy, copy / "records.jsonl.gz"):
        assert read_records(path) == RUN


def test_compressing_again_gives_the_same_bytes(tmp_path, write):
    compress(write(*RUN), tmp_path / "a.gz")
    compress(tmp_path / "a.gz", tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # RFC 1952: no time stamp


def test_a_torn_last_line_is_ignored_and_the_file_left_alone(tmp_path, write):
    file = write(*RUN)
    torn = file.read_bytes()[:-30]
    file.write_bytes(torn)
    with pytest.warns(RecordsWarning, match="torn"):
        assert read_records(tmp_path) == RUN[:-1]
    compress(tmp_path, tmp_path / "whole.gz")
    assert read_records(tmp_path / "whole.gz") == RUN[:-1]
    assert file.read_bytes() == torn


def test_a_last_line_nested_too_deeply_is_torn():
    deep = b"[" * 100_000 + b"]" * 100_000
    assert whole_lines(b"{}\n" + deep) == b"{}\n"


def test_missing_records_name_the_files_looked_for(tmp_path):
    with pytest.raises(RecordsError, match=r"records\.jsonl or .*records\.jsonl\.gz.*Name the"):
        read_records(tmp_path)
    with pytest.raises(RecordsError, match="nowhere"):
        read_records(tmp_path / "nowhere")


def test_a_file_that_can_not_be_read_is_named(write, monkeypatch):
    file, refuse = write(*RUN), Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr(type(file), "open", refuse)
    with pytest.raises(RecordsError, match=r"can't read .*records\.jsonl.*Make it readable"):
        read_records(file)


@pytest.mark.parametrize("keep", [5, 15, 100, -1])
def test_a_damaged_gzip_file_is_named(tmp_path, write, keep):
    file = tmp_path / "records.jsonl.gz"
    file.write_bytes(gzip.compress(write(*RUN).read_bytes())[:keep])
    with pytest.raises(RecordsError, match=r"records\.jsonl\.gz: damaged gzip file.*Copy it"):
        read_records(file)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (BLOCK, r"line 6: repeats \('block', .* which line 3 holds\. Delete one"),
        (replace(SESSION, profile="full"), "line 6: .*'full' in a run of 'quick'.*Delete that"),
        (
            replace(BLOCK, round=2, identity=replace(HERE, threads=4)),
            "line 6: measured with threads 4 instead of 1.*--out",
        ),
    ],
    ids=["repeated lines", "two profiles", "two identities"],
)
def test_what_must_not_mix_is_refused(write, extra, message):
    with pytest.raises(RecordsError, match=message):
        read_records(write(*RUN, extra))


def test_the_first_session_is_the_one_that_started_the_run():
    assert first_session([*RUN, replace(SESSION, seed=8)]) is SESSION
    with pytest.raises(RecordsError, match=r"no session.*Resume the run"):
        first_session(RUN[1:])


def test_more_than_a_run_can_hold_is_refused_unread(tmp_path):
    bomb, sparse = tmp_path / "records.jsonl.gz", tmp_path / "sparse"
    bomb.write_bytes(gzip.compress(bytes(2**20)) * 200)
    with sparse.open("wb") as file:
        file.truncate(2**34)
    for path in (tmp_path, sparse):
        with pytest.raises(RecordsError, match="more than 128 MiB, which no run has"):
            read_records(path)


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "records.jsonl").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(RecordsError, match="no records: there is no file"):
            read_records(path)
