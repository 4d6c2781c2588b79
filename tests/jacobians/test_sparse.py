import pytest

from jacchain.jacobians import Pattern, SelectionJacobian, SparseJacobian


def test_what_does_not_fit_a_pattern_raises():
    pattern = Pattern([0, 2], [0, 2], columns=3)
    with pytest.raises(ValueError, match=r"\(1,\): expected \(2,\)"):
        SparseJacobian(pattern, [1.0])
    with pytest.raises(ValueError, match="one entry in each row"):
        SelectionJacobian(Pattern([0, 2, 2], [0, 2], columns=3))
