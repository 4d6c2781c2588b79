"""C10: real networks, their counts and memory, the rule of C5 on them, and what is shown."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from jacchain.claims import c10_real_networks as c10
from jacchain.claims.c10_real_networks import COUNTS, DENSE, EXPERIMENT, MEMORY, ROWS, SPARSE
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST
from tests.claims.makers import QUICK, STANDARD, judged, scaled, simulate, verdicts

FLOAT64 = np.dtype("float64")
TAKEN = {
    f"{network}, {form}, {order}": c10.Memory(10**6 * (1 + row), 2000, 3000)
    for row, (network, form) in enumerate(ROWS)
    for order in BOTH
}


@cache
def values(name):
    """Return what a check returns, run once; of what takes little to count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c10, "COUNT_LIMIT", 3 * 10**8)
        return EXPERIMENT.checks[name].run(3)


def shown(**facts):
    evidence = simulate(EXPERIMENT, **facts)
    (rows,) = EXPERIMENT.shows(evidence, QUICK)
    return evidence, rows, {row[0]: row for row in rows.numbers.rows}


# What is measured


def test_dense_factors_are_multiplied_input_first_only_where_there_is_time():
    quick, standard = ({cell.name for cell in c10.cells(sizes)} for sizes in (QUICK, STANDARD))
    assert (len(quick), len(standard)) == (2 * 2, 2 * 4)
    assert not any(INPUT_FIRST in name or "factors dense" in name for name in quick)
    assert quick < standard
    assert all(name.startswith("C10 ") for name in standard)


@pytest.mark.parametrize("network", c10.NETWORKS | c10.DIMS)
def test_the_dims_stated_are_those_of_the_chains(network):
    assert c10.NETWORKS[network](FLOAT64, 3).dims == c10.DIMS[network]


def test_densified_chains_have_the_same_factors():
    chain = c10.recurrent(FLOAT64, 0)
    for factor, same in zip(chain.factors, c10.densified(chain).factors, strict=True):
        np.testing.assert_array_equal(factor.to_dense(), same.to_dense())


# Checks


def test_counts_are_the_predicted_ones():
    """Of four forms loss-first, input-first is too much to execute but for one."""
    assert len(values(COUNTS)) == 2 * 2 + 1
    for label, (counted, predicted) in values(COUNTS).items():
        assert counted == predicted > 0, label


def test_evaluations_allocate_about_what_the_plan_says():
    """Never less than the peak; twice as much, and what Python's objects take, at most."""
    assert values(MEMORY).keys() == TAKEN.keys()
    for memory in values(MEMORY).values():
        assert memory.predicted <= memory.allocated <= 2.3 * memory.predicted + 2**16


@pytest.mark.parametrize("order", BOTH)
@pytest.mark.parametrize("network", c10.NETWORKS)
def test_dense_factors_hold_every_element(network, order):
    dense = 8 * sum(m * n for m, n in pairwise(c10.DIMS[network]))
    assert values(MEMORY)[f"{network}, {DENSE}, {order}"].factors == dense
    assert values(MEMORY)[f"{network}, {SPARSE}, {order}"].factors < dense / 10


# Judgement


def test_loss_first_is_to_be_faster_for_each_network():
    parts = judged(EXPERIMENT, simulate(EXPERIMENT)).statements[1].parts
    assert {part.name: part.margin for part in parts} == {
        "time ratio, C10 LeNet-5, orders, factors as they are": (1, np.inf),
        "time ratio, C10 recurrent, 28 steps, orders, factors as they are": (1, np.inf),
    }
    assert "LeNet-5" in EXPERIMENT.statement
    assert "recurrent network" in EXPERIMENT.statement


def test_dense_factors_are_judged_where_both_orders_are_measured():
    law = scaled(1e4, name=LOSS_FIRST, cell="orders, factors dense")
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, sizes=STANDARD), STANDARD)
    assert verdicts(verdict, "orders, factors dense") == {"disagrees"}
    assert verdicts(verdict, "orders, factors as they are") == {"agrees"}


# What is shown


def test_each_order_has_its_mark_in_the_row_of_its_network_and_form():
    _, rows, _ = shown(checks={MEMORY: TAKEN})
    assert rows.rows == tuple(f"{network}\n{form}" for network, form in ROWS)
    for (_, form), times, counts, memory in zip(ROWS, *(m for _, m in rows.panels), strict=True):
        orders = BOTH if form == SPARSE else (LOSS_FIRST,)  # quick multiplies dense ones no more
        for marks in (times, counts):
            assert [(mark.label, mark.look) for mark in marks] == [(o, o) for o in orders]
        assert all(m.ends[0] <= m.value <= m.ends[1] < 1.1 * m.ends[0] for m in times)
        assert [(m.label, m.look) for m in memory[1:]] == [(o, o) for o in BOTH]
        assert [m.value for m in memory[1:]] == [3000, 3000]
    factors = [marks[0] for marks in rows.panels[2][1]]
    assert {(mark.label, mark.look) for mark in factors} == {("the factors themselves", "muted")}
    assert [mark.value for mark in factors] == [10**6, 2 * 10**6, 3 * 10**6, 4 * 10**6]


def test_the_table_has_a_row_for_each_order_measured():
    evidence, _, table = shown(checks={MEMORY: TAKEN})
    assert len(table) == 2 * 2 + 2
    series = evidence.pair("C10 LeNet-5, orders, factors as they are")[0]
    _, *measured, ratio, interval = table["LeNet-5, as they are, loss-first"]
    assert measured == [series.time, 412960, 10**6, 2000, 3000]
    dense, own = (s.time for s in evidence.pair("C10 LeNet-5, loss-first, by form"))
    assert ratio == pytest.approx(dense / own, rel=0.05)
    assert interval[0] <= ratio <= interval[1]
    assert table["LeNet-5, as they are, input-first"][6:] == (None, None)  # not measured
    assert table["LeNet-5, dense, loss-first"][2] == 11_800_360


def test_memory_that_was_not_measured_is_left_out():
    label = "LeNet-5, dense, loss-first"
    _, rows, table = shown(checks={MEMORY: {label: TAKEN[label]}})
    assert table[label][3:6] == (2 * 10**6, 2000, 3000)
    assert table["LeNet-5, as they are, loss-first"][3:6] == (None, None, None)
    assert [len(marks) for marks in rows.panels[2][1]] == [0, 2, 0, 0]
