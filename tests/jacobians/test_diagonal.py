import numpy as np
import pytest

from jacchain import jacobians

UNFIT = {
    "expected 1 dimension, not empty": lambda: jacobians.DiagonalJacobian([[1.0]]),
    "row of shape": lambda: jacobians.KroneckerJacobian([], 2),
    r"takes 7\.5e\+06 GiB": jacobians.KroneckerJacobian(range(10**5), 10**5).to_dense,
    "complex128: expected float32": lambda: jacobians.DiagonalJacobian([1j]),
    "size 0": lambda: jacobians.IdentityJacobian(0),
    "int8: expected float32": lambda: jacobians.IdentityJacobian(2, "int8"),
    "for a batch of 2: expected": lambda: jacobians.BlockDiagonalJacobian([[[1.0]]], blocks=2),
    r"size -1 in \(-1,\)": lambda: jacobians.BlockDiagonalJacobian([[1.0]], blocks=-1),
}


@pytest.mark.parametrize("message", UNFIT)
def test_what_is_unfit_raises(message):
    with pytest.raises((TypeError, ValueError, MemoryError), match=message):
        UNFIT[message]()


@pytest.mark.parametrize("shape", [(2, 4), (3, 2, 4)])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_element_of_one_block_makes_the_matrix_not_finite(shape, bad):
    array = np.ones(shape)
    assert jacobians.BlockDiagonalJacobian(array, blocks=3).is_finite
    array[..., -1, -1] = bad
    assert not jacobians.BlockDiagonalJacobian(array, blocks=3).is_finite
