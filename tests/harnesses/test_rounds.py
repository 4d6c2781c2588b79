"""The folder of a comparison: nothing of the user's is read, changed or deleted."""

import json
import subprocess
import sys

import pytest

from jacchain.harnesses.rounds import DRAFT, keep, locked, open_folder, round_folders
from jacchain.records.errors import RecordsError
from jacchain.runs.job import RunError

SETTING = {"commit": "ab" * 20}


@pytest.fixture
def out(tmp_path):
    """A folder with one round."""
    rounds = open_folder(tmp_path, SETTING, fresh=False)
    (tmp_path / "draft/asv").mkdir(parents=True)
    (tmp_path / "draft/asv/a.json").touch()
    keep(tmp_path, tmp_path / "draft", "round-00", SETTING, rounds)
    return tmp_path


def test_rounds_are_found_again(out):
    assert [path.name for path in round_folders(out)] == ["round-00"]
    assert open_folder(out, SETTING, fresh=False) == {"round-00": ["asv/a.json"]}


def test_a_fresh_start_deletes_what_was_measured_alone(out):
    (out / "notes.txt").touch()
    (out / "round-trip").mkdir()
    assert open_folder(out, {"commit": "cd"}, fresh=True) == {}
    assert sorted(path.name for path in out.iterdir()) == [
        "notes.txt",
        "round-trip",
        "setting.json",
    ]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_round_of_unknown_origin_is_neither_deleted_nor_counted(out, fresh):
    (out / "round-01").mkdir()
    with pytest.raises(RunError, match=r"round-01 is no round that was measured here; move it"):
        open_folder(out, SETTING, fresh=fresh)
    assert len(round_folders(out)) == 1


def test_a_link_in_place_of_a_round_is_not_followed(out, tmp_path_factory):
    elsewhere = (out / "round-00").rename(tmp_path_factory.mktemp("user") / "round")
    (out / "round-00").symlink_to(elsewhere)
    with pytest.raises(RunError, match="round-00 is no round"):
        open_folder(out, SETTING, fresh=True)
    assert (elsewhere / "asv/a.json").exists()


@pytest.mark.parametrize("name", ["notes.txt", "asv/notes.txt", "link"])
def test_a_round_with_a_file_of_the_user_is_not_deleted(out, name):
    path = out / "round-00" / name
    path.symlink_to(out) if name == "link" else path.touch()
    with pytest.raises(RunError, match=rf"round-00 holds '{name}', which was not measured"):
        open_folder(out, SETTING, fresh=True)
    assert (out / "round-00/asv/a.json").exists()


def test_another_setting_is_refused(out):
    before = (out / "setting.json").read_text()
    with pytest.raises(RunError, match=r"another setting \(commit\).*--fresh"):
        open_folder(out, {"commit": "cd"}, fresh=False)
    assert (out / "setting.json").read_text() == before


@pytest.mark.parametrize("rounds", [None, ["round-00"], {"round-00": [1]}])
def test_a_setting_of_another_program_is_kept(tmp_path, rounds):
    (tmp_path / "setting.json").write_text(json.dumps({"rounds": rounds}))
    with pytest.raises(RecordsError, match=r"setting.json: rounds is .*--out"):
        open_folder(tmp_path, SETTING, fresh=True)


def test_two_at_once_are_refused_and_drafts_of_a_killed_one_cleared(tmp_path):
    (tmp_path / f"{DRAFT}x").mkdir()
    code = """
import sys
from pathlib import Path
from jacchain.harnesses.rounds import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(RecordsError, match="another comparison is measuring"), locked(tmp_path):
            pass
        other.kill()
    with locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
