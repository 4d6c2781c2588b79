import numpy as np
import pytest

from jacchain.jacobians.base import check_dtype
from jacchain.jacobians.dense import DenseJacobian, as_jacobian


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_kept_and_shared(dtype):
    array = np.ones((2, 3), dtype)
    jacobian = as_jacobian(array)
    assert jacobian.dtype == dtype
    assert jacobian.nbytes == array.nbytes
    assert np.shares_memory(jacobian.to_dense(), array)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool"])
def test_integers_become_float64(dtype):
    assert as_jacobian(np.ones((2, 3), dtype)).dtype == "float64"


def test_any_layout_becomes_c_contiguous():
    array = np.arange(6.0).reshape(2, 3).T
    dense = as_jacobian(array).to_dense()
    assert dense.flags.c_contiguous
    np.testing.assert_array_equal(dense, array)


def test_a_jacobian_stays_itself():
    jacobian = DenseJacobian(np.ones((1, 1)))
    assert as_jacobian(jacobian) is jacobian


@pytest.mark.parametrize("dtype", ["complex128", "float16", "longdouble", "object", "U3"])
def test_other_types_raise(dtype):
    with pytest.raises(TypeError, match=r"expected float32 or float64; convert"):
        as_jacobian(np.ones((2, 3)).astype(dtype))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_other_dimensions_raise(shape):
    with pytest.raises(ValueError, match=r"expected two dimensions; reshape"):
        as_jacobian(np.ones(shape))


def test_empty_arrays_raise():
    with pytest.raises(ValueError, match=r"size 0 in \(0, 3\)"):
        as_jacobian(np.ones((0, 3)))


def test_check_dtype_refuses_integers():
    with pytest.raises(TypeError, match="int64"):
        check_dtype("int64")
