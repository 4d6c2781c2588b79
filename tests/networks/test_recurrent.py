"""Recurrent layers compared with loops over their equations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.recurrent import LSTMLayer, RecurrentLayer


def recurrent(x, Wx, Wh, b):
    h = np.zeros(len(Wh), complex)
    for step in x:
        h = np.tanh(Wx @ step + Wh @ h + b)
    return h


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm(x, Wx, Wh, b):
    size = Wh.shape[1]
    h, c = np.zeros(size, complex), np.zeros(size, complex)
    for step in x:
        a = Wx @ step + Wh @ h + b
        i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


small = st.integers(1, 4)


@pytest.mark.parametrize(("kind", "definition"), [(RecurrentLayer, recurrent), (LSTMLayer, lstm)])
@settings(deadline=None)
@given(steps=small, size=small, states=small, seed=st.integers(0, 2**32 - 1))
def test_derivatives_match_the_definition(check_layer, kind, definition, steps, size, states, seed):
    rng, rows = np.random.default_rng(seed), kind.gates * states
    arrays = (rng.normal(size=shape) for shape in ((rows, size), (rows, states), rows))
    layer = kind(*arrays, steps=steps)

    def output(x, **parameters):
        return definition(x.reshape(steps, size), **parameters)

    check_layer(layer, output, rng, rtol=1e-8, atol=1e-10)


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
