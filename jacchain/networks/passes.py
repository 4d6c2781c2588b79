"""Passes through layers: forwards, and with adjoints or tangents along what that one left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING

from jacchain.networks.layers import Visit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jacchain.jacobians.base import Jacobian
    from jacchain.networks.arrays import Array
    from jacchain.networks.layers import Layer


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What a forward pass computed, at one point or for a batch.

    Attributes
    ----------
    outputs
        `z_0 .. z_L`, where `z_0` is the input, each of shape `(..., |z_i|)`.
    preactivations
        `a_1 .. a_L`, each of shape `(..., |z_i|)`.
    """

    outputs: tuple[Array, ...]
    preactivations: tuple[Array, ...]

    @property
    def output(self) -> Array:
        """`z_L`, what the loss is taken of."""
        return self.outputs[-1]

    def steps(self, layers: Iterable[Layer]) -> list[tuple[Layer, Visit]]:
        """Each layer with what the pass left at it, the input's layer first."""
        arrays = zip(self.outputs[:-1], self.preactivations, self.outputs[1:], strict=True)
        return list(zip(layers, starmap(Visit, arrays), strict=True))


def trace(layers: Iterable[Layer], inputs: Array) -> ForwardPass:
    """Return the forward pass of validated `inputs`, a point `(|x|,)` or a batch `(n, |x|)`."""
    outputs, preactivations = [inputs], []
    for layer in layers:
        preactivation, output = layer.forward(outputs[-1])
        preactivations.append(preactivation)
        outputs.append(output)
    return ForwardPass(tuple(outputs), tuple(preactivations))


def jacobians(layers: Iterable[Layer], passed: ForwardPass) -> list[Jacobian]:
    """Return `dz_i/dz_{i-1}` of each layer at a point, the last first, as a chain has them."""
    return [layer.jacobian(visit) for layer, visit in reversed(passed.steps(layers))]


def pull_back(
    layers: Iterable[Layer], passed: ForwardPass, adjoints: Array
) -> tuple[list[dict[str, Array]], Array]:
    """Return the gradients by each layer's parameters, in a sweep from the last, and by the inputs.

    `adjoints` are those of the outputs, one sample a row.
    """
    by_layer = []
    for layer, visit in reversed(passed.steps(layers)):
        by_name, adjoints = layer.pullback(adjoints, visit)
        by_layer.append(by_name)
    return by_layer[::-1], adjoints


def pull_rows(layers: Iterable[Layer], passed: ForwardPass, adjoints: Array) -> Array:
    """Return adjoints `(n, |z_L|)` times all Jacobians, of which none is built: `(n, |x|)`."""
    for layer, visit in reversed(passed.steps(layers)):
        adjoints = layer.vjp(adjoints, visit)
    return adjoints


def push_forward(layers: Iterable[Layer], passed: ForwardPass, tangents: Array) -> Array:
    """Return all Jacobians, of which none is built, times tangents `(n, |x|)`: `(n, |z_L|)`."""
    for layer, visit in passed.steps(layers):
        tangents = layer.jvp(tangents, visit)
    return tangents
