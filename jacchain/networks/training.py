"""Gradient descent on a network's parameters, and the accuracy that it reaches."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from jacchain.networks.arrays import Array
from jacchain.networks.derivatives import sweep
from jacchain.networks.network import Network, with_parameters
from jacchain.networks.passes import trace


def mean_loss(network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Return the loss averaged over a batch; takes and raises what `batch_gradients` does."""
    return _mean_loss(network, *network.as_batch(inputs, targets))


def step(network: Network, by_parameter: Mapping[str, Array], learning_rate: float) -> Network:
    """Return the network after one step of gradient descent, `theta - learning_rate dl/dtheta`.

    Parameters
    ----------
    network
        Left unchanged.
    by_parameter
        A gradient for every parameter of the network; other keys are ignored.
    learning_rate
        Above 0 and finite.

    Raises
    ------
    ValueError
        If a gradient is missing or of another shape, the learning rate is not positive, or a
        parameter would no longer be finite: then lower the rate.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer, gradients
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> moved = step(net, gradients(net, [3, -1], [5]), learning_rate=0.05)
    >>> net.loss_value([3, -1], [5]), round(moved.loss_value([3, -1], [5]), 6)
    (8.0, 1.62)
    """
    if not 0 < learning_rate < np.inf:
        message = f"the learning rate is {learning_rate}; expected a finite number above 0"
        raise ValueError(message)
    parameters = network.parameters
    unfit = [n for n, p in parameters.items() if np.shape(by_parameter.get(n, ())) != p.shape]
    if unfit:
        message = f"no gradient that fits {', '.join(unfit)}; give this network's own gradients"
        raise ValueError(message)
    moved = {
        name: np.subtract(parameter, learning_rate * by_parameter[name], dtype=network.dtype)
        for name, parameter in parameters.items()
    }
    return Network(with_parameters(network.layers, moved), network.loss)


def train(
    network: Network,
    inputs: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    rng: int | np.random.Generator | None = None,
) -> tuple[Network, tuple[float, ...]]:
    """Train by stochastic gradient descent over shuffled mini-batches.

    Parameters
    ----------
    network
        The start; left unchanged.
    inputs, targets
        As in `batch_gradients`.
    learning_rate
        Above 0 and finite.
    epochs
        Passes over all samples, at least 1.
    batch_size
        Samples a step, at least 1; the last batch of an epoch may be smaller.
    rng
        Seed or generator of the shuffling.

    Returns
    -------
    network, losses
        The trained network, and the loss averaged over all samples after each epoch.

    Raises
    ------
    TypeError, ValueError
        As `batch_gradients` and `step`, or if `epochs` or `batch_size` is below 1.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> start = Network([AffineLayer([[0.0]], [0.0])])
    >>> line, losses = train(
    ...     start, [[0], [1], [2]], [[1], [3], [5]],
    ...     learning_rate=0.2, epochs=200, batch_size=3, rng=0,
    ... )
    >>> line.forward([10]).output.round(3)
    array([21.])
    """
    if epochs < 1 or batch_size < 1:
        message = f"epochs is {epochs} and batch_size {batch_size}; expected both at least 1"
        raise ValueError(message)
    points, rows = network.as_batch(inputs, targets)
    generator, losses = np.random.default_rng(rng), []
    for _ in range(epochs):
        order = generator.permutation(len(points))
        for start in range(0, len(points), batch_size):
            chosen = order[start : start + batch_size]
            by_parameter, _ = sweep(network, points[chosen], rows[chosen])
            network = step(network, by_parameter, learning_rate)
        losses.append(_mean_loss(network, points, rows))
    return network, tuple(losses)


def accuracy(network: Network, inputs: npt.ArrayLike, classes: npt.ArrayLike) -> float:
    """Return the share of inputs `(n, |x|)` whose largest output is at their class index.

    Raises
    ------
    TypeError, ValueError
        If `inputs` is not real, of another shape, or not finite, or if `classes` is not `n`
        integers.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])], "cross_entropy")
    >>> accuracy(net, [[3, 1], [1, 2], [5, 4], [0, 1]], classes=[0, 1, 1, 1])
    0.75
    """
    points = network.as_inputs(inputs)
    expected = np.asarray(classes)
    if expected.dtype.kind not in "iu" or expected.shape != points.shape[:1]:
        fits = f"expected integers, shape {points.shape[:1]}"
        message = f"the classes have dtype {expected.dtype} and shape {expected.shape}; {fits}"
        raise ValueError(message)
    return float(np.mean(trace(network.layers, points).output.argmax(axis=1) == expected))


def _mean_loss(network: Network, inputs: Array, targets: Array) -> float:
    """Return the mean loss of validated inputs `(n, |x|)` and targets `(n, |z_L|)`."""
    return float(np.mean(network.loss.value(trace(network.layers, inputs).output, targets)))
