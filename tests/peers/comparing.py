"""The peers, and how close their arrays must be to ours."""

import numpy as np

from tests.peers import in_jax, in_torch

PEERS = (in_torch, in_jax)
CLOSE = {"float64": {"rtol": 1e-9, "atol": 1e-11}, "float32": {"rtol": 1e-3, "atol": 1e-4}}


def assert_agree(results, expected, peer):
    """Compare arrays by name with a peer's, in dtype and values."""
    for name, array in results.items():
        assert array.dtype == expected[name].dtype
        close, message = CLOSE[array.dtype.name], f"{name} of {peer.__name__}"
        np.testing.assert_allclose(array, expected[name], **close, err_msg=message)
