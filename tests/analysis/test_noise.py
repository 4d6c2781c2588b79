"""The noise floor and the memory regimes of a machine."""

import numpy as np
import pytest

from jacchain.analysis.intervals import median_interval
from jacchain.analysis.noise import cache_share, half_width, noise_floor, regimes
from tests.analysis.examples import make_pair


def control(spread):
    """An A/A pair with this spread of the ratio between its arms."""
    steps = np.exp(spread * np.linspace(-1, 1, 12))[:, None] * np.ones(2)
    return make_pair(np.ones((1, 12, 2)), steps[None])


def test_half_width_is_half_of_the_interval_of_the_pooled_log_ratios():
    pooled = np.concatenate([0.1 * np.linspace(-1, 1, 12), 0.3 * np.linspace(-1, 1, 12)])
    low, _, high = median_interval(pooled)
    assert half_width([control(0.1), control(0.3)]) == pytest.approx((high - low) / 2)


def test_a_bias_between_equal_arms_counts_as_noise():
    pair = make_pair(np.ones((1, 12, 2)), np.full((1, 12, 2), 0.9))
    assert noise_floor([pair]) == pytest.approx(-3 * np.log(0.9))


def test_a_quiet_machine_has_the_least_floor():
    assert noise_floor([]) == 0.05
    assert noise_floor([control(0.0), control(0.001)]) == 0.05


def test_the_floor_of_a_noisy_machine_is_thrice_the_half_width():
    controls = [control(spread) for spread in (0.2, 0.3, 0.4)]
    assert noise_floor(controls) == pytest.approx(3 * half_width(controls))
    assert noise_floor(controls) > 0.05


def test_the_cache_share_ends_where_the_bandwidth_drops():
    ladder = [(64, 20.0), (1, 500.0), (16, 95.0), (4, 100.0), (32, 60.0), (8, 110.0)]
    assert cache_share(ladder, low=4) == 16
    assert cache_share(ladder, low=64) == 64
    assert cache_share(ladder, low=65) == 0


def test_regimes_have_the_nominal_bounds_and_the_measured_share():
    nominal = regimes(100, 8000, [])
    assert (nominal.l2, nominal.llc_low, nominal.llc_high, nominal.memory) == (50, 200, 2000, 16000)
    measured = regimes(100, 8000, [(200, 9.0), (400, 9.0), (800, 3.0)])
    assert measured.llc_high == 400
    beyond_a_quarter = regimes(100, 8000, [(200, 9.0), (4000, 9.0)])
    assert beyond_a_quarter.llc_high == 2000


def test_without_cache_sizes_no_working_set_is_in_a_regime():
    assert {regimes(None, 8000, []).name(size) for size in (1, 10**6, 10**12)} == {"leaving L2"}
