import numpy as np
import pytest

from jacchain.jacobians.structure import Structure, check_sizes
from jacchain.jacobians.structure_products import Product, product


def test_product_by_hand():
    whole = product(Structure((2, 3)), Structure((3, 5)))
    assert whole == Product(Structure((2, 5)), multiplications=30)


def test_costs_of_huge_sizes_do_not_overflow():
    huge = np.int64(10**9)
    cost = product(Structure((huge, huge)), Structure((huge, huge)))
    assert cost.multiplications == 10**27
    assert type(cost.multiplications) is int


@pytest.mark.parametrize("sizes", [(0, 3), (3, -1)])
def test_sizes_below_one_raise(sizes):
    with pytest.raises(ValueError, match=r"at least 1; drop"):
        Structure(sizes)


@pytest.mark.parametrize("size", [2.0, "2", None])
def test_sizes_that_are_no_integers_raise(size):
    with pytest.raises(TypeError, match=r"must be an integer; convert"):
        check_sizes((1, size))


def test_unknown_kind_lists_the_known():
    with pytest.raises(ValueError, match=r"'banded'; the known ones are \['block', 'dense'"):
        Structure((2, 2), "banded")


def test_shapes_that_do_not_fit_raise():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(4, 5\) do not fit: 3 columns"):
        product(Structure((2, 3)), Structure((4, 5)))
