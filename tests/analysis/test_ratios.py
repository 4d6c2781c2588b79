"""Ratios of two series, and where values over a size cross a level."""

import numpy as np
import pytest

from jacchain.analysis.ratios import crossing, formula_ratio, log_ratios, process_ratios, ratio
from jacchain.cost import Cost
from tests.analysis.examples import make_series

SIZES = np.array([1.0, 4.0, 16.0, 64.0])


def test_a_ratio_is_first_over_second_with_its_interval():
    seconds = np.arange(1.0, 13).reshape(3, 2, 2)
    first, second = (make_series(n * seconds, cost=Cost(multiplications=12 * n)) for n in (3, 1))
    assert ratio(first, second) == pytest.approx((3, 3, 3))
    assert formula_ratio(first, second) == 3


def test_log_ratios_pair_the_sums_of_each_block():
    first = make_series([[[1, 3], [2, 2]], [[5, 3], [9, 1]]])
    second = make_series([[[1, 1], [3, 5]], [[2, 6], [1, 1]]])
    expected = np.log([[4 / 2, 4 / 8], [8 / 8, 10 / 2]])
    np.testing.assert_allclose(log_ratios(first, second), expected)
    np.testing.assert_allclose(process_ratios(first, second), expected.mean(axis=1))
    low, middle, high = ratio(first, second)
    assert np.log([low, middle, high]) == pytest.approx(
        np.log(5) / 4 + 12.706 * np.log(5) / 4 * np.array([-1, 0, 1]), rel=1e-4
    )  # Student's quantile of one degree of freedom; processes have the means 0 and ln(5) / 2


def test_a_drift_that_both_arms_share_leaves_the_ratio_alone():
    drift = np.random.default_rng(0).lognormal(size=(2, 6, 1))
    slow, fast = (make_series(t * drift * np.ones(2)) for t in (3.0, 2.0))
    np.testing.assert_allclose(log_ratios(slow, fast), np.log(1.5))


@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [
        ([1.0, 2.0, 8.0, 9.0], 4.0, 8.0),  # halfway between 2 and 8, and so between 4 and 16
        ([1.0, 2.0, 8.0, 9.0], 2.0, 4.0),
        ([1.0, 2.0, 8.0, 9.0], 9.0, 64.0),
        ([5.0, 5.0, 8.0, 9.0], 4.0, 1.0),  # there from the first on
        ([1.0, 2.0, 8.0, 9.0], 9.1, None),
        ([1.0, 9.0, 2.0, 8.0], 4.0, 32.0),  # it has to stay there
        ([1.02, 0.6, 0.5, 0.5], 1.0, None),
        ([1.0, 1.0, 1.0, 1e4], 1e2, 32.0),
    ],
)
def test_a_level_is_crossed_between_two_sizes_on_log_scales(values, level, expected):
    assert crossing(SIZES, np.array(values), level) == expected
