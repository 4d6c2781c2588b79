"""Derivatives of whole networks: gradients by reverse mode, and Jacobian products."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from jacchain.inputs import as_numpy, check_type
from jacchain.networks.arrays import Array, as_array
from jacchain.networks.network import Network, numbered
from jacchain.networks.passes import pull_back, pull_rows, push_forward, trace

Gradients: TypeAlias = dict[str, Array]


def gradients(network: Network, x: npt.ArrayLike, target: npt.ArrayLike) -> Gradients:
    """Return the gradient of the loss by every parameter and by the input, at a point.

    One loss-first sweep computes the adjoint of each layer, the row `g_i = dl/dz_i`, once. It
    gives `dl/db_i = g_i diag(s'(a_i))`, `dl/dW_i`, the outer product of `dl/db_i` and `z_{i-1}`,
    and `g_{i-1} = dl/db_i W_i`.

    Takes and raises what `Network.chain` does. Raises ValueError also if a gradient is beyond the
    dtype.

    Returns
    -------
    dict
        "W1", "b1", ..., "WL", "bL", of the shapes of the parameters, and "x", of shape `(|x|,)`.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> gradients(net, [3, -1], [5])
    {'W1': array([[-12.,   4.]]), 'b1': array([-4.]), 'x': array([-4., -8.])}
    """
    check_type(network, Network, "the network")
    inputs, targets = network.as_input(x)[np.newaxis], network.as_target(target)[np.newaxis]
    by_parameter, adjoints = sweep(network, inputs, targets)
    return _finite({**by_parameter, "x": adjoints[0]})


def batch_gradients(network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> Gradients:
    """Return the gradient of the loss averaged over a batch, by every parameter and every input.

    Parameters
    ----------
    network
        Layers and a loss.
    inputs
        Points of shape `(n, |x|)`, n at least 1.
    targets
        `n` class indices, or an array of shape `(n, |z_L|)`.

    Returns
    -------
    dict
        "W1", "b1", ..., "WL", "bL", of the shapes of the parameters, and "x", of shape `(n, |x|)`.

    Raises
    ------
    TypeError, ValueError
        As `gradients`, or if the numbers of inputs and targets differ.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> batch_gradients(net, [[3, -1], [1, 1]], [[5], [5]])
    {'W1': array([[-7.,  1.]]), 'b1': array([-3.]), 'x': array([[-2., -4.],
           [-1., -2.]])}
    """
    return _finite(gradients_evaluator(network, inputs, targets)())


def gradients_evaluator(
    network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike
) -> Callable[[], Gradients]:
    """Validate a batch now; return a function that computes its `batch_gradients`.

    Takes and raises what `batch_gradients` does, but gradients beyond the dtype are inf or NaN.
    Later calls leave earlier results unchanged.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> gradients_evaluator(net, [[3, -1]], [[5]])()["W1"]
    array([[-12.,   4.]])
    """
    check_type(network, Network, "the network")
    points, rows = network.as_batch(inputs, targets)

    def run() -> Gradients:
        by_parameter, adjoints = sweep(network, points, rows)
        return {**by_parameter, "x": adjoints}

    return run


def sweep(network: Network, inputs: Array, targets: Array) -> tuple[Gradients, Array]:
    """Return the mean loss's gradients by the parameters, and by the inputs, `(n, |x|)`.

    Takes validated inputs `(n, |x|)` and targets `(n, |z_L|)`.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # whoever returns results checks them
        forward = trace(network.layers, inputs)
        adjoints = network.loss.row(forward.output, targets) / len(inputs)
        by_layer, adjoints = pull_back(network.layers, forward, adjoints)
    return numbered(by_layer), adjoints


def _finite(results: Gradients) -> Gradients:
    """Return derivatives; raise ValueError if one is beyond its dtype."""
    for name, array in results.items():
        if not np.isfinite(array).all():
            message = f"the derivative by {name} is beyond {array.dtype}; scale the network down"
            raise ValueError(message)
    return results


def vjp(network: Network, x: npt.ArrayLike, adjoints: npt.ArrayLike) -> Array:
    """Return rows times the Jacobian `dz_L/dx` at a point, in reverse mode, as `jax.vjp`.

    The Jacobian is never built: layers are applied one by one, from the last to the first.

    Parameters
    ----------
    network
        Layers; the loss is not used.
    x
        The point, of shape `(|x|,)`.
    adjoints
        Rows, of shape `(n, |z_L|)`, n at least 1; the products are `(n, |x|)`. Or one row, of
        shape `(|z_L|,)`; the product is `(|x|,)`.

    Raises
    ------
    TypeError, ValueError
        If `x` or `adjoints` is not real, of another shape, or not finite, or a product is beyond
        the dtype.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> network = Network([AffineLayer([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])])
    >>> vjp(network, [0.0, 0.0], [[1.0, 0.0], [1.0, 1.0]])
    array([[1., 2.],
           [4., 6.]])
    """
    check_type(network, Network, "the network")
    rows = _rows(adjoints, "the array of adjoints", network.sizes[-1], network.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        products = pull_rows(network.layers, network.forward(x), rows)
    _finite({"x": products})
    return products[0] if np.ndim(adjoints) == 1 else products


def jvp(network: Network, x: npt.ArrayLike, tangents: npt.ArrayLike) -> Array:
    """Return the Jacobian `dz_L/dx` at a point times vectors, in forward mode, as `jax.jvp`.

    The Jacobian is never built: layers are applied one by one, from the first to the last.

    Parameters
    ----------
    network
        Layers; the loss is not used.
    x
        The point, of shape `(|x|,)`.
    tangents
        Vectors, one a row, of shape `(n, |x|)`, n at least 1; the products are `(n, |z_L|)`. Or
        one vector, of shape `(|x|,)`; the product is `(|z_L|,)`.

    Raises
    ------
    TypeError, ValueError
        If `x` or `tangents` is not real, of another shape, or not finite, or a product is beyond
        the dtype.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
    >>> network = Network([AffineLayer([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])])
    >>> jvp(network, [0.0, 0.0], [[1.0, 0.0], [1.0, 1.0]])
    array([[1., 3.],
           [3., 7.]])
    """
    check_type(network, Network, "the network")
    columns = _rows(tangents, "the array of tangents", network.sizes[0], network.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        products = push_forward(network.layers, network.forward(x), columns)
    _finite({"x": products})
    return products[0] if np.ndim(tangents) == 1 else products


def _rows(vectors: npt.ArrayLike, name: str, size: int, dtype: np.dtype[np.floating]) -> Array:
    """Return one vector `(size,)`, or several `(n, size)`, as rows of the caller's no more."""
    raw = as_numpy(vectors, name)
    rows = raw[np.newaxis] if raw.shape == (size,) else raw
    return as_array(rows, name, (None, size), dtype).copy()  # a layer may hand them on as they are
