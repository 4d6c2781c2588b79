"""Predicted seconds, from rates at which they can be worked out by hand."""

import pytest

from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.costs import timemodel
from jacchain.costs.timemodel import Rates, predicted_seconds, rough_rates

INFINITE = float("inf")
DIMS = (1, 10, 20, 30)  # loss-first: 10 20 + 20 30 = 800 multiplications in two products


def test_a_call_costs_its_overhead_for_each_product():
    rates = Rates(overhead=3.0, flops=INFINITE, bandwidth=INFINITE)
    assert predicted_seconds(plan(DIMS, "loss-first").cost, rates) == 6.0


def test_time_bound_by_arithmetic_is_flops_over_their_rate():
    rates = Rates(overhead=0.0, flops=100.0, bandwidth=INFINITE)
    assert predicted_seconds(plan(DIMS, "loss-first").cost, rates) == pytest.approx(16.0)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("float64", 8)])
def test_time_bound_by_memory_is_bytes_over_bandwidth(dtype, itemsize):
    rates = Rates(overhead=0.0, flops=INFINITE, bandwidth=1.0)
    elements = (10 + 10 * 20 + 20) + (20 + 20 * 30 + 30)
    seconds = predicted_seconds(plan(DIMS, "loss-first", dtype=dtype).cost, rates)
    assert seconds == elements * itemsize


def test_a_call_is_bound_by_the_slower_of_the_two():
    """1,600 flops, and 8 x 882 bytes."""
    cost = plan(DIMS, "loss-first").cost
    moved = 8 * (10 + 10 * 20 + 20 + 20 + 20 * 30 + 30)
    for flops, seconds in ((1600.0, 2.0), (160.0, 10.0)):  # arithmetic takes 1 or 10, memory 2
        rates = Rates(overhead=0.5, flops=flops, bandwidth=moved / 2)
        assert predicted_seconds(cost, rates) == pytest.approx(2 * 0.5 + seconds)


def test_no_work_takes_no_time():
    assert predicted_seconds(Cost(), Rates(1.0, 1.0, 1.0)) == 0


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("float64", 8)])
def test_rates_are_work_over_the_time_of_one_call(monkeypatch, dtype, itemsize):
    monkeypatch.setattr(timemodel, "calibrate", lambda *_, **__: 10)
    monkeypatch.setattr(timemodel, "time_calls", lambda _, calls: (0.25 * calls, 0.0))
    rates = rough_rates(dtype)
    assert rates.overhead == 0.25
    assert rates.flops == 2 * 768**3 / 0.25  # the largest square
    assert rates.bandwidth == pytest.approx(2**24 / 0.25, rel=0.2)  # the largest row in the cache
    assert rates.bandwidth * 0.25 % itemsize == 0
