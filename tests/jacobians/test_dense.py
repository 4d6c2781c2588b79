import numpy as np
import pytest

from jacchain.jacobians.dense import as_jacobian


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_kept_and_shared(dtype):
    array = np.ones((2, 3), dtype)
    jacobian = as_jacobian(array)
    assert (jacobian.dtype, jacobian.nbytes) == (dtype, array.nbytes)
    assert np.shares_memory(jacobian.to_dense(), array)
    assert as_jacobian(jacobian) is jacobian


@pytest.mark.parametrize("dtype", ["int8", "uint64", "bool", "float64"])
def test_integers_become_float64_and_any_layout_contiguous(dtype):
    array = np.eye(2, 3, dtype=dtype).T
    dense = as_jacobian(array).to_dense()
    np.testing.assert_array_equal(dense, array.astype("float64"), strict=True)
    assert dense.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["complex128", "float16", "longdouble", "object", "U3"])
def test_other_types_raise(dtype):
    with pytest.raises(TypeError, match=r"expected float32 or float64; convert"):
        as_jacobian(np.ones((2, 3)).astype(dtype))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 3)])
def test_other_dimensions_raise(shape):
    with pytest.raises(ValueError, match=r"expected 2 dimensions, not empty; reshape"):
        as_jacobian(np.ones(shape))
