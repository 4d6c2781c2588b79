"""Intervals for medians against their definition, and how often they hold the truth."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from jacchain.analysis.intervals import difference_interval, median_interval, p_beyond, sign_test

SAMPLES = arrays(
    float, st.integers(2, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False, width=32)
)


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


@pytest.mark.parametrize(("depth", "percent"), [(3, 96.1), (4, 85.4)])
def test_twelve_values_have_the_plain_intervals_of_the_sign_test(depth, percent):
    confidence = plain_coverage(12, depth)
    assert 100 * confidence == pytest.approx(percent, abs=0.05)
    low, median, high = median_interval(range(1, 13), confidence)
    assert (low, median, high) == pytest.approx((depth, 6.5, 13 - depth))


@pytest.mark.parametrize("n", [8, 9, 12, 13, 24, 37])
def test_between_the_plain_intervals_it_interpolates(n):
    values = np.random.default_rng(n).lognormal(size=n)
    low, median, high = median_interval(values)
    assert (low, high) == pytest.approx(interpolated(values, 0.95))
    assert median == pytest.approx(np.median(values))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_a_few_values_give_their_whole_range(n):
    low, _, high = median_interval(range(n))
    assert (low, high) == (0, n - 1)


def test_fewer_than_two_values_raise():
    with pytest.raises(ValueError, match=r"at least two values, got 1; measure more"):
        median_interval([3.0])


@given(SAMPLES, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_it_holds_the_median_and_more_confidence_never_makes_it_narrower(values, a, b):
    inner, outer = (median_interval(values, confidence) for confidence in sorted((a, b)))
    slack = 1e-9 * np.abs(values).max()
    assert np.all(np.diff([outer[0], *inner, outer[2]]) >= -slack)
    assert inner[1] == outer[1] == np.median(values)


@given(SAMPLES, st.floats(0.01, 100), st.floats(-100, 100))
def test_it_moves_with_the_values(values, scale, shift):
    moved = median_interval(scale * values + shift)
    expected = [scale * edge + shift for edge in median_interval(values)]
    assert moved == pytest.approx(expected, rel=1e-9, abs=1e-9 * (1 + scale * np.ptp(values)))


def test_many_samples_at_once_are_the_same_as_one_by_one():
    values = np.random.default_rng(0).normal(size=(3, 4, 15))
    together = median_interval(values)
    for i, j in np.ndindex(3, 4):
        assert tuple(edge[i, j] for edge in together) == median_interval(values[i, j])


def two_states(rng, shape):
    """A machine with a slow state for a third of the time."""
    return rng.normal(0, 0.1, shape) + (rng.random(shape) < 1 / 3)


MEDIAN_OF_TWO_STATES = brentq(
    lambda t: (2 * norm.cdf(t, 0, 0.1) + norm.cdf(t, 1, 0.1)) / 3 - 0.5, -1, 1
)


@pytest.mark.parametrize("n", [12, 24])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, shape: rng.normal(size=shape), 0.0),
        (lambda rng, shape: rng.lognormal(size=shape), 1.0),
        (lambda rng, shape: rng.standard_cauchy(size=shape), 0.0),
        (two_states, MEDIAN_OF_TWO_STATES),
    ],
    ids=["normal", "lognormal", "cauchy", "two states"],
)
def test_its_coverage_is_near_the_nominal_one(draw, truth, n):
    low, _, high = median_interval(draw(np.random.default_rng(5), (20_000, n)))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


@given(SAMPLES, st.floats(-1e6, 1e6))
def test_the_sign_test_is_the_binomial_one(values, threshold):
    below = int(np.sum(values < threshold))
    expected = binomtest(below, len(values), 0.5, alternative="greater").pvalue
    assert sign_test(values, threshold) == pytest.approx(expected, rel=1e-9)


def test_each_end_of_a_difference_takes_the_ends_that_make_it():
    # low is made by low a and high b; high the other way round
    assert difference_interval((7.0, 10.0, 10.0), (4.0, 4.0, 8.0)) == pytest.approx((1, 6, 6))
    assert difference_interval((10.0, 10.0, 13.0), (0.0, 4.0, 4.0)) == pytest.approx((6, 6, 11))


def test_a_difference_holds_the_truth_as_often_as_its_parts():
    rng = np.random.default_rng(1)
    a, b = rng.normal(3, 1, (5000, 12)), rng.normal(1, 2, (5000, 12))
    pairs = zip(*(zip(*median_interval(values), strict=True) for values in (a, b)), strict=True)
    differences = [difference_interval(*pair) for pair in pairs]
    assert 0.93 <= np.mean([low <= 2 <= high for low, _, high in differences]) <= 0.98


@pytest.mark.parametrize("beyond", [-3.0, 0.0, 0.5, 2.0])
def test_p_is_the_tail_of_a_normal_distribution(beyond):
    error = 2 / (norm.ppf(0.975) - norm.ppf(0.025))
    assert p_beyond(beyond, (4.0, 6.0)) == pytest.approx(norm.sf(beyond / error))


def test_an_interval_of_no_width_decides():
    assert p_beyond(1e-3, (5.0, 5.0)) == 0
    assert p_beyond(-1e-3, (5.0, 5.0)) == 1
