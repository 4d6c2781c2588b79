"""Parameter gradients by the chain rule, with cached adjoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from jacchain.networks.arrays import Array
from jacchain.networks.network import Network, numbered
from jacchain.networks.passes import pull_back, trace

if TYPE_CHECKING:
    from collections.abc import Callable

Gradients: TypeAlias = dict[str, Array]


def gradients(network: Network, x: npt.ArrayLike, target: npt.ArrayLike) -> Gradients:
    """Return the gradient of the loss by every parameter and by the input, at a point.

    One sweep, loss first: the adjoint `g_i = dl/dz_i`, a row, is computed once and serves
    `dl/db_i = g_i diag(s'(a_i))`, `dl/dW_i`, the outer product of that with `z_{i-1}`, and
    `g_{i-1} = dl/db_i W_i`.

    Parameters
    ----------
    network
        Of L layers.
    x
        The point, of shape `(|x|,)`.
    target
        As `Network.chain` takes it.

    Returns
    -------
    dict
        "W1", "b1", ..., "WL", "bL", each of its parameter's shape, and "x", of shape `(|x|,)`.

    Raises
    ------
    TypeError, ValueError
        If `x` or `target` is not real, of another shape, not finite, or no such target.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> gradients(net, [3, -1], [5])
    {'W1': array([[-12.,   4.]]), 'b1': array([-4.]), 'x': array([-4., -8.])}
    """
    inputs, targets = network.as_input(x)[np.newaxis], network.as_target(target)[np.newaxis]
    by_parameter, adjoints = sweep(network, inputs, targets)
    return {**by_parameter, "x": adjoints[0]}


def batch_gradients(network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> Gradients:
    """Return the gradient of the loss averaged over a batch, by every parameter and every input.

    Parameters
    ----------
    network
        Of L layers.
    inputs
        One point a row, of shape `(n, |x|)`, n at least 1.
    targets
        One target a row: `n` class indices, or of shape `(n, |z_L|)`.

    Returns
    -------
    dict
        "W1", "b1", ..., "WL", "bL", each of its parameter's shape, and "x", of shape `(n, |x|)`.

    Raises
    ------
    TypeError, ValueError
        As `gradients`, or if there is not one target for each input.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> batch_gradients(net, [[3, -1], [1, 1]], [[5], [5]])
    {'W1': array([[-7.,  1.]]), 'b1': array([-3.]), 'x': array([[-2., -4.],
           [-1., -2.]])}
    """
    return gradients_evaluator(network, inputs, targets)()


def gradients_evaluator(
    network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike
) -> Callable[[], Gradients]:
    """Prepare `batch_gradients`: points and targets are validated here, what is returned computes.

    Parameters and errors are those of `batch_gradients`. Results may be kept.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> gradients_evaluator(net, [[3, -1]], [[5]])()["W1"]
    array([[-12.,   4.]])
    """
    points, wanted = network.as_batch(inputs, targets)

    def run() -> Gradients:
        by_parameter, adjoints = sweep(network, points, wanted)
        return {**by_parameter, "x": adjoints}

    return run


def sweep(network: Network, inputs: Array, targets: Array) -> tuple[Gradients, Array]:
    """Return the mean loss's gradients by the parameters, and by each of the inputs."""
    passed = trace(network.layers, inputs)
    adjoints = network.loss.row(passed.output, targets) / len(inputs)
    by_layer, adjoints = pull_back(network.layers, passed, adjoints)
    return numbered(by_layer), adjoints
