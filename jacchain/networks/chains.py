"""Chains of a batch, with a block for each sample, and of a sequence, with a factor for each step.

`Network` itself has the chains at a point: `chain` and `parameter_chains`.
"""

from itertools import chain as joined

import numpy as np
import numpy.typing as npt

from jacchain.chains.chain import Chain
from jacchain.inputs import check_flag, check_type, short
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.sparse import SparseJacobian
from jacchain.networks.activations import as_activation
from jacchain.networks.affine import AffineLayer
from jacchain.networks.arrays import Array
from jacchain.networks.layer import Layer, Visit
from jacchain.networks.network import Network
from jacchain.networks.passes import jacobians, trace
from jacchain.networks.recurrent import RecurrentLayer


def batch_chain(
    network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike, *, shared: bool = True
) -> Chain:
    """Return the Jacobian chain of the loss averaged over a batch, by all inputs.

    Parameters
    ----------
    network
        Layers and a loss.
    inputs
        Points of shape `(n, |x|)`, n at least 1.
    targets
        `n` class indices, or an array of shape `(n, |z_L|)`.
    shared
        If True, an affine layer gives two factors: the slopes `diag(s'(a))` of all samples, and
        `W`, stored once for all samples, so that a row times this factor is one matrix product
        for the whole batch. If False, it gives one factor, with a block `diag(s'(a)) W` for each
        sample. Other layers always give one factor, with a dense block for each sample.

    Returns
    -------
    Chain
        Its product is the adjoints of all inputs, sample after sample, of shape `(1, n |x|)`.

    Raises
    ------
    TypeError, ValueError
        If inputs or targets are not real, of another shape, not finite, empty, or if their
        numbers differ.

    Examples
    --------
    >>> from jacchain.networks import mlp
    >>> network = mlp(3, 2, rng=0)
    >>> batch_chain(network, np.ones((4, 3)), np.zeros((4, 2))).dims
    (1, 8, 8, 12)
    >>> batch_chain(network, np.ones((4, 3)), np.zeros((4, 2)), shared=False).dims
    (1, 8, 12)
    """
    check_type(network, Network, "the network")
    check_flag(shared, "shared")
    points, rows = network.as_batch(inputs, targets)
    forward = trace(network.layers, points)
    row = network.loss.row(forward.output, rows) / len(points)
    steps = reversed(forward.steps(network.layers))
    factors = (_batch_factors(layer, visit, shared=shared) for layer, visit in steps)
    last = DenseJacobian(row.reshape(1, -1))
    return Chain([last, *joined.from_iterable(factors)], check_finite=True)


def _batch_factors(layer: Layer, visit: Visit, *, shared: bool) -> list[Jacobian]:
    """Return a layer's factors at a batch, the one nearest to the loss first."""
    samples = len(visit.inputs)
    if isinstance(layer, AffineLayer):
        slopes = visit.slopes(layer.activation)
        if shared:
            blocks = BlockDiagonalJacobian(layer.weight, samples)
            return [DiagonalJacobian(slopes.ravel()), blocks]
        return [BlockDiagonalJacobian(slopes[:, :, None] * layer.weight, samples)]
    dense = [layer.jacobian(point).to_dense() for point in map(Visit, *visit)]
    return [BlockDiagonalJacobian(np.stack(dense), samples)]


def unrolled_chain(network: Network, x: npt.ArrayLike, target: npt.ArrayLike) -> Chain:
    """Return the Jacobian chain of the loss by a whole sequence, with a factor for each step.

    After step t, the chain's variable is the state and the inputs not read yet,
    `z_t = (h_t, x_{t+1}, ..., x_T)`. The factor `dz_t/dz_{t-1}` is sparse: the rows of the state
    are `diag(s'(a_t)) (Wh, Wx)`, the rows below are the identity.

    Parameters
    ----------
    network
        A network whose first layer is a `RecurrentLayer`.
    x
        The sequence, step after step, of shape `(|x|,)`.
    target
        As in `Network.chain`.

    Raises
    ------
    TypeError
        If the first layer is not a `RecurrentLayer`, or its output is the whole sequence.
    TypeError, ValueError
        As `Network.chain`.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer, Network
    >>> first = RecurrentLayer([[1.0]], [[0.5]], [0.0], steps=2)
    >>> network = Network([first, AffineLayer([[2.0]], [0.0])])
    >>> chain = unrolled_chain(network, [0.0, 0.0], [1.0])
    >>> chain.dims, chain.factors[2].to_dense().tolist(), chain.factors[3].to_dense().tolist()
    ((1, 1, 1, 2, 2), [[0.5, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    """
    check_type(network, Network, "the network")
    first, *rest = network.layers
    if not isinstance(first, RecurrentLayer) or first.sequence:
        wanted = "expected a RecurrentLayer whose output is the last state, to unroll its steps"
        message = f"the first layer is {short(first)}; {wanted}"
        raise TypeError(message)
    forward = trace(network.layers, network.as_input(x))
    row = network.loss.row(forward.output, network.as_target(target))
    later = jacobians(network.layers, forward)[: len(rest)]
    a = forward.preactivations[0]
    slopes = as_activation("tanh").derivative(a, np.tanh(a))
    by_step = slopes.reshape(first.steps, -1)
    steps = [_step_factor(first, slopes, t) for t, slopes in enumerate(by_step)]
    return Chain([DenseJacobian(row[np.newaxis]), *later, *reversed(steps)], check_finite=True)


def _step_factor(layer: RecurrentLayer, slopes: Array, t: int) -> SparseJacobian:
    """Return `dz_{t+1}/dz_t` from the slopes `(h,)` of the step; `z_0` holds no state."""
    size, read = layer.Wx.shape
    weights = np.hstack([layer.Wh, layer.Wx]) if t else layer.Wx
    width = weights.shape[1]
    unread = layer.input_size - (t + 1) * read
    columns = [np.tile(np.arange(width), size), width + np.arange(unread)]
    ends = [width * np.arange(size + 1), width * size + np.arange(1, unread + 1)]
    values = [(slopes[:, np.newaxis] * weights).ravel(), np.ones(unread, layer.dtype)]
    pattern = Pattern(np.concatenate(ends), np.concatenate(columns), width + unread)
    return SparseJacobian(pattern, np.concatenate(values))
