"""Gradients compared with complex steps, and Jacobian products with dense Jacobians."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain import networks


@settings(deadline=None)
@given(data=st.data())
def test_gradients_match_the_definition(cases, definition, data):
    network, x, target = data.draw(cases)
    results, (_, expected) = networks.gradients(network, x, target), definition(network, x, target)
    assert list(results) == list(expected)
    for name, gradient in results.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-9, atol=1e-10)


def test_gradients_keep_float32():
    W, b = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([0.1, 0.2])
    single, double = (
        networks.gradients(
            networks.Network(
                [networks.AffineLayer(W.astype(dtype), b.astype(dtype), "gelu")], "cross_entropy"
            ),
            [0.3, -0.7],
            1,
        )
        for dtype in ("float32", "float64")
    )
    for name, gradient in single.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, double[name], rtol=1e-5)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 7))
def test_batch_gradients_are_means(seed, n):
    network, rng = (
        networks.mlp(4, 5, 3, loss="cross_entropy", rng=seed),
        np.random.default_rng(seed),
    )
    inputs, targets = rng.normal(size=(n, 4)), rng.integers(3, size=n)
    single = [
        networks.gradients(network, x, target) for x, target in zip(inputs, targets, strict=True)
    ]
    results = networks.batch_gradients(network, inputs, targets)
    assert results.keys() == single[0].keys()
    for name, gradient in results.items():
        samples = np.stack([by_name[name] for by_name in single])
        expected = samples / n if name == "x" else samples.mean(axis=0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-13)
    again = networks.gradients_evaluator(network, inputs, targets)()
    assert all(np.array_equal(again[name], gradient) for name, gradient in results.items())


def test_products_match_the_dense_jacobian(deep_network):
    network, rng = deep_network, np.random.default_rng(0)
    size, last = network.sizes[0], network.sizes[-1]
    x, adjoints, tangents = (rng.normal(size=s) for s in (size, (3, last), (2, size)))
    factors = network.chain(x, np.full(last, 1 / last)).factors[1:]
    jacobian = reduce(np.matmul, (factor.to_dense() for factor in factors))
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(networks.vjp(network, x, adjoints), adjoints @ jacobian, **close)
    np.testing.assert_allclose(networks.jvp(network, x, tangents), tangents @ jacobian.T, **close)


def test_unfit_rows_are_refused():
    network = networks.mlp(3, 2, rng=0)
    with pytest.raises(ValueError, match=r"the array of adjoints has shape \(1, 3\)"):
        networks.vjp(network, np.ones(3), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"the array of tangents has shape \(2,\)"):
        networks.jvp(network, np.ones(3), np.ones(2))
