"""The public face: what it lists is there, and its parts agree with each other."""

from importlib.metadata import version

import numpy as np
import pytest

import jacchain as jc

NETWORK = jc.mlp(12, 9, 7, 4, activation="tanh", loss="cross_entropy", rng=0)
POINT = np.linspace(-1, 1, 12), 2
CHAIN = NETWORK.chain(*POINT)


def test_every_name_is_there_and_listed():
    assert len(jc.__all__) <= 25
    assert sorted(jc.__all__) == list(jc.__all__)
    assert set(jc.__all__) <= set(dir(jc))
    assert all(getattr(jc, name) is not None for name in jc.__all__)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'jacchain' has no attribute 'backprop'"):
        _ = jc.backprop


def test_the_version_is_that_of_the_package():
    assert jc.__version__ == version("jacchain")


@pytest.mark.parametrize("order", ["loss-first", "input-first", "optimal", ((0, 1), (2, 3))])
def test_every_order_gives_the_gradient(order):
    row = jc.evaluate(CHAIN, order)
    assert row.shape == (1, 12)
    np.testing.assert_allclose(row[0], jc.gradients(NETWORK, *POINT)["x"], rtol=1e-12)


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_the_count_is_the_formula_is_the_plan(order):
    symbolic, sizes = jc.formula(order, layers=3), {"z3": 4, "z2": 7, "z1": 9, "x": 12}
    formula = symbolic.subs({symbol: sizes[symbol.name] for symbol in symbolic.free_symbols})
    assert jc.count(CHAIN, order) == formula == jc.plan(CHAIN, order).multiplications
    assert jc.plan(CHAIN.dims, order).multiplications == formula
