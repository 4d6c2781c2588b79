"""Gradient descent on a network's parameters, and how well it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacchain.networks.gradients import sweep
from jacchain.networks.network import Network
from jacchain.networks.passes import trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jacchain.networks.arrays import Array


def mean_loss(network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """Return the loss averaged over a batch; takes and raises what `batch_gradients` does."""
    return _mean_loss(network, *network.as_batch(inputs, targets))


def step(network: Network, by_parameter: Mapping[str, Array], learning_rate: float) -> Network:
    """Return the network after one step of gradient descent, `theta - learning_rate dl/dtheta`.

    Parameters
    ----------
    network
        Stays as it is.
    by_parameter
        A gradient for each of the network's parameters; other keys are ignored.
    learning_rate
        Above 0 and finite.

    Raises
    ------
    ValueError
        If a gradient is missing or of another shape, the learning rate is not positive, or the
        step leaves the finite numbers: then take a smaller one.

    Examples
    --------
    >>> from jacchain.networks.gradients import gradients
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> moved = step(net, gradients(net, [3, -1], [5]), learning_rate=0.05)
    >>> net.loss_value([3, -1], [5]), round(moved.loss_value([3, -1], [5]), 6)
    (8.0, 1.62)
    """
    _check_learning_rate(learning_rate)
    unfit = [
        name
        for name, parameter in network.parameters.items()
        if np.shape(by_parameter.get(name, ())) != parameter.shape
    ]
    if unfit:
        msg = f"no gradient that fits {', '.join(unfit)}; give this network's own gradients"
        raise ValueError(msg)
    moved = []
    for number, layer in enumerate(network.layers, start=1):
        parameters = {
            name: np.subtract(
                parameter, learning_rate * by_parameter[f"{name}{number}"], dtype=network.dtype
            )
            for name, parameter in layer.parameters.items()
        }
        moved.append(layer.with_parameters(parameters))
    return Network(moved, network.loss)


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
        Where to start; stays as it is.
    inputs, targets
        As `batch_gradients` takes them.
    learning_rate
        Of every step, above 0 and finite.
    epochs
        How often every sample is used, at least 1.
    batch_size
        Samples a step, at least 1; an epoch's last batch is what is left.
    rng
        Seed or generator of the shuffling.

    Returns
    -------
    network : Network
        The trained one.
    losses : tuple of float
        The loss averaged over all samples after each epoch.

    Raises
    ------
    TypeError, ValueError
        As `batch_gradients` and `step`, or if `epochs` or `batch_size` is below 1.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> start = Network([AffineLayer([[0.0]], [0.0])])
    >>> line, losses = train(
    ...     start, [[0], [1], [2]], [[1], [3], [5]],
    ...     learning_rate=0.2, epochs=200, batch_size=3, rng=0,
    ... )
    >>> line.forward([10]).output.round(3)
    array([21.])
    """
    if epochs < 1 or batch_size < 1:
        msg = f"epochs is {epochs} and batch_size {batch_size}; expected both at least 1"
        raise ValueError(msg)
    points, wanted = network.as_batch(inputs, targets)
    generator, losses = np.random.default_rng(rng), []
    for _ in range(epochs):
        order = generator.permutation(len(points))
        for start in range(0, len(points), batch_size):
            chosen = order[start : start + batch_size]
            by_parameter, _ = sweep(network, points[chosen], wanted[chosen])
            network = step(network, by_parameter, learning_rate)
        losses.append(_mean_loss(network, points, wanted))
    return network, tuple(losses)


def accuracy(network: Network, inputs: npt.ArrayLike, classes: npt.ArrayLike) -> float:
    """Return the share of inputs, one a row, whose largest output is that of their class.

    Raises
    ------
    TypeError, ValueError
        If `inputs` is not real, of another shape, or not finite, or if `classes` is not one
        integer for each input.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])], "cross_entropy")
    >>> accuracy(net, [[3, 1], [1, 2], [5, 4], [0, 1]], classes=[0, 1, 1, 1])
    0.75
    """
    points = network.as_inputs(inputs)
    expected = np.asarray(classes)
    if expected.dtype.kind not in "iu" or expected.shape != points.shape[:1]:
        msg = (
            f"the classes have dtype {expected.dtype} and shape {expected.shape}; "
            f"expected integers, shape {points.shape[:1]}"
        )
        raise ValueError(msg)
    return float(np.mean(trace(network.layers, points).output.argmax(axis=1) == expected))


def _mean_loss(network: Network, inputs: Array, targets: Array) -> float:
    return float(np.mean(network.loss.value(trace(network.layers, inputs).output, targets)))


def _check_learning_rate(learning_rate: float) -> None:
    if not 0 < learning_rate < np.inf:
        msg = f"the learning rate is {learning_rate}; expected a finite number above 0"
        raise ValueError(msg)
