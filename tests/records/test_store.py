"""The store: resuming, repairing, refusing, failing without loss, and starting anew."""

import os
import resource
import subprocess
import sys
import warnings
from dataclasses import fields, replace
from pathlib import Path

import pytest

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.read import compress, read_records
from jacchain.records.store import DERIVED, Store
from jacchain.report import publish
from tests.records.examples import BLOCK, HERE, RUN


@pytest.fixture
def folder(write):
    """A folder that holds all records of a small run."""
    return write(*RUN).parent


def assert_refused(folder, message, identity=HERE, **options):
    with pytest.raises(RecordsError, match=message), Store.open(folder, identity, **options):
        pass


def test_a_run_resumes_with_all_it_had(folder):
    with Store.open(folder, HERE) as store:
        assert store.records == RUN
        assert all(store.done(record.key) for record in RUN[1:])
        assert not store.done(replace(BLOCK, process=1).key)
        store.append(replace(BLOCK, process=1))
        store.append(RUN[0])  # a second start
    assert read_records(folder) == [*RUN, replace(BLOCK, process=1), RUN[0]]


def test_nothing_is_recorded_twice(folder):
    with Store.open(folder, HERE) as store:
        before = store.path.read_bytes()
        message = r"\('block', 'chain 1x2x4x3', 0, 0\) is already recorded"
        with pytest.raises(RecordsError, match=message):
            store.append(replace(BLOCK, seconds=(9.0, 9.0, 9.0, 9.0)))
        assert store.path.read_bytes() == before


def test_records_are_on_disk_at_once(tmp_path):
    with Store.open(tmp_path, HERE) as store:
        for number, record in enumerate(RUN, start=1):
            store.append(record)
            assert read_records(tmp_path) == RUN[:number]


def test_a_cut_anywhere_costs_at_most_the_record_it_hits(tmp_path):
    file = tmp_path / "records.jsonl"
    lines = [encode(record) for record in RUN]
    data = b"".join(lines)
    ends = [len(b"".join(lines[:count])) - 1 for count in range(1, len(lines) + 1)]
    cuts = {0, 1, *range(ends[1], len(data), 7)} | {end + n for end in ends for n in (-1, 0, 1)}
    for cut in sorted(cuts):
        file.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)  # a line that only lacks its line feed is whole
        torn = data[:cut].rstrip(b"\n") != b"".join(lines[:whole]).rstrip(b"\n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with Store.open(tmp_path, HERE) as store:
                assert store.records == RUN[:whole]
                for record in RUN[whole:]:
                    store.append(record)
        assert [warning.category for warning in caught] == [RecordsWarning] * torn
        assert file.read_bytes() == data


def test_a_torn_line_of_zeros_is_repaired_too(folder):
    file = folder / "records.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + bytes(512))
    with pytest.warns(RecordsWarning, match="torn last line"), Store.open(folder, HERE) as store:
        assert store.records == RUN
    assert file.read_bytes() == whole


def test_a_damaged_line_is_named_and_nothing_is_changed(folder):
    file = folder / "records.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[2] = lines[2][:40]
    damaged = b"\n".join(lines) + b'{"torn'
    file.write_bytes(damaged)
    assert_refused(folder, r"records\.jsonl, line 3: not JSON.* Delete that line")
    assert file.read_bytes() == damaged


def test_following_the_remedy_helps(folder):
    file = folder / "records.jsonl"
    lines = file.read_bytes().split(b"\n")
    del lines[2]
    file.write_bytes(b"\r\n\n".join(lines))  # an editor's line ends and blank lines
    with Store.open(folder, HERE) as store:
        assert store.records == RUN[:2] + RUN[3:]
        assert not store.done(RUN[2].key)


def test_each_difference_of_identity_is_refused_by_name(folder):
    for field in fields(HERE):
        value = getattr(HERE, field.name)
        elsewhere = replace(HERE, **{field.name: 2 * value})
        message = f"line 1: measured with {field.name} {value!r} instead of {2 * value!r}"
        assert_refused(folder, message + ".* --out.* --fresh", elsewhere)
        with Store.open(folder, HERE) as store, pytest.raises(RecordsError, match=field.name):
            store.append(replace(BLOCK, process=9, identity=elsewhere))


def test_all_differences_are_listed(folder):
    elsewhere = replace(HERE, threads=4, dtype="float32")
    message = "dtype 'float64' instead of 'float32', threads 1 instead of 4"
    assert_refused(folder, message, elsewhere)


HOLD = """
import sys
from jacchain.records.schema import Identity
from jacchain.records.store import Store
with Store.open(sys.argv[1], eval(sys.argv[2])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [subprocess.Popen.communicate, subprocess.Popen.kill])
def test_a_second_run_is_refused_until_the_first_is_done_or_killed(tmp_path, end):
    command = [sys.executable, "-c", HOLD, str(tmp_path), repr(HERE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout.readline() == "locked\n"
        assert_refused(tmp_path, f"another run is writing to the folder {tmp_path}.*--out")
        end(first)
    with Store.open(tmp_path, HERE) as store:
        assert store.records == []


@pytest.fixture
def limit_files():
    """Return a function that limits the size of files, as a disk about to be full does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("limit", [1000, 1001, 1500, 2048])
def test_a_full_disk_costs_only_the_record_that_hit_it(tmp_path, limit_files, limit):
    blocks = [replace(BLOCK, round=number) for number in range(limit // len(encode(BLOCK)) + 1)]
    with Store.open(tmp_path, HERE) as store:
        limit_files(limit)
        for block in blocks[:-1]:
            store.append(block)
        message = "File too large. No finished record is lost: .* run again, and the run resumes"
        with pytest.raises(RecordsError, match=rf"can't write .*records\.jsonl: {message}"):
            store.append(blocks[-1])
    limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    with Store.open(tmp_path, HERE) as store:  # no warning: nothing torn was left
        assert store.records == blocks[:-1]
        store.append(blocks[-1])
    assert read_records(tmp_path) == blocks


@pytest.mark.parametrize("below", ["", "run", "a/run"])
def test_a_folder_that_can_not_be_written_is_named(tmp_path, below):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below
    assert_refused(folder, f"can't write to the folder {folder}: .*--out")


def make_link(path):
    path.symlink_to(os.devnull)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, make_link])
def test_records_that_are_no_file_are_refused(tmp_path, make):
    make(tmp_path / "records.jsonl")
    assert_refused(tmp_path, r"can't write .*records\.jsonl: it is no regular file")


def test_records_that_can_not_be_opened_are_named(tmp_path):
    (tmp_path / "records.jsonl").symlink_to(tmp_path / "nowhere" / "records.jsonl")
    assert_refused(tmp_path, r"can't write .*records\.jsonl: No such file or directory")


def test_more_than_a_run_can_hold_is_neither_resumed_nor_read(tmp_path):
    records = tmp_path / "records.jsonl"
    with records.open("wb") as file:
        file.truncate(2**34)
    assert_refused(tmp_path, "more than 128 MiB")
    assert records.stat().st_size == 2**34


def test_a_run_whose_lock_file_was_deleted_still_holds_its_records(folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "records.jsonl").symlink_to(folder / "records.jsonl")
    with Store.open(folder, HERE):
        (folder / ".lock").unlink()
        for other in (folder, linked):
            assert_refused(other, "another run is writing to the folder")


def test_records_that_are_gone_are_noticed_at_the_next_record(folder):
    message = r"records\.jsonl was removed or replaced while this run wrote to it.*anew"
    with Store.open(folder, HERE) as store:
        store.path.rename(folder / "mine")
        for put in (lambda: None, store.path.touch):
            put()
            with pytest.raises(RecordsError, match=message):
                store.append(replace(BLOCK, process=1))
    assert read_records(folder / "mine") == RUN


def test_a_session_of_another_profile_is_not_recorded(folder):
    with Store.open(folder, HERE) as store:
        with pytest.raises(RecordsError, match="profile 'full' in a run of 'quick'"):
            store.append(replace(RUN[0], profile="full"))
        store.append(replace(RUN[0], seed=8))
    assert len(read_records(folder)) == len(RUN) + 1


def test_the_files_and_the_lock_are_given_back(folder):
    with Store.open(folder, HERE) as store:
        pass
    assert store._file.closed
    with pytest.raises(KeyError), Store.open(folder, HERE):
        raise KeyError
    with Store.open(folder, HERE) as store:
        assert store.records


def publish_into(folder):
    """Leave what `jacchain report` writes beside the records, and something that it does not."""
    (folder / "figures").mkdir()
    files = [folder / name for name in ("verdicts.json", "environment.json", "report.html")]
    for file in (*files, folder / "figures" / "cost_x.svg", folder / "notes.txt"):
        file.touch()


def zip_records(folder):
    """Leave the records gzipped, as the committed ones are, and no others."""
    compress(folder, folder / "records.jsonl.gz")
    (folder / "records.jsonl").unlink()


def names(folder):
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_what_is_derived_is_what_publish_writes():
    written = {publish.VERDICTS, publish.ENVIRONMENT, publish.REPORT, publish.FIGURES}
    assert set(DERIVED) == written


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fresh_sets_records_aside_and_removes_what_was_derived_from_them(folder, suffix):
    publish_into(folder)
    if suffix:
        zip_records(folder)
    with Store.open(folder, HERE, fresh=True) as store:
        assert store.records == []
        store.append(RUN[1])
    previous = f"records-previous.jsonl{suffix}"
    assert names(folder) == {"records.jsonl", previous, "notes.txt"}
    assert read_records(folder) == [RUN[1]]
    assert read_records(folder / previous) == RUN


def test_each_fresh_start_keeps_what_earlier_ones_set_aside(folder):
    for number in range(3):
        with Store.open(folder, HERE, fresh=True) as store:
            assert store.records == []
            store.append(replace(BLOCK, process=number))
    assert read_records(folder / "records-previous.jsonl") == RUN
    for number, name in enumerate(("records-previous-2", "records-previous-3", "records")):
        assert read_records(folder / f"{name}.jsonl") == [replace(BLOCK, process=number)]


def test_fresh_removes_nothing_where_no_records_are(tmp_path):
    publish_into(tmp_path)
    with Store.open(tmp_path, HERE, fresh=True):
        assert names(tmp_path) == {"records.jsonl", "notes.txt", *DERIVED}
    assert (tmp_path / "figures" / "cost_x.svg").exists()


def test_fresh_follows_no_link(folder, tmp_path):
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "cat.png").touch()
    (folder / "figures").symlink_to(tmp_path / "album")
    with Store.open(folder, HERE, fresh=True):
        assert not (folder / "figures").is_symlink()
    assert (tmp_path / "album" / "cat.png").exists()


def test_fresh_removes_nothing_while_another_run_writes(folder):
    publish_into(folder)
    before = names(folder)
    with Store.open(folder, HERE):
        assert_refused(folder, "another run", fresh=True)
    assert names(folder) == before


def test_a_finished_run_is_not_resumed(folder):
    publish_into(folder)
    zip_records(folder)
    before = names(folder)
    assert_refused(folder, r"records\.jsonl\.gz holds .* --out, .* --fresh")
    assert names(folder) == before
    assert read_records(folder) == RUN


def test_of_both_files_the_plain_one_is_read_and_fresh_sets_both_aside(folder):
    compress(folder, folder / "records.jsonl.gz")
    with Store.open(folder, HERE) as store:
        store.append(RUN[0])
    assert read_records(folder) == [*RUN, RUN[0]]
    with Store.open(folder, HERE, fresh=True) as store:
        assert store.records == []
    assert read_records(folder / "records-previous.jsonl") == [*RUN, RUN[0]]
    assert read_records(folder / "records-previous.jsonl.gz") == RUN
