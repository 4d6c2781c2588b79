"""C7: batches and their gains, where a batch turns loss-first, and what is shown of it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.fit import features, fit_times
from jacchain.claims.c7_mini_batches import (
    BATCH,
    COUNTS,
    EXPERIMENT,
    NETWORK,
    ONE_BY_ONE,
    WIDE,
    batch_sizes,
    cell_name,
    cells,
    count_batches,
    findings,
    measured,
    shows,
    turning,
    wide_rates,
)
from jacchain.cost import Cost
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST, chain_cell
from jacchain.experiments.sizes import Sizes

QUICK = Sizes()
MIB = 2**20
WEIGHTS = 8 * (1024 * 1024 + 1024 * 1024 + 1024 * 10)
GOOD = {COUNTS: {"shared factors, loss-first": (30, 30)}}


def obeys(series):
    """A call, and a rate for each kind of product; whatever is one by one takes half longer."""
    cost = series.cost
    seconds = 1e-7 * cost.products + 1e-10 * cost.row_flops + 2.5e-11 * cost.matrix_flops
    return seconds * (1.5 if series.name == ONE_BY_ONE else 1.0)


def scaled(factor, *, name, cell=""):
    """The same machine, but for the arms of this name."""
    return lambda s: obeys(s) * (factor if s.name == name and s.cell.endswith(cell) else 1.0)


def verdicts(verdict, name):
    return {part.verdict for part in verdict.parts if name in part.name}


# Cells and counts


def test_more_than_quick_takes_all_powers_of_two():
    assert batch_sizes(Sizes("standard")) == (1, 2, 4, 8, 16, 32, 64, 128, 256)


def test_both_arms_give_the_same(assert_same):
    assert_same(cells(QUICK))


def test_dims_that_are_stated_are_those_of_the_networks():
    for cell in cells(QUICK)[:8]:
        weights = sum(m * n for m, n in pairwise(cell.dims[1:]))
        assert all(arm.cost.held_bytes >= 8 * weights for arm in cell.arms(np.dtype(float), 3))


def test_a_batch_that_shares_its_matrix_is_no_product_of_a_row(simulate):
    evidence = simulate(EXPERIMENT, obeys)
    one, four = (evidence.pair(cell_name("orders", n))[0].cost for n in (1, 4))
    diagonals = sum(NETWORK[1:])
    assert one.row_multiplications == one.multiplications
    assert four.multiplications == 4 * one.multiplications
    assert four.row_multiplications == 4 * diagonals
    own, _ = evidence.pair(cell_name("explicit", 4))
    assert own.cost.row_multiplications == own.cost.multiplications


def test_counts_of_a_batch_can_be_done_by_hand():
    """Of 3 samples; tanh after each layer. Explicit factors hold the activations already."""
    counts, weights = count_batches(3), 5 * 7 + 7 * 9 + 9 * 12
    assert counts["explicit factors, loss-first, batch of 3"] == (3 * weights,) * 2
    assert counts["shared factors, loss-first, batch of 3"] == (3 * (weights + 5 + 7 + 9),) * 2
    dense = 7 * 9 * 12 + 5 * 7 * 12 + 5 * 12
    assert counts["explicit factors, input-first, batch of 3"] == (3 * dense,) * 2
    assert len(counts) == 4
    assert all(counted == predicted for counted, predicted in counts.values())


# Judgement


def test_both_orders_and_the_gain_of_each_are_judged_at_every_batch_size(simulate, judged):
    names = [part.name for part in judged(EXPERIMENT, simulate(EXPERIMENT, obeys)).parts]
    for n in batch_sizes(QUICK):
        for what in ("orders", *((LOSS_FIRST, INPUT_FIRST, WIDE) if n > 1 else ())):
            assert f"time ratio, {cell_name(what, n)}" in names
    assert not any("explicit" in name for name in names)


def test_the_formula_beside_a_gain_is_a_ratio_of_multiplications(simulate, judged):
    for part in judged(EXPERIMENT, simulate(EXPERIMENT, obeys)).parts:
        if "orders" in part.name:
            assert part.expected == pytest.approx(17639424 / 165514)
            assert part.margin == (10, np.inf)
        elif part.timed and part.interval:
            assert (part.expected, part.margin) == (1, (1, np.inf))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(1.2, "agrees"), (1.0, "inconclusive"), (0.96, "inconclusive"), (0.8, "disagrees")],
)
@pytest.mark.parametrize("order", [LOSS_FIRST, INPUT_FIRST])
def test_a_batch_must_take_less_than_its_samples_one_by_one(
    simulate, judged, order, gain, expected
):
    def law(series):
        if f"C7 {order}, batch" not in series.cell:
            return obeys(series)
        return 1e-3 * (gain if series.name == ONE_BY_ONE else 1.0)

    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, checks=GOOD))
    assert verdicts(verdict, f"C7 {order}, batch") == {expected}
    assert (verdict.verdict == "disagrees") is (expected == "disagrees")


def test_a_machine_where_batches_help_nowhere_leaves_the_claim_open(simulate, judged):
    def law(series):
        return 1e-9 * series.cost.multiplications

    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, checks=GOOD))
    assert verdict.verdict == "inconclusive"
    assert verdicts(verdict, "orders") == {"agrees"}
    assert verdicts(verdict, "C7 wide") == {"inconclusive"}


def test_a_machine_where_batches_hurt_disagrees(simulate, judged):
    evidence = simulate(EXPERIMENT, scaled(4.0, name=BATCH), checks=GOOD)
    verdict = judged(EXPERIMENT, evidence)
    assert verdict.verdict == "disagrees"
    assert verdicts(verdict, "orders") == {"agrees"}


@pytest.mark.parametrize("samples", [1, 64])
def test_loss_first_slower_in_a_single_batch_size_disagrees(simulate, judged, samples):
    cell = cell_name("orders", samples)
    evidence = simulate(EXPERIMENT, scaled(1e4, name=LOSS_FIRST, cell=cell), checks=GOOD)
    verdict = judged(EXPERIMENT, evidence)
    assert verdict.verdict == "disagrees"
    wrong = [part.name for part in verdict.parts if part.verdict == "disagrees"]
    assert wrong == [f"time ratio, {cell}"]


# Findings


def machine(row, *, input_first_gains=1.0, loss_first_gains=3.0):
    """Matrix products at 1e-11 s a multiplication, rows at `row`; batches gain so much."""

    def law(series):
        cost = series.cost
        if series.name != ONE_BY_ONE:
            return 0.5 * (row * cost.row_flops + 1e-11 * cost.matrix_flops)
        gain = input_first_gains if f"C7 {INPUT_FIRST}" in series.cell else loss_first_gains
        return gain * 1e-11 * cost.multiplications

    return law


def finding(text, evidence):
    return next((f for f in findings(evidence, QUICK) if text in f.observed), None)


def test_rows_slower_than_matrices_explain_why_time_is_short_of_the_formula(simulate):
    order = finding("loss-first", simulate(EXPERIMENT, machine(1e-10)))
    assert order.observed.startswith("In a batch of 1 input-first takes 10.")
    assert "multiplies 107 times as much" in order.observed
    assert "In a batch of 64" in order.without
    assert order.vanishes


def test_a_gap_that_stays_in_a_batch_has_no_such_cause(simulate):
    def law(series):
        return 1e-10 * series.cost.multiplications * (10 if series.name == LOSS_FIRST else 1)

    assert finding("loss-first", simulate(EXPERIMENT, law)).vanishes is False


def test_time_beyond_the_formula_is_no_finding(simulate):
    def law(series):
        return 1e-10 * series.cost.multiplications * (2 if series.name == INPUT_FIRST else 1)

    assert finding("loss-first", simulate(EXPERIMENT, law)) is None


def test_input_first_gains_nothing_where_loss_first_does(simulate):
    gain = finding("gains nothing", simulate(EXPERIMENT, machine(1e-10)))
    assert gain.observed.startswith("In 3 of 3 batch sizes input-first gains nothing")
    assert "takes 2.95, 2.96, 2.94 times" in gain.without
    assert gain.vanishes


def test_where_loss_first_gains_nothing_either_the_cause_is_another(simulate):
    law = machine(1e-10, loss_first_gains=1.0)
    assert finding("gains nothing", simulate(EXPERIMENT, law)).vanishes is False


def test_where_input_first_gains_there_is_nothing_to_explain(simulate):
    law = machine(1e-10, input_first_gains=1.5)
    assert finding("gains nothing", simulate(EXPERIMENT, law)) is None


def test_nothing_measured_is_no_finding(simulate):
    assert findings(Evidence(), QUICK) == []
    whole = simulate(EXPERIMENT, machine(1e-10))
    single = {key: pair for key, pair in whole.cells.items() if key == cell_name("orders", 4)}
    assert findings(replace(whole, cells=single), QUICK) == []


# Where loss-first turns from bound by memory to bound by arithmetic


def ceiling(group, rate, working_set=WEIGHTS):
    """A kernel that takes a second: flops where matrices are multiplied, else bytes."""
    flops = int(rate) if group == "matrix-matrix" else 0
    moved = 1 if flops else int(rate)
    cost = Cost(products=1, multiplications=flops // 2, bytes=moved, held_bytes=working_set)
    name, shape = f"{group} {rate} {working_set}", (1, 2, 2)
    times, flags = np.ones(shape), np.zeros(shape, dtype=bool)
    return Series(name, "ceiling", group, (1, 1, 1), "kernel", cost, times, flags)


def with_ceilings(evidence, *ceilings):
    return replace(evidence, cells={**evidence.cells, **{s.cell: (s,) for s in ceilings}})


def roofline(flops, bandwidth):
    """A machine whose wide network takes what memory and arithmetic take, one after the other."""

    def law(series):
        samples = int(series.cell.split()[-1])
        read = WEIGHTS / bandwidth * (samples if series.name == ONE_BY_ONE else 1)
        return read + series.cost.flops / flops

    return law


def test_what_was_measured_is_found_by_batch_size(simulate):
    evidence = simulate(EXPERIMENT, lambda _: 1.0)
    assert [n for n, *_ in measured(evidence, QUICK, "orders")] == [1, 4, 16, 64]
    assert [n for n, *_ in measured(evidence, QUICK, WIDE)] == [4, 16, 64]
    fewer = {k: v for k, v in evidence.cells.items() if k != cell_name("orders", 16)}
    partly = replace(evidence, cells=fewer)
    assert [n for n, *_ in measured(partly, QUICK, "orders")] == [1, 4, 64]


def test_rates_are_of_one_sample_by_itself_and_then_of_batches(simulate):
    evidence = simulate(
        EXPERIMENT, lambda s: 1e-9 * s.cost.multiplications * (1 + (s.name == ONE_BY_ONE))
    )
    batches, rates = wide_rates(evidence, QUICK)
    np.testing.assert_array_equal(batches, [1, 4, 16, 64])
    np.testing.assert_allclose(rates, [1e9, 2e9, 2e9, 2e9], rtol=0.05)


def test_loss_first_turns_where_memory_takes_as_long_as_arithmetic(simulate):
    """8 bytes at 4e9 a second take as long as 10 times 2 flops at 1e10."""
    evidence = with_ceilings(
        simulate(EXPERIMENT, roofline(1e10, 4e9)),
        ceiling("matrix-matrix", 1e10),
        ceiling("matrix-matrix", 9e9),
        ceiling("row-matrix", 4e9),
        ceiling("row-matrix", 3e9, working_set=16 * MIB),
        ceiling("row-matrix", 9e10, working_set=MIB),
        ceiling("copy", 9e10),
    )
    turn = turning(evidence, QUICK)
    assert (turn.ceiling, turn.bandwidth) == (1e10, 4e9)
    assert turn.predicted == 10.0
    assert turn.measured == pytest.approx(10, rel=0.15)
    assert turning(evidence, replace(QUICK, itemsize=4)).predicted == 5.0


def test_a_ceiling_that_is_not_reached_has_no_measured_turning(simulate):
    evidence = with_ceilings(
        simulate(EXPERIMENT, roofline(1e9, 4e9)),
        ceiling("matrix-matrix", 1e11),
        ceiling("row-matrix", 4e9),
    )
    turn = turning(evidence, QUICK)
    assert (turn.predicted, turn.measured) == (100.0, None)


@pytest.mark.parametrize("missing", ["cells", "matrix-matrix", "row-matrix", "near"])
def test_without_what_it_needs_there_is_no_turning(simulate, missing):
    matrices, rows = (
        "copy" if missing == group else group for group in ("matrix-matrix", "row-matrix")
    )
    evidence = with_ceilings(
        Evidence() if missing == "cells" else simulate(EXPERIMENT, roofline(1e10, 4e9)),
        ceiling(matrices, 1e10),
        ceiling(rows, 4e9, working_set=WEIGHTS // 3 if missing == "near" else WEIGHTS),
    )
    assert turning(evidence, QUICK) is None


# What is shown


@pytest.fixture(scope="module")
def whole(simulate, simulate_cell):
    """A run with ceilings, and with chains enough for the time model."""
    chains = [chain_cell((1, n, n, 2 * n)) for n in (8, 16, 32, 64, 128, 256)]
    evidence = with_ceilings(
        simulate(EXPERIMENT, obeys), ceiling("matrix-matrix", 6e10), ceiling("row-matrix", 3e10)
    )
    pairs = {cell.name: simulate_cell(cell, obeys) for cell in chains}
    return replace(evidence, cells={**evidence.cells, **pairs})


def panels(evidence):
    (figure,) = shows(evidence, QUICK)
    return [panel for row in figure.panels for panel in row]


def curves(panel, label):
    return [curve for curve in panel.curves if curve.label == label]


def test_seconds_per_sample_are_shown_of_both_orders(whole):
    above, _ = panels(whole)
    for index, order in enumerate(BOTH):
        (batch,) = curves(above, f"{order}, in a batch")
        times = [whole.pair(cell_name("orders", n))[index].time / n for n in batch_sizes(QUICK)]
        np.testing.assert_allclose(batch.y, times)
        assert np.all(batch.ends[:, 0] <= batch.y)
        assert np.all(batch.y <= batch.ends[:, 1])
        assert np.all(batch.ends[:, 1] < 1.1 * batch.ends[:, 0])
        (single,) = curves(above, f"{order}, one by one")
        times = [whole.pair(cell_name(order, n))[0].time / n for n in batch_sizes(QUICK)[1:]]
        np.testing.assert_allclose(single.y, times)
        assert (single.marks, single.look) == ("hollow", order)
    (own,) = curves(above, "loss-first, each sample its own Jacobians")
    np.testing.assert_array_equal(own.x, batch_sizes(QUICK))


def test_the_models_prediction_is_dashed_and_absent_without_a_model(whole):
    coefficients = fit_times(whole).coefficients
    predictions = curves(panels(whole)[0], "")
    assert len(predictions) == 2
    for index, curve in enumerate(predictions):
        pairs = [(n, whole.pair(cell_name("orders", n))[index]) for n in batch_sizes(QUICK)]
        times = [features(series, whole) @ coefficients / n for n, series in pairs]
        np.testing.assert_allclose(curve.y, times)
        assert (curve.line, curve.marks, curve.look) == ("--", "", BOTH[index])
    (entry,) = curves(panels(whole)[0], "time model, from other cells")
    assert (entry.line, entry.look, len(entry.x)) == ("--", "muted", 0)
    bare = {name: arms for name, arms in whole.cells.items() if arms[0].role != "chain"}
    above, _ = panels(replace(whole, cells=bare))
    assert curves(above, "time model, from other cells") == []
    assert len(above.curves) == 5


def test_rates_of_loss_first_stand_under_a_roof_and_beside_the_turning(whole):
    _, below = panels(whole)
    (curve,) = curves(below, "loss-first, in a batch")
    batches, rates = wide_rates(whole, QUICK)
    np.testing.assert_array_equal(curve.x, batches)
    np.testing.assert_allclose(curve.y, rates / 1e9)
    turn = turning(whole, QUICK)
    (roof,) = curves(below, "ceilings: bandwidth, arithmetic")
    assert max(roof.y) == pytest.approx(turn.ceiling / 1e9)
    predicted, reached = below.levels
    assert predicted.label == f"turns at {turn.predicted:.1f}, predicted"
    assert predicted.value == turn.predicted == pytest.approx(8)  # 8 x 6e10 / (2 x 3e10)
    assert reached.label == f"half of the ceiling at {turn.measured:.1f}, measured"
    assert 1 < reached.value < 4
    low, high = below.y.limits
    assert low < rates.min() / 1e9 < rates.max() / 1e9 < high


def test_without_ceilings_there_is_no_roof_and_no_turning(simulate):
    (figure,) = shows(simulate(EXPERIMENT, obeys), QUICK)
    ((_,), (below,)) = figure.panels
    assert [curve.label for curve in below.curves] == ["loss-first, in a batch"]
    assert below.levels == ()
    assert "turns" not in figure.numbers.caption


def test_the_table_has_a_row_for_each_batch_size(whole):
    (figure,) = shows(whole, QUICK)
    table = figure.numbers
    assert [row[0] for row in table.rows] == [1, 4, 16, 64]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    loss, inputs = whole.pair(cell_name("orders", 64))
    assert table.rows[-1][1:3] == (loss.time / 64, inputs.time / 64)
    assert table.rows[0][4] == 17639424 / 165514
    assert table.rows[0][5:7] == (None, None)  # one sample has no batch to gain from
    assert "turns from bound by memory to bound by arithmetic" in table.caption
    assert f"at a batch of {turning(whole, QUICK).predicted:.1f}" in table.caption


@pytest.mark.parametrize("kept", ["orders, batch of 4", LOSS_FIRST, INPUT_FIRST, "wide", "none"])
def test_a_run_that_is_not_complete_is_shown_all_the_same(simulate, kept):
    whole = simulate(EXPERIMENT, obeys)
    partly = replace(whole, cells={k: arms for k, arms in whole.cells.items() if kept in k})
    (figure,) = shows(partly, QUICK)
    assert len(figure.numbers.rows) == (kept == "orders, batch of 4")
    assert all(len(curve.x) for row in figure.panels for p in row for curve in p.curves)
