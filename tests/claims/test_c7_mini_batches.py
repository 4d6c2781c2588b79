"""C7: a step on a batch against one on the whole set, and loss-first at every batch size."""

from functools import cache

import numpy as np
import pytest

from jacchain.claims import c7_mini_batches as c7
from jacchain.claims.c7_mini_batches import EXPERIMENT, orders_cell, step_cell
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST
from tests.claims.makers import QUICK, STANDARD, judged, simulate

FORMULA = 17639424 / 165514  # ratio of the multiplications of both orders
SIZES = (1, 4, 16)


@cache
def checks():
    return {name: check.run(3) for name, check in EXPERIMENT.checks.items()}


def test_more_than_quick_takes_all_powers_of_two():
    assert c7.batch_sizes(STANDARD) == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert {n for _, whole, n in c7.steps(STANDARD) if whole == 256} == {1, 4, 16, 64}


def test_a_batch_that_shares_its_matrix_is_no_product_of_a_row():
    evidence = simulate(EXPERIMENT)
    one, four = (evidence.pair(orders_cell(n))[0].cost for n in (1, 4))
    assert one.row_multiplications == one.multiplications
    assert four.multiplications == 4 * one.multiplications
    assert four.row_multiplications == 4 * sum(c7.NETWORK[1:])  # of the diagonals


def test_counts_of_a_batch_can_be_done_by_hand():
    """Of 3 samples; tanh after each layer. Explicit factors hold the activations already."""
    weights, dense = 5 * 7 + 7 * 9 + 9 * 12, 7 * 9 * 12 + 5 * 7 * 12 + 5 * 12
    counts = checks()[c7.COUNTS]
    assert len(counts) == 4 * 6
    assert all(counted == predicted for counted, predicted in counts.values())
    assert counts["explicit factors, loss-first, batch of 3"][0] == 3 * weights
    assert counts["shared factors, loss-first, batch of 3"][0] == 3 * (weights + 5 + 7 + 9)
    assert counts["explicit factors, input-first, batch of 3"][0] == 3 * dense


def test_steps_allocate_about_what_the_plan_says():
    for memory in checks()[c7.MEMORY].values():
        assert memory.predicted <= memory.allocated <= 2.3 * memory.predicted + 2**16


def test_a_step_takes_less_of_everything_than_the_whole_set():
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, checks=checks()))
    assert verdict.verdict == "agrees"
    _, proportion, time, peak, faster = (statement.parts for statement in verdict.statements)
    assert len(proportion) == 4 * 5
    for order, n in ((order, n) for order in BOTH for n in SIZES[:-1]):
        (part,) = (p for p in time if p.name == f"time ratio, {step_cell(order, SIZES[-1], n)}")
        assert (part.expected, part.margin) == (SIZES[-1] / n, (1, np.inf))
        (part,) = (p for p in peak if p.name.startswith(f"{order}, batch of {n} /"))
        assert n / 64 < part.measured < 1
    assert [part.name for part in faster] == [f"time ratio, {orders_cell(n)}" for n in SIZES]
    assert [part.expected for part in faster] == pytest.approx([FORMULA] * len(SIZES))
    assert {part.margin for part in faster} == {(1, np.inf)}


def test_a_batch_that_takes_as_long_as_the_whole_set_disagrees():
    def law(series):
        return 3e-3 if series.name.startswith("batch of") else 2e-3

    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, checks=checks()))
    assert [s.verdict for s in verdict.statements] == [
        "agrees",
        "agrees",
        "disagrees",
        "agrees",
        "inconclusive",
    ]


@pytest.mark.parametrize("spoilt", ["counts", "memory"])
def test_a_step_out_of_proportion_disagrees(spoilt):
    values = checks()
    if spoilt == "counts":
        name, (executed, _) = "shared factors, loss-first, batch of 6", (9999, 0)
        values = values | {c7.COUNTS: values[c7.COUNTS] | {name: (executed, executed)}}
    else:
        taken = values[c7.MEMORY]
        whole = taken[f"{INPUT_FIRST}, batch of 64"]
        values = values | {c7.MEMORY: taken | {f"{INPUT_FIRST}, batch of 1": whole}}
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, checks=values))
    assert [s.verdict for s in verdict.statements].count("disagrees") == 1


def test_time_and_memory_are_shown_over_the_batch():
    evidence = simulate(EXPERIMENT, checks=checks())
    (figure,) = EXPERIMENT.shows(evidence, QUICK)
    ((time, memory),) = figure.panels
    for index, curve in enumerate(time.curves):
        assert curve.label == BOTH[index]
        expected = [evidence.pair(orders_cell(n))[index].time for n in SIZES]
        np.testing.assert_allclose(curve.y, expected)
    plan = "peak by the plan"
    assert [curve.label for curve in memory.curves] == [BOTH[0], plan, BOTH[1], plan]
    rows = {row[0]: row for row in figure.numbers.rows}
    assert rows[SIZES[-1]][5:] == (None, None)
    assert rows[1][4] == FORMULA
    whole, batch = evidence.pair(step_cell(LOSS_FIRST, SIZES[-1], 4))
    assert rows[4][5] == pytest.approx(whole.time / batch.time, rel=0.05)
