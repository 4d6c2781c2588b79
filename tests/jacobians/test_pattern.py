import numpy as np
import pytest

from jacchain.jacobians import pattern
from jacchain.jacobians.pattern import Pattern

A = Pattern([0, 2, 2, 4], [0, 1, 0, 1], columns=2)  # its first and last rows are alike
B = Pattern([0, 2, 3], [0, 1, 0], columns=2)


@pytest.mark.parametrize("largest", [pattern._LARGEST_COMPILED, 0])
@pytest.mark.parametrize("types", [("f4", "f4"), ("f4", "f8"), ("f8", "f4")])
def test_values_compiled_or_by_scipy(types, largest, monkeypatch):
    monkeypatch.setattr(pattern, "_LARGEST_COMPILED", largest)
    pattern._compiled_product.cache_clear()
    for first, expected in ((1, [0, 2, -1, 2]), (3, [2, 2, 1, 2])):  # what cancels stays an entry
        left, right = np.array([1, 1, 1, 2], types[0]), np.array([first, 2, -1], types[1])
        values = pattern.product_values(A, B, left, right)
        np.testing.assert_array_equal(values, np.array(expected, max(types)), strict=True)


@pytest.mark.parametrize("indptr", [[0], [1, 2], [0, 1], [0, 2, 1], [0, 2], [[0, 1]]])
def test_what_is_no_pattern_raises(indptr):
    with pytest.raises(ValueError, match="expected"):
        Pattern(indptr, [1, 0], columns=3)
