"""Products with a network's Jacobian without it, against the product of its layers' Jacobians."""

from functools import reduce

import numpy as np
import pytest

import jacchain as jc

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["article", "lenet-5"])
def test_products_are_those_with_the_explicit_jacobian(name):
    network = jc.zoo.load(name, rng=0)
    x, last = RNG.normal(size=network.sizes[0]), network.sizes[-1]
    factors = network.chain(x, np.full(last, 1 / last)).factors[1:]
    jacobian = reduce(np.matmul, (factor.to_dense() for factor in factors))
    adjoints, tangents = RNG.normal(size=(3, last)), RNG.normal(size=(2, len(x)))
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(jc.vjp(network, x, adjoints), adjoints @ jacobian, **close)
    np.testing.assert_allclose(jc.jvp(network, x, tangents), tangents @ jacobian.T, **close)


def test_rows_of_another_size_are_refused():
    network = jc.mlp(3, 2, rng=0)
    with pytest.raises(ValueError, match=r"the array of adjoints has shape \(1, 3\)"):
        jc.vjp(network, np.ones(3), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"the array of tangents has shape \(2,\)"):
        jc.jvp(network, np.ones(3), np.ones(2))
