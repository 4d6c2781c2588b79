"""C7: batches and their gains, where a batch turns loss-first, and what is shown of it."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.fit import features, fit_times
from jacchain.claims import c7_mini_batches as c7
from jacchain.claims.c7_mini_batches import BATCH, EXPERIMENT, ONE_BY_ONE, WIDE, cell_name
from jacchain.cost import Cost
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST, chain_cell
from tests.claims import makers
from tests.claims.makers import QUICK, judged, scaled, simulate, verdicts, with_cells

MIB = 2**20
WEIGHTS = 8 * (1024 * 1024 + 1024 * 1024 + 1024 * 10)
FORMULA = 17639424 / 165514  # ratio of the multiplications of both orders
SIZES, GAINS = (1, 4, 16, 64), (LOSS_FIRST, INPUT_FIRST, WIDE)

# Cells and counts


def test_more_than_quick_takes_all_powers_of_two():
    assert c7.batch_sizes(makers.STANDARD) == (1, 2, 4, 8, 16, 32, 64, 128, 256)


def test_a_batch_that_shares_its_matrix_is_no_product_of_a_row():
    evidence = simulate(EXPERIMENT)
    one, four = (evidence.pair(cell_name("orders", n))[0].cost for n in (1, 4))
    assert one.row_multiplications == one.multiplications
    assert four.multiplications == 4 * one.multiplications
    assert four.row_multiplications == 4 * sum(c7.NETWORK[1:])  # of the diagonals
    own, _ = evidence.pair(cell_name("explicit", 4))
    assert own.cost.row_multiplications == own.cost.multiplications


def test_counts_of_a_batch_can_be_done_by_hand():
    """Of 3 samples; tanh after each layer. Explicit factors hold the activations already."""
    weights, dense = 5 * 7 + 7 * 9 + 9 * 12, 7 * 9 * 12 + 5 * 7 * 12 + 5 * 12
    counts = c7.count_batches(3)
    assert len(counts) == 4
    assert all(counted == predicted for counted, predicted in counts.values())
    assert counts["explicit factors, loss-first, batch of 3"][0] == 3 * weights
    assert counts["shared factors, loss-first, batch of 3"][0] == 3 * (weights + 5 + 7 + 9)
    assert counts["explicit factors, input-first, batch of 3"][0] == 3 * dense


# Judgement


def test_both_orders_and_the_gain_of_each_are_judged_at_every_batch_size():
    parts = {p.name: p for p in judged(EXPERIMENT, simulate(EXPERIMENT)).parts if p.interval}
    orders = {f"time ratio, {cell_name('orders', n)}" for n in SIZES}
    gains = {f"time ratio, {cell_name(what, n)}" for what in GAINS for n in SIZES[1:]}
    assert parts.keys() == orders | gains
    for name in orders:
        assert parts[name].expected == pytest.approx(FORMULA)
        assert parts[name].margin == (10, np.inf)
    for name in gains:
        assert (parts[name].expected, parts[name].margin) == (1, (1, np.inf))


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (lambda series: 1e-9 * series.cost.multiplications, "inconclusive"),  # they help nowhere
        (scaled(100.0, name=BATCH), "disagrees"),
    ],
)
def test_a_batch_must_take_less_than_its_samples_one_by_one(law, expected):
    checks = {c7.COUNTS: {"shared factors, loss-first": (30, 30)}}
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, checks=checks))
    assert verdict.verdict == expected
    assert verdicts(verdict, "orders") == {"agrees"}
    for what in GAINS:
        assert verdicts(verdict, f"C7 {what}") == {expected}


# Findings


def machine(*, input_first_gains=1.0, loss_first_gains=3.0):
    """Rows take ten times as long as matrices, which take 1e-11 s; batches gain so much."""

    def law(series):
        cost = series.cost
        if series.name != ONE_BY_ONE:
            return 0.5 * (1e-10 * cost.row_flops + 1e-11 * cost.matrix_flops)
        gain = input_first_gains if f"C7 {INPUT_FIRST}" in series.cell else loss_first_gains
        return gain * 1e-11 * cost.multiplications

    return law


def slower(order, factor):
    """One rate, but for an order."""
    return lambda s: 1e-10 * s.cost.multiplications * (factor if s.name == order else 1)


def finding(text, law):
    findings = c7.findings(simulate(EXPERIMENT, law), QUICK)
    return next((finding for finding in findings if text in finding.observed), None)


def test_findings_say_what_was_measured():
    """Rows slower than matrices keep time short of the formula, and batches help loss-first."""
    order, gain = (finding(text, machine()) for text in ("loss-first", "gains nothing"))
    assert order.observed.startswith("In a batch of 1 input-first takes 10.")
    assert "multiplies 107 times as much" in order.observed
    assert "In a batch of 64" in order.without
    assert gain.observed.startswith("In 3 of 3 batch sizes input-first gains nothing")
    assert "takes 2.95, 2.96, 2.94 times" in gain.without
    assert order.vanishes
    assert gain.vanishes


@pytest.mark.parametrize(
    ("text", "law", "vanishes"),
    [
        ("loss-first", slower(LOSS_FIRST, 10), False),  # the gap stays in a batch
        ("loss-first", slower(INPUT_FIRST, 2), None),  # beyond the formula
        ("gains nothing", machine(loss_first_gains=1.0), False),
        ("gains nothing", machine(input_first_gains=1.5), None),
    ],
)
def test_another_machine_has_another_cause_or_nothing_to_explain(text, law, vanishes):
    assert getattr(finding(text, law), "vanishes", None) is vanishes


def test_a_single_batch_size_is_no_finding():
    whole = simulate(EXPERIMENT, machine())
    key = cell_name("orders", 4)
    assert c7.findings(replace(whole, cells={key: whole.cells[key]}), QUICK) == []


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
    return with_cells(evidence, {series.cell: (series,) for series in ceilings})


def roofline(flops, bandwidth):
    """A machine whose wide network takes what memory and arithmetic take, one after the other."""

    def law(series):
        samples = int(series.cell.split()[-1])
        read = WEIGHTS / bandwidth * (samples if series.name == ONE_BY_ONE else 1)
        return read + series.cost.flops / flops

    return law


def test_rates_are_of_one_sample_by_itself_and_then_of_batches():
    evidence = simulate(EXPERIMENT, slower(ONE_BY_ONE, 2))
    batches, rates = c7.wide_rates(evidence, QUICK)
    np.testing.assert_array_equal(batches, SIZES)
    np.testing.assert_allclose(rates, [1e10, 2e10, 2e10, 2e10], rtol=0.05)


def test_loss_first_turns_where_memory_takes_as_long_as_arithmetic():
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
    turn = c7.turning(evidence, QUICK)
    assert (turn.ceiling, turn.bandwidth, turn.predicted) == (1e10, 4e9, 10.0)
    assert turn.measured == pytest.approx(10, rel=0.15)
    assert c7.turning(evidence, replace(QUICK, itemsize=4)).predicted == 5.0


def test_a_ceiling_that_is_not_reached_has_no_measured_turning():
    ceilings = ceiling("matrix-matrix", 1e11), ceiling("row-matrix", 4e9)
    turn = c7.turning(with_ceilings(simulate(EXPERIMENT, roofline(1e9, 4e9)), *ceilings), QUICK)
    assert (turn.predicted, turn.measured) == (100.0, None)


@pytest.mark.parametrize(
    ("matrices", "rows", "working_set", "measured"),
    [
        ("copy", "row-matrix", WEIGHTS, True),
        ("matrix-matrix", "copy", WEIGHTS, True),
        ("matrix-matrix", "row-matrix", WEIGHTS // 3, True),  # no row product of about the size
        ("matrix-matrix", "row-matrix", WEIGHTS, False),
    ],
)
def test_without_what_it_needs_there_is_no_turning(matrices, rows, working_set, measured):
    evidence = simulate(EXPERIMENT) if measured else Evidence()
    ceilings = ceiling(matrices, 1e10), ceiling(rows, 4e9, working_set)
    assert c7.turning(with_ceilings(evidence, *ceilings), QUICK) is None


# What is shown


@pytest.fixture(scope="module")
def whole():
    """A run with ceilings, and with chains enough for the time model."""
    chains = [chain_cell((1, n, n, 2 * n)) for n in (8, 16, 32, 64, 128, 256)]
    evidence = with_cells(simulate(EXPERIMENT), makers.simulate_cells(chains))
    return with_ceilings(evidence, ceiling("matrix-matrix", 6e10), ceiling("row-matrix", 3e10))


def panels(evidence):
    (figure,) = c7.shows(evidence, QUICK)
    return [panel for row in figure.panels for panel in row]


def curves(panel, label):
    return [curve for curve in panel.curves if curve.label == label]


@pytest.mark.parametrize("order", BOTH)
def test_seconds_per_sample_are_shown_of_both_orders(whole, order):
    above, _ = panels(whole)
    (batch,) = curves(above, f"{order}, in a batch")
    index = BOTH.index(order)
    times = [whole.pair(cell_name("orders", n))[index].time / n for n in SIZES]
    np.testing.assert_allclose(batch.y, times)
    low, high = batch.ends.T
    assert np.all((low <= batch.y) & (batch.y <= high) & (high < 1.1 * low))
    (single,) = curves(above, f"{order}, one by one")
    times = [whole.pair(cell_name(order, n))[0].time / n for n in SIZES[1:]]
    np.testing.assert_allclose(single.y, times)
    assert (single.marks, single.look) == ("hollow", order)
    (own,) = curves(above, "loss-first, each sample its own Jacobians")
    np.testing.assert_array_equal(own.x, SIZES)


def test_the_models_prediction_is_dashed_and_absent_without_a_model(whole):
    coefficients, label = fit_times(whole).coefficients, "time model, from other cells"
    (entry,) = curves(panels(whole)[0], label)
    assert (entry.line, entry.look, len(entry.x)) == ("--", "muted", 0)
    predictions = curves(panels(whole)[0], "")
    for index, curve in zip((0, 1), predictions, strict=True):
        pairs = [(n, whole.pair(cell_name("orders", n))[index]) for n in SIZES]
        times = [features(series, whole) @ coefficients / n for n, series in pairs]
        np.testing.assert_allclose(curve.y, times)
        assert (curve.line, curve.marks, curve.look) == ("--", "", BOTH[index])
    above, _ = panels(simulate(EXPERIMENT))
    assert curves(above, label) == []
    assert len(above.curves) == 5


def test_rates_of_loss_first_stand_under_a_roof_and_beside_the_turning(whole):
    _, below = panels(whole)
    (curve,) = curves(below, "loss-first, in a batch")
    batches, rates = c7.wide_rates(whole, QUICK)
    np.testing.assert_array_equal(curve.x, batches)
    np.testing.assert_allclose(curve.y, rates / 1e9)
    turn = c7.turning(whole, QUICK)
    (roof,) = curves(below, "ceilings: bandwidth, arithmetic")
    assert max(roof.y) == pytest.approx(turn.ceiling / 1e9)
    predicted, reached = below.levels
    assert predicted.label == f"turns at {turn.predicted:.1f}, predicted"
    assert predicted.value == turn.predicted == pytest.approx(8)  # 8 x 6e10 / (2 x 3e10)
    assert reached.label == f"half of the ceiling at {turn.measured:.1f}, measured"
    assert reached.value == turn.measured == pytest.approx(12, rel=0.2)  # 2 n = 1.5 n + 6
    low, high = below.y.limits
    assert low < rates.min() / 1e9 < rates.max() / 1e9 < high


def test_without_ceilings_there_is_no_roof_and_no_turning():
    (figure,) = c7.shows(simulate(EXPERIMENT), QUICK)
    ((_,), (below,)) = figure.panels
    assert [curve.label for curve in below.curves] == ["loss-first, in a batch"]
    assert below.levels == ()
    assert "turns" not in figure.numbers.caption


def test_the_table_has_a_row_for_each_batch_size(whole):
    (figure,) = c7.shows(whole, QUICK)
    table = figure.numbers
    assert [row[0] for row in table.rows] == [*SIZES]
    loss, inputs = whole.pair(cell_name("orders", 64))
    assert table.rows[-1][1:3] == (loss.time / 64, inputs.time / 64)
    assert table.rows[0][4] == FORMULA
    assert table.rows[0][5:7] == (None, None)  # one sample has no batch to gain from
    assert "turns from bound by memory to bound by arithmetic" in table.caption
    assert "at a batch of 8.0" in table.caption
