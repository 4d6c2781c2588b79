"""Slopes over one size, in which regimes they are judged, and how."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp, norm

from jacchain.analysis.evidence import Evidence, Regimes
from jacchain.analysis.slopes import best, judged_regimes, resampled, slope, slope_part, sweep_of
from jacchain.analysis.verdicts import decide
from tests.analysis.examples import make_series, make_sweep

SIZES = np.array([64.0, 96, 128, 192, 256])
ONE_REGIME = Regimes(l2=1e9)


def test_slopes_of_many_rows_are_those_of_a_least_squares_line():
    values = np.random.default_rng(0).normal(size=(7, 5))
    expected = [np.polyfit(np.log(SIZES), row, 1)[0] for row in values]
    np.testing.assert_allclose(slope(np.log(SIZES), values), expected)


def test_the_best_is_least_in_a_process_and_median_across_them():
    times = np.array([[[3.0, 1.0], [9.0, 2.0], [5.0, 7.0]]])
    np.testing.assert_array_equal(best(times), [2.0])


def test_resampling_is_the_bootstrap_over_the_blocks_of_each_process():
    times = np.random.default_rng(1).lognormal(size=(1, 2, 12))
    rng = np.random.default_rng(2)
    plain = [
        np.median([rng.choice(process, 12).min() for process in times[0]]) for _ in range(4000)
    ]
    assert ks_2samp(resampled(times, rng, 4000)[:, 0], plain).pvalue > 0.001


def test_resampling_one_block_gives_that_block():
    np.testing.assert_array_equal(resampled(np.full((3, 2, 1), 5.0), np.random.default_rng(0)), 5.0)


def test_what_slows_a_whole_round_leaves_the_slope_as_it_is():
    whole = make_sweep(SIZES, SIZES)
    rounds = np.random.default_rng(4).lognormal(size=whole.times.shape[1:])
    low, high = slope_part(replace(whole, times=whole.times * rounds), 0.05, "").interval
    assert (low, high) == pytest.approx((1, 1))


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
    np.testing.assert_array_equal(judged(whole, overhead=1e-7)["L2"].sizes, sizes)
    np.testing.assert_array_equal(judged(whole, overhead=3.9e-7)["L2"].sizes, sizes[2:])
    assert judged(whole, overhead=1e-6) == {}


def test_each_regime_is_judged_for_itself_and_none_between():
    sizes = 2.0 ** np.arange(16)
    regimes = Regimes(l2=8 * 2**3, llc_low=8 * 2**5, llc_high=8 * 2**9, memory=8 * 2**12)
    parts = judged(make_sweep(sizes, sizes), regimes=regimes)
    kept = {name: np.log2(part.sizes).tolist() for name, part in parts.items()}
    assert kept == {"L2": [0, 1, 2, 3], "LLC": [5, 6, 7, 8, 9], "memory": [12, 13, 14, 15]}
    np.testing.assert_array_equal(parts["LLC"].times, sizes[5:10, None, None] * np.ones((1, 12)))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_time_that_follows_the_formula_agrees(exponent):
    cost = SIZES**exponent
    part = slope_part(make_sweep(SIZES, 1e-9 * cost, multiplications=cost), 0.05, "")
    assert part.measured == pytest.approx(exponent)
    assert part.expected == pytest.approx(exponent)
    assert decide([part], 0.05)[0].verdict == "agrees"


def test_the_interval_is_widened_by_raising_one_end():
    part = slope_part(make_sweep(SIZES, SIZES), 0.07, "")
    steepest = np.log(1.07) / np.log(SIZES[-1] / SIZES[0])
    assert part.interval == pytest.approx((1, 1))
    assert part.widened == pytest.approx((1 - steepest, 1 + steepest))


@pytest.mark.parametrize(
    ("extra", "verdict"), [(0.1, "agrees"), (0.15, "inconclusive"), (0.25, "disagrees")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_margin_is_fifteen_hundredths(extra, verdict, sign):
    whole = make_sweep(SIZES, SIZES ** (1 + sign * extra), noise=0.01)
    assert decide([slope_part(whole, 0.05, "")], 0.05)[0].verdict == verdict


def test_p_is_the_chance_of_noise_beyond_the_widened_margin():
    whole = make_sweep(SIZES, SIZES**1.2, noise=0.3)
    part = slope_part(whole, 0.05, "")
    low, high = part.interval
    error = (high - low) / (norm.ppf(0.975) - norm.ppf(0.025))
    widening = np.log(1.05) / np.log(SIZES[-1] / SIZES[0])
    beyond = part.measured - part.expected - 0.15 - widening
    assert part.p == pytest.approx(norm.sf(beyond / error))
    assert 0 < part.p < 1


def test_a_sweep_arranges_what_was_measured():
    blocks = {8: 12, 32: 10}
    seconds = {x: np.full((2, number, 2), x) for x, number in blocks.items()}
    measured = [(x, make_series(seconds[x], dims=(1, 2, 3, 4, x))) for x in blocks]
    whole = sweep_of("|x|", measured, "n")
    assert (whole.variable, whole.order, whole.law) == ("|x|", "loss-first", "n")
    np.testing.assert_array_equal(whole.sizes, [8, 32])
    expected = np.array([8.0, 32])[:, None, None] * np.ones((2, 10))
    np.testing.assert_array_equal(whole.times, expected)
    np.testing.assert_array_equal(whole.multiplications, [6 + 12 + 32, 6 + 12 + 128])
    np.testing.assert_array_equal(whole.products, [3, 3])
    costs = [series.cost for _, series in measured]
    np.testing.assert_array_equal(whole.working_set, [cost.working_set for cost in costs])
    assert sweep_of("|x|", measured[:1], "n") is None
