"""Symbolic formulas: the article literally, and against plans of chains and of networks."""

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.planners import plan
from jacchain.costs.formulas import (
    formula,
    general_gradient_formula,
    gradient_formula,
    latex,
    symbolic_dims,
)
from jacchain.networks import mlp

ORDERS = ("loss-first", "input-first")


def test_the_article_literally():
    z3, z2, z1, x = sympy.symbols("z3 z2 z1 x", positive=True, integer=True)
    assert formula("loss-first") == z3 * z2 + z2 * z1 + z1 * x
    assert formula("input-first") == z2 * z1 * x + z3 * z2 * x + z3 * x


def test_the_slopes_over_x():
    _, z3, z2, z1, x = symbolic_dims()
    assert sympy.diff(formula("loss-first"), x) == z1
    assert sympy.diff(formula("input-first"), x) == z2 * z1 + z3 * z2 + z3


@pytest.mark.parametrize("order", ORDERS)
def test_one_layer_is_one_product(order):
    _, z1, x = symbolic_dims(1)
    assert formula(order, 1) == z1 * x


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=5))
def test_formulas_at_a_point_equal_plans(sizes):
    layers = len(sizes) - 1
    point = dict(zip(symbolic_dims(layers)[1:], sizes, strict=True))
    for order in [*ORDERS, *all_bracketings(layers + 1)]:
        assert formula(order, layers).subs(point) == plan((1, *sizes), order).multiplications


def test_latex_has_the_articles_sequence():
    assert latex("loss-first", 2) == "|z_{2}| |z_{1}| + |z_{1}| |x|"
    assert latex("input-first") == "|z_{2}| |z_{1}| |x| + |z_{3}| |z_{2}| |x| + |z_{3}| |x|"


@pytest.mark.parametrize("order", ["optimal", "backwards"])
def test_orders_without_closed_form_raise(order):
    with pytest.raises(ValueError, match=r"no closed form; give one of \['input-first'"):
        formula(order)


def test_bracketings_of_other_lengths_raise():
    with pytest.raises(ValueError, match="no bracketing of 4 factors"):
        formula((0, 1), 3)


def test_no_layers_raise():
    with pytest.raises(ValueError, match="0 layers"):
        latex("loss-first", 0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("sizes", [(5, 4), (7, 5, 4), (2, 3, 4, 5), (6, 5, 4, 3, 2)])
def test_gradient_formulas_equal_the_costs_of_networks(order, cache, sizes):
    """Of networks as they are built, whose structures know no formula."""
    network = mlp(*sizes, rng=0)
    chains = network.parameter_chains([1.0] * sizes[0], [0.0] * sizes[-1])
    cost = plan(chains, order, cache=cache).multiplications
    expression = gradient_formula(order, len(sizes) - 1, cache=cache)
    symbols = symbolic_dims(len(sizes) - 1)[1:]
    assert expression.subs(dict(zip(symbols, reversed(sizes), strict=True))) == cost


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_the_formulas_of_any_depth_are_those_of_each_depth(order, cache, layers):
    L = sympy.Symbol("L", integer=True, positive=True)
    sums = general_gradient_formula(order, cache=cache).subs(L, layers).doit()
    sizes = symbolic_dims(layers)[:0:-1]
    z = sympy.IndexedBase("z")
    sums = sums.subs({z[place]: size for place, size in enumerate(sizes)})
    assert sympy.expand(sums - gradient_formula(order, layers, cache=cache)) == 0


def test_gradients_of_another_order_have_no_formula():
    with pytest.raises(ValueError, match="unknown order 'optimal'; the known ones are"):
        gradient_formula("optimal")
    with pytest.raises(ValueError, match="unknown order 'optimal'; the known ones are"):
        general_gradient_formula("optimal")
    with pytest.raises(ValueError, match="0 layers"):
        gradient_formula(layers=0)
