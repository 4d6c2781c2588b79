"""Frameworks beside us: what is shown of simulated times. What needs them is under tests/peers."""

import re

import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.claims.study_peers import CASES, COMPILE, EXPERIMENT, OURS, TOGETHER, cells
from tests.claims.agreement import agree
from tests.claims.makers import QUICK, simulate

MULTI_DOT = cells(QUICK)[-1]


def law(series):
    """Every peer takes twice as long as jacchain, in one process thrice, but multi_dot half."""
    factors = {OURS: 1.0, "numpy.linalg.multi_dot": 0.5}
    return 1e-3 * factors.get(series.name, 3.0 if series.cell.endswith(TOGETHER) else 2.0)


@pytest.fixture(scope="module")
def whole():
    """All cells, and what compiling took of one case."""
    case = next(iter(CASES))
    return simulate(EXPERIMENT, law, checks={COMPILE: {case: 1.5}})


def shown(evidence):
    (rows,) = EXPERIMENT.shows(evidence, QUICK)
    ((axis, marks),) = rows.panels
    assert len(marks) == len(rows.rows) == len(rows.numbers.rows)
    return rows, axis, [mark for (mark,) in marks]


def test_frameworks_are_measured_only_if_asked_for():
    assert (EXPERIMENT.default, EXPERIMENT.judge, EXPERIMENT.extra) == (False, None, "peers")
    assert EXPERIMENT.needs == ("torch", "jax")


def test_each_case_is_compared_with_each_framework():
    names = [cell.name for cell in cells(QUICK)]
    assert len(set(names)) == len(names) == 4 * len(CASES) + 2 + 1
    assert "peers LeNet-5, batch of 64, jax.grad" in names


def test_multi_dot_gives_the_same():
    assert agree(MULTI_DOT)


def test_each_peer_has_its_ratio_in_the_colour_of_the_faster(whole):
    rows, axis, marks = shown(whole)
    looks = {row.rsplit("\n", 1)[1]: mark.look for row, mark in zip(rows.rows, marks, strict=True)}
    assert rows.rows[1] == "784-512-256-10, batch of 256\njax.grad"
    assert marks[1].value == pytest.approx(2, rel=0.02)
    assert (looks["jax.grad"], looks["numpy.linalg.multi_dot"]) == ("third", "input-first")
    low, high = axis.limits
    assert low < min(mark.ends[0] for mark in marks)
    assert high > max(mark.ends[1] for mark in marks)
    assert axis.ticks == (0.5, 1, 2)


def test_a_peer_whose_interval_holds_one_is_muted():
    *_, marks = shown(simulate(EXPERIMENT, lambda _: 1e-3))
    assert "muted" in {mark.look for mark in marks if mark.ends[0] <= 1 <= mark.ends[1]}


def test_the_table_has_what_compiling_took(whole):
    rows = {row[0]: row[1:] for row in shown(whole)[0].numbers.rows}
    row = rows["784-512-256-10, batch of 256: jax.grad"]
    assert row[:3] == pytest.approx((1e-3, 2e-3, 2), rel=0.02)
    assert row[3][0] <= row[2] <= row[3][1]
    assert row[4] == pytest.approx(3, rel=0.02)
    assert row[5] == 1.5
    assert rows["784-512-256-10, batch of 256: torch.autograd.grad"][5] is None
    assert rows["784-512-256-10, batch of 1: jax.grad"][5] is None
    assert rows["lenet-300-100, Jacobian: jax.jacrev"][4] is None


def test_the_answer_is_a_sentence_for_each_case_and_peer(whole):
    sentences = list(EXPERIMENT.answer(whole, QUICK))
    assert len(sentences) == 2 * len(CASES) + 2 + 1
    assert sum(bool(re.search("both in one process, (2.9|3)", s)) for s in sentences) == 8
    start = "lenet-300-100, Jacobian: jax.jacfwd takes "
    (sentence,) = (s for s in sentences if s.startswith(start))
    times, rest = sentence.removeprefix(start).split(" (")
    low, rest = rest.split(" to ")
    high, rest = rest.split(") ")
    assert float(low) <= float(times) <= float(high)
    assert rest == "times as long as jacchain"


def test_nothing_measured_is_shown_empty():
    rows, axis, marks = shown(Evidence())
    assert (rows.rows, marks, axis.limits) == ((), [], (0.5, 2.0))
    assert list(EXPERIMENT.answer(Evidence(), QUICK)) == []
