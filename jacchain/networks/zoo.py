"""Named networks of real sizes, and the article's example of a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacchain.networks.arrays import Array, as_array
from jacchain.networks.lenet import lenet5
from jacchain.networks.mlp import mlp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jacchain.networks.network import Network


@dataclass(frozen=True)
class Architecture:
    """A network without its weights: sizes, input first, hidden activation and loss."""

    sizes: tuple[int, ...]
    activation: str
    loss: str


ZOO: Mapping[str, Architecture] = MappingProxyType(
    {
        # Three layers; the article gives no sizes, so small ones that all differ.
        "article": Architecture((8, 6, 5, 3), "tanh", "squared_error"),
        # LeCun et al., Proc. IEEE 86(11), 1998, doi:10.1109/5.726791, with softmax cross-entropy.
        "lenet-300-100": Architecture((784, 300, 100, 10), "tanh", "cross_entropy"),
        # For the 8 x 8 images of scikit-learn's load_digits.
        "digits": Architecture((64, 64, 32, 10), "tanh", "cross_entropy"),
    }
)

# Networks of images, by what builds them.
IMAGES: Mapping[str, Callable[..., Network]] = MappingProxyType({"lenet-5": lenet5})


def load(
    name: str,
    *,
    rng: int | np.random.Generator | None = None,
    dtype: npt.DTypeLike = "float64",
) -> Network:
    """Return the network of that name in `ZOO` or `IMAGES`, with random weights.

    Parameters
    ----------
    name
        "article", "lenet-300-100", "digits" or "lenet-5".
    rng
        Seed or generator of the weights.
    dtype
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If the dtype is another, or the name unknown.

    Examples
    --------
    >>> load("lenet-300-100", rng=0, dtype="float32")
    Network(784 -> 300 -> 100 -> 10, cross_entropy, float32)
    """
    if name in IMAGES:
        return IMAGES[name](rng=rng, dtype=dtype)
    if name not in ZOO:
        msg = f"unknown network {name!r}; known: {', '.join(sorted({*ZOO, *IMAGES}))}"
        raise ValueError(msg)
    known = ZOO[name]
    return mlp(*known.sizes, activation=known.activation, loss=known.loss, rng=rng, dtype=dtype)


def article_product(x: float, y: float) -> tuple[float, Array]:
    """Return the article's example `f(x, y) = x y` and its gradient row `(y, x)`.

    Raises
    ------
    TypeError, ValueError
        If `x` or `y` is no finite real number.

    Examples
    --------
    >>> article_product(2, -6)
    (-12.0, array([[-6.,  2.]]))
    """
    point = as_array([x, y], "the point (x, y)", (2,))
    return float(point[0] * point[1]), point[np.newaxis, ::-1]
