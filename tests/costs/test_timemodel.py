"""Predicted seconds, from rates at which they can be worked out by hand."""

import pytest

from jacchain.chains.planners import plan
from jacchain.costs import timemodel
from jacchain.costs.timemodel import Rates, predicted_seconds, rough_rates

INFINITE = float("inf")
DIMS = (1, 10, 20, 30)  # loss-first: 10 20 + 20 30 = 800 multiplications in two products


def test_a_call_costs_its_overhead_for_each_product():
    rates = Rates(overhead=3.0, flops=INFINITE, bandwidth=INFINITE, loop=INFINITE)
    assert predicted_seconds(plan(DIMS, "loss-first"), rates) == 6.0


def test_time_bound_by_arithmetic_is_flops_over_their_rate():
    rates = Rates(overhead=0.0, flops=100.0, bandwidth=INFINITE, loop=INFINITE)
    assert predicted_seconds(plan(DIMS, "loss-first"), rates) == pytest.approx(16.0)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("float64", 8)])
def test_time_bound_by_memory_is_bytes_over_bandwidth(dtype, itemsize):
    rates = Rates(overhead=0.0, flops=INFINITE, bandwidth=1.0, loop=INFINITE)
    elements = (10 + 10 * 20 + 20) + (20 + 20 * 30 + 30)
    seconds = predicted_seconds(plan(DIMS, "loss-first", dtype=dtype), rates)
    assert seconds == elements * itemsize


def test_each_product_is_bound_by_the_slower_of_the_two():
    """(20, 40) (40, 40): 64,000 flops, 3,200 elements; (1, 20) (20, 40): 1,600 and 860."""
    rates = Rates(overhead=0.5, flops=64_000.0, bandwidth=8 * 860.0, loop=INFINITE)
    planned = plan((1, 20, 40, 40), "input-first")
    assert predicted_seconds(planned, rates) == pytest.approx(0.5 + 3200 / 860 + 0.5 + 1.0)
    faster = Rates(overhead=0.5, flops=6_400.0, bandwidth=8 * 860.0, loop=INFINITE)
    assert predicted_seconds(planned, faster) == pytest.approx(0.5 + 10.0 + 0.5 + 1.0)


def test_a_single_factor_takes_no_time():
    assert predicted_seconds(plan((3, 4)), Rates(1.0, 1.0, 1.0, 1.0)) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rates_are_work_over_the_time_of_one_call(monkeypatch, dtype):
    monkeypatch.setattr(timemodel, "calibrate", lambda *_, **__: 10)
    monkeypatch.setattr(timemodel, "time_calls", lambda _, calls: 0.25 * calls)
    itemsize = {"float32": 4, "float64": 8}[dtype]
    rates = rough_rates(dtype)
    assert rates.overhead == 0.25
    assert rates.flops == 2 * 768**3 / 0.25  # the largest square
    assert rates.bandwidth == pytest.approx(2**24 / 0.25, rel=0.2)  # the largest row in the cache
    assert rates.bandwidth * 0.25 % itemsize == 0
    assert rates.loop == 2 * 128**3 / 0.25


def test_einsum_goes_by_the_rate_of_its_loop():
    rates = Rates(overhead=0.0, flops=INFINITE, bandwidth=INFINITE, loop=100.0)
    planned = plan(DIMS, "loss-first")
    assert predicted_seconds(planned, rates.of("einsum")) == pytest.approx(16.0)
    assert predicted_seconds(planned, rates.of("numpy")) == 0
