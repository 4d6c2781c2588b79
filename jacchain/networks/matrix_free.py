"""Products with the Jacobian of a network's output by its input, which is never built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacchain.networks.arrays import Array, as_array
from jacchain.networks.passes import pull_rows, push_forward

if TYPE_CHECKING:
    import numpy.typing as npt

    from jacchain.networks.network import Network


def vjp(network: Network, x: npt.ArrayLike, adjoints: npt.ArrayLike) -> Array:
    """Return row vectors times the Jacobian `dz_L/dx` at a point, layer by layer from the last.

    Parameters
    ----------
    network
        Of L layers.
    x
        The point, of shape `(|x|,)`.
    adjoints
        Rows, of shape `(n, |z_L|)`, n at least 1.

    Returns
    -------
    ndarray
        Of shape `(n, |x|)`.

    Raises
    ------
    TypeError, ValueError
        If `x` or `adjoints` is not real, of another shape, or not finite.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> from jacchain.networks.network import Network
    >>> network = Network([AffineLayer([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])])
    >>> vjp(network, [0.0, 0.0], [[1.0, 0.0], [1.0, 1.0]])
    array([[1., 2.],
           [4., 6.]])
    """
    rows = as_array(adjoints, "the array of adjoints", (None, network.sizes[-1]), network.dtype)
    return pull_rows(network.layers, network.forward(x), rows)


def jvp(network: Network, x: npt.ArrayLike, tangents: npt.ArrayLike) -> Array:
    """Return the Jacobian `dz_L/dx` at a point times vectors, layer by layer from the first.

    Parameters
    ----------
    network
        Of L layers.
    x
        The point, of shape `(|x|,)`.
    tangents
        One vector a row, of shape `(n, |x|)`, n at least 1.

    Returns
    -------
    ndarray
        Of shape `(n, |z_L|)`, one product a row.

    Raises
    ------
    TypeError, ValueError
        If `x` or `tangents` is not real, of another shape, or not finite.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> from jacchain.networks.network import Network
    >>> network = Network([AffineLayer([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])])
    >>> jvp(network, [0.0, 0.0], [[1.0, 0.0], [1.0, 1.0]])
    array([[1., 3.],
           [3., 7.]])
    """
    columns = as_array(tangents, "the array of tangents", (None, network.sizes[0]), network.dtype)
    return push_forward(network.layers, network.forward(x), columns)
