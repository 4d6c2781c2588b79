"""What tests of layers share."""

import numpy as np
import pytest

from jacchain.networks.layers import Visit, visit


@pytest.fixture(scope="session")
def check_products():
    """A function that holds a layer's products with rows against its Jacobians, at all points."""

    def check(layer, points, rng, **close):
        batch = visit(layer, points)
        each = [layer.jacobian(one).to_dense() for one in map(Visit, *batch)]
        adjoints = rng.normal(size=(len(points), layer.output_size))
        tangents = rng.normal(size=points.shape)
        expected = np.einsum("no,noi->ni", adjoints, each)
        found, back = layer.pullback(adjoints, batch)
        np.testing.assert_allclose(back, expected, **close)
        np.testing.assert_allclose(layer.vjp(adjoints, batch), expected, **close)
        moved = np.einsum("noi,ni->no", each, tangents)
        np.testing.assert_allclose(layer.jvp(tangents, batch), moved, **close)

        one = Visit(*(array[0] for array in batch))  # any number of rows at one point
        np.testing.assert_allclose(layer.vjp(adjoints, one), adjoints @ each[0], **close)
        np.testing.assert_allclose(layer.jvp(tangents, one), tangents @ each[0].T, **close)

        assert found.keys() == layer.parameters.keys()
        for name, gradient in found.items():
            rows = [g @ layer.parameter_jacobians(one)[name].to_dense()
                    for g, one in zip(adjoints, map(Visit, *batch), strict=True)]  # fmt: skip
            np.testing.assert_allclose(gradient.ravel(), np.sum(rows, axis=0), **close)

    return check
