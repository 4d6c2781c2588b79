"""From records on disk to the files for people."""

import errno
import json

import pytest

from jacchain.analysis.verdicts import as_json
from jacchain.chains.registry import Registry
from jacchain.records.errors import RecordsError
from jacchain.report import publish as publishing
from jacchain.report.publish import plot, publish

WRITTEN = {"verdicts.json", "environment.json", "report.html", "figures"}


@pytest.fixture
def run(tmp_path, monkeypatch, assessment):
    """A folder whose records amount to the small run by hand."""
    experiments = Registry("claim", {e.claim: e for e in assessment.experiments})
    monkeypatch.setattr(publishing, "assess", lambda _: assessment)
    monkeypatch.setattr(publishing, "experiments", lambda: experiments)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "records.jsonl").write_text("{}")
    return folder


def test_publish_writes_every_file(run, assessment):
    assert publish(run) is assessment
    assert {path.name for path in run.iterdir()} == {"records.jsonl", *WRITTEN}
    verdicts = json.loads((run / "verdicts.json").read_text())
    assert verdicts == [as_json(verdict) for verdict in assessment.verdicts]
    environment = json.loads((run / "environment.json").read_text())
    assert environment == assessment.session.environment
    assert (run / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert "obeys" in (run / "report.html").read_text()  # the simulated machines


def test_floats_are_stored_with_six_digits(tmp_path):
    publishing._write_json(tmp_path / "file", {"a": [1 / 3, 2**53 + 1], "b": (True, "0.123456789")})
    stored = json.loads((tmp_path / "file").read_text())
    assert stored == {"a": [0.333333, 2**53 + 1], "b": [True, "0.123456789"]}


def test_another_target_gets_the_same_bytes_and_leaves_the_records_alone(run, tmp_path):
    target = tmp_path / "deep" / "out"
    publish(run, target=target)
    assert [path.name for path in run.iterdir()] == ["records.jsonl"]
    assert {path.name for path in target.iterdir()} == WRITTEN
    publish(run)
    for path in (path for path in target.rglob("*") if path.is_file()):
        assert (run / path.relative_to(target)).read_bytes() == path.read_bytes()


def test_figures_alone(run, figures):
    paths = plot(run)
    assert all(path.exists() and path.parent == run / "figures" for path in paths)
    assert {path.stem for path in paths} == {figure.name for figure in figures.values()}
    assert not (run / "report.html").exists()


@pytest.mark.parametrize("command", [plot, publish])
def test_every_drawn_figure_is_told(run, figures, command):
    told = []
    command(run, progress=lambda *pair: told.append(pair))
    assert told == [(done, len(figures)) for done in range(1, len(figures) + 1)]


def test_a_folder_that_is_a_file_is_said_with_a_remedy(run, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(RecordsError, match=r"can't write to the folder .*taken.*choose another"):
        publish(run, target=tmp_path / "taken")


def test_a_failure_keeps_the_old_report(run, monkeypatch):
    publish(run)
    before = (run / "report.html").read_bytes(), (run / "verdicts.json").read_bytes()

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publishing, "render", fail)
    with pytest.raises(RecordsError, match="No space left"):
        publish(run)
    assert ((run / "report.html").read_bytes(), (run / "verdicts.json").read_bytes()) == before


def test_drafts_of_killed_commands_go_and_those_being_written_stay(run):
    with publishing.replacing(run) as busy:
        left = run / ".jacchain-draft-left"
        (left / "figures").mkdir(parents=True)
        mine = run / ".draft-mine"
        mine.mkdir()
        publish(run)
        assert busy.exists()
        assert mine.exists()
        assert not left.exists()
    assert {path.name for path in run.iterdir()} == {"records.jsonl", ".draft-mine", *WRITTEN}
