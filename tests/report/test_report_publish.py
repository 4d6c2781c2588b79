"""From records on disk to the files for people."""

import errno
import json

import pytest

from jacchain.records.errors import RecordsError
from jacchain.records.schema import Arm, BlockRecord, CellRecord, Identity, SessionRecord
from jacchain.records.store import Store
from jacchain.report import publish as publishing
from jacchain.report.publish import plot, publish

HERE = Identity(
    machine="4f1c", numpy="2.1.0", blas="OpenBLAS 0.3", jacchain="0.1.0", dtype="float64", threads=1
)
DIMS = (1, 2, 4, 3)
CELL = "cell:numpy:1x2x4x3:loss-first/input-first"


def arm(order, bracketing, multiplications):
    return Arm(
        order=order, bracketing=bracketing, products=2, multiplications=multiplications,
        flops=2 * multiplications, bytes=400, peak_elements=8, working_set=360, regime="L2",
        row_flops=2 * multiplications, matrix_flops=0, counted=None, counted_dims=None, batch=10,
    )  # fmt: skip


def write_run(folder):
    """A run of one chain of the user's own: one cell in both orders, three blocks."""
    arms = (arm("loss-first", ((0, 1), 2), 20), arm("input-first", (0, (1, 2)), 30))
    with Store.open(folder, HERE) as store:
        store.append(SessionRecord(identity=HERE, started="2025-01-01T00:00:00+00:00",
                                   profile="chain", claims=(), seed=7,
                                   environment={"cpu_model": "a processor"}))  # fmt: skip
        store.append(CellRecord(identity=HERE, cell=CELL, role="cell", engine="numpy", dims=DIMS,
                                arms=arms, error=0.0, error_bound=1e-13, predicted_seconds=0.1,
                                predicted_bytes=400, skipped=None))  # fmt: skip
        for turn in range(3):
            store.append(BlockRecord(identity=HERE, cell=CELL, process=0, round=turn,
                                     sequence="ABBA", seconds=(1.0, 1.5, 1.6, 1.1),
                                     cpu_seconds=(1.0, 1.5, 1.5, 1.0), switches=0, steal=None,
                                     flagged=False))  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "published", list)
    write_run(tmp_path / "run")
    return tmp_path / "run"


def test_publish_writes_every_file(run):
    assessment = publish(run)
    names = {path.name for path in run.iterdir()}
    assert {"verdicts.json", "environment.json", "report.html"} <= names
    assert not any(name.startswith(".draft") for name in names)
    verdicts = json.loads((run / "verdicts.json").read_text())
    assert [set(verdict) for verdict in verdicts] == [
        {"claim", "verdict", "measured", "expected", "interval", "unit", "reason", "parts"}
    ]
    assert verdicts[0]["verdict"] == assessment.verdicts[0].verdict
    assert json.loads((run / "environment.json").read_text()) == {"cpu_model": "a processor"}
    assert (run / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_another_target_leaves_the_records_alone(run, tmp_path):
    before = sorted(run.iterdir())
    publish(run, target=tmp_path / "deep" / "out")
    assert sorted(run.iterdir()) == before
    assert (tmp_path / "deep" / "out" / "report.html").exists()


def test_publishing_twice_gives_the_same_bytes(run):
    publish(run)
    first = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    publish(run)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == first


def test_figures_alone(assessment, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "assess", lambda _: assessment)
    paths = plot(tmp_path)
    assert all(path.exists() and path.parent == tmp_path / "figures" for path in paths)
    assert {path.name for path in paths} >= {"cost_x.svg", "cost_x.png", "ratio_plane.svg"}
    assert not (tmp_path / "report.html").exists()


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


def test_no_records_is_an_error(tmp_path):
    with pytest.raises(RecordsError):
        publish(tmp_path)
