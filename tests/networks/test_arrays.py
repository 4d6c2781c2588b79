"""Arrays: what is refused on entry, and results that are never overwritten while in use."""

import numpy as np
import pytest

from jacchain.networks import arrays, gradients, mlp
from jacchain.networks.arrays import Buffers, as_array, frozen


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([1, 2], None, "float64"),
        ([True, False], None, "float64"),
        (np.ones(2, "float32"), None, "float32"),
        (np.ones(2, "float32"), "float64", "float64"),
        (np.ones(4, "float64")[::2], None, "float64"),
    ],
)
def test_real_numbers_are_converted(value, dtype, expected):
    array = as_array(value, "x", (2,), dtype and np.dtype(dtype))
    assert array.dtype == expected
    assert array.flags.c_contiguous
    np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0], ValueError, r"x has shape \(1,\); expected \(2,\)"),
        ([[1.0, 2.0]], ValueError, r"x has shape \(1, 2\)"),
        (1.0, ValueError, r"x has shape \(\)"),
        ([1.0, np.nan], ValueError, r"x is nan at index \(1,\); expected finite float32 numbers"),
        ([-np.inf, 1.0], ValueError, r"x is -inf at index \(0,\)"),
        ([1e300, 0.0], ValueError, r"x is inf at index \(0,\)"),  # too large for float32
        (
            [1.0, 1j],
            TypeError,
            r"x \[1.0, 1j\] has dtype complex128: expected float32 or float64",
        ),
        ([None, 1.0], TypeError, r"x \[None, 1.0\] has dtype object"),
        (["1", "2"], TypeError, r"x \['1', '2'\] has dtype <U1"),
        (np.ones(2, "float16"), TypeError, r"x array\(.* has dtype float16"),
    ],
)
def test_other_values_are_refused(value, error, message):
    with pytest.raises(error, match=message):
        as_array(value, "x", (2,), np.dtype("float32"))


def test_free_sizes_are_at_least_one():
    assert as_array(np.ones((3, 2)), "x", (None, 2)).shape == (3, 2)
    with pytest.raises(ValueError, match=r"x has shape \(0, 2\); expected \(any >= 1, 2\)"):
        as_array(np.ones((0, 2)), "x", (None, 2))


def test_a_frozen_copy_cannot_change():
    array = np.ones(2)
    copy, _ = frozen(W=array, b=np.ones((3, 1)))
    array[0] = 2
    assert copy[0] == 1
    assert not copy.flags.writeable


@pytest.mark.parametrize("keep", [lambda g: g, lambda g: g[0, 1:], memoryview, lambda g: [g][0].T])
def test_results_in_use_stay_unchanged(keep):
    rng, network = np.random.default_rng(0), mlp(4, 3, 2, rng=0)
    points = [(rng.normal(size=4), rng.normal(size=2)) for _ in range(6)]
    results = [keep(gradients(network, *point)["W1"]) for point in points]
    copies = [np.array(keep(gradients(network, *point)["W1"].copy())) for point in points]
    for result, expected in zip(results, copies, strict=True):
        np.testing.assert_array_equal(np.array(result), expected)


def address(array):
    return array.__array_interface__["data"][0]


def test_dropped_memory_is_used_again():
    buffers, addresses = Buffers((3,), np.dtype("float32")), set()
    for _ in range(5):
        array = buffers.take()
        addresses.add(address(array))
    assert len(addresses) == arrays.MOST_KEPT


def test_without_reference_counts_every_array_is_new(monkeypatch):
    monkeypatch.setattr(arrays, "_counts_references", lambda: False)
    buffers = Buffers((3,), np.dtype("float64"))
    array = buffers.take()
    first = address(array)
    del array
    assert address(buffers.take()) != first
