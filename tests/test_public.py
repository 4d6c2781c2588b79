"""The public face: what it lists is there, and its parts agree with each other."""

import subprocess
import sys

import numpy as np
import pytest

import jacchain as jc

ORDERS = ("loss-first", "input-first", "optimal")


@pytest.fixture
def network():
    return jc.mlp(12, 9, 7, 4, activation="tanh", loss="cross_entropy", rng=0)


@pytest.fixture
def point():
    return np.linspace(-1, 1, 12), 2


def test_every_name_is_there_and_listed():
    assert len(jc.__all__) <= 25
    assert sorted(jc.__all__) == list(jc.__all__)
    assert set(jc.__all__) <= set(dir(jc))
    assert all(getattr(jc, name) is not None for name in jc.__all__)


def test_a_star_import_gives_every_name():
    names = {}
    exec("from jacchain import *", names)
    assert set(jc.__all__) <= names.keys()


def test_slow_names_are_loaded_when_first_asked_for():
    code = (
        "import sys, jacchain as jc; assert 'sympy' not in sys.modules; "
        "assert {'formula', 'read_results'} <= set(dir(jc)); jc.formula; "
        "assert 'sympy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'jacchain' has no attribute 'backprop'"):
        _ = jc.backprop


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert jc.__version__ == version("jacchain")


def test_a_network_gives_the_chain_of_its_sizes(network, point):
    chain = network.chain(*point)
    assert chain.dims == network.dims == (1, 4, 7, 9, 12)


@pytest.mark.parametrize("order", [*ORDERS, ((0, 1), (2, 3))])
def test_every_order_gives_the_gradient(network, point, order):
    by_input = jc.gradients(network, *point)["x"]
    row = jc.evaluate(network.chain(*point), order)
    assert row.shape == (1, 12)
    np.testing.assert_allclose(row[0], by_input, rtol=1e-12)


def test_the_gradient_is_the_slope_of_the_loss(network, point):
    (x, target), h = point, 1e-6
    steps = h * np.eye(12)
    slopes = [
        (network.loss_value(x + step, target) - network.loss_value(x - step, target)) / (2 * h)
        for step in steps
    ]
    np.testing.assert_allclose(jc.gradients(network, x, target)["x"], slopes, atol=1e-8)


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_the_count_is_the_formula_is_the_plan(network, point, order):
    chain = network.chain(*point)
    symbolic, sizes = jc.formula(order, layers=3), {"z3": 4, "z2": 7, "z1": 9, "x": 12}
    formula = symbolic.subs({symbol: sizes[symbol.name] for symbol in symbolic.free_symbols})
    assert jc.count(chain, order) == formula == jc.plan(chain, order).multiplications
    assert jc.plan(chain.dims, order).multiplications == formula


def test_the_optimal_plan_is_no_worse_and_can_be_carried_out(network, point):
    chain = network.chain(*point)
    best = jc.plan(chain, "optimal")
    assert best.multiplications == min(jc.plan(chain, order).multiplications for order in ORDERS)
    np.testing.assert_array_equal(jc.evaluate(chain, best), jc.evaluator(chain, best)())
    assert best.name in str(best)


def test_the_formulas_are_those_of_the_article():
    assert str(jc.formula("loss-first", layers=3)) == "x*z1 + z1*z2 + z2*z3"
    assert str(jc.formula("input-first", layers=3)) == "x*z1*z2 + x*z2*z3 + x*z3"
    assert "|z_{3}| |z_{2}|" in jc.latex("loss-first", layers=3)


def test_a_step_against_the_gradient_lowers_the_loss(network, point):
    moved = jc.networks.step(network, jc.gradients(network, *point), 1e-2)
    assert moved.loss_value(*point) < network.loss_value(*point)


def test_a_random_chain_is_measured_in_either_order(tmp_path):
    chain = jc.random_chain((1, 8, 8, 8, 64), dtype="float32", rng=0)
    assert jc.evaluate(chain).dtype == np.float32
    assert jc.count(chain, "input-first") > jc.count(chain, "loss-first")
    (tmp_path / "records.jsonl").touch()
    assert jc.read_results(tmp_path).empty
