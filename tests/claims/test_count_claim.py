"""C1 and C2: each count is the formula's, of its order and its own dims."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Count, Evidence
from jacchain.claims import c1_loss_first_count as c1
from jacchain.claims import c2_input_first_count as c2
from jacchain.costs.closed_forms import multiplications
from jacchain.networks.zoo import ZOO
from tests.claims.makers import QUICK, judged

ORDERS = {"loss-first": c1.EXPERIMENT, "input-first": c2.EXPERIMENT}
DIMS = ((1, 5, 4, 6, 3), (1, 2, 7), (1, 3, 1, 1, 4, 9))
TWIN_OF = (1, 500, 400, 600, 300)

each_order = pytest.mark.parametrize("order", ORDERS)


def evidence(order, error=0):
    """Counts of some chains, those of the second one wrong by so much."""
    counts = [Count(order, dims, dims, multiplications(order, dims)) for dims in DIMS]
    counts[1] = replace(counts[1], multiplications=counts[1].multiplications + error)
    return Evidence(counts=tuple(counts))


@each_order
def test_right_counts_agree(order):
    verdict = judged(ORDERS[order], evidence(order))
    assert (verdict.verdict, len(verdict.parts)) == ("agrees", len(DIMS))


@each_order
@pytest.mark.parametrize("error", [1, -1])
def test_one_multiplication_too_many_or_too_few_disagrees(order, error):
    verdict = judged(ORDERS[order], evidence(order, error))
    assert verdict.verdict == "disagrees"
    assert verdict.telling.measured == verdict.telling.expected + error
    assert "1 x 2 x 7" in verdict.reason


@each_order
def test_counts_of_another_order_are_no_evidence(order):
    (another,) = ORDERS.keys() - {order}
    verdict = judged(ORDERS[order], evidence(another))
    assert verdict.verdict == "inconclusive"
    assert f"{order}: no chain was counted" in verdict.reason


def twin():
    counts = evidence("loss-first").counts
    return Evidence(counts=(replace(counts[0], cell_dims=TWIN_OF), *counts))


def test_a_twin_is_counted_by_its_own_dims():
    part = judged(c1.EXPERIMENT, twin()).parts[0]
    assert part.verdict == "agrees"
    assert part.name == "1 x 5 x 4 x 6 x 3, as a twin of 1 x 500 x 400 x 600 x 300"


def test_the_figure_has_a_point_for_each_count_and_twins_are_hollow():
    (figure,) = c1.EXPERIMENT.shows(twin(), QUICK)
    whole, twins = figure.panel.curves
    assert (whole.marks, len(whole.x)) == ("filled", len(DIMS))
    assert (twins.marks, len(twins.x)) == ("hollow", 1)
    for curve in (whole, twins):
        np.testing.assert_array_equal(curve.x, curve.y)


@each_order
def test_the_chain_of_every_network_is_counted(order):
    cells = ORDERS[order].cells(QUICK)
    assert {cell.dims for cell in cells} == {(1, *net.sizes[::-1]) for net in ZOO.values()}
    assert all(cell.arms(np.dtype("float64"), 0)[0].count for cell in cells)
