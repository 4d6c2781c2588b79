import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.chain import Chain, dense_structures, random_chain


@given(st.lists(st.integers(1, 7), min_size=2, max_size=7), st.sampled_from(["f4", "f8"]))
def test_a_chain_tells_its_dims(dims, dtype):
    chain = random_chain(dims, dtype=dtype, rng=0)
    assert chain.dims == tuple(dims)
    assert len(chain) == len(dims) - 1
    assert chain.dtype == dtype
    assert chain.nbytes == sum(factor.to_dense().nbytes for factor in chain.factors)
    assert chain.structures == dense_structures(dims)


def test_same_seed_same_chain():
    one, other = (random_chain((1, 3, 4), rng=7) for _ in range(2))
    for a, b in zip(one.factors, other.factors, strict=True):
        np.testing.assert_array_equal(a.to_dense(), b.to_dense())


def test_entries_neither_overflow_nor_vanish_with_depth():
    chain = random_chain((1, *[64] * 200), dtype="float32", rng=0)
    norm = np.linalg.norm(np.linalg.multi_dot([factor.to_dense() for factor in chain.factors]))
    assert 1e-3 < norm < 1e3


def test_misfits_name_the_factors():
    with pytest.raises(ValueError, match=r"factors 1 and 2: .*\(3, 4\) and \(5, 6\) do not fit"):
        Chain([np.ones((2, 3)), np.ones((3, 4)), np.ones((5, 6))])


def test_mixed_dtypes_raise():
    with pytest.raises(TypeError, match="factors 0 and 1 are float32 and float64: expected one"):
        Chain([np.ones((2, 3), "f4"), np.ones((3, 4))])


def test_unfit_factors_are_named():
    with pytest.raises(TypeError, match=r"factor 1: array ndarray .* has dtype complex128"):
        Chain([np.ones((2, 3)), np.ones((3, 4)) * 1j])
    with pytest.raises(ValueError, match=r"factor 0: array of shape \(3,\)"):
        Chain([np.ones(3)])


def test_no_factors_raise():
    with pytest.raises(ValueError, match="at least one matrix"):
        Chain([])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_finiteness_is_checked_on_request(bad):
    array = np.ones((2, 3))
    array[1, 2] = bad
    Chain([array])
    with pytest.raises(ValueError, match=rf"factor 0 holds {bad} at \(1, 2\)"):
        Chain([array], check_finite=True)


@pytest.mark.parametrize("dims", [(), (3,)])
def test_too_few_dims_raise(dims):
    with pytest.raises(ValueError, match="at least two sizes"):
        random_chain(dims)


def test_dims_below_one_raise():
    with pytest.raises(ValueError, match=r"size 0 in \(1, 0, 2\)"):
        random_chain((1, 0, 2))
