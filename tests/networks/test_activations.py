"""Activations compared with complex steps and exact values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.activations import ACTIVATIONS, as_activation

POINTS = np.array([-30.0, -3.0, -1.0, -1e-3, 1e-3, 0.5, 2.0, 30.0])
VALUES = [
    ("identity", 1.5, 1.5),
    ("tanh", np.log(2), 0.6),
    ("sigmoid", np.log(3), 0.75),
    ("relu", -2.0, 0.0),
    ("relu", 2.0, 2.0),
    ("softplus", 0.0, np.log(2)),
    ("softplus", np.log(2), np.log(3)),
    ("gelu", 1.0, 0.8413447460685429),  # the normal distribution at 1
    ("gelu", -1.0, -0.15865525393145707),
    ("gelu", -10.0, -7.61985302416e-23),  # tails keep their digits
    ("softplus", -700.0, np.exp(-700)),
]
SMOOTH = [s for s in ACTIVATIONS.entries.values() if s.name != "relu"]
every_activation = pytest.mark.parametrize(
    "activation", ACTIVATIONS.entries.values(), ids=lambda s: s.name
)
every_smooth = pytest.mark.parametrize("activation", SMOOTH, ids=lambda s: s.name)


def derivative(activation, a):
    return activation.derivative(a, activation.function(a))


@pytest.mark.parametrize(("name", "a", "expected"), VALUES)
def test_exact_values(name, a, expected):
    rel = 1e-12 if a == -10 else 1e-14  # its reference has 12 digits
    assert ACTIVATIONS[name].function(np.array([a]))[0] == pytest.approx(expected, rel=rel)


@every_smooth
@settings(deadline=None)
@given(a=st.floats(-50, 50))
def test_the_derivative_is_the_complex_step(activation, a):
    point, step = np.array([a]), 1e-30
    expected = activation.function(point + 1j * step).imag / step
    np.testing.assert_allclose(derivative(activation, point), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
def test_the_left_tail_keeps_its_digits(name, dtype):
    """For large negative a, both functions and their derivatives are e^a."""
    a = np.array([-40, -60, -80], dtype)
    expected = np.exp(a.astype(float))
    for values in (ACTIVATIONS[name].function(a), derivative(ACTIVATIONS[name], a)):
        np.testing.assert_allclose(values, expected, rtol=8 * np.finfo(dtype).eps)


@every_smooth
def test_the_complex_function_continues_the_real_one(activation):
    values = activation.function(POINTS + 0j).real
    np.testing.assert_allclose(values, activation.function(POINTS), rtol=1e-12, atol=1e-15)


def test_the_slope_of_relu_is_0_up_to_its_kink():
    slopes = derivative(ACTIVATIONS["relu"], np.array([-2.0, 0.0, 1e-3, 2.0]))
    assert slopes.tolist() == [0, 0, 1, 1]


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_arguments_stay_finite_and_keep_the_dtype(activation, dtype):
    far = np.array([-1e30, -1000, 0, 1000, 1e30], dtype)
    for values in (activation.function(far), derivative(activation, far)):
        assert values.dtype == dtype
        assert np.isfinite(values).all()


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'swish'; the known ones are \['gelu', 'identity', 're"):
        as_activation("swish")
