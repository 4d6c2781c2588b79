"""A recurrent network unrolled as a chain: the gradient of the whole sequence, at an exact cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_every_order_gives_the_gradient_by_the_sequence(size, read, steps, seed):
    rng = np.random.default_rng(seed)
    arrays = (rng.normal(size=shape) for shape in ((size, read), (size, size), size))
    last = jc.AffineLayer(rng.normal(size=(2, size)), np.zeros(2))
    network = jc.Network([jc.RecurrentLayer(*arrays, steps=steps), last])
    x, target = rng.normal(size=steps * read), np.zeros(2)
    chain = jc.unrolled_chain(network, x, target)
    expected = jc.gradients(network, x, target)["x"]
    assert len(chain.factors) == steps + 2
    for order in ("loss-first", "input-first", "optimal"):
        np.testing.assert_allclose(jc.evaluate(chain, order)[0], expected, rtol=1e-9, atol=1e-12)
        assert jc.count(chain, order) == jc.plan(chain, order).multiplications


def test_another_first_layer_is_refused():
    with pytest.raises(TypeError, match="expected a RecurrentLayer"):
        jc.unrolled_chain(jc.mlp(2, 2, rng=0), [1, 2], [1, 2])
