"""The article's closed forms: by hand, and against plans of every bracketing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.planners import plan
from jacchain.costs.closed_forms import multiplications, terms

ORDERS = ("loss-first", "input-first")


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=6))
def test_closed_forms_equal_plans(dims):
    for order in [*ORDERS, *all_bracketings(len(dims) - 1)]:
        assert multiplications(order, dims) == plan(dims, order).multiplications


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("loss-first", [(1, "z3", "z2"), (1, "z2", "z1"), (1, "z1", "x")]),
        ("input-first", [("z2", "z1", "x"), ("z3", "z2", "x"), (1, "z3", "x")]),
        (((0, 1), (2, 3)), [(1, "z3", "z2"), ("z2", "z1", "x"), (1, "z2", "x")]),
    ],
)
def test_terms_are_the_sizes_of_each_product(order, expected):
    assert sorted(map(str, terms(order, [1, "z3", "z2", "z1", "x"]))) == sorted(map(str, expected))


def test_equal_products_add_up():
    assert multiplications("loss-first", (1, 2, 2, 2)) == 8


@pytest.mark.parametrize("order", ["optimal", "backwards"])
def test_orders_without_closed_form_raise(order):
    with pytest.raises(ValueError, match=rf"'{order}' has no closed form; give one of \['input-"):
        multiplications(order, (1, 2, 3))


@pytest.mark.parametrize(
    ("dims", "error", "message"),
    [((1, 0, 3), ValueError, "size 0"), ((1, 2.5, 3), TypeError, "2.5")],
)
def test_unfit_dims_raise(dims, error, message):
    with pytest.raises(error, match=message):
        multiplications("loss-first", dims)
