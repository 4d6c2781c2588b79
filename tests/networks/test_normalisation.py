"""Layer normalisation compared with its definition."""

import numpy as np
import pytest

from jacchain.networks.normalisation import LayerNormalisation


def normalise(x, gamma, beta):
    centred = x - x.mean()
    return gamma * centred / np.sqrt((centred**2).mean() + 1e-5) + beta


@pytest.mark.parametrize("size", [1, 2, 5])
def test_derivatives_match_the_definition(check_layer, size):
    rng = np.random.default_rng(size)
    layer = LayerNormalisation(rng.normal(size=size), rng.normal(size=size))
    check_layer(layer, normalise, rng, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("epsilon", [0, -1.0, np.inf, np.nan])
def test_an_epsilon_not_above_0_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"epsilon is .*; expected (a small|finite)"):
        LayerNormalisation([1.0], [0.0], epsilon=epsilon)


def test_unfit_parameters_are_refused():
    with pytest.raises(TypeError, match="gamma is float32, beta is float64"):
        LayerNormalisation(np.ones(1, "float32"), [0.0])
    with pytest.raises(ValueError, match=r"beta has shape \(2,\); expected \(1,\)"):
        LayerNormalisation([1.0], [0.0, 0.0])
