"""Forward passes and sweeps by hand."""

import numpy as np

from jacchain.networks import AffineLayer
from jacchain.networks.passes import (
    jacobians,
    parameter_factors,
    pull_back,
    pull_rows,
    push_forward,
    trace,
)

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
    sweeps = pull_rows(LAYERS, forward, np.ones((1, 1))), push_forward(LAYERS, forward, np.eye(2))
    assert [rows.tolist() for rows in sweeps] == [[[2, 0]], [[2], [0]]]
    batch = trace(LAYERS, np.array([[1.0, 3.0]]))
    (first, _), back = pull_back(LAYERS, batch, np.ones((1, 1)))
    assert (first["W"].tolist(), back.tolist()) == ([[0, 0], [1, 3]], [[2, 0]])
    assert [by_name.keys() for by_name in parameter_factors(LAYERS, forward)] == [{"W", "b"}] * 2
