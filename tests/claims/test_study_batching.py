"""Batches and their gains, where a batch turns loss-first, and what is shown of it."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.claims import study_batching as study
from jacchain.claims.c7_mini_batches import EXPERIMENT as C7
from jacchain.claims.c7_mini_batches import orders_cell
from jacchain.claims.study_batching import FEW_ROWS, ONE_BY_ONE, cell_name
from jacchain.cost import Cost
from jacchain.costs.fit import fit_times
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST, chain_cell
from tests.claims import makers
from tests.claims.makers import QUICK, obeys, with_cells

MIB = 2**20
WEIGHTS = 8 * (1024 * 1024 + 1024 * 1024 + 1024 * 10)
FORMULA = 17639424 / 165514  # ratio of the multiplications of both orders
SIZES = (1, 4, 16)


def simulate(law=obeys, **facts):
    """The cells of the study and those of both orders, which are C7's."""
    orders = makers.simulate(C7, law, **facts)
    return with_cells(orders, makers.simulate(study.EXPERIMENT, law).cells)


# Cells


def test_explicit_factors_are_multiplied_row_by_row():
    own, _ = simulate().pair(cell_name("explicit", 4))
    assert own.cost.row_multiplications == own.cost.multiplications


@pytest.mark.parametrize("kernel", study.KERNELS)
def test_rows_alone_are_multiplied_by_one_matrix(kernel):
    (cell,) = (
        c for c in study.cells(QUICK) if c.name.startswith(f"batching {FEW_ROWS}, by {kernel}")
    )
    single, batch = cell.arms(np.dtype(float), 0)
    np.testing.assert_allclose(single.prepare()(), batch.prepare()(), rtol=1e-12, atol=1e-12)
    assert single.cost.multiplications == batch.cost.multiplications == 4 * 1024**2


# Findings


def machine(*, input_first_gains=1.0, loss_first_gains=3.0):
    """Rows take ten times as long as matrices, which take 1e-11 s; batches gain so much."""

    def law(series):
        cost = series.cost
        if series.name != ONE_BY_ONE:
            return 0.5 * (1e-10 * cost.row_flops + 1e-11 * cost.matrix_flops)
        gain = input_first_gains if f"batching {INPUT_FIRST}" in series.cell else loss_first_gains
        return gain * 1e-11 * cost.multiplications

    return law


def slower(order, factor):
    """One rate, but for an order."""
    return lambda s: 1e-10 * s.cost.multiplications * (factor if s.name == order else 1)


def finding(text, law):
    evidence = simulate(law)
    findings = [*C7.findings(evidence, QUICK), *study.findings(evidence, QUICK)]
    return next((finding for finding in findings if text in finding.observed), None)


def test_findings_say_what_was_measured():
    """Rows slower than matrices keep time short of the formula, and batches help loss-first."""
    order, gain = (finding(text, machine()) for text in ("loss-first", "gains nothing"))
    assert order.observed.startswith("In a batch of 1 input-first takes 10.")
    assert "multiplies 107 times as much" in order.observed
    assert "In a batch of 16" in order.without
    assert gain.observed.startswith("In 2 of 2 batch sizes input-first gains nothing")
    assert "takes 2.93, 2.93 times" in gain.without
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
    whole = simulate(machine())
    key = orders_cell(4)
    alone = replace(whole, cells={key: whole.cells[key]})
    assert [*C7.findings(alone, QUICK), *study.findings(alone, QUICK)] == []


@pytest.mark.parametrize(
    ("by_blas", "by_loop", "vanishes"), [(2.8, 0.9, True), (2.8, 2.8, False), (0.8, 0.9, None)]
)
def test_a_kernel_for_few_rows_that_loses_is_told_by_a_loop_without_it(by_blas, by_loop, vanishes):
    """By a kernel that was forced on one machine, 4 rows took 2.8 times as long as four single."""

    def law(series):
        times = {f"{FEW_ROWS}, by BLAS": by_blas, f"{FEW_ROWS}, by einsum": by_loop}
        slower = [
            t for name, t in times.items() if name in series.cell and series.name == "in a batch"
        ]
        return 1e-3 * (slower or [1.0])[0]

    assert getattr(finding("rows times a matrix", law), "vanishes", None) is vanishes


# Where loss-first turns from bound by memory to bound by arithmetic


def ceiling(group, rate, working_set=WEIGHTS):
    """A kernel that takes a second: flops where matrices are multiplied, else bytes."""
    flops = int(rate) if group == "matrix-matrix" else 0
    moved = 1 if flops else int(rate)
    cost = Cost(products=1, multiplications=flops // 2, bytes=moved, held_bytes=working_set)
    name, shape = f"{group} {rate} {working_set}", (12, 1, 2)
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
    evidence = simulate(slower(ONE_BY_ONE, 2))
    batches, rates = study.wide_rates(evidence, QUICK)
    np.testing.assert_array_equal(batches, SIZES)
    np.testing.assert_allclose(rates, [1e10, 2e10, 2e10], rtol=0.05)


def test_loss_first_turns_where_memory_takes_as_long_as_arithmetic():
    """8 bytes at 4e9 a second take as long as 10 times 2 flops at 1e10."""
    evidence = with_ceilings(
        simulate(roofline(1e10, 4e9)),
        ceiling("matrix-matrix", 1e10),
        ceiling("matrix-matrix", 9e9),
        ceiling("row-matrix", 4e9),
        ceiling("row-matrix", 3e9, working_set=16 * MIB),
        ceiling("row-matrix", 9e10, working_set=MIB),
        ceiling("copy", 9e10),
    )
    turn = study.turning(evidence, QUICK)
    assert (turn.ceiling, turn.bandwidth, turn.predicted) == (1e10, 4e9, 10.0)
    assert turn.measured == pytest.approx(10, rel=0.15)
    assert study.turning(evidence, replace(QUICK, itemsize=4)).predicted == 5.0


def test_a_ceiling_that_is_not_reached_has_no_measured_turning():
    ceilings = ceiling("matrix-matrix", 1e11), ceiling("row-matrix", 4e9)
    turn = study.turning(with_ceilings(simulate(roofline(1e9, 4e9)), *ceilings), QUICK)
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
    evidence = simulate() if measured else Evidence()
    ceilings = ceiling(matrices, 1e10), ceiling(rows, 4e9, working_set)
    assert study.turning(with_ceilings(evidence, *ceilings), QUICK) is None


# What is shown


@pytest.fixture(scope="module")
def whole():
    """A run with ceilings, and with chains enough for the time model."""
    chains = [chain_cell((1, n, n, 2 * n)) for n in (8, 16, 32, 64, 128, 256)]
    evidence = with_cells(simulate(), makers.simulate_cells(chains))
    return with_ceilings(evidence, ceiling("matrix-matrix", 6e10), ceiling("row-matrix", 3e10))


def panels(evidence):
    (figure,) = study.shows(evidence, QUICK)
    return [panel for row in figure.panels for panel in row]


def curves(panel, label):
    return [curve for curve in panel.curves if curve.label == label]


@pytest.mark.parametrize("order", BOTH)
def test_seconds_per_sample_are_shown_of_both_orders(whole, order):
    above, _ = panels(whole)
    (batch,) = curves(above, f"{order}, in a batch")
    index = BOTH.index(order)
    times = [whole.pair(orders_cell(n))[index].time / n for n in SIZES]
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
    fit, label = fit_times(whole), "time model, from other cells"
    (entry,) = curves(panels(whole)[0], label)
    assert (entry.line, entry.look, len(entry.x)) == ("--", "muted", 0)
    predictions = curves(panels(whole)[0], "")
    for index, curve in zip((0, 1), predictions, strict=True):
        pairs = [(n, whole.pair(orders_cell(n))[index]) for n in SIZES]
        times = [fit.predict(series.cost) / n for n, series in pairs]
        np.testing.assert_allclose(curve.y, times)
        assert (curve.line, curve.marks, curve.look) == ("--", "", BOTH[index])
    above, _ = panels(simulate())
    assert curves(above, label) == []
    assert len(above.curves) == 5


def test_rates_of_loss_first_stand_under_a_roof_and_beside_the_turning(whole):
    _, below = panels(whole)
    (curve,) = curves(below, "loss-first, in a batch")
    batches, rates = study.wide_rates(whole, QUICK)
    np.testing.assert_array_equal(curve.x, batches)
    np.testing.assert_allclose(curve.y, rates / 1e9)
    turn = study.turning(whole, QUICK)
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
    (figure,) = study.shows(simulate(), QUICK)
    ((_,), (below,)) = figure.panels
    assert [curve.label for curve in below.curves] == ["loss-first, in a batch"]
    assert below.levels == ()
    assert "turns" not in figure.numbers.caption


def test_the_table_has_a_row_for_each_batch_size(whole):
    (figure,) = study.shows(whole, QUICK)
    table = figure.numbers
    assert [row[0] for row in table.rows] == [*SIZES]
    loss, inputs = whole.pair(orders_cell(SIZES[-1]))
    assert table.rows[-1][1:3] == (loss.time / SIZES[-1], inputs.time / SIZES[-1])
    assert table.rows[0][4] == FORMULA
    assert table.rows[0][5:7] == (None, None)  # one sample has no batch to gain from
    assert "turns from bound by memory to bound by arithmetic" in table.caption
    assert "at a batch of 8.0" in table.caption
