"""A recurrent network as a chain over its steps, each with a sparse Jacobian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacchain.chains.chain import Chain
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.sparse import SparseJacobian
from jacchain.networks.passes import jacobians, trace
from jacchain.networks.recurrent import RecurrentLayer

if TYPE_CHECKING:
    import numpy.typing as npt

    from jacchain.networks.arrays import Array
    from jacchain.networks.network import Network


def unrolled_chain(network: Network, x: npt.ArrayLike, target: npt.ArrayLike) -> Chain:
    """Return the Jacobian chain of the loss by a whole sequence, with a factor for each step.

    After step t there is the state and what was not read yet, `z_t = (h_t, x_{t+1}, ..., x_T)`. So
    the chain stays a chain, and `dz_t/dz_{t-1}` is sparse: in the rows of the state
    `diag(s'(a_t)) (Wh, Wx)`, below them the identity.

    Parameters
    ----------
    network
        Its first layer is a `RecurrentLayer`.
    x
        The sequence, step after step, of shape `(|x|,)`.
    target
        As `Network.chain` takes it.

    Raises
    ------
    TypeError
        If the first layer is another.
    TypeError, ValueError
        As `Network.chain`.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> from jacchain.networks.network import Network
    >>> first = RecurrentLayer([[1.0]], [[0.5]], [0.0], steps=2)
    >>> network = Network([first, AffineLayer([[2.0]], [0.0])])
    >>> chain = unrolled_chain(network, [0.0, 0.0], [1.0])
    >>> chain.dims, chain.factors[2].to_dense().tolist(), chain.factors[3].to_dense().tolist()
    ((1, 1, 1, 2, 2), [[0.5, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    """
    first, *others = network.layers
    if not isinstance(first, RecurrentLayer):
        msg = f"the first layer is {first!r}; expected a RecurrentLayer, whose steps are unrolled"
        raise TypeError(msg)
    passed = trace(network.layers, network.as_input(x))
    row = network.loss.row(passed.output, network.as_target(target))
    later = jacobians(network.layers, passed)[: len(others)]
    states = first.states(passed.preactivations[0])
    steps = [_step(first, state, t) for t, state in enumerate(states)]
    return Chain([DenseJacobian(row[np.newaxis]), *later, *reversed(steps)], check_finite=True)


def _step(layer: RecurrentLayer, state: Array, t: int) -> SparseJacobian:
    """`dz_{t+1}/dz_t`, from the state after the step; before the first step there is none."""
    size, read = layer.Wx.shape
    weights = np.hstack([layer.Wh, layer.Wx]) if t else layer.Wx
    width = weights.shape[1]
    rest = layer.input_size - (t + 1) * read
    columns = [np.tile(np.arange(width), size), width + np.arange(rest)]
    ends = [width * np.arange(size + 1), width * size + np.arange(1, rest + 1)]
    slopes = 1 - np.square(state)
    values = [(slopes[:, np.newaxis] * weights).ravel(), np.ones(rest, layer.dtype)]
    pattern = Pattern(np.concatenate(ends), np.concatenate(columns), width + rest)
    return SparseJacobian(pattern, np.concatenate(values))
