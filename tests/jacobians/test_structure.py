import pytest

from jacchain.inputs import check_sizes
from jacchain.jacobians.structure import KINDS, Structure


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None])
def test_sizes_that_are_no_positive_integers_raise(size):
    with pytest.raises((TypeError, ValueError), match=r"at least 1; drop|expected integers;"):
        check_sizes((1, size))


@pytest.mark.parametrize("kind", ["banded", *sorted(KINDS.keys() - {"dense", "block"})])
def test_an_unknown_kind_or_a_shape_that_it_cannot_have_raises(kind):
    known = r"'banded'; the known ones are \['block', 'dense'"
    with pytest.raises(ValueError, match=rf"{kind} of shape \(2, 3\): expected a|{known}"):
        Structure((2, 3), kind)
