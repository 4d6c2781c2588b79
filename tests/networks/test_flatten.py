"""Flattening: a permutation of the elements."""

import numpy as np
import pytest

from jacchain.networks.flatten import FlattenLayer
from jacchain.networks.layer import visit


@pytest.mark.parametrize("axes", [None, (0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_flattening_permutes_the_axes(check_layer, axes):
    layer = FlattenLayer((2, 3, 4), axes)
    moved = axes or (0, 1, 2)
    check_layer(layer, lambda x: x.reshape(2, 3, 4).transpose(moved), np.random.default_rng(0))
    kind = layer.jacobian(visit(layer, np.ones(24))).structure.kind
    assert kind == ("identity" if moved == (0, 1, 2) else "selection")


@pytest.mark.parametrize("axes", [(0, 0, 1), (0, 1), (1, 2, 3)])
def test_axes_that_are_no_permutation_are_refused(axes):
    with pytest.raises(ValueError, match="expected a permutation of 0 to 2"):
        FlattenLayer((2, 3, 4), axes)
