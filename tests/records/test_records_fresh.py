"""Starting anew: what is set aside, what is removed, and what is left alone."""

import pytest

from jacchain.records.errors import RecordsError
from jacchain.records.read import compress, read_records
from jacchain.records.store import DERIVED, Store
from jacchain.report import publish


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
