"""Losses compared with complex steps and exact values, and the targets that they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jacchain.networks.losses import LOSSES, as_loss

FLOAT64 = np.dtype(np.float64)
SQUARED_ERROR, CROSS_ENTROPY = LOSSES["squared_error"], LOSSES["cross_entropy"]
outputs = st.integers(1, 6).flatmap(lambda k: arrays(float, (k,), elements=st.floats(-20, 20)))


@pytest.mark.parametrize("loss", LOSSES.entries.values(), ids=lambda loss: loss.name)
@settings(deadline=None)
@given(z=outputs, data=st.data())
def test_the_row_is_the_complex_step(loss, z, data):
    weights = data.draw(arrays(float, z.shape, elements=st.floats(0.1, 1)))
    target = loss.as_target(weights / weights.sum(), z.size, FLOAT64)
    step = 1e-30
    steps = z + 1j * step * np.eye(z.size)  # one perturbed output a row
    expected = loss.value(steps, np.tile(target, (z.size, 1))).imag / step
    np.testing.assert_allclose(loss.row(z, target), expected, rtol=1e-10, atol=1e-12)


def test_squared_error_is_half_the_squared_distance():
    assert SQUARED_ERROR.value(np.array([3.0, 4.0]), np.zeros(2)) == 12.5


def test_cross_entropy_of_equal_logits_is_log_of_their_number():
    target = CROSS_ENTROPY.as_target(2, 5, FLOAT64)
    assert CROSS_ENTROPY.value(np.full(5, 7.0), target) == pytest.approx(np.log(5), rel=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("right", "expected"), [(0, 0.0), (1, 2000.0), (2, 1000.0)])
def test_cross_entropy_at_extreme_logits(dtype, right, expected):
    logits = np.array([1000, -1000, 0], dtype)
    target = CROSS_ENTROPY.as_target(right, 3, np.dtype(dtype))
    value, row = CROSS_ENTROPY.value(logits, target), CROSS_ENTROPY.row(logits, target)
    assert value == expected
    assert value.dtype == row.dtype == dtype
    np.testing.assert_array_equal(row, np.array([1, 0, 0], dtype) - target)


@pytest.mark.parametrize("index", [1, np.int64(1), np.uint8(1), np.array(1)])
def test_class_index_is_the_certain_distribution(index):
    np.testing.assert_array_equal(CROSS_ENTROPY.as_target(index, 3, FLOAT64), [0, 1, 0])
    np.testing.assert_array_equal(CROSS_ENTROPY.as_target([0, 1, 0], 3, FLOAT64), [0, 1, 0])


@pytest.mark.parametrize("index", [-1, 3, True, np.True_, 1.0, np.nan, "1"])
def test_other_values_are_no_class_index(index):
    with pytest.raises(ValueError, match=r"expected a class index, from 0 to 2"):
        CROSS_ENTROPY.as_target(index, 3, FLOAT64)


@pytest.mark.parametrize("probabilities", [[0.5, 0.6, 0.0], [1.5, -0.5, 0.0], [0.0, 0.0, 0.0]])
def test_other_values_are_no_probabilities(probabilities):
    with pytest.raises(ValueError, match=r"probabilities >= 0 that sum to 1"):
        CROSS_ENTROPY.as_target(probabilities, 3, FLOAT64)


def test_probabilities_rounded_to_float32_pass():
    thirds = np.full(3, 1 / 3, np.float32)
    assert CROSS_ENTROPY.as_target(thirds, 3, FLOAT64).sum() == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "target", "shape"),
    [
        ("squared_error", [0.5, 0.5], "2,"),
        ("cross_entropy", [0.5, 0.5], "2,"),
        ("squared_error", 1.0, ""),
    ],
)
def test_targets_of_another_shape_are_refused(name, target, shape):
    with pytest.raises(ValueError, match=rf"the target has shape \({shape}\); expected \(3,\)"):
        LOSSES[name].as_target(target, 3, FLOAT64)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'hinge'; the known ones are \['cross_entropy', 'squ"):
        as_loss("hinge")
