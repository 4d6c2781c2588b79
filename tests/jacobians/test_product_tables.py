"""The structure table and the numeric table agree, for every pair of kinds."""

from itertools import product as pairs

import numpy as np
import pytest

from jacchain.chains.chain import Chain
from jacchain.chains.counting import count
from jacchain.jacobians.matrices import DenseJacobian
from jacchain.jacobians.products import multiply
from jacchain.jacobians.structure import product

MAKERS = {"dense": lambda shape, rng: DenseJacobian(rng.standard_normal(shape))}


@pytest.mark.parametrize("kinds", list(pairs(MAKERS, repeat=2)))
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 4, 3), (5, 1, 2), (3, 7, 1), (4, 2, 6)])
def test_tables_agree(kinds, sizes):
    rng = np.random.default_rng(0)
    m, k, n = sizes
    a, b = MAKERS[kinds[0]]((m, k), rng), MAKERS[kinds[1]]((k, n), rng)
    cost, result = product(a.structure, b.structure), multiply(a, b)
    assert result.structure == cost.result
    assert count(Chain([a, b])) == cost.multiplications
    expected = [[sum(a.to_dense()[i] * b.to_dense()[:, j]) for j in range(n)] for i in range(m)]
    np.testing.assert_allclose(result.to_dense(), expected, rtol=1e-13, atol=1e-13)


def test_misfits_raise():
    with pytest.raises(ValueError, match="do not fit"):
        multiply(DenseJacobian(np.ones((2, 3))), DenseJacobian(np.ones((2, 3))))
