"""Affine layers: derivatives, and what they refuse."""

import numpy as np
import pytest

from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.affine import AffineLayer
from jacchain.networks.layer import visit

W = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize("name", ACTIVATIONS.entries)
@pytest.mark.parametrize("sizes", [(3, 2), (1, 1), (1, 4), (5, 1)])
def test_derivatives_match_the_definition(check_layer, make_affine, name, sizes):
    rng = np.random.default_rng(1)
    layer = make_affine(rng, *sizes, name)

    def definition(x, W, b):
        a = W @ x + b
        return np.where(a.real > 0, a, 0) if name == "relu" else layer.activation.function(a)

    check_layer(layer, definition, rng)


def test_the_derivative_by_the_weight_is_a_kronecker_product():
    """With W row-major, `dz/dW = I (x) z_in^T` for the identity activation."""
    layer, x = AffineLayer(W, [0.0, 1.0]), np.array([1.0, -1.0, 2.0])
    by_weight = layer.parameter_jacobians(visit(layer, x))["W"]
    np.testing.assert_array_equal(by_weight.to_dense(), np.kron(np.eye(2), x))


def test_integers_become_float64_and_float32_stays():
    assert AffineLayer([[1, 2]], [3]).dtype == np.float64
    single = AffineLayer(np.ones((1, 2), np.float32), np.ones(1, np.float32), "gelu")
    assert single.dtype == np.float32
    assert {a.dtype for a in single.forward(np.ones(2, np.float32))} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("weight", "bias", "error", "message"),
    [
        ([1.0, 2.0], [0.0], ValueError, r"the weight has shape \(2,\); expected \(any >= 1, any"),
        (W, [0.0, 0.0, 0.0], ValueError, r"the bias has shape \(3,\); expected \(2,\)"),
        ([[1j]], [0.0], TypeError, r"the weight \[\[1j\]\] has dtype complex128"),
        (np.ones((1, 1), np.float32), [0.0], TypeError, r"weight is float32, bias is float64"),
    ],
)
def test_unfit_parameters_are_refused(weight, bias, error, message):
    with pytest.raises(error, match=message):
        AffineLayer(weight, bias)


def test_parameters_are_copied_and_read_only():
    weight = np.array(W)
    layer = AffineLayer(weight, [0, 0])
    weight[0, 0] = np.nan
    assert layer.weight[0, 0] == 1
    assert not layer.weight.flags.writeable
    assert not layer.bias.flags.writeable
