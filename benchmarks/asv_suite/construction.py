"""Building the layer Jacobians of a network, apart from their multiplication, over |x|."""

from functools import lru_cache

import numpy as np

import jacchain as jc

from . import cases


@lru_cache(maxsize=1)
def _network(dims):
    """The network of these dims, loss first, with an input and a target."""
    rng = np.random.default_rng(0)
    _, *sizes = dims
    network = jc.mlp(*reversed(sizes), activation="tanh", rng=rng)
    return network, rng.standard_normal(sizes[-1]), rng.standard_normal(sizes[0])


class OverX:
    dims = cases.cells("x")
    params = (list(dims),)
    param_names = ("log2_x",)
    version = "1"
    warmup_time = 0.5

    def time_chain(self, log2_x):
        network, x, target = _network(self.dims[log2_x])
        network.chain(x, target)
