"""Harnesses side by side: what their ratios are judged as, and how rounds are kept."""

import json

import pytest

from jacchain.experiments import harness_visits
from jacchain.experiments.harness_comparison import compare
from jacchain.experiments.harness_visits import VISITS, measure, read_rounds, shared_cells
from jacchain.experiments.job import RunError
from jacchain.records.errors import RecordsError

CELLS = shared_cells({"x": (16, 1024)})


def verdicts(found):
    return {pair: verdict.verdict for pair, verdict in found.verdicts.items()}


def test_harnesses_that_measure_the_same_agree(harness_rounds):
    found = compare(harness_rounds())
    assert set(verdicts(found).values()) == {"agrees"}
    assert found.rounds == 6
    assert found.noise < 0.03
    judged = [row for row in found.rows if row.judged]
    assert {row.dims for row in judged} == {(1, 64, 32), (1, 256, 64), (1, 512, 512)}
    assert all(len(verdict.parts) == len(judged) for verdict in found.verdicts.values())
    own = [row.medians["own"] for row in found.rows]
    assert own == sorted(own)


def test_one_that_takes_longer_is_named(harness_rounds):
    found = compare(harness_rounds(pytest=1.3))
    assert verdicts(found) == {
        ("asv", "own"): "agrees", ("pytest", "own"): "disagrees", ("asv", "pytest"): "disagrees",
    }  # fmt: skip
    low, middle, high = found.rows[-1].ratios["pytest", "own"]
    assert low < middle < high
    assert middle == pytest.approx(1.3, rel=0.03)


def test_the_cause_of_a_difference_counts_if_it_vanishes_without_it(harness_rounds):
    paired = compare(harness_rounds(own=1.3, **{"own again": 1.3}))
    assert len(paired.findings) == 2 * 6  # both other harnesses, all judged cells
    assert all(finding.vanishes for finding in paired.findings)
    unknown = compare(harness_rounds(asv=1.3))
    assert len(unknown.findings) == 6
    assert not any(finding.vanishes for finding in unknown.findings)
    assert compare(harness_rounds()).findings == ()


def test_where_noise_explains_a_difference_nothing_is_decided(harness_rounds):
    found = compare(harness_rounds(noise=0.3, pytest=1.2))
    assert set(verdicts(found).values()) == {"inconclusive"}


def test_a_size_that_no_harness_has_is_refused():
    with pytest.raises(ValueError, match=r"no published cell x 17; known are x 16, x 128"):
        shared_cells({"x": (17,)})


def write(name):
    def visit(_root, target, _cells):
        target.mkdir()
        (target / "who").write_text(name)

    return visit


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose harnesses leave their names."""
    for folder in (harness_visits.SUITE, harness_visits.TESTS):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(harness_visits, "_commit", lambda _: "ab" * 20)
    for name in VISITS:
        monkeypatch.setitem(VISITS, name, write(name))
    return tmp_path


def test_every_round_visits_every_harness_once(checkout):
    out, seen = checkout / "out", []
    measure(checkout, out, CELLS, rounds=3, progress=lambda *units: seen.append(units))
    assert sorted(path.name for path in out.iterdir()) == [
        "round-00", "round-01", "round-02", "setting.json"
    ]  # fmt: skip
    for folder in out.glob("round-*"):
        assert sorted(json.loads((folder / "order.json").read_text())) == sorted(VISITS)
        assert {(folder / name / "who").read_text() for name in VISITS} == set(VISITS)
    assert seen[-1] == (15, 15)


def test_what_fails_loses_no_finished_round(checkout, monkeypatch):
    out, calls = checkout / "out", []

    def fails_later(root, target, cells):
        calls.append(1)
        if len(calls) == 3:
            message = "asv failed"
            raise RunError(message)
        write("asv")(root, target, cells)

    monkeypatch.setitem(VISITS, "asv", fails_later)
    with pytest.raises(RunError, match="asv failed"):
        measure(checkout, out, CELLS, rounds=4)
    kept = {path.name for path in out.iterdir()}
    assert kept == {"round-00", "round-01", "setting.json"}
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
