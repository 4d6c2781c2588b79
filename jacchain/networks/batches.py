"""The Jacobian chain of a batch: a block for each sample, or one that all samples share."""

from __future__ import annotations

from itertools import chain as joined
from typing import TYPE_CHECKING

import numpy as np

from jacchain.chains.chain import Chain
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.networks.layers import AffineLayer, Visit
from jacchain.networks.passes import trace

if TYPE_CHECKING:
    import numpy.typing as npt

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.layers import Layer
    from jacchain.networks.network import Network


def batch_chain(
    network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike, *, shared: bool = True
) -> Chain:
    """Return the Jacobian chain of the loss averaged over a batch, by all its inputs.

    Parameters
    ----------
    network
        Of L layers.
    inputs
        One point a row, of shape `(n, |x|)`, n at least 1.
    targets
        One target a row: `n` class indices, or of shape `(n, |z_L|)`.
    shared
        Whether an affine layer gives two factors, `diag(s'(a))` of all samples and `W` in blocks
        that they share, so that a row times the blocks is one product of matrices for the whole
        batch; or one factor, with `diag(s'(a)) W` of each sample. Other layers give one factor,
        with a dense block for each sample.

    Returns
    -------
    Chain
        Its product has shape `(1, n |x|)`: the adjoints of all inputs, sample after sample.

    Raises
    ------
    TypeError, ValueError
        If inputs or targets are not real, of another shape, not finite, none, or not as many.

    Examples
    --------
    >>> from jacchain.networks.mlp import mlp
    >>> network = mlp(3, 2, rng=0)
    >>> batch_chain(network, np.ones((4, 3)), np.zeros((4, 2))).dims
    (1, 8, 8, 12)
    >>> batch_chain(network, np.ones((4, 3)), np.zeros((4, 2)), shared=False).dims
    (1, 8, 12)
    """
    points, wanted = network.as_batch(inputs, targets)
    passed = trace(network.layers, points)
    row = network.loss.row(passed.output, wanted) / len(points)
    steps = reversed(passed.steps(network.layers))
    factors = (_factors(layer, visit, shared=shared) for layer, visit in steps)
    last = DenseJacobian(row.reshape(1, -1))
    return Chain([last, *joined.from_iterable(factors)], check_finite=True)


def _factors(layer: Layer, visit: Visit, *, shared: bool) -> list[Jacobian]:
    samples = len(visit.inputs)
    if isinstance(layer, AffineLayer):
        slopes = layer.activation.derivative(visit.preactivations, visit.outputs)
        if shared:
            blocks = BlockDiagonalJacobian(layer.weight, samples)
            return [DiagonalJacobian(slopes.ravel()), blocks]
        return [BlockDiagonalJacobian(slopes[:, :, None] * layer.weight, samples)]
    points = map(Visit, *visit)
    each = [layer.jacobian(point).to_dense() for point in points]
    return [BlockDiagonalJacobian(np.stack(each), samples)]
