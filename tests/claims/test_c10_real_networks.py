"""C10: real networks, their counts and memory, the rule of C5 on them, and what is shown."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.evidence import Evidence
from jacchain.claims import c10_real_networks as c10
from jacchain.claims.c10_real_networks import COUNTS, DENSE, EXPERIMENT, MEMORY, ROWS, SPARSE
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.sizes import Sizes
from tests.claims.agreement import agree

QUICK, STANDARD = Sizes(), Sizes("standard")
FLOAT64 = np.dtype("float64")
TAKEN = {
    f"{network}, {form}, {order}": c10.Memory(10**6 * (1 + row), 2000, 3000)
    for row, (network, form) in enumerate(ROWS)
    for order in BOTH
}


def law(series):
    """A call, and a rate for each kind of product."""
    cost = series.cost
    return 1e-7 * cost.products + 1e-10 * cost.row_flops + 2.5e-11 * cost.matrix_flops


@pytest.fixture(scope="module")
def values():
    """A function: what a check returns, run once; of what takes little to count."""

    @cache
    def values_of(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(c10, "COUNT_LIMIT", 3 * 10**8)
            return EXPERIMENT.checks[name].run(3)

    return values_of


@pytest.fixture
def whole(simulate):
    """All cells of the quick sizes, and the memory."""
    return simulate(EXPERIMENT, law, checks={MEMORY: TAKEN})


def shown(evidence, sizes=QUICK):
    (rows,) = EXPERIMENT.shows(evidence, sizes)
    assert {len(row) for row in rows.numbers.rows} <= {len(rows.numbers.columns)}
    for _, marks in rows.panels:
        assert len(marks) == len(rows.rows)
    return rows


# What is measured


def test_dense_factors_are_multiplied_input_first_only_where_there_is_time():
    names = {sizes: [cell.name for cell in c10.cells(sizes)] for sizes in (QUICK, STANDARD)}
    assert [len(set(several)) for several in names.values()] == [2 * 2, 2 * 4]
    assert not any(INPUT_FIRST in name or "factors dense" in name for name in names[QUICK])
    assert set(names[QUICK]) < set(names[STANDARD])
    assert all(name.startswith("C10 ") for name in names[STANDARD])


@pytest.mark.parametrize("cell", c10.cells(QUICK), ids=lambda cell: cell.name)
def test_both_arms_give_the_same_in_the_dtype_that_rounds_most(cell):
    assert agree(cell, "float32")


@pytest.mark.parametrize("network", c10.NETWORKS)
def test_the_dims_stated_are_those_of_the_chains(network):
    assert c10.NETWORKS[network](FLOAT64, 3).dims == c10.DIMS[network]
    assert c10.NETWORKS.keys() == c10.DIMS.keys()


def test_a_digit_is_scaled_to_the_size_that_the_networks_read():
    image, label = c10.digit(0)
    assert image.shape == (c10.SIDE**2,)
    assert -1.1 < image.min() < image.max() < 1.1
    assert 0 <= label < c10.CLASSES
    assert c10.digit(0)[0] is image
    assert not np.array_equal(c10.digit(1)[0], image)


def test_densified_chains_have_the_same_factors():
    chain = c10.recurrent(FLOAT64, 0)
    for factor, same in zip(chain.factors, c10.densified(chain).factors, strict=True):
        np.testing.assert_array_equal(factor.to_dense(), same.to_dense())


# Checks


def test_counts_are_the_predicted_ones(values):
    """Of four forms loss-first, input-first is too much to execute but for one."""
    assert len(values(COUNTS)) == 2 * 2 + 1
    for label, (counted, predicted) in values(COUNTS).items():
        assert counted == predicted > 0, label


def test_evaluations_allocate_about_what_the_plan_says(values):
    """Never less than the peak; twice as much, and what Python's objects take, at most."""
    assert values(MEMORY).keys() == TAKEN.keys()
    for memory in values(MEMORY).values():
        assert memory.predicted <= memory.allocated <= 2.3 * memory.predicted + 2**16


def test_dense_factors_hold_every_element(values):
    for network, dims in c10.DIMS.items():
        dense = 8 * sum(m * n for m, n in pairwise(dims))
        for order in BOTH:
            assert values(MEMORY)[f"{network}, {DENSE}, {order}"].factors == dense
            assert values(MEMORY)[f"{network}, {SPARSE}, {order}"].factors < dense / 10


@pytest.mark.parametrize("name", [COUNTS, MEMORY])
def test_values_are_read_from_records_as_they_were(values, name):
    kind = TypeAdapter(EXPERIMENT.checks[name].values)
    assert kind.validate_json(kind.dump_json(values(name)), strict=True) == values(name)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        (COUNTS, "[1]"),
        (COUNTS, "[1, 2, 3]"),
        (COUNTS, '["1", 2]'),
        (COUNTS, "[-1, 2]"),
        (MEMORY, "7"),
        (MEMORY, "{}"),
        (MEMORY, '{"factors": 1, "predicted": 2}'),
        (MEMORY, '{"factors": -1, "predicted": 2, "allocated": 3}'),
        (MEMORY, '{"factors": "1", "predicted": 2, "allocated": 3}'),
    ],
)
def test_values_edited_by_hand_are_refused(name, edit):
    kind = TypeAdapter(EXPERIMENT.checks[name].values)
    with pytest.raises(ValidationError, match="LeNet-5"):
        kind.validate_json(f'{{"LeNet-5, dense, loss-first": {edit}}}', strict=True)


# Judgement


def test_ten_is_wanted_where_the_formula_says_a_hundred(whole, judged):
    parts = judged(EXPERIMENT, whole).parts
    margins = {p.name: p.margin[0] for p in parts if p.name.startswith("time ratio")}
    assert margins == {
        "time ratio, C10 LeNet-5, orders, factors as they are": 1,
        "time ratio, C10 recurrent, 28 steps, orders, factors as they are": 10,
    }


@pytest.mark.parametrize(
    ("network", "ratio", "expected"),
    [
        ("LeNet-5", 0.5, "disagrees"),
        ("LeNet-5", 8.0, "agrees"),
        ("recurrent, 28 steps", 8.0, "disagrees"),
        ("recurrent, 28 steps", 12.0, "agrees"),
        ("recurrent, 28 steps", 10.0, "inconclusive"),
    ],
)
def test_each_network_follows_the_rule_of_c5(simulate, judged, network, ratio, expected):
    def slower(series):
        if network not in series.cell:
            return law(series)
        return 1e-4 * (ratio if series.name == INPUT_FIRST else 1.0)

    parts = judged(EXPERIMENT, simulate(EXPERIMENT, slower)).parts
    (part,) = (p for p in parts if p.name.endswith(f"C10 {network}, orders, factors as they are"))
    assert part.verdict == expected


def test_dense_factors_are_judged_where_both_orders_are_measured(simulate, judged):
    def slow_loss_first(series):
        slow = series.name == LOSS_FIRST and series.cell.endswith("orders, factors dense")
        return law(series) * (1e4 if slow else 1.0)

    evidence = simulate(EXPERIMENT, slow_loss_first, sizes=STANDARD)
    parts = judged(EXPERIMENT, evidence, STANDARD).parts
    for form, expected in ((DENSE, "disagrees"), (SPARSE, "agrees")):
        assert {p.verdict for p in parts if f"factors {form}" in p.name} == {expected}


# What is shown


def test_each_order_has_its_mark_in_the_row_of_its_network_and_form(whole):
    rows = shown(whole)
    assert rows.rows == tuple(f"{network}\n{form}" for network, form in ROWS)
    (_, times), (_, counts), (_, memory) = rows.panels
    for row, (_, form) in enumerate(ROWS):
        orders = BOTH if form == SPARSE else (LOSS_FIRST,)  # quick multiplies dense ones no more
        for marks in (times[row], counts[row]):
            assert [(mark.label, mark.look) for mark in marks] == [(o, o) for o in orders]
        for mark in times[row]:
            low, high = mark.ends
            assert low <= mark.value <= high < 1.1 * low
        assert [(m.label, m.value, m.look) for m in memory[row]] == [
            ("the factors themselves", 10**6 * (1 + row), "muted"),
            (LOSS_FIRST, 3000, LOSS_FIRST),
            (INPUT_FIRST, 3000, INPUT_FIRST),
        ]


def test_the_table_has_a_row_for_each_order_measured(whole):
    rows = {row[0]: row for row in shown(whole).numbers.rows}
    assert len(rows) == 2 * 2 + 2
    series = whole.pair("C10 LeNet-5, orders, factors as they are")[0]
    row = rows["LeNet-5, as they are, loss-first"]
    assert row[:6] == (row[0], series.time, 412960, 10**6, 2000, 3000)
    dense, own = (s.time for s in whole.pair("C10 LeNet-5, loss-first, by form"))
    assert row[6] == pytest.approx(dense / own, rel=0.05)
    assert row[7][0] <= row[6] <= row[7][1]
    assert rows["LeNet-5, as they are, input-first"][6:] == (None, None)  # not measured
    assert rows["LeNet-5, dense, loss-first"][2] == 11_800_360


def test_memory_that_was_not_measured_is_left_out(whole):
    label = "LeNet-5, dense, loss-first"
    rows = shown(replace(whole, checks={MEMORY: {label: TAKEN[label]}}))
    table = {row[0]: row[3:6] for row in rows.numbers.rows}
    assert table[label] == (2 * 10**6, 2000, 3000)
    assert table["LeNet-5, as they are, loss-first"] == (None, None, None)
    assert [len(marks) for marks in rows.panels[2][1]] == [0, 2, 0, 0]


@pytest.mark.parametrize("part", ["orders", "by form", "recurrent", "nothing"])
def test_a_run_that_is_not_complete_is_shown_all_the_same(whole, part):
    cells = {name: arms for name, arms in whole.cells.items() if part in name}
    rows = shown(Evidence(cells))
    assert len(rows.numbers.rows) == {"orders": 4, "by form": 4, "recurrent": 3, "nothing": 0}[part]
