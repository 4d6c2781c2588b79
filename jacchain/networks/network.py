"""A feed-forward network with a scalar loss, its forward pass and its chain at a point."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from jacchain.chains.chain import Chain
from jacchain.jacobians.dense import DenseJacobian
from jacchain.networks.arrays import Array, as_array
from jacchain.networks.losses import Loss, as_loss
from jacchain.networks.passes import ForwardPass, jacobians, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.layers import Layer

T = TypeVar("T")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Network:
    """Layers that fit, one after the other, and a loss of the last one's output.

    Parameters
    ----------
    layers
        At least one, the input's first.
    loss
        By name or as a `Loss`: "squared_error" is `1/2 |z - y|^2`, "cross_entropy" that of the
        softmax of `z`.

    Raises
    ------
    TypeError
        If the layers' dtypes differ.
    ValueError
        If there is no layer, sizes do not fit, or the loss is unknown.

    Examples
    --------
    >>> from jacchain.networks.layers import AffineLayer
    >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
    >>> net
    Network(2 -> 1, squared_error, float64)
    >>> net.forward([3, -1]).output
    array([1.])
    >>> net.loss_value([3, -1], [5])
    8.0
    """

    layers: tuple[Layer, ...]
    loss: Loss

    def __init__(self, layers: Iterable[Layer], loss: str | Loss = "squared_error") -> None:
        object.__setattr__(self, "layers", tuple(layers))
        object.__setattr__(self, "loss", as_loss(loss))
        check_layers(self.layers)

    def __repr__(self) -> str:
        """Return the sizes, the loss and the dtype."""
        sizes = " -> ".join(map(str, self.sizes))
        return f"Network({sizes}, {self.loss.name}, {self.dtype})"

    @property
    def sizes(self) -> tuple[int, ...]:
        """`(|x|, |z_1|, ..., |z_L|)`, the input first."""
        return (self.layers[0].input_size, *(layer.output_size for layer in self.layers))

    @property
    def dims(self) -> tuple[int, ...]:
        """`(1, |z_L|, ..., |z_1|, |x|)`, the dims of its chain: planning needs no more."""
        return (1, *reversed(self.sizes))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all parameters and of everything computed."""
        return self.layers[0].dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """`{"W1": ..., "b1": ..., "W2": ...}`, layers counted from 1."""
        return numbered(layer.parameters for layer in self.layers)

    def forward(self, x: npt.ArrayLike) -> ForwardPass:
        """Return everything computed on the way from `x`, of shape `(|x|,)`, to the output.

        Raises
        ------
        TypeError, ValueError
            If `x` is not real, of another shape, or not finite.
        """
        return trace(self.layers, self.as_input(x))

    def loss_value(self, x: npt.ArrayLike, target: npt.ArrayLike) -> float:
        """Return the loss at `x`; raises as `chain` does."""
        return float(self.loss.value(self.forward(x).output, self.as_target(target)))

    def chain(self, x: npt.ArrayLike, target: npt.ArrayLike) -> Chain:
        """Return the Jacobian chain of the loss by the input, at a point.

        Its factors are the row `dl/dz_L` and `dz_i/dz_{i-1} = diag(s'(a_i)) W_i`, `i = L .. 1`,
        so its dims are `(1, |z_L|, ..., |z_1|, |x|)`.

        Parameters
        ----------
        x
            The point, of shape `(|x|,)`. Converted to the network's dtype.
        target
            Of shape `(|z_L|,)`; for "cross_entropy" a class index or a probability vector.

        Raises
        ------
        TypeError, ValueError
            If `x` or `target` is not real, of another shape, not finite, or no such target.

        Examples
        --------
        >>> from jacchain.networks.layers import AffineLayer
        >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
        >>> chain = net.chain([3, -1], target=[5])
        >>> chain.dims
        (1, 1, 2)
        >>> [factor.to_dense().tolist() for factor in chain.factors]
        [[[-4.0]], [[1.0, 2.0]]]
        """
        return Chain(self._factors(self.forward(x), target), check_finite=True)

    def _factors(self, passed: ForwardPass, target: npt.ArrayLike) -> list[Jacobian]:
        """`dl/dz_L`, then `dz_i/dz_{i-1}` of each layer, the last first."""
        row = self.loss.row(passed.output, self.as_target(target))
        return [DenseJacobian(row[np.newaxis]), *jacobians(self.layers, passed)]

    def parameter_chains(self, x: npt.ArrayLike, target: npt.ArrayLike) -> dict[str, Chain]:
        """Return the Jacobian chain of the loss by each parameter, at a point.

        For a parameter `p` of layer i: `dl/dz_L`, `dz_L/dz_{L-1}`, ..., `dz_{i+1}/dz_i`, `dz_i/dp`.
        Its product is the gradient, row by row. The factors are shared between the chains.

        Parameters
        ----------
        x, target
            As of `chain`.

        Returns
        -------
        dict
            "W1", "b1", ..., each with a Chain.

        Raises
        ------
        TypeError, ValueError
            As `chain`.

        Examples
        --------
        >>> from jacchain.networks.layers import AffineLayer
        >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
        >>> net.parameter_chains([3, -1], target=[5])
        {'W1': Chain(dims=(1, 1, 2), dtype=float64), 'b1': Chain(dims=(1, 1, 1), dtype=float64)}
        """
        passed = self.forward(x)
        factors = self._factors(passed, target)
        by_layer = [
            {
                name: Chain([*factors[: len(self.layers) - i], jacobian], check_finite=True)
                for name, jacobian in layer.parameter_jacobians(visit).items()
            }
            for i, (layer, visit) in enumerate(passed.steps(self.layers))
        ]
        return numbered(by_layer)

    def as_input(self, x: npt.ArrayLike) -> Array:
        """Return `x` validated, of shape `(|x|,)` and the network's dtype."""
        return as_array(x, "the input", self.sizes[:1], self.dtype)

    def as_target(self, target: npt.ArrayLike) -> Array:
        """Return `target` validated, of shape `(|z_L|,)` and the network's dtype."""
        return self.loss.as_target(target, self.sizes[-1], self.dtype)

    def as_inputs(self, inputs: npt.ArrayLike) -> Array:
        """Return a batch of points validated, one a row, of shape `(n, |x|)`."""
        return as_array(inputs, "the batch of inputs", (None, self.sizes[0]), self.dtype)

    def as_batch(self, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> tuple[Array, Array]:
        """Return points and their targets validated, `(n, |x|)` and `(n, |z_L|)`."""
        points = self.as_inputs(inputs)
        given = np.atleast_1d(targets)
        if len(given) != len(points):
            msg = f"{len(points)} inputs, but {len(given)} targets; expected one for each input"
            raise ValueError(msg)
        if given.ndim > 1:
            return points, np.stack([self.as_target(target) for target in given])
        classes, index = np.unique(given, return_inverse=True)  # each validated once
        return points, np.stack([self.as_target(target) for target in classes])[index]


def numbered(arrays: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return `{"W1": ...}` from each layer's `{"W": ...}`, layers counted from 1."""
    return {
        f"{name}{number}": array
        for number, by_name in enumerate(arrays, start=1)
        for name, array in by_name.items()
    }


def check_layers(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError or TypeError unless there are layers, and sizes and dtypes fit."""
    if not layers:
        msg = "a network of no layers; expected at least one"
        raise ValueError(msg)
    _check_not_shared(layers)
    for number, (before, layer) in enumerate(pairwise(layers), start=2):
        if layer.input_size != before.output_size:
            msg = (
                f"layer {number} takes {layer.input_size} elements, but layer {number - 1} gives "
                f"{before.output_size}; make the two sizes equal"
            )
            raise ValueError(msg)
        if layer.dtype != before.dtype:
            msg = (
                f"layer {number} is {layer.dtype}, but layer {number - 1} {before.dtype}; "
                "expected one dtype for all layers"
            )
            raise TypeError(msg)


def _check_not_shared(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError where a layer with parameters stands in two places.

    Each place has parameters of its own name: a step would move them apart.
    """
    places: dict[int, int] = {}
    for number, layer in enumerate(layers, start=1):
        first = places.setdefault(id(layer), number)
        if first != number and layer.parameters:
            msg = (
                f"layer {number} is layer {first} again, and its parameters would be shared; make "
                "two layers, or a RecurrentLayer, which uses its own in every step"
            )
            raise ValueError(msg)
