"""Residual blocks compared with their definition."""

import numpy as np
import pytest

from jacchain.networks.residual import ResidualLayer


@pytest.mark.parametrize("sizes", [(3, 2), (1, 1), (2, 5)])
def test_derivatives_match_the_definition(check_layer, make_affine, sizes):
    size, inner = sizes
    rng = np.random.default_rng(0)
    layer = ResidualLayer([make_affine(rng, size, inner, "tanh"), make_affine(rng, inner, size)])

    def definition(x, W1_, b1_, W2_, b2_):
        return x + W2_ @ np.tanh(W1_ @ x + b1_) + b2_

    check_layer(layer, definition, rng)


def test_unfit_layers_are_refused(make_affine):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="takes 2 elements and gives 1"):
        ResidualLayer([make_affine(rng, 2, 1)])
    with pytest.raises(ValueError, match="layer 2 takes 3 elements, but layer 1 gives 1"):
        ResidualLayer([make_affine(rng, 2, 1), make_affine(rng, 3, 2)])
