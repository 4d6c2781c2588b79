"""Forward passes by hand, and sweeps compared with dense Jacobians."""

from functools import reduce

import numpy as np

from jacchain.networks import AffineLayer
from jacchain.networks.passes import jacobians, pull_back, pull_rows, push_forward, trace

LAYERS = (AffineLayer([[1, -1], [2, 0]], [0, 1], "relu"), AffineLayer([[1, 1]], [0]))


def test_a_pass_by_hand():
    forward = trace(LAYERS, np.array([1.0, 3.0]))
    assert [a.tolist() for a in forward.preactivations] == [[-2, 3], [3]]
    assert [z.tolist() for z in forward.outputs] == [[1, 3], [0, 3], [3]]
    assert forward.output is forward.outputs[-1]
    (first, at), (last, _) = forward.steps(LAYERS)
    assert (first, last) == LAYERS
    assert [array.tolist() for array in at] == [[1, 3], [-2, 3], [0, 3]]
    factors = [factor.to_dense().tolist() for factor in jacobians(LAYERS, forward)]
    assert factors == [[[1, 1]], [[0, 0], [2, 0]]]


def test_sweeps_multiply_by_all_jacobians(deep_network):
    rng, layers = np.random.default_rng(0), deep_network.layers
    x, adjoints, tangents = (rng.normal(size=shape) for shape in (36, (2, 3), (4, 36)))
    forward = trace(layers, x)
    jacobian = reduce(np.matmul, [factor.to_dense() for factor in jacobians(layers, forward)])
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(pull_rows(layers, forward, adjoints), adjoints @ jacobian, **close)
    expected = tangents @ jacobian.T
    np.testing.assert_allclose(push_forward(layers, forward, tangents), expected, **close)
    batch = trace(layers, x[np.newaxis])
    by_layer, back = pull_back(layers, batch, adjoints[:1])
    np.testing.assert_allclose(back, adjoints[:1] @ jacobian, **close)
    assert [by_name.keys() for by_name in by_layer] == [layer.parameters.keys() for layer in layers]
