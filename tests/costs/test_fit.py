"""The fitted time model: machines that follow it, one that does not, and what can't be told."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH
from jacchain.chains.planners import plan
from jacchain.cost import Cost
from jacchain.costs.fit import MOST_UNCOPIED, Fit, Term, fit_times, solve
from tests.analysis.examples import make_evidence, make_pair, make_series

CALL, SMALL, LARGE, ROWS, MATRICES = 1e-6, 2e-11, 4e-11, 1e-11, 3e-11
RATES = {"row x matrix": ROWS, "matrix x matrix": MATRICES}
MIB = 2**20
CHAINS = [
    (1, *inner, last) for inner in product((8, 64, 700), repeat=2) for last in (4, 90, 1000, 9000)
]


def law(dims, order, *, far=1.0):
    """Seconds of an order; bytes take `far` times as long where over 4 MiB are at work."""
    chain = plan(dims, order)
    seconds = 0.0
    slower = far if chain.cost.working_set > 4 * MIB else 1.0
    for step in chain.steps:
        moved = 8 * step.elements_moved * slower
        if step.is_row:
            seconds += CALL + ROWS * moved
        else:
            rate = SMALL if step.multiplications <= MOST_UNCOPIED else LARGE
            seconds += CALL + rate * step.flops + MATRICES * moved
    return seconds


def machine(chains=CHAINS, *, processes=1, noise=0.0, spoilt=None, **facts):
    """Chains whose times follow the model, but for twice the time of both orders of `spoilt`."""
    rng = np.random.default_rng(0)
    cells = []
    for dims in chains:
        factor = 2.0 if dims == spoilt else 1.0
        slower = np.exp(rng.normal(0, noise, (2, processes, 1, 1))) * np.ones((2, processes, 4, 2))
        times = np.array([factor * law(dims, order, **facts) for order in BOTH])
        cells.append(make_pair(*(times[:, None, None, None] * slower), dims=dims))
    return make_evidence(*cells)


def values(fit):
    """The coefficients by the name of their term."""
    return {term.name: term.value for term in fit.terms}


def test_a_machine_that_follows_the_model_gives_its_coefficients_away():
    fit = fit_times(machine())
    np.testing.assert_allclose(fit.fitted, fit.times, rtol=1e-6)
    np.testing.assert_allclose(fit.predicted, fit.times, rtol=1e-4)
    calls, small, large, *bytes_ = fit.coefficients
    np.testing.assert_allclose((calls, small, large), (CALL, SMALL, LARGE), rtol=1e-4)
    np.testing.assert_allclose(bytes_, [ROWS] * 8 + [MATRICES] * 3, rtol=1e-3)


def test_terms_say_what_they_count_and_in_which_unit():
    terms = fit_times(machine()).terms
    assert [term.unit for term in terms] == ["s / call", *["s / flop"] * 2, *["s / byte"] * 11]
    names = [term.name for term in terms]
    assert names[:2] == ["calls", "flops, matrix x matrix, up to 1,000,000 multiplications"]
    assert sum(name.startswith("bytes, row x matrix, at ") for name in names) == 8
    assert sum(name.startswith("bytes, matrix x matrix, at ") for name in names) == 3


@pytest.mark.parametrize("kind", RATES)
def test_bandwidth_is_a_curve_over_the_working_set(kind):
    fit = fit_times(machine(far=5.0))
    knots = fit.knots[kind]
    np.testing.assert_allclose(fit.bandwidth(kind, knots[:1]), 1 / RATES[kind], rtol=0.15)
    np.testing.assert_allclose(fit.bandwidth(kind, knots[-1:]), 0.2 / RATES[kind], rtol=0.15)
    beyond = fit.bandwidth(kind, np.array([1.0, knots[0], knots[-1], 1e12]))
    assert beyond[0] == beyond[1]
    assert beyond[2] == beyond[3]
    assert fit.median_error < 0.05


def test_a_prediction_uses_neither_order_of_its_chain_and_no_other_depends_on_it():
    spoilt = CHAINS[5]
    clean, fit = fit_times(machine(noise=0.01)), fit_times(machine(noise=0.01, spoilt=spoilt))
    mask = np.array([series.dims == spoilt for series in fit.series])
    np.testing.assert_array_equal(fit.predicted[mask], clean.predicted[mask])
    np.testing.assert_allclose(fit.errors[mask], -0.5, atol=0.05)
    np.testing.assert_allclose(fit.errors[~mask], 0, atol=0.1)
    assert np.all(fit.fitted[mask] > fit.predicted[mask])


def test_errors_are_of_the_measured_time():
    fit = fit_times(machine(CHAINS[:6]))
    fit.predicted[:] = fit.times * [0.5, 0.8, 0.9, 1, 1, 1, 1, 1.05, 1.1, 1.2, 1.3, 2]
    assert fit.errors == pytest.approx([-0.5, -0.2, -0.1, 0, 0, 0, 0, 0.05, 0.1, 0.2, 0.3, 1])
    assert fit.median_error == pytest.approx(0.1)
    assert fit.share_within(0.25) == pytest.approx(9 / 12)


def test_coefficients_are_never_negative_and_an_unused_one_is_zero():
    design = np.array([[1.0, 10, 0], [1, 20, 0], [1, 40, 0]])
    solution = solve(design, np.array([5.0, 15, 35]))  # the line has an intercept of -5
    assert solution[0] == solution[2] == 0
    assert solution[1] > 0


def test_a_time_far_from_the_others_hardly_moves_the_coefficients():
    design = np.ones((9, 1))
    times = np.array([1.0] * 8 + [100.0])
    assert solve(design, times)[0] == pytest.approx(1.0, rel=0.02)
    assert solve(design[:8], times[:8])[0] == pytest.approx(1.0)


def test_intervals_over_processes_hold_the_coefficients():
    terms = fit_times(machine(processes=6, noise=0.01)).terms
    for term, truth in zip(terms, (CALL, SMALL, LARGE), strict=False):
        assert term.identified
        assert term.low < term.value < term.high
        assert term.low * 0.98 < truth < term.high * 1.02
        assert term.high < 1.2 * term.low


def test_three_processes_identify_nothing():
    terms = fit_times(machine(processes=3, noise=0.01)).terms
    assert not any(term.identified for term in terms)
    assert np.isnan([(term.low, term.high) for term in terms]).all()


def test_a_term_that_a_process_has_no_use_for_is_not_identified():
    small_chains = [dims for dims in CHAINS if 700 not in dims and dims[-1] < 1000]
    calls, small, large, *_ = fit_times(machine(small_chains, processes=6)).terms
    assert calls.identified
    assert small.identified
    assert large.value == 0
    assert not large.identified
    assert np.isnan(large.low)


@pytest.mark.parametrize(("high", "identified"), [(9.9, True), (10.1, False)])
def test_an_interval_over_a_factor_of_ten_identifies_nothing(high, identified):
    assert Term("calls", 2.0, 1.0, high, "s / call").identified is identified
    assert not Term("calls", 0.0, 1.0, high, "s / call").identified


def test_another_cost_is_predicted_as_products_of_equal_size():
    fit = fit_times(machine())
    (step,) = plan((1, 300, 50), "loss-first").steps
    row = plan((1, 300, 50), "loss-first").cost
    assert fit.predict(row) == pytest.approx(CALL + ROWS * 8 * step.elements_moved, rel=1e-3)
    matrices = Cost(products=2, multiplications=2 * 10**6, bytes=10**6, held_bytes=10**6)
    expected = 2 * CALL + SMALL * 4 * 10**6 + MATRICES * 10**6
    assert fit.predict(matrices) == pytest.approx(expected, rel=1e-3)
    larger = replace(matrices, products=1)
    expected = CALL + LARGE * 4 * 10**6 + MATRICES * 10**6
    assert fit.predict(larger) == pytest.approx(expected, rel=1e-3)
    assert fit.predict(3 * row) > 2.5 * fit.predict(row)
    assert fit.predict(Cost(bytes=8, held_bytes=8)) > 0  # a copy


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_products_of_a_chain_are_told_apart_in_either_precision(dtype):
    dims = CHAINS[-1]
    pairs = [
        [
            make_series(
                np.ones((1, 2, 2)), dims=d, name=order, cost=plan(d, order, dtype=dtype).cost
            )
            for order in BOTH
        ]
        for d in CHAINS[-6:]
    ]
    fit = fit_times(make_evidence(*pairs))
    loss, inputs = fit.work[-2:]
    moved = plan(dims, "loss-first", dtype=dtype).cost.bytes
    np.testing.assert_array_equal(loss, [2, 0, 0, moved, 0])
    assert inputs[0] == 2
    assert inputs[2] == 2 * 700 * 700 * 9000
    assert inputs[3:].sum() == plan(dims, "input-first", dtype=dtype).cost.bytes


def test_other_work_than_a_dense_chain_counts_as_a_whole():
    cost = Cost(products=4, multiplications=100, row_multiplications=50, bytes=80, held_bytes=80)
    pairs = [make_pair(*np.ones((2, 1, 2, 2)), dims=dims, cost=cost) for dims in CHAINS[:6]]
    fit = fit_times(make_evidence(*pairs))
    np.testing.assert_array_equal(fit.work, [[4, 100, 0, 40, 40]] * 12)
    assert isinstance(fit, Fit)
    assert np.isfinite(fit.predicted).all()


def test_fewer_than_a_dozen_series_are_no_fit():
    assert fit_times(machine(CHAINS[:5])) is None
    assert fit_times(machine(CHAINS[:6])) is not None
