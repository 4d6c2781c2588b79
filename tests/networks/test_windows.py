"""Windows: what they read, the transpose of reading, and what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.networks.windows import Windows


def test_the_taps_of_two_axes_by_hand():
    windows = Windows((2, 3), (2, 2), padding=(0, 1), dilation=(1, 2))
    assert windows.output == (1, 3)
    assert windows.taps.tolist() == [[6, 1, 6, 4], [0, 2, 3, 5], [1, 6, 4, 6]]  # 6: the padding


@given(st.data())
def test_spreading_is_the_transpose_of_reading(data):
    axes = data.draw(st.integers(1, 2))
    kernel, stride, dilation = (
        tuple(data.draw(st.integers(1, 3)) for _ in range(axes)) for _ in range(3)
    )
    size = tuple(d * (k - 1) + 2 for k, d in zip(kernel, dilation, strict=True))
    windows = Windows(size, kernel, stride, data.draw(st.integers(0, 2)), dilation)
    rng = np.random.default_rng(0)
    array, shares = rng.normal(size=(2, np.prod(size))), rng.normal(size=(2, *windows.taps.shape))
    expected = np.vdot(windows.read(array), shares)
    np.testing.assert_allclose(np.vdot(array, windows.spread(shares)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": (6,)}, "spans 6 does not fit into 5 elements and 0 of padding"),
        ({"kernel": (3,), "dilation": 3}, "spans 7 does not fit into 5"),
        ({"stride": 0}, "stride 0: expected 1 or more"),
        ({"dilation": 0}, "dilation 0: expected 1 or more"),
        ({"padding": -1}, "padding -1: expected 0 or more"),
        ({"kernel": (2, 2)}, "kernel .* for 1 axes"),
        ({"size": (5, 5, 5), "kernel": (1, 1, 1)}, "one or two axes"),
    ],
)
def test_windows_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Windows(**({"size": (5,), "kernel": (2,)} | change))
