from itertools import pairwise
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains import planners
from jacchain.chains.bracketing import all_bracketings, loss_first
from jacchain.chains.chain import Chain, dense_structures, random_chain
from jacchain.chains.planners import plan, register_planner
from jacchain.jacobians import DenseJacobian, DiagonalJacobian

# source, dims, fewest multiplications, those of other orders
PUBLISHED = [
    (
        "Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, 15.2",
        (30, 35, 15, 5, 10, 20, 25),
        15125,
        {"loss-first": 40500, "input-first": 47500},
    ),
    ("numpy.linalg.multi_dot, documentation", (10, 100, 5, 50), 7500, {"input-first": 75000}),
    ("Wikipedia, Matrix chain multiplication", (10, 30, 5, 60), 4500, {"input-first": 27000}),
    ("Linnea (Barthels et al.), product ABCD", (10, 100, 80, 150, 120), 380000, {}),
]


@pytest.mark.parametrize(("source", "dims", "fewest", "others"), PUBLISHED)
def test_published_optima(source, dims, fewest, others):
    assert plan(dims, "optimal").multiplications == fewest, source
    for order, multiplications in others.items():
        assert plan(dims, order).multiplications == multiplications, source


def cost(tree, dims):
    """Multiplications and span of a tree, by recursion over dims alone."""
    if isinstance(tree, int):
        return 0, tree, tree + 1
    (left, start, split), (right, _, stop) = cost(tree[0], dims), cost(tree[1], dims)
    return left + right + dims[start] * dims[split] * dims[stop], start, stop


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_optimal_is_the_cheapest_of_all_bracketings(dims):
    costs = {tree: cost(tree, dims)[0] for tree in all_bracketings(len(dims) - 1)}
    optimal = plan(dims, "optimal")
    assert optimal.multiplications == costs[optimal.bracketing] == min(costs.values())


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_every_bracketing_costs_what_its_tree_says(dims):
    for tree in all_bracketings(len(dims) - 1):
        assert plan(dims, tree).multiplications == cost(tree, dims)[0]


@given(st.lists(st.integers(2, 9), min_size=1, max_size=8))
def test_loss_first_is_optimal_for_a_scalar_loss(sizes):
    dims = (1, *sizes)
    fewest = sum(a * b for a, b in pairwise(sizes))
    assert plan(dims, "optimal").multiplications == fewest
    assert plan(dims, "optimal").bracketing == loss_first(len(sizes))


def test_a_size_of_one_breaks_that():
    c = 9
    assert plan((1, 1, c, 1), "loss-first").multiplications == 2 * c
    assert plan((1, 1, c, 1), "optimal").multiplications == c + 1


def test_unknown_orders_list_the_known():
    with pytest.raises(ValueError, match=r"unknown order 'sideways'; .*'loss-first', 'optimal'"):
        plan((1, 2, 3), "sideways")


@pytest.mark.parametrize(
    ("word", "order"),
    [
        ("reverse", "loss-first"),
        ("Reverse mode", "loss-first"),
        ("adjoint", "loss-first"),
        ("forwards", "loss-first"),  # the article's word
        ("forward", "input-first"),
        ("forward_mode", "input-first"),
        ("backwards", "input-first"),  # the article's word
    ],
)
def test_words_of_the_field_and_of_the_article_are_answered_with_the_name(word, order):
    with pytest.raises(ValueError, match=f": '{word}' is '{order}' here$"):
        plan((1, 2, 3), word)


def test_a_slip_of_the_pen_is_answered_with_the_name():
    with pytest.raises(ValueError, match=r"did you mean 'input-first'\?$"):
        plan((1, 2, 3), "inputfirst")


def test_a_planner_has_a_text_for_its_name():
    with pytest.raises(TypeError, match="the name of the order is 5; expected str"):
        register_planner(5, len)


@pytest.mark.parametrize("order", [(0, 1), ((1, 0), 2), 3.5, None])
def test_what_is_no_bracketing_raises(order):
    with pytest.raises(ValueError, match="no bracketing of 3 factors"):
        plan((1, 2, 3, 4), order)


def test_a_planner_is_one_function_and_one_name():
    register_planner("middle-out", lambda _: ((0, 1), (2, 3)))
    assert plan((1, 2, 3, 4, 5), "middle-out").bracketing == ((0, 1), (2, 3))
    with pytest.raises(ValueError, match="'middle-out' is taken"):
        register_planner("middle-out", lambda _: 0)


def test_a_plan_is_an_order_for_chains_of_its_structures():
    made = plan((1, 2, 3), "input-first")
    again = plan(random_chain((1, 2, 3), dtype="float32", rng=0), made)
    assert (again.name, again.steps, again.dtype) == (made.name, made.steps, np.dtype("float32"))
    with pytest.raises(ValueError, match=r"is for dims \(1, 2, 3\), not for this chain"):
        plan((1, 2, 4), made)


@pytest.mark.parametrize("dims", [(1,), (1, 0, 2), (1, -3)])
def test_unfit_dims_raise(dims):
    with pytest.raises(ValueError, match="size"):
        plan(dims)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=9))
def test_dense_chains_are_planned_as_those_of_any_kinds_are(dims):
    structures = dense_structures(tuple(dims))
    assert planners.optimal(structures) == planners._optimal_of_kinds(structures)


@pytest.mark.parametrize("place", range(4))
def test_sizes_beyond_64_bits_are_planned_exactly(place):
    """Orders that differ by one part in 10^8 of sums near 10^24."""
    dims = [2**27] * 4
    dims[place] += 1
    costs = {tree: cost(tree, dims)[0] for tree in all_bracketings(3)}
    assert costs[planners.optimal(dense_structures(tuple(dims)))] == min(costs.values()) > 2**63


def test_many_dense_factors_are_planned_like_few():
    rng = np.random.default_rng(0)
    dims = rng.integers(1, 2000, 301).tolist()
    fewest = plan(dims, "optimal").multiplications
    for start in (0, 150):  # a part of an optimal bracketing's span is not cheaper otherwise
        part = dims[start : start + 8]
        costs = {tree: cost(tree, part)[0] for tree in all_bracketings(7)}
        assert plan(part, "optimal").multiplications == min(costs.values())
    for order in ("loss-first", "input-first"):
        assert fewest < plan(dims, order).multiplications


def test_many_factors_of_several_kinds_are_warned_of(monkeypatch):
    monkeypatch.setattr(planners, "MANY", 3)
    kinds = [DiagonalJacobian(np.ones(2)), DenseJacobian(np.ones((2, 2)))] * 2
    message = "of 4 factors of several kinds compares 10 products"
    with pytest.warns(RuntimeWarning, match=message) as warned:
        plan(Chain(kinds), "optimal")
    assert warned[0].filename == __file__


def test_planning_that_is_interrupted_leaves_nothing(monkeypatch):
    kinds = Chain([DiagonalJacobian(np.ones(2)), DenseJacobian(np.ones((2, 2)))] * 2)
    with monkeypatch.context() as patch:
        patch.setattr(planners, "_join", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            plan(kinds, "optimal")
    assert plan(kinds, "optimal").multiplications == 4 + 4 + 8


def test_tables_that_do_not_fit_are_not_begun(monkeypatch):
    monkeypatch.setattr("jacchain.limits.available_bytes", lambda: 2**20)
    assert plan([2] * 1000, "optimal").multiplications == 998 * 8
    with pytest.raises(MemoryError, match="planning 1001 factors takes"):
        plan([2] * 1002, "optimal")
