"""What one comparison says: a gain, none beyond the formula's, or an order that is cheaper."""

from dataclasses import replace

import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.comparison import Way
from jacchain.experiments.gains import gain_part, no_gain_part, order_part


def two_ways(work, **multiplications):
    """Ways that take so many multiplications; none is ever prepared."""
    return [
        Way(label, replace(work, multiplications=n), None) for label, n in multiplications.items()
    ]


def test_the_most_that_may_be_gained_is_the_formulas_ratio_and_noise(make_pair, work):
    ways = two_ways(work, first=60, second=30)
    for gain, inside in ((1.9, True), (2.6, False)):
        pair = make_pair("pair", ways, lambda s, g=gain: g if s.order == "first" else 1.0)
        part = no_gain_part(Evidence(series={}, comparisons={"pair": pair}), "pair")
        assert part.expected == 2
        assert part.margin == (0, pytest.approx(2 * 1.15))
        assert (part.widened[1] < part.margin[1]) is inside
        assert (part.p < 0.01) is not inside


def test_an_order_of_nearly_equal_cost_is_not_judged(make_pair, work):
    ways = two_ways(work, **{LOSS_FIRST: 30, INPUT_FIRST: 59})
    evidence = Evidence(series={}, comparisons={"pair": make_pair("pair", ways, lambda _: 1.0)})
    assert order_part(evidence, "pair").reason == "the formula's ratio is under 2"


def test_gains_say_nothing_of_what_was_not_measured():
    for part_of in (gain_part, no_gain_part, order_part):
        part = part_of(Evidence(series={}), "C8 anything")
        assert (part.name, part.reason) == ("C8 anything", "not measured in this run")
