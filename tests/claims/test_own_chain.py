"""A chain of the user's own: the faster order, the verdict, and what ends the run."""

import re
from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Noise
from jacchain.chains.planners import plan
from jacchain.claims.own_chain import answer, cell_claim, claim_of, experiment_named, plans_table
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.show import Figure, Table
from tests.claims.makers import QUICK, blank_series, judged, with_cells

OUTPUTS = (100, 5, 200, 10, 50)  # neither order is optimal
WIDE = (1, 4, 8, 4, 300)  # loss-first takes far fewer multiplications
NARROW = (1, 4, 50, 60, 1)  # input-first takes fewer
EVEN = (1, 5, 5, 5, 1)


def measure(dims, *seconds, noise_floor=0.05):
    """Evidence of one chain; a drift that both orders share, and noise that they don't."""
    rng = np.random.default_rng(0)
    cell, shape = chain_cell(dims), (12, 2, 2)
    drift = rng.lognormal(sigma=0.3, size=(12, 2, 1))
    arms = tuple(
        replace(blank, seconds=time * drift * np.exp(rng.normal(0, 0.01, shape)))
        for blank, time in zip(blank_series(cell, shape), seconds, strict=True)
    )
    return Evidence({cell.name: arms}, noise=Noise(noise_floor))


def experiment(dims):
    return experiment_named(claim_of(dims))


@pytest.mark.parametrize("seconds", [(1e-5, 3e-5), (3e-5, 1e-5)])
def test_the_faster_order_is_named_with_its_ratio(seconds):
    best = answer(measure(WIDE, *seconds), WIDE)
    assert (best.faster.name, best.slower.name) == (BOTH if seconds[0] < seconds[1] else BOTH[::-1])
    assert best.ratio == pytest.approx(3, rel=0.02)
    assert best.interval[0] < 3 / 1.03 < 3 * 1.03 < best.interval[1]
    assert best.is_sure
    assert best.formula == best.slower.cost.multiplications / best.faster.cost.multiplications


@pytest.mark.parametrize(
    ("seconds", "noise_floor", "sure"), [(1.04, 0.05, False), (1.2, 0.05, True), (1.2, 0.3, False)]
)
def test_within_the_noise_floor_nobody_can_be_sure(seconds, noise_floor, sure):
    best = answer(measure(WIDE, 1.0, seconds, noise_floor=noise_floor), WIDE)
    assert best.ratio >= 1
    assert best.is_sure is sure


@pytest.mark.parametrize(
    ("dims", "loss", "inputs", "expected"),
    [
        (WIDE, 1.0, 3.0, "agrees"),
        (WIDE, 3.0, 1.0, "disagrees"),
        (WIDE, 1.0, 1.02, "inconclusive"),
        (NARROW, 3.0, 1.0, "agrees"),
        (NARROW, 1.0, 3.0, "disagrees"),
        (NARROW, 1.02, 1.0, "inconclusive"),
        (EVEN, 1.0, 3.0, "inconclusive"),
    ],
)
def test_the_order_with_fewer_multiplications_should_take_less_time(dims, loss, inputs, expected):
    verdict = judged(experiment(dims), measure(dims, loss, inputs))
    assert verdict.verdict == expected
    if dims == EVEN:
        assert "both orders take as many multiplications" in verdict.reason


def test_the_ratio_is_more_over_fewer_multiplications():
    verdict = judged(experiment(NARROW), measure(NARROW, 3.0, 1.0))
    part = verdict.telling
    assert part.unit == "loss-first / input-first"
    assert part.measured == pytest.approx(3, rel=0.02)
    assert part.expected > 1


def test_the_answer_is_a_table_of_both_orders_and_a_sentence():
    table, sentence = experiment(WIDE).answer(measure(WIDE, 1e-5, 3e-5), QUICK)
    assert isinstance(table, Table)
    assert [row[:2] for row in table.rows] == [(o, plan(WIDE, o).multiplications) for o in BOTH]
    assert re.match(r"loss-first is (2\.9|3\.0)\d times as fast as input-first", sentence)
    assert "not sure" not in sentence
    *_, doubtful = experiment(WIDE).answer(measure(WIDE, 1.0, 1.02), QUICK)
    assert "That is not sure: the noise of this machine could explain it." in doubtful
    assert "measure again with --fresh" in doubtful


def measure_optimal(*seconds):
    """Evidence of a chain whose optimal order is measured too."""
    evidence = measure(OUTPUTS, *seconds[:2])
    cell, shape = chain_cell(OUTPUTS, ("input-first", "optimal"), role="comparison"), (12, 2, 2)
    arms = tuple(
        replace(blank, seconds=np.full(shape, time))
        for blank, time in zip(blank_series(cell, shape), seconds[1:], strict=True)
    )
    return replace(evidence, cells=evidence.cells | {cell.name: arms})


def test_an_optimal_order_that_is_another_stands_beside_the_two():
    roles = [cell.role for cell in experiment(OUTPUTS).cells(QUICK)]
    assert roles == ["chain", "comparison", "control", "control"]
    evidence = measure_optimal(4e-5, 2e-5, 1e-5)
    table, _, sentence = experiment(OUTPUTS).answer(evidence, QUICK)
    orders = ["optimal", "input-first", "loss-first"]
    counts = [plan(OUTPUTS, order).multiplications for order in orders]
    assert [row[:2] for row in table.rows] == [*zip(orders, counts, strict=True)]
    assert sentence == (
        "The optimal order is 2.00 times as fast as input-first (2.00 to 2.00); "
        f"by multiplications alone it would be {counts[1] / counts[0]:.2f}."
    )
    figure, plans = experiment(OUTPUTS).shows(evidence, QUICK)
    assert figure.rows == tuple(orders)
    assert plans == plans_table(OUTPUTS, QUICK.itemsize)
    ((_, marks),) = figure.panels
    assert marks[0][0].value == pytest.approx(1e-5)
    assert [mark.value for (mark,) in marks] == sorted(mark.value for (mark,) in marks)
    assert [mark.look for (mark,) in marks] == ["third", "input-first", "loss-first"]
    assert all(mark.bar for (mark,) in marks)


def test_the_plan_of_a_short_chain_lists_every_order_the_fewest_multiplications_first():
    assert plans_table((2, 3, 4, 5), 4).rows == (
        ("loss-first, optimal, (J0 J1) J2", 64, 1.0, 4 * (6 + 12 + 8 + 8 + 20 + 10), 4 * 18),
        ("input-first, J0 (J1 J2)", 90, 90 / 64, 4 * (12 + 20 + 15 + 6 + 15 + 10), 4 * 25),
    )
    assert [len(plans_table((1,) * n, 8).rows) for n in (3, 4, 5, 6)] == [1, 2, 5, 14]


def test_the_plan_of_a_long_chain_lists_three_orders():
    assert {row[0] for row in plans_table(OUTPUTS * 2, 8).rows} == {*BOTH, "optimal"}
    assert "three orders" in plans_table(OUTPUTS * 2, 8).caption


def test_a_chain_that_ends_with_one_element_was_turned():
    with pytest.raises(ValueError, match=r"loss first they are 1 10 784$"):
        claim_of((784, 10, 1))


@pytest.mark.parametrize(
    ("skipped", "reason"),
    [({}, "not measured in this run"), ({chain_cell(WIDE).name: "needs 90 GiB"}, "needs 90 GiB")],
)
def test_a_chain_that_was_not_measured_has_no_answer_but_a_reason(skipped, reason):
    evidence = Evidence(skipped=skipped)
    assert answer(evidence, WIDE) is None
    assert reason in judged(experiment(WIDE), evidence).reason
    (sentence,) = experiment(WIDE).answer(evidence, QUICK)
    assert reason in sentence


def test_a_chain_is_measured_with_its_controls():
    cells = experiment((1, 5, 7)).cells(QUICK)
    assert [cell.role for cell in cells] == ["chain", "control", "control"]
    assert {cell.dims for cell in cells} == {(1, 5, 7)}
    assert experiment((1, 5, 7)).beside == ()


def test_the_noise_of_the_controls_is_shown_if_they_were_measured():
    evidence = measure(WIDE, 1e-5, 3e-5)

    def names(evidence):
        shown = experiment(WIDE).shows(evidence, QUICK)
        return [item.name for item in shown if isinstance(item, Figure)]

    assert names(evidence) == ["orders"]
    control = replace(evidence.chains[WIDE][0], cell="control", role="control")
    evidence = with_cells(evidence, {"control": (control, control)})
    assert names(evidence) == ["orders", "noise_floor"]


@pytest.mark.parametrize("order", ["", *BOTH])
def test_a_cell_alone_judges_nothing(order):
    alone = experiment_named(cell_claim((1, 5, 7), order))
    (cell,) = alone.cells(QUICK)
    assert [arm.name for arm in cell.arms(np.dtype("f8"), 0)] == ([order] if order else list(BOTH))
    assert alone.judge is None
    assert not alone.is_claim


@pytest.mark.parametrize("name", ["C1", "chain", "chain-5", "chain-1x2x", "cell-1x2-last-first"])
def test_other_names_are_no_chains(name):
    assert experiment_named(name) is None


@pytest.mark.parametrize("dims", [(1,), (1, 5), (1, 0, 4), (1, 3, -2), ()])
def test_dims_that_are_no_chain_are_refused(dims):
    with pytest.raises(ValueError, match="expected at least three sizes of 1 to 2147483647"):
        claim_of(dims)
