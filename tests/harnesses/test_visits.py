"""The same cells by every harness, round by round: what is kept, and what is refused."""

import json

import pytest

from jacchain.harnesses import visits
from jacchain.harnesses.visits import VISITS, measure, read_rounds, shared_cells
from jacchain.records.errors import RecordsError
from jacchain.runs.job import RunError

CELLS = shared_cells({"x": (16, 1024)})


def test_a_size_that_no_harness_has_is_refused():
    with pytest.raises(ValueError, match=r"unknown shared cell 'x 17'; .* 'x 128', 'x 16'"):
        shared_cells({"x": (17,)})


def write(name):
    def visit(_root, target, _cells):
        target.mkdir()
        (target / "who").write_text(name)

    return visit


def names_in(folder):
    return {path.name for path in folder.iterdir()} - {".lock"}  # some filelocks leave it


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose harnesses leave their names."""
    for folder in (visits.SUITE, visits.TESTS):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(visits, "_commit", lambda _: "ab" * 20)
    for name in VISITS:
        monkeypatch.setitem(VISITS, name, write(name))
    return tmp_path


def test_every_round_visits_every_harness_once(checkout):
    out, units = checkout / "out", []
    measure(checkout, out, CELLS, rounds=3, progress=lambda *pair: units.append(pair))
    rounds = {"round-00", "round-01", "round-02"}
    assert names_in(out) == {*rounds, "setting.json"}
    for folder in out.glob("round-*"):
        assert sorted(json.loads((folder / "order.json").read_text())) == sorted(VISITS)
        assert {(folder / name / "who").read_text() for name in VISITS} == set(VISITS)
    assert units[-1] == (15, 15)


def test_what_fails_loses_no_finished_round(checkout, monkeypatch):
    out, calls = checkout / "out", []

    def fails_later(root, target, cells):
        calls.append(1)
        if len(calls) == 3:
            raise RunError("asv failed")
        write("asv")(root, target, cells)

    monkeypatch.setitem(VISITS, "asv", fails_later)
    with pytest.raises(RunError, match="asv failed"):
        measure(checkout, out, CELLS, rounds=4)
    assert names_in(out) == {"round-00", "round-01", "setting.json"}
    monkeypatch.setitem(VISITS, "asv", write("later"))
    measure(checkout, out, CELLS, rounds=4)
    who = [(path / "asv/who").read_text() for path in sorted(out.glob("round-*"))]
    assert who == ["asv", "asv", "later", "later"]


def test_rounds_of_another_setting_are_not_mixed(checkout):
    out = checkout / "out"
    measure(checkout, out, CELLS, rounds=2)
    with pytest.raises(RunError, match=r"another setting \(cells\).*--fresh"):
        measure(checkout, out, CELLS[:1], rounds=3)
    measure(checkout, out, CELLS[:1], rounds=2, fresh=True)
    assert json.loads((out / "setting.json").read_text())["cells"] == [["x", 16]]


def test_outside_a_checkout_the_remedy_is_named(tmp_path):
    with pytest.raises(RunError, match=r"no benchmarks/asv_suite.*in a clone"):
        measure(tmp_path, tmp_path / "out", CELLS, rounds=2)


def test_too_few_rounds_are_refused(tmp_path):
    with pytest.raises(RecordsError, match=r"0 rounds in .*two or more.*compare-harnesses"):
        read_rounds(tmp_path)
