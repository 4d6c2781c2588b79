import numpy as np
import pytest

from jacchain.jacobians import DenseJacobian, Pattern, Structure, multiply
from jacchain.jacobians.structure_products import Product, product


def test_multiplications_by_hand():
    assert product(Structure((2, 3)), Structure((3, 5))) == Product(Structure((2, 5)), 30)
    sparse = Structure((2, 2), "sparse", Pattern([0, 2, 3], [0, 1, 1], columns=2))
    huge = np.int64(10**9)  # must not overflow
    assert product(Structure((huge, huge)), Structure((huge, huge))).multiplications == 10**27
    assert product(Structure((10**18, 2)), sparse).multiplications == 3 * 10**18
    assert product(sparse, Structure((2, 10**18))).multiplications == 3 * 10**18


def test_shapes_that_do_not_fit_raise():
    a, b = DenseJacobian(np.ones((2, 3))), DenseJacobian(np.ones((4, 5)))
    for call in (lambda: product(a.structure, b.structure), lambda: multiply(a, b)):
        with pytest.raises(ValueError, match=r"\(2, 3\) and \(4, 5\) do not fit: 3 columns"):
            call()
