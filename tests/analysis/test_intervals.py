"""Estimates over processes and intervals of medians, and how often they hold the truth."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ttest_1samp

from jacchain.analysis.intervals import (
    LEAST_PROCESSES,
    difference_interval,
    estimate,
    median_interval,
    quantile,
)

FINITE = st.floats(-1e6, 1e6, allow_subnormal=False, width=32)
SAMPLES = arrays(float, st.integers(6, 40), elements=FINITE)


@given(arrays(float, st.integers(2, 30), elements=FINITE, unique=True))
def test_an_interval_over_processes_is_students(values):
    expected = ttest_1samp(values, 0).confidence_interval(0.9)
    assert estimate(values).interval(0.9) == pytest.approx(tuple(expected), rel=1e-6, abs=1e-6)
    assert estimate(values).value == pytest.approx(values.mean())


def test_processes_without_a_value_do_not_count():
    assert estimate([1.0, np.nan, 3.0]) == estimate([1.0, 3.0])
    assert np.isnan(estimate([np.nan]).value)


@pytest.mark.parametrize("processes", [0, 1])
def test_one_process_has_no_interval(processes):
    assert np.isnan(estimate([2.0] * processes).interval()).all()


def test_fewer_than_six_processes_decide_nothing():
    assert LEAST_PROCESSES == 6
    assert not estimate(range(5)).decides
    assert estimate(range(6)).decides


def noise(family, rng, shape):
    """Log factors of samples in the order in which they are taken: (runs, processes, samples)."""
    runs, processes, samples = shape
    if family == "t2":
        return 0.02 * rng.standard_t(2, shape)
    if family == "one-sided":
        return rng.exponential(0.03, shape)
    if family == "correlated":
        steps = rng.normal(0, 0.03, shape)
        steps[..., 0] /= 0.75**0.5  # the rest of a round lies between two processes
        for i in range(1, samples):
            steps[..., i] += 0.5 * steps[..., i - 1]
        return steps
    if family == "two states":
        return 0.3 * (rng.random((runs, processes, 1)) < 0.4) + rng.normal(0, 0.02, shape)
    between = rng.normal(0, 0.01, (runs, processes, 1)) if family == "between processes" else 0.0
    return between + rng.normal(0, 0.02, shape)


FAMILIES = ("normal", "t2", "one-sided", "correlated", "two states", "between processes")


@pytest.mark.parametrize("samples", [4, 8])
@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_of_ratios_cover_under_every_family_of_noise(family, samples):
    """Of arms that run ABBA in each block, in ten processes; in truth every ratio is 1."""
    factors = np.exp(noise(family, np.random.default_rng(3), (4000, 10, samples)))
    blocks = factors.reshape(4000, 10, -1, 4)
    logs = np.log(blocks[..., [0, 3]].sum(-1) / blocks[..., [1, 2]].sum(-1))
    held = [low <= 0 <= high for low, high in (estimate(r).interval() for r in quantile(logs))]
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_of_times_cover_under_every_family_of_noise(family):
    logs = noise(family, np.random.default_rng(4), (4000, 10, 4))
    values = quantile(logs, 0.25)
    truth = np.median(quantile(noise(family, np.random.default_rng(5), (20_000, 10, 4)), 0.25))
    held = [low <= truth <= high for low, _, high in map(median_interval, values)]
    assert 0.93 <= np.mean(held) <= 0.97


def test_a_quantile_leaves_out_what_is_missing():
    values = np.array([[[4.0, 1.0, 2.0], [np.nan, 5.0, 7.0]]])
    np.testing.assert_array_equal(quantile(values), [[2.0, 6.0]])
    np.testing.assert_array_equal(quantile(values, 0.25), [[1.5, 5.5]])
    assert np.isnan(quantile(np.full((1, 2), np.nan)))[0]


def plain_coverage(n, depth):
    """Chance that the median lies between the order statistics `depth` from either end."""
    return 1 - 2 * sum(comb(n, k) for k in range(depth)) / 2**n


def interpolated(values, confidence):
    """Hettmansperger and Sheather's interval, written out for one sample."""
    ordered, n = sorted(values), len(values)
    depth = max(d for d in range(1, n // 2 + 1) if plain_coverage(n, d) >= confidence)
    outer, inner = plain_coverage(n, depth), plain_coverage(n, depth + 1)
    share = (outer - confidence) / (outer - inner)
    weight = (n - depth) * share / (depth + (n - 2 * depth) * share)
    low = (1 - weight) * ordered[depth - 1] + weight * ordered[depth]
    high = (1 - weight) * ordered[n - depth] + weight * ordered[n - depth - 1]
    return low, high


@pytest.mark.parametrize("n", [8, 9, 12, 13, 24, 37])
def test_between_the_plain_intervals_it_interpolates(n):
    values = np.random.default_rng(n).lognormal(size=n)
    low, median, high = median_interval(values)
    assert (low, high) == pytest.approx(interpolated(values, 0.95))
    assert median == pytest.approx(np.median(values))


def test_fewer_than_six_values_have_no_interval():
    low, middle, high = median_interval([*range(5), np.nan])
    assert (middle, np.isnan(low), np.isnan(high)) == (2, True, True)
    low, _, high = median_interval(range(6))  # between all, 96.9 %, and all but the ends, 78.1 %
    assert (low, high) == pytest.approx((0.357, 4.643), abs=1e-3)


@given(SAMPLES)
def test_it_holds_the_median(values):
    low, median, high = median_interval(values)
    assert low <= median <= high
    assert median == np.median(values)


def test_it_covers_the_median_of_heavy_tails():
    draws = np.random.default_rng(5).standard_cauchy((4000, 12))
    held = [low <= 0 <= high for low, _, high in map(median_interval, draws)]
    assert 0.93 <= np.mean(held) <= 0.97


@given(SAMPLES, st.floats(0.01, 100), st.floats(-100, 100))
def test_it_moves_with_the_values(values, scale, shift):
    moved = median_interval(scale * values + shift)
    expected = [scale * edge + shift for edge in median_interval(values)]
    assert moved == pytest.approx(expected, rel=1e-9, abs=1e-9 * (1 + scale * np.ptp(values)))


def test_each_end_of_a_difference_takes_the_ends_that_make_it():
    # low is made by low a and high b; high the other way round
    assert difference_interval((7.0, 10.0, 10.0), (4.0, 4.0, 8.0)) == pytest.approx((1, 6, 6))
    assert difference_interval((10.0, 10.0, 13.0), (0.0, 4.0, 4.0)) == pytest.approx((6, 6, 11))


def test_a_difference_holds_the_truth_as_often_as_its_parts():
    rng = np.random.default_rng(1)
    a, b = rng.normal(3, 1, (5000, 12)), rng.normal(1, 2, (5000, 12))
    pairs = zip(*(map(median_interval, values) for values in (a, b)), strict=True)
    differences = [difference_interval(*pair) for pair in pairs]
    assert 0.93 <= np.mean([low <= 2 <= high for low, _, high in differences]) <= 0.98
