"""Rates of chains against the ceilings of the machine."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.efficiency import best_ceilings, efficiencies, work_rate
from jacchain.analysis.evidence import Evidence, Regimes
from jacchain.cost import Cost
from tests.analysis.examples import make_evidence, make_pair, make_series

REGIMES = Regimes(l2=100, llc_low=400, llc_high=800, memory=1600)
L2, LEAVING, LLC, MEMORY = 50, 200, 500, 2000


def work(size, flops_per_byte, *, row):
    """One product of `size` bytes, of whose multiplications a share are of rows."""
    count = size * flops_per_byte // 2
    return Cost(
        products=1,
        multiplications=count,
        row_multiplications=int(row * count),
        bytes=size,
        held_bytes=size,
    )


def kernel(kind, name, size, rate):
    """A ceiling of a kind that does its work at this rate: bytes or flops per second."""
    flops = kind == "matrix-matrix"
    cost = work(size, 10, row=0) if flops else work(size, 1, row=1)
    seconds = np.full((1, 4, 2), (cost.flops if flops else size) / rate)
    cell = f"{kind} {name} {size}"
    return [make_series(seconds, name=name, cell=cell, group=kind, role="ceiling", cost=cost)]


def chain(x, size, byte_rate, flop_rate, *, row=0.0):
    """Both orders of a chain, of which loss-first moves bytes and input-first does flops."""
    costs = work(size, 1, row=1), work(size, 10, row=row)
    seconds = size / byte_rate, costs[1].flops / flop_rate
    pair = make_pair(*(np.full((1, 4, 2), s) for s in seconds), dims=(1, 2, 3, x))
    return [replace(arm, cost=cost) for arm, cost in zip(pair, costs, strict=True)]


CEILINGS = (
    kernel("row-matrix", "v @ M", L2, 80.0),
    kernel("row-matrix", "v @ M.T", L2, 100.0),
    kernel("row-matrix", "v @ M", LLC, 40.0),
    kernel("copy", "copyto", LLC, 60.0),
    kernel("matrix-matrix", "A @ B", L2, 900.0),
    kernel("matrix-matrix", "A @ B", MEMORY, 1000.0),
)


def test_a_rate_is_work_over_time():
    series = make_series([[[4.0, 2.0], [2.0, 3.0]]], cost=work(40, 10, row=0))
    assert work_rate(series, flops=True) == 200
    assert work_rate(series, flops=False) == 20


@pytest.mark.parametrize(
    ("overhead", "busy"),
    [(0.0, 2.0), (0.5, 1.0), (0.9, 0.2), (0.95, 0.2), (7.0, 0.2)],  # of two products in 2 s
)
def test_calls_are_no_work_but_take_at_most_nine_tenths(overhead, busy):
    series = make_series([[[2.0, 2.0], [2.0, 2.0]]], cost=2 * work(20, 10, row=0))
    assert work_rate(series, flops=True, overhead=overhead) == pytest.approx(400 / busy)
    assert work_rate(series, flops=False, overhead=overhead) == pytest.approx(40 / busy)


def test_the_best_kernel_of_a_kind_is_its_ceiling():
    rates = best_ceilings(make_evidence(*CEILINGS, regimes=REGIMES))
    assert {(r.series.group, r.regime, r.series.name): r.per_second for r in rates} == {
        ("row-matrix", "L2", "v @ M.T"): pytest.approx(100),
        ("row-matrix", "LLC", "v @ M"): pytest.approx(40),
        ("copy", "LLC", "copyto"): pytest.approx(60),
        ("matrix-matrix", "any", "A @ B"): pytest.approx(1000),
    }
    assert [r.counts_flops for r in rates if r.series.group == "matrix-matrix"] == [True]


def test_a_nearer_regime_is_at_least_as_fast_as_a_farther_one():
    cells = [
        kernel("row-matrix", "small", L2, 64.0),
        kernel("row-matrix", "middling", LEAVING, 102.0),
        kernel("row-matrix", "large", LLC, 90.0),
        kernel("row-matrix", "huge", MEMORY, 12.0),
        kernel("copy", "copyto", LLC, 500.0),  # another kind
    ]
    rates = best_ceilings(make_evidence(*cells, regimes=REGIMES))
    assert [(r.series.group, r.regime, r.series.name) for r in rates] == [
        ("copy", "LLC", "copyto"),
        ("row-matrix", "L2", "middling"),
        ("row-matrix", "leaving L2", "middling"),
        ("row-matrix", "LLC", "large"),
        ("row-matrix", "memory", "huge"),
    ]


def test_the_time_of_calls_is_taken_off_ceilings_and_chains():
    """At 100 and 50 bytes a second, L2 takes 0.5 s and 1 s, of which 0.25 s are a call's."""
    ceiling, pair = kernel("row-matrix", "v @ M", L2, 100.0), chain(4, L2, 50.0, 250.0)
    evidence = make_evidence(ceiling, pair, regimes=REGIMES, overhead=0.25)
    (rate,) = best_ceilings(evidence)
    assert rate.per_second == pytest.approx(200)
    (loss_first,) = efficiencies(evidence)
    assert loss_first.values == pytest.approx((50 / 0.75 / 200,))


def test_each_order_is_compared_with_its_kind_of_ceiling_in_its_regime():
    chains = [
        chain(4, L2, 50.0, 250.0),
        chain(5, L2, 90.0, 500.0),
        chain(6, LLC, 30.0, 800.0),
        chain(7, LEAVING, 10.0, 100.0),  # leaving a cache: not compared
        chain(8, MEMORY, 10.0, 900.0),  # no row-matrix ceiling there
    ]
    evidence = make_evidence(*CEILINGS, *chains, regimes=REGIMES)
    assert [(e.order, e.regime, e.values) for e in efficiencies(evidence)] == [
        ("loss-first", "L2", pytest.approx((0.5, 0.9))),
        ("loss-first", "LLC", pytest.approx((0.75,))),
        ("input-first", "L2", pytest.approx((0.25, 0.5))),
        ("input-first", "LLC", pytest.approx((0.8,))),
        ("input-first", "memory", pytest.approx((0.9,))),
    ]


@pytest.mark.parametrize(("row", "compared"), [(0.1, True), (0.11, False), (1.0, True)])
def test_only_nearly_pure_work_is_compared(row, compared):
    evidence = make_evidence(*CEILINGS, chain(4, L2, 50.0, 500.0, row=row), regimes=REGIMES)
    assert ("input-first" in [e.order for e in efficiencies(evidence)]) is compared


def test_without_ceilings_nothing_is_compared():
    assert efficiencies(make_evidence(chain(4, L2, 1.0, 1.0), regimes=REGIMES)) == []
    assert best_ceilings(Evidence()) == []
