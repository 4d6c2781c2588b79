"""Slopes over one size, in which regimes they are judged, and how."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Regimes
from jacchain.analysis.slopes import judged_regimes, slope_part, slopes, sweep_of
from jacchain.analysis.verdicts import Statement, decide
from tests.analysis.examples import make_series, make_sweep

SIZES = np.array([64.0, 96, 128, 192, 256])
ONE_REGIME = Regimes(l2=1e9)
NOISE_FLOOR = 0.03


def verdict(whole):
    """What a statement says that has this slope alone."""
    part = slope_part(whole, NOISE_FLOOR, "")
    return decide(Statement("it grows so", (part,)), NOISE_FLOOR).verdict


def test_slopes_are_those_of_a_least_squares_line_in_each_process():
    noise = np.random.default_rng(0).normal(0, 0.1, (12, 5))
    whole = make_sweep(SIZES, SIZES)
    by_process, expected = slopes(replace(whole, log_times=whole.log_times + noise))
    lines = [np.polyfit(np.log(SIZES), np.log(SIZES) + row, 1)[0] for row in noise]
    np.testing.assert_allclose(by_process, lines)
    assert expected == pytest.approx(1)


def test_what_slows_a_whole_process_leaves_the_slope_as_it_is():
    whole = make_sweep(SIZES, SIZES)
    slower = np.random.default_rng(4).lognormal(size=(12, 1))
    part = slope_part(replace(whole, log_times=whole.log_times + slower), NOISE_FLOOR, "")
    assert part.interval == pytest.approx((1, 1))


def judged(whole, **facts):
    return judged_regimes(whole, Evidence(**{"regimes": ONE_REGIME} | facts))


@pytest.mark.parametrize(
    ("few", "enough"),
    [([64, 128, 256], [64, 128, 256, 512]), ([100, 200, 300, 316], [100, 200, 300, 317])],
    ids=["four sizes", "half a decade"],
)
def test_a_regime_needs_four_sizes_over_half_a_decade(few, enough):
    assert judged(make_sweep(few, few)) == {}
    assert list(judged(make_sweep(enough, enough))) == ["L2"]


def test_sizes_at_which_calls_take_a_tenth_are_left_out():
    sizes = np.array([1, 2, 4, 8, 16, 32, 64])
    whole = make_sweep(sizes, 3e-6 * sizes)  # three products
    np.testing.assert_array_equal(judged(whole, overhead=0.99e-7)["L2"].sizes, sizes)
    np.testing.assert_array_equal(judged(whole, overhead=3.9e-7)["L2"].sizes, sizes[2:])
    assert judged(whole, overhead=1e-6) == {}


def test_each_regime_is_judged_for_itself_and_none_between():
    sizes = 2.0 ** np.arange(16)
    regimes = Regimes(l2=8 * 2**3, llc_low=8 * 2**5, llc_high=8 * 2**9, memory=8 * 2**12)
    parts = judged(make_sweep(sizes, sizes), regimes=regimes)
    kept = {name: np.log2(part.sizes).tolist() for name, part in parts.items()}
    assert kept == {"L2": [0, 1, 2, 3], "LLC": [5, 6, 7, 8, 9], "memory": [12, 13, 14, 15]}
    np.testing.assert_allclose(parts["LLC"].times, sizes[5:10])


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_time_that_follows_the_formula_agrees(exponent):
    cost = SIZES**exponent
    part = slope_part(make_sweep(SIZES, 1e-9 * cost, multiplications=cost), 0.05, "")
    assert part.measured == pytest.approx(exponent)
    assert part.expected == pytest.approx(exponent)
    assert verdict(make_sweep(SIZES, 1e-9 * cost, multiplications=cost)) == "agrees"


def test_the_interval_is_widened_by_raising_one_end():
    part = slope_part(make_sweep(SIZES, SIZES), 0.07, "")
    steepest = 0.07 / np.log(SIZES[-1] / SIZES[0])
    assert part.interval == pytest.approx((1, 1))
    assert part.widened == pytest.approx((1 - steepest, 1 + steepest))


@pytest.mark.parametrize(
    ("extra", "expected"), [(0.1, "agrees"), (0.15, "inconclusive"), (0.3, "disagrees")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_margin_is_fifteen_hundredths(extra, expected, sign):
    assert verdict(make_sweep(SIZES, SIZES ** (1 + sign * extra), noise=0.01)) == expected


OCTAVES = 1024 * 2.0 ** np.arange(0, 3.5, 0.5)


def with_step(factor, exponent=1.0, *, at=4):
    """Times of a law that jump by a factor from one size on."""
    return OCTAVES**exponent * np.where(np.arange(len(OCTAVES)) >= at, factor, 1.0)


@pytest.mark.parametrize("factor", [1.25, 1.6, 0.8])
@pytest.mark.parametrize("at", [2, 4, 5])
def test_a_cliff_within_a_regime_is_no_slope(factor, at):
    whole = make_sweep(OCTAVES, with_step(factor, at=at), noise=0.01)
    assert whole.step == at
    assert whole.step_factor == pytest.approx(factor, rel=0.03)
    part = slope_part(whole, NOISE_FLOOR, "")
    assert part.measured == pytest.approx(1, abs=0.03)
    assert f"jump by {whole.step_factor:.2f}" in part.reason
    np.testing.assert_allclose(whole.without_step.times, OCTAVES, rtol=0.03)


def test_a_cliff_does_not_hide_a_slope():
    assert verdict(make_sweep(OCTAVES, with_step(1.25, 1.4), noise=0.01)) == "disagrees"
    assert verdict(make_sweep(OCTAVES, with_step(1.0, 0.0), noise=0.01)) == "disagrees"


def test_a_steeper_law_has_no_step():
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, 0.01, (12, len(OCTAVES)))
        whole = make_sweep(OCTAVES, OCTAVES**1.25)
        whole = replace(whole, log_times=whole.log_times + noise)
        assert slopes(whole)[0].mean() == pytest.approx(1.25, abs=0.03)


def test_five_sizes_are_too_few_for_a_step():
    whole = make_sweep(SIZES, SIZES * np.array([1, 1, 1, 2, 2]))
    assert whole.step is None
    assert whole.step_factor == 1
    np.testing.assert_array_equal(whole.without_step.log_times, whole.log_times)


def test_a_sweep_arranges_what_was_measured():
    seconds = {x: np.full((12, 2, 2), x) for x in (8, 32)}
    measured = [(x, make_series(seconds[x], dims=(1, 2, 3, 4, x))) for x in seconds]
    whole = sweep_of("|x|", measured, "n")
    assert (whole.variable, whole.order, whole.law) == ("|x|", "loss-first", "n")
    np.testing.assert_array_equal(whole.sizes, [8, 32])
    np.testing.assert_allclose(whole.log_times, np.log([[8.0, 32]] * 12))
    np.testing.assert_allclose(whole.intervals, [[8, 8], [32, 32]])
    np.testing.assert_array_equal(whole.multiplications, [6 + 12 + 32, 6 + 12 + 128])
    np.testing.assert_array_equal(whole.products, [3, 3])
    costs = [series.cost for _, series in measured]
    np.testing.assert_array_equal(whole.working_set, [cost.working_set for cost in costs])
    assert sweep_of("|x|", measured[:1], "n") is None
