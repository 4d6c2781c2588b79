from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.count import count, twin_dims
from jacchain.chains.counting_array import CountingArray, Tally, elementwise_product
from jacchain.chains.planners import plan
from jacchain.costs.closed_forms import multiplications

DIMS = st.lists(st.integers(1, 7), min_size=2, max_size=6)


@dataclass
class Scalar:
    """A number that counts its own multiplications."""

    value: float
    count: ClassVar[int] = 0

    def __mul__(self, other):
        Scalar.count += 1
        return Scalar(self.value * other.value)

    def __add__(self, other):
        return Scalar(self.value + other.value)


def scalar_matrix(array):
    return [[Scalar(float(value)) for value in row] for row in array]


def scalar_product(a, b):
    zero = Scalar(0.0)
    return [
        [sum((x * y for x, y in zip(row, col, strict=True)), zero) for col in zip(*b, strict=True)]
        for row in a
    ]


def by_scalars(chain, tree):
    """Multiplications of a tree, carried out with numbers that count themselves."""

    def carry(tree):
        if isinstance(tree, int):
            return scalar_matrix(chain.factors[tree].to_dense())
        return scalar_product(carry(tree[0]), carry(tree[1]))

    Scalar.count = 0
    carry(tree)
    return Scalar.count


@given(DIMS)
@settings(max_examples=30)
def test_counts_equal_scalars_that_count_themselves(dims):
    chain = random_chain(dims, rng=0)
    for tree in all_bracketings(len(chain)):
        assert count(chain, tree) == by_scalars(chain, tree)


@pytest.mark.parametrize("tree", [(((0, 1), 2), 3), (0, (1, (2, 3))), ((0, 1), (2, 3))])
def test_counts_equal_scalars_up_to_1e5(tree):
    chain = random_chain((1, 20, 30, 25, 70), dtype="float32", rng=0)
    assert count(chain, tree) == by_scalars(chain, tree) <= 10**5


@given(DIMS, st.sampled_from(["loss-first", "input-first"]))
def test_counts_equal_the_formula(dims, order):
    assert count(random_chain(dims, rng=0), order) == multiplications(order, dims)


def count_multiplications(function, arrays):
    tally = Tally()
    function(*(CountingArray(array, tally) for array in arrays))
    return tally.multiplications


def test_a_wasteful_order_counts_differently():
    def adjoint_again_for_each_column(a, b, c):
        for column in range(c.shape[1]):
            elementwise_product(elementwise_product(a, b), c[:, column : column + 1])

    chain = random_chain((1, 4, 5, 6), rng=0)
    arrays = [factor.to_dense() for factor in chain.factors]
    wasteful = count_multiplications(adjoint_again_for_each_column, arrays)
    assert wasteful == 6 * (4 * 5 + 5)
    assert count(chain, "loss-first") == 4 * 5 + 5 * 6


@given(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)))
def test_the_counted_product_is_the_product(sizes):
    m, k, n = sizes
    a, b = (factor.to_dense() for factor in random_chain((m, k, n), rng=0).factors)
    tally = Tally()
    result = elementwise_product(CountingArray(a, tally), CountingArray(b, tally))
    np.testing.assert_allclose(result.values, a @ b, rtol=1e-12, atol=1e-12)
    assert tally.multiplications == m * k * n


@pytest.mark.parametrize("sizes", [(3, 2, 300_000), (300_000, 3, 1), (2, 300_000, 2), (90, 80, 70)])
def test_products_of_several_tiles(sizes):
    rng = np.random.default_rng(0)
    m, k, n = sizes
    a, b = (rng.integers(-4, 5, shape).astype(float) for shape in [(m, k), (k, n)])
    tally = Tally()
    result = elementwise_product(CountingArray(a, tally), CountingArray(b, tally))
    np.testing.assert_array_equal(result.values, a @ b)
    assert tally.multiplications == m * k * n


def test_numbers_on_either_side_are_counted():
    assert count_multiplications(lambda a: 2 * a * a[:1] + a - 1, [np.ones(5)]) == 10


@pytest.mark.parametrize(
    "hidden",
    [
        lambda a: a @ a,
        lambda a: a**2,
        lambda a: a / 2,
        lambda a: np.dot(a, a),
        lambda a: np.einsum("ij,jk->ik", a, a),
        lambda a: np.multiply.outer(a, a),
        lambda a: np.multiply(a, a, where=False),
    ],
)
def test_what_hides_multiplications_raises(hidden):
    with pytest.raises(TypeError, match="may hide multiplications"):
        count_multiplications(hidden, [np.ones((2, 2))])


def test_too_many_multiplications_raise_and_name_the_plan():
    chain = Chain([np.zeros((1001, 1000)), np.zeros((1000, 1000))])
    with pytest.raises(ValueError, match=r"'loss-first' .*\(1001, 1000, 1000\) .* 1,001,000,000"):
        count(chain)


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=12))
def test_twins_are_small_and_keep_ones(dims):
    twin = twin_dims(dims)
    assert len(twin) == len(dims)
    orders = ("loss-first", "input-first")
    if max(plan(dims, order).multiplications for order in orders) <= 10**7:
        assert twin == tuple(dims)
    else:
        assert max(plan(twin, order).multiplications for order in orders) <= 10**6
    assert all(min(size, 2) <= small <= size for size, small in zip(dims, twin, strict=True))


def test_a_chain_too_long_for_a_twin_raises():
    with pytest.raises(ValueError, match="50 dims have no twin of 100 "):
        twin_dims([3] * 50, limit=100, target=100)
