"""The store: resuming, repairing, refusing, failing without loss, and starting anew."""

import subprocess
import sys
import textwrap
import warnings
from dataclasses import fields, replace

import pytest

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.read import compress, read_records
from jacchain.records.store import DERIVED, Store
from jacchain.report import publish


def test_a_run_resumes_with_all_it_had(folder, here, run, block):
    with Store.open(folder, here) as store:
        assert store.records == run
        assert all(store.done(record.key) for record in run[1:])
        assert not store.done(replace(block, process=1).key)
        store.append(replace(block, process=1))
        store.append(run[0])  # a second start
    assert read_records(folder) == [*run, replace(block, process=1), run[0]]


def test_nothing_is_recorded_twice(folder, here, block):
    with Store.open(folder, here) as store:
        before = store.path.read_bytes()
        with pytest.raises(
            RecordsError, match=r"\('block', 'chain 1x2x4x3', 0, 0\) is already recorded"
        ):
            store.append(replace(block, seconds=(9.0, 9.0, 9.0, 9.0)))
        assert store.path.read_bytes() == before


def test_records_are_on_disk_at_once(tmp_path, here, run):
    with Store.open(tmp_path, here) as store:
        for number, record in enumerate(run, start=1):
            store.append(record)
            assert read_records(tmp_path) == run[:number]


def test_a_cut_anywhere_costs_at_most_the_record_it_hits(tmp_path, here, run):
    file = tmp_path / "records.jsonl"
    lines = [encode(record) for record in run]
    data = b"".join(lines)
    ends = [len(b"".join(lines[:count])) - 1 for count in range(1, len(lines) + 1)]
    cuts = {0, 1, *range(ends[1], len(data), 7)} | {end + n for end in ends for n in (-1, 0, 1)}
    for cut in sorted(cuts):
        file.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)  # a line that only lacks its line feed is whole
        torn = data[:cut].rstrip(b"\n") != b"".join(lines[:whole]).rstrip(b"\n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with Store.open(tmp_path, here) as store:
                assert store.records == run[:whole]
                for record in run[whole:]:
                    store.append(record)
        assert [warning.category for warning in caught] == [RecordsWarning] * torn
        assert file.read_bytes() == data


def test_a_torn_line_of_zeros_is_repaired_too(folder, here, run):
    file = folder / "records.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + bytes(512))
    with pytest.warns(RecordsWarning, match="torn last line"), Store.open(folder, here) as store:
        assert store.records == run
    assert file.read_bytes() == whole


def test_a_damaged_line_is_named_and_nothing_is_changed(folder, here):
    file = folder / "records.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines[2] = lines[2][:40]
    damaged = b"\n".join(lines) + b'{"torn'
    file.write_bytes(damaged)
    with (
        pytest.raises(RecordsError, match=r"records\.jsonl, line 3: not JSON.* Delete that line"),
        Store.open(folder, here),
    ):
        pass
    assert file.read_bytes() == damaged


def test_following_the_remedy_helps(folder, here, run):
    file = folder / "records.jsonl"
    lines = file.read_bytes().split(b"\n")
    del lines[2]
    file.write_bytes(b"\r\n\n".join(lines))  # an editor's line ends and blank lines
    with Store.open(folder, here) as store:
        assert store.records == run[:2] + run[3:]
        assert not store.done(run[2].key)


def change(value):
    return value + 1 if isinstance(value, int) else value + " changed"


def test_each_difference_of_identity_is_refused_by_name(folder, here, block):
    for field in fields(here):
        value = getattr(here, field.name)
        elsewhere = replace(here, **{field.name: change(value)})
        message = f"line 1: measured with {field.name} {value!r} instead of {change(value)!r}"
        with (
            pytest.raises(RecordsError, match=message + ".* --out.* --fresh"),
            Store.open(folder, elsewhere),
        ):
            pass
        with Store.open(folder, here) as store, pytest.raises(RecordsError, match=field.name):
            store.append(replace(block, process=9, identity=elsewhere))


def test_all_differences_are_listed(folder, here):
    elsewhere = replace(here, threads=4, dtype="float32")
    with (
        pytest.raises(RecordsError, match=r"dtype 'float64' instead .*, threads 1 instead of 4"),
        Store.open(folder, elsewhere),
    ):
        pass


def python(script, *arguments):
    """A process that runs a script and talks over pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLD = """
import sys
from jacchain.records.schema import Identity
from jacchain.records.store import Store
with Store.open(sys.argv[1], eval(sys.argv[2])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_until_the_first_is_done(tmp_path, here):
    with python(HOLD, tmp_path, here) as first:
        assert first.stdout.readline() == "locked\n"
        with pytest.raises(RecordsError, match="another run") as caught, Store.open(tmp_path, here):
            pass
        assert str(tmp_path) in caught.value.problem
        assert "--out" in caught.value.remedy
        first.communicate("")
    with Store.open(tmp_path, here) as store:
        assert store.records == []


def test_a_killed_run_leaves_no_lock(tmp_path, here):
    with python(HOLD, tmp_path, here) as first:
        assert first.stdout.readline() == "locked\n"
        first.kill()
    with Store.open(tmp_path, here) as store:
        assert store.records == []


FILL = """
import resource, signal, sys
from dataclasses import replace
from jacchain.records.errors import RecordsError
from jacchain.records.schema import BlockRecord, Identity
from jacchain.records.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
block = eval(sys.argv[2])
with Store.open(sys.argv[1], block.identity) as store:
    try:
        for round in range(100):
            store.append(replace(block, round=round))
    except RecordsError as error:
        print(len(store.records), error)
"""


@pytest.mark.parametrize("limit", [1000, 1001, 1500, 2048])
def test_a_full_disk_costs_only_the_record_that_hit_it(tmp_path, here, block, limit):
    with python(FILL, tmp_path, block, limit) as process:
        printed, _ = process.communicate()
    written, message = printed.split(maxsplit=1)
    assert "File too large" in message
    assert "No finished record is lost" in message
    kept = [replace(block, round=round) for round in range(int(written))]
    size = len(encode(block))
    assert len(kept) == limit // size
    with Store.open(tmp_path, here) as store:  # no warning: nothing torn was left
        assert store.records == kept
        store.append(replace(block, round=len(kept)))
    assert len(read_records(tmp_path)) == len(kept) + 1


@pytest.mark.parametrize("below", ["", "run", "a/run"])
def test_a_folder_that_can_not_be_written_is_named(tmp_path, here, below):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below
    with (
        pytest.raises(RecordsError, match=r"can't write to the folder .*--out") as caught,
        Store.open(folder, here),
    ):
        pass
    assert str(folder) in caught.value.problem


def test_records_that_can_not_be_written_are_named(tmp_path, here):
    (tmp_path / "records.jsonl").mkdir()
    with (
        pytest.raises(RecordsError, match=r"can't write .*records\.jsonl: Is a directory"),
        Store.open(tmp_path, here),
    ):
        pass


def test_the_files_and_the_lock_are_given_back(folder, here):
    def opened():
        with Store.open(folder, here) as store:
            return store._file

    assert opened().closed
    with pytest.raises(KeyError), Store.open(folder, here):
        raise KeyError
    with Store.open(folder, here) as store:
        assert store.records


def test_fresh_sets_the_old_records_aside(folder, here, run):
    with Store.open(folder, here, fresh=True) as store:
        assert store.records == []
        store.append(run[1])
    assert read_records(folder) == [run[1]]
    assert read_records(folder / "records-previous.jsonl") == run


def published(folder):
    """What `jacchain report` leaves beside the records, and something that it does not."""
    (folder / "figures").mkdir()
    files = [folder / name for name in ("verdicts.json", "environment.json", "report.html")]
    for file in (*files, folder / "figures" / "cost_x.svg", folder / "notes.txt"):
        file.touch()


def names(folder):
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_what_is_derived_is_what_publish_writes():
    assert set(DERIVED) == {
        publish.VERDICTS, publish.ENVIRONMENT, publish.REPORT, publish.FIGURES
    }  # fmt: skip


def test_fresh_removes_what_was_derived_from_the_old_records(folder, here):
    published(folder)
    with Store.open(folder, here):
        assert names(folder) == {"records.jsonl", "notes.txt", *DERIVED}
    with Store.open(folder, here, fresh=True):
        assert names(folder) == {"records.jsonl", "records-previous.jsonl", "notes.txt"}


def test_fresh_removes_nothing_where_no_records_are(tmp_path, here):
    published(tmp_path)
    with Store.open(tmp_path, here, fresh=True):
        assert names(tmp_path) == {"records.jsonl", "notes.txt", *DERIVED}
    assert (tmp_path / "figures" / "cost_x.svg").exists()


def test_fresh_follows_no_link(folder, tmp_path, here):
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "cat.png").touch()
    (folder / "figures").symlink_to(tmp_path / "album")
    with Store.open(folder, here, fresh=True):
        assert not (folder / "figures").is_symlink()
    assert (tmp_path / "album" / "cat.png").exists()


def test_fresh_removes_nothing_while_another_run_writes(folder, here):
    published(folder)
    before = names(folder)
    with (
        Store.open(folder, here),
        pytest.raises(RecordsError, match="another run"),
        Store.open(folder, here, fresh=True),
    ):
        pass
    assert names(folder) == before


@pytest.fixture
def gzipped(folder):
    """A folder such as the committed one: its records are gzipped, and there are no others."""
    compress(folder, folder / "records.jsonl.gz")
    (folder / "records.jsonl").unlink()
    return folder


def test_a_finished_run_is_not_resumed(gzipped, here, run):
    published(gzipped)
    before = names(gzipped)
    with (
        pytest.raises(RecordsError, match=r"records\.jsonl\.gz holds .* --out, .* --fresh"),
        Store.open(gzipped, here),
    ):
        pass
    assert names(gzipped) == before
    assert read_records(gzipped) == run


def test_fresh_sets_a_finished_run_aside(gzipped, here, run):
    published(gzipped)
    with Store.open(gzipped, here, fresh=True) as store:
        store.append(run[1])
    assert names(gzipped) == {"records.jsonl", "records-previous.jsonl.gz", "notes.txt"}
    assert read_records(gzipped) == [run[1]]
    assert read_records(gzipped / "records-previous.jsonl.gz") == run


def test_of_both_files_the_plain_one_is_read_and_fresh_sets_both_aside(folder, here, run):
    compress(folder, folder / "records.jsonl.gz")
    with Store.open(folder, here) as store:
        store.append(run[0])
    assert read_records(folder) == [*run, run[0]]
    with Store.open(folder, here, fresh=True) as store:
        assert store.records == []
    assert read_records(folder / "records-previous.jsonl") == [*run, run[0]]
    assert read_records(folder / "records-previous.jsonl.gz") == run
