"""Recurrent layers compared with loops over their equations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks import Network
from jacchain.networks.layer import visit
from jacchain.networks.recurrent import GRULayer, LSTMLayer, RecurrentLayer


def recurrent(x, Wx, Wh, b):
    """Return the state after every step."""
    h, states = np.zeros(len(Wh), complex), []
    for step in x:
        h = np.tanh(Wx @ step + Wh @ h + b)
        states.append(h)
    return np.array(states)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm(x, Wx, Wh, b):
    size = Wh.shape[1]
    h, c, states = np.zeros(size, complex), np.zeros(size, complex), []
    for step in x:
        a = Wx @ step + Wh @ h + b
        i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def gru(x, Wx, Wh, b):
    size = Wh.shape[1]
    h, states = np.zeros(size, complex), []
    for step in x:
        r_x, u_x, n_x = np.split(Wx @ step + b[: 3 * size], 3)
        r_h, u_h, n_h = np.split(Wh @ h, 3)
        r, u = sigmoid(r_x + r_h), sigmoid(u_x + u_h)
        n = np.tanh(n_x + r * (n_h + b[3 * size :]))
        h = (1 - u) * n + u * h
        states.append(h)
    return np.array(states)


DEFINITIONS = {RecurrentLayer: recurrent, LSTMLayer: lstm, GRULayer: gru}


def random_layer(kind, rng, steps, size, states, **options):
    rows = kind.gates * states
    shapes = ((rows, size), (rows, states), kind.biases * states)
    return kind(*(rng.normal(size=shape) for shape in shapes), steps=steps, **options)


small = st.integers(1, 4)


@pytest.mark.parametrize("sequence", [False, True])
@pytest.mark.parametrize("kind", DEFINITIONS)
@settings(deadline=None, max_examples=50)
@given(steps=small, size=small, states=small, seed=st.integers(0, 2**32 - 1))
def test_derivatives_match_the_definition(check_layer, kind, sequence, steps, size, states, seed):
    rng = np.random.default_rng(seed)
    layer = random_layer(kind, rng, steps, size, states, sequence=sequence)

    def output(x, **parameters):
        every = DEFINITIONS[kind](x.reshape(steps, size), **parameters)
        return every if sequence else every[-1]

    check_layer(layer, output, rng, rtol=1e-8, atol=1e-10)


def test_layers_stack_where_the_first_gives_every_state():
    rng = np.random.default_rng(0)
    first = random_layer(GRULayer, rng, 3, 2, 4, sequence=True)
    network = Network([first, random_layer(LSTMLayer, rng, 3, 4, 2)])
    x = rng.normal(size=6)
    below = gru(x.reshape(3, 2), **first.parameters)
    expected = lstm(below, **network.layers[1].parameters)[-1].real
    np.testing.assert_allclose(network.forward(x).output, expected)


@pytest.mark.parametrize("kind", DEFINITIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_gates_keep_the_last_digits_of_their_slopes(kind, dtype):
    """At preactivations of 12 in single precision, where a tanh rounds to 1."""
    reach = {"float32": 12.0, "float64": 22.0}[dtype]
    arrays = (np.full((kind.gates, 1), reach), np.zeros((kind.gates, 1)), np.zeros(kind.biases))
    layer = kind(*(array.astype(dtype) for array in arrays), steps=1)
    found = layer.jacobian(visit(layer, np.ones(1, dtype))).to_dense().item()
    moved = DEFINITIONS[kind](np.array([[1 + 1e-30j]]), *arrays)[-1].imag / 1e-30
    assert found == pytest.approx(moved.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "arrays", "steps", "error", "message"),
    [
        (RecurrentLayer, ([[1.0]], [[1.0]], [0.0]), 0, ValueError, "of 0 steps"),
        (RecurrentLayer, ([[1.0]], [[1.0, 2.0]], [0.0]), 1, ValueError, "Wh has shape"),
        (LSTMLayer, (np.ones((3, 1)),) * 3, 1, ValueError, "Wx has 3 rows; expected 4 for each"),
        (RecurrentLayer, ([[1.0]], [[1.0]], np.zeros(1, "f")), 1, TypeError, "b is float32"),
    ],
)
def test_unfit_parameters_are_refused(kind, arrays, steps, error, message):
    with pytest.raises(error, match=message):
        kind(*arrays, steps=steps)
