"""A feed-forward network with a scalar loss, its forward pass and its chains at a point."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from jacchain.chains.chain import Chain
from jacchain.inputs import as_numpy, as_tuple
from jacchain.jacobians.base import Jacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.networks.arrays import Array, as_array
from jacchain.networks.layer import Layer
from jacchain.networks.losses import Loss, as_loss
from jacchain.networks.passes import ForwardPass, jacobians, parameter_factors, trace
from jacchain.notebook import dims_text, html_table

T = TypeVar("T")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Network:
    """Layers in sequence, and a loss of the last output.

    Parameters
    ----------
    layers
        At least one, the first takes the input.
    loss
        A `Loss` or its name: "squared_error" is `1/2 |z - y|^2`, "cross_entropy" is the
        cross-entropy of `softmax(z)`.

    Raises
    ------
    TypeError
        If the layers' dtypes differ.
    ValueError
        If there is no layer, sizes do not fit, a layer with parameters occurs twice, or the loss
        is unknown.

    Examples
    --------
    >>> from jacchain.networks import AffineLayer
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
        object.__setattr__(self, "layers", as_tuple(layers, Layer, "the layers"))
        object.__setattr__(self, "loss", as_loss(loss))
        check_layers(self.layers)

    def __repr__(self) -> str:
        """Return the sizes, the loss and the dtype."""
        sizes = dims_text(self.sizes)[1:-1].replace(", ", " -> ")
        return f"Network({sizes}, {self.loss.name}, {self.dtype})"

    def _repr_html_(self) -> str:
        """Show a notebook the layers."""
        rows = (
            (place, layer, layer.input_size, layer.output_size, f"{_count(layer.parameters):,}")
            for place, layer in enumerate(self.layers, start=1)
        )
        columns = ("layer", "kind", "inputs", "outputs", "parameters")
        total = f"{_count(self.parameters):,} parameters"
        return html_table(f"network, {self.loss.name}, {self.dtype}", columns, rows, total)

    @property
    def sizes(self) -> tuple[int, ...]:
        """`(|x|, |z_1|, ..., |z_L|)`, the input first."""
        return (self.layers[0].input_size, *(layer.output_size for layer in self.layers))

    @property
    def dims(self) -> tuple[int, ...]:
        """`(1, |z_L|, ..., |z_1|, |x|)`, the dims of the chain, enough for planning."""
        return (1, *reversed(self.sizes))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all parameters and results."""
        return self.layers[0].dtype

    @property
    def parameters(self) -> dict[str, Array]:
        """Return all parameters by name, ``W1``, ``b1``, ``W2`` and so on: layers count from 1."""
        return numbered(layer.parameters for layer in self.layers)

    def forward(self, x: npt.ArrayLike) -> ForwardPass:
        """Return the forward pass from `x`, of shape `(|x|,)`; raises as `chain`."""
        return trace(self.layers, self.as_input(x))

    def loss_value(self, x: npt.ArrayLike, target: npt.ArrayLike) -> float:
        """Return the loss at a point; takes and raises what `chain` does.

        Raises ValueError also if the loss is too large for the network's dtype.
        """
        output = self.forward(x).output
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(self.loss.value(output, self.as_target(target)))
        if not np.isfinite(value):
            largest = np.abs(output).max()
            message = f"the loss of outputs up to {largest:.3g} is {value}: beyond {self.dtype}; "
            message += "scale the network down"
            raise ValueError(message)
        return value

    def chain(self, x: npt.ArrayLike, target: npt.ArrayLike) -> Chain:
        """Return the Jacobian chain of the loss by the input, at a point.

        Its factors are the row `dl/dz_L`, then `dz_i/dz_{i-1}` for `i = L .. 1`, which is
        `diag(s'(a_i)) W_i` for an affine layer. Its dims are `(1, |z_L|, ..., |z_1|, |x|)`.

        Parameters
        ----------
        x
            The point, of shape `(|x|,)`, converted to the network's dtype.
        target
            An array of shape `(|z_L|,)`; for "cross_entropy", a class index or probabilities.

        Raises
        ------
        TypeError, ValueError
            If `x` or `target` is not real, of another shape, not finite, or not a target of the
            loss.

        Examples
        --------
        >>> from jacchain.networks import AffineLayer
        >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
        >>> chain = net.chain([3, -1], target=[5])
        >>> chain.dims
        (1, 1, 2)
        >>> [factor.to_dense().tolist() for factor in chain.factors]
        [[[-4.0]], [[1.0, 2.0]]]
        """
        forward = self.forward(x)
        factors = [self._row(forward, target), *jacobians(self.layers, forward)]
        return Chain(factors, check_finite=True)

    def _row(self, forward: ForwardPass, target: npt.ArrayLike) -> Jacobian:
        """Return `dl/dz_L`, `(1, |z_L|)`."""
        row = self.loss.row(forward.output, self.as_target(target))
        return DenseJacobian(row[np.newaxis])

    def parameter_chains(self, x: npt.ArrayLike, target: npt.ArrayLike) -> dict[str, Chain]:
        """Return the Jacobian chain of the loss by each parameter, at a point.

        The factors for a parameter `p` of layer i are `dl/dz_L`, `dz_L/dz_{L-1}`, ...,
        `dz_{i+1}/dz_i` and `dz_i/dp`; all but the last are shared between chains. The product is
        the gradient, row-major. Takes and raises what `chain` does.

        Examples
        --------
        >>> from jacchain.networks import AffineLayer
        >>> net = Network([AffineLayer([[1.0, 2.0]], [0.0])], "squared_error")
        >>> net.parameter_chains([3, -1], target=[5])
        {'W1': Chain(dims=(1, 1, 2), dtype=float64), 'b1': Chain(dims=(1, 1, 1), dtype=float64)}
        """
        forward = self.forward(x)
        row = self._row(forward, target)
        by_name = numbered(parameter_factors(self.layers, forward))
        return {name: Chain([row, *f], check_finite=True) for name, f in by_name.items()}

    def as_input(self, x: npt.ArrayLike) -> Array:
        """Return `x` validated, of shape `(|x|,)` and the network's dtype."""
        return as_array(x, "the input", self.sizes[:1], self.dtype)

    def as_target(self, target: npt.ArrayLike) -> Array:
        """Return `target` validated, of shape `(|z_L|,)` and the network's dtype."""
        return self.loss.as_target(target, self.sizes[-1], self.dtype)

    def as_inputs(self, inputs: npt.ArrayLike) -> Array:
        """Return a batch of points validated, of shape `(n, |x|)`."""
        return as_array(inputs, "the batch of inputs", (None, self.sizes[0]), self.dtype)

    def as_batch(self, inputs: npt.ArrayLike, targets: npt.ArrayLike) -> tuple[Array, Array]:
        """Return points `(n, |x|)` and targets `(n, |z_L|)` validated."""
        points = self.as_inputs(inputs)
        raw = np.atleast_1d(as_numpy(targets, "the batch of targets"))
        if len(raw) != len(points):
            message = f"{len(points)} inputs, but {len(raw)} targets; expected one for each input"
            raise ValueError(message)
        if raw.ndim > 1:
            return points, np.stack([self.as_target(target) for target in raw])
        classes, index = np.unique(raw, return_inverse=True)  # to validate a class only once
        return points, np.stack([self.as_target(target) for target in classes])[index]


def numbered(by_layer: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return `{"W1": ..., "W2": ...}` from the layers' `{"W": ...}`, layers counted from 1."""
    return {
        f"{name}{number}": value
        for number, by_name in enumerate(by_layer, start=1)
        for name, value in by_name.items()
    }


def _count(parameters: Mapping[str, Array]) -> int:
    return sum(array.size for array in parameters.values())


def with_parameters(
    layers: Iterable[Layer], parameters: Mapping[str, npt.ArrayLike]
) -> list[Layer]:
    """Return the layers with other parameters, named `{"W1": ..., "W2": ...}`."""
    return [
        layer.with_parameters({name: parameters[f"{name}{k}"] for name in layer.parameters})
        for k, layer in enumerate(layers, start=1)
    ]


def check_layers(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError or TypeError unless there are layers, and sizes and dtypes fit."""
    if not layers:
        message = "a network of no layers; expected at least one"
        raise ValueError(message)
    _check_not_shared(layers)
    for number, (before, layer) in enumerate(pairwise(layers), start=2):
        if layer.input_size != before.output_size:
            gives = f"layer {number - 1} gives {before.output_size}; make the two sizes equal"
            message = f"layer {number} takes {layer.input_size} elements, but {gives}"
            raise ValueError(message)
        if layer.dtype != before.dtype:
            earlier = f"layer {number - 1} {before.dtype}; expected one dtype for all layers"
            message = f"layer {number} is {layer.dtype}, but {earlier}"
            raise TypeError(message)


def _check_not_shared(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError if a layer with parameters occurs twice.

    Its parameters would have two names, and a step of gradient descent would separate them.
    """
    places: dict[int, int] = {}
    for number, layer in enumerate(layers, start=1):
        first = places.setdefault(id(layer), number)
        if first != number and layer.parameters:
            message = (
                f"layer {number} is layer {first} again, and would share its parameters; make two "
                "layers, or a RecurrentLayer, which uses its parameters in every step"
            )
            raise ValueError(message)
