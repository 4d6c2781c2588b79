"""Pooling compared with loops over its definition."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain.networks.layer import visit
from jacchain.networks.pooling import AveragePoolingLayer, MaxPoolingLayer


def pool(z, windows, reduce):
    """Return `z`, `(channels, *size)`, with every window reduced.

    `reduce` takes the elements under a window, and how many places of it are padding or elements.
    """
    result = np.zeros((len(z), *windows.output), z.dtype)
    for c, *o in np.ndindex(result.shape):
        spans = zip(o, windows.stride, windows.kernel, windows.padding, strict=True)
        window = [*product(*(range(i * s - p, i * s - p + k) for i, s, k, p in spans))]

        def within(place, margins):
            sizes = zip(place, windows.size, margins, strict=True)
            return all(-margin <= i < n + margin for i, n, margin in sizes)

        elements = [z[(c, *place)] for place in window if within(place, (0,) * len(o))]
        padded = sum(within(place, windows.padding) for place in window)
        result[(c, *o)] = reduce(elements, padded)
    return result


def average(values, padded):
    """Return the mean, where padding counts as zeros."""
    return sum(values) / padded


def largest(values, _):
    """Return the element with the largest real part, so that a complex step can move it."""
    return max(values, key=np.real)


@pytest.mark.parametrize(
    ("kind", "reduce", "structure"),
    [(AveragePoolingLayer, average, "sparse"), (MaxPoolingLayer, largest, "selection")],
)
@settings(deadline=None)
@given(data=st.data())
def test_derivatives_match_the_definition(check_layer, kind, reduce, structure, data):
    axes = data.draw(st.integers(1, 2))
    kernel = tuple(data.draw(st.integers(1, 3)) for _ in range(axes))
    size = tuple(k + data.draw(st.integers(0, 4)) for k in kernel)
    stride = data.draw(st.one_of(st.none(), st.integers(1, 3)))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    options = {"padding": padding, "ceil": data.draw(st.booleans())}
    layer = kind(data.draw(st.integers(1, 3)), size, kernel, stride, **options)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    check_layer(layer, lambda x: pool(x.reshape(layer.channels, *size), layer.windows, reduce), rng)
    at = visit(layer, np.zeros(layer.input_size))
    assert layer.jacobian(at).structure.kind == structure


def test_of_equal_elements_the_first_is_the_largest():
    layer = MaxPoolingLayer(1, (4,), 2)
    jacobian = layer.jacobian(visit(layer, np.ones(4))).to_dense()
    assert jacobian.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("kind", [AveragePoolingLayer, MaxPoolingLayer])
def test_unfit_sizes_are_refused(kind):
    with pytest.raises(ValueError, match="spans 3 does not fit into 2"):
        kind(1, (2,), 3)
    with pytest.raises(ValueError, match="at least 1"):
        kind(0, (2,), 1)
    with pytest.raises(ValueError, match="lies wholly in it"):
        kind(1, (2,), 2, padding=2)
    with pytest.raises(TypeError, match="dtype int64"):
        kind(1, (2,), 1, dtype="int64")
