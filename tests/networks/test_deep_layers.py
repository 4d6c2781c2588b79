"""Recurrent layers, normalisation and residual blocks against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain import count, evaluate, gradients, plan
from jacchain.networks.layers import AffineLayer, visit
from jacchain.networks.network import Network
from jacchain.networks.normalisation import LayerNormalisation
from jacchain.networks.recurrent import LSTMLayer, RecurrentLayer
from jacchain.networks.residual import ResidualLayer

STEP = 1e-30


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def unrolled(x, Wx, Wh, b):
    """A vanilla recurrent network, one step after the other."""
    h = np.zeros(len(Wh), complex)
    for step in x:
        h = np.tanh(Wx @ step + Wh @ h + b)
    return h


def lstm(x, Wx, Wh, b):
    """By the equations of the paper, gate by gate."""
    size = Wh.shape[1]
    h, c = np.zeros(size, complex), np.zeros(size, complex)
    for step in x:
        a = Wx @ step + Wh @ h + b
        i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def normalised(x, gamma, beta):
    centred = x - x.mean()
    return gamma * centred / np.sqrt((centred**2).mean() + 1e-5) + beta


def block(x, W1_, b1_, W2_, b2_):
    return x + W2_ @ np.tanh(W1_ @ x + b1_) + b2_


def complex_step(function, arrays, name):
    """Jacobian by one of several arrays, one column for each of its elements."""
    columns = []
    for index in np.ndindex(arrays[name].shape):
        moved = arrays[name].astype(complex)
        moved[index] += 1j * STEP
        columns.append(function(**(arrays | {name: moved})).imag.ravel() / STEP)
    return np.transpose(columns)


def recurrent(kind, definition, rng, steps, size, states):
    gates = kind.gates
    arrays = {
        "Wx": rng.normal(size=(gates * states, size)),
        "Wh": rng.normal(size=(gates * states, states)),
        "b": rng.normal(size=gates * states),
    }
    layer = kind(**arrays, steps=steps)
    return layer, lambda x, **p: definition(x.reshape(steps, size), **p)


def residual(rng, size, inner):
    arrays = [rng.normal(size=s) for s in ((inner, size), (inner,), (size, inner), (size,))]
    layer = ResidualLayer([AffineLayer(*arrays[:2], "tanh"), AffineLayer(*arrays[2:])])
    return layer, block


MAKERS = {
    "recurrent": lambda rng, n: recurrent(RecurrentLayer, unrolled, rng, *n),
    "lstm": lambda rng, n: recurrent(LSTMLayer, lstm, rng, *n),
    "normalisation": lambda rng, n: (
        LayerNormalisation(rng.normal(size=n[0] + 1), rng.normal(size=n[0] + 1)), normalised
    ),
    "residual": lambda rng, n: residual(rng, *n[:2]),
}  # fmt: skip


@settings(deadline=None)
@given(
    st.sampled_from(sorted(MAKERS)),
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 2**32 - 1),
)
def test_a_layer_and_its_jacobians_are_those_of_the_definition(check_products, name, sizes, seed):
    rng = np.random.default_rng(seed)
    layer, definition = MAKERS[name](rng, sizes)
    x = rng.normal(size=layer.input_size)
    arrays = {**layer.parameters, "x": x}
    at = visit(layer, x)
    np.testing.assert_allclose(at.outputs, definition(**arrays).real, rtol=1e-10, atol=1e-12)
    close = {"rtol": 1e-8, "atol": 1e-10}
    jacobians = {**layer.parameter_jacobians(at), "x": layer.jacobian(at)}
    assert jacobians.keys() == arrays.keys()
    for by, jacobian in jacobians.items():
        expected = complex_step(definition, arrays, by)
        np.testing.assert_allclose(jacobian.to_dense(), expected, **close)
    points = np.stack([x, 2 * x - 1, -x])
    np.testing.assert_allclose(visit(layer, points).outputs[0], at.outputs, rtol=1e-12)
    check_products(layer, points, rng, **close)
    again = layer.with_parameters(layer.parameters)
    assert np.array_equal(visit(again, x).outputs, at.outputs)


def test_a_network_of_them_has_the_gradients_of_its_chain():
    rng = np.random.default_rng(0)
    makers = [MAKERS["lstm"](rng, (3, 2, 4))[0], MAKERS["residual"](rng, (4, 3))[0],
              MAKERS["normalisation"](rng, (3,))[0],
              AffineLayer(rng.normal(size=(2, 4)), np.zeros(2))]  # fmt: skip
    network = Network(makers, "cross_entropy")
    x = rng.normal(size=6)
    found = gradients(network, x, 1)
    assert {"Wx1", "Wh1", "b1", "W1_2", "b2_2", "gamma3", "beta3", "W4", "x"} <= found.keys()
    chain = network.chain(x, 1)
    for order in ("loss-first", "input-first", "optimal"):
        np.testing.assert_allclose(evaluate(chain, order)[0], found["x"], rtol=1e-10)
        assert count(chain, order) == plan(chain, order).multiplications


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: RecurrentLayer([[1.0]], [[1.0]], [0.0], steps=0), "a sequence of 0 steps"),
        (lambda: RecurrentLayer([[1.0]], [[1.0, 2.0]], [0.0], steps=1), "Wh has shape"),
        (lambda: LSTMLayer(np.ones((3, 1)), np.ones((3, 1)), np.ones(3), steps=1),
         "Wx has 3 rows; expected 4 for each state"),
        (lambda: LayerNormalisation([1.0], [0.0], epsilon=0), "epsilon is 0"),
        (lambda: ResidualLayer([AffineLayer([[1.0, 2.0]], [0.0])]), "takes 2 elements and gives 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()
