"""Affine layers: what they refuse, and their derivative by every weight."""

import numpy as np
import pytest

from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.layers import AffineLayer, Visit, visit

W = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_integers_become_float64_and_float32_stays():
    assert AffineLayer([[1, 2]], [3]).dtype == np.float64
    single = AffineLayer(np.ones((1, 2), np.float32), np.ones(1, np.float32), "gelu")
    assert single.dtype == np.float32
    point = np.ones(2, np.float32)
    assert {a.dtype for a in single.forward(point)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("weight", "bias", "error", "message"),
    [
        ([1.0, 2.0], [0.0], ValueError, r"the weight has shape \(2,\); expected \(any >= 1, any"),
        (np.ones((2, 0)), [0.0, 0.0], ValueError, r"the weight has shape \(2, 0\)"),
        (np.ones((0, 2)), [], ValueError, r"the weight has shape \(0, 2\)"),
        (W, [0.0, 0.0, 0.0], ValueError, r"the bias has shape \(3,\); expected \(2,\)"),
        (W, 0.0, ValueError, r"the bias has shape \(\); expected \(2,\)"),
        ([[1.0, np.nan]], [0.0], ValueError, r"the weight is nan at index \(0, 1\)"),
        (W, [0.0, -np.inf], ValueError, r"the bias is -inf at index \(1,\)"),
        ([[1j]], [0.0], TypeError, r"the weight has dtype complex128"),
        ([["1"]], [0.0], TypeError, r"the weight has dtype <U1"),
        (np.ones((1, 1), np.float16), [0.0], TypeError, r"the weight has dtype float16"),
        (np.ones((1, 1), np.float32), [0.0], TypeError, r"float32, but the bias float64"),
    ],
)
def test_unfit_parameters(weight, bias, error, message):
    with pytest.raises(error, match=message):
        AffineLayer(weight, bias)


def test_unknown_activation():
    with pytest.raises(ValueError, match=r"unknown activation 'step'; known: gelu"):
        AffineLayer(W, [0, 0], "step")


def test_what_was_validated_cannot_change():
    weight = np.array(W)
    layer = AffineLayer(weight, [0, 0])
    weight[0, 0] = np.nan
    assert layer.weight[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = np.nan


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_weight_gradient_is_the_adjoint_times_a_kronecker_product(check_products, name):
    """With vec(W) row by row, dz/dvec(W) = diag(s'(a)) (I (x) z_in^T), of shape (2, 6)."""
    rng = np.random.default_rng(1)
    layer = AffineLayer(rng.normal(size=(2, 3)), rng.normal(size=2), name)
    z_in, adjoint = rng.normal(size=3), rng.normal(size=2)
    at = visit(layer, z_in)
    slopes = np.diag(layer.activation.derivative(at.preactivations, at.outputs))
    by_weight = slopes @ np.kron(np.eye(2), z_in)
    by_name, by_input = layer.pullback(adjoint[None], Visit(*(array[None] for array in at)))
    np.testing.assert_allclose(by_name["W"].ravel(), adjoint @ by_weight, rtol=1e-13)
    jacobian = layer.jacobian(at).to_dense()
    np.testing.assert_allclose(by_input[0], adjoint @ jacobian, rtol=1e-13)
    jacobians = layer.parameter_jacobians(at)
    np.testing.assert_allclose(jacobians["W"].to_dense(), by_weight, rtol=1e-13)
    np.testing.assert_allclose(jacobians["b"].to_dense(), slopes)
    check_products(layer, np.stack([z_in, -z_in]), rng, rtol=1e-12, atol=1e-14)

    def output(vec_w):
        return AffineLayer(vec_w.reshape(2, 3), layer.bias, name).forward(z_in)[1]

    h, vec_w = 1e-6, layer.weight.ravel()
    columns = [(output(vec_w + h * e) - output(vec_w - h * e)) / (2 * h) for e in np.eye(6)]
    np.testing.assert_allclose(by_weight, np.transpose(columns), atol=1e-8)
