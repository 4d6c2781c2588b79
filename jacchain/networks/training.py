"""Gradient descent on a network's parameters, and the accuracy that it reaches."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from jacchain.inputs import as_float, as_generator, as_integers, as_numpy, check_type, short
from jacchain.networks.arrays import Array
from jacchain.networks.derivatives import sweep
from jacchain.networks.network import Network, with_parameters
from jacchain.networks.passes import trace

MOST_EPOCHS = 1_000_000


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
    check_type(network, Network, "the network")
    check_type(by_parameter, Mapping, "the gradients by parameter")
    if not 0 < as_float(learning_rate, "the learning rate") < np.inf:
        message = f"the learning rate is {learning_rate}; expected a finite number above 0"
        raise ValueError(message)
    parameters = network.parameters
    unfit = [n for n, p in parameters.items() if np.shape(by_parameter.get(n, ())) != p.shape]
    if unfit:
        message = f"no gradient that fits {', '.join(unfit)}; give this network's own gradients"
        raise ValueError(message)
    with np.errstate(over="ignore"):  # a parameter that is not finite is refused by its layer
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
        Passes over all samples, from 1 to 1,000,000.
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
    check_type(network, Network, "the network")
    epochs, batch_size = as_integers([epochs, batch_size], "epochs and batch_size")
    if not 1 <= epochs <= MOST_EPOCHS or batch_size < 1:
        counts = f"epochs is {short(epochs)} and batch_size {short(batch_size)}"
        message = f"{counts}; expected both at least 1, and at most {MOST_EPOCHS:,} epochs"
        raise ValueError(message)
    points, rows = network.as_batch(inputs, targets)
    generator, losses = as_generator(rng), []
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
    check_type(network, Network, "the network")
    points = network.as_inputs(inputs)
    expected = as_numpy(classes, "the classes")
    if expected.dtype.kind not in "iu" or expected.shape != points.shape[:1]:
        fits = f"expected integers, shape {points.shape[:1]}"
        message = f"the classes have dtype {expected.dtype} and shape {expected.shape}; {fits}"
        raise ValueError(message)
    return float(np.mean(trace(network.layers, points).output.argmax(axis=1) == expected))


def _mean_loss(network: Network, inputs: Array, targets: Array) -> float:
    """Return the mean loss of validated inputs `(n, |x|)` and targets `(n, |z_L|)`."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(np.mean(network.loss.value(trace(network.layers, inputs).output, targets)))
    if not np.isfinite(value):
        message = f"the mean loss is {value}, beyond {network.dtype}; scale the network down"
        raise ValueError(message)
    return value
