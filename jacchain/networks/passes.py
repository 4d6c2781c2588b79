"""Forward passes, and forward- and reverse-mode sweeps over the values they stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import starmap

from jacchain.jacobians.base import Jacobian
from jacchain.networks.arrays import Array
from jacchain.networks.layer import Layer, Visit


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What a forward pass computed, at one point or for a batch."""

    outputs: tuple[Array, ...]  #: `z_0 .. z_L`, where `z_0` is the input, of shapes `(..., |z_i|)`.
    preactivations: tuple[Array, ...]  #: `a_1 .. a_L`, of shapes `(..., |a_i|)`.

    @property
    def output(self) -> Array:
        """`z_L`, the argument of the loss."""
        return self.outputs[-1]

    def steps(self, layers: Iterable[Layer]) -> list[tuple[Layer, Visit]]:
        """Return each layer with what the pass stored at it, first to last."""
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


def jacobians(layers: Iterable[Layer], forward: ForwardPass) -> list[Jacobian]:
    """Return `dz_i/dz_{i-1}` at a point, last layer first, in the order of a chain."""
    return [layer.jacobian(visit) for layer, visit in reversed(forward.steps(layers))]


def parameter_factors(
    layers: Iterable[Layer], forward: ForwardPass
) -> list[dict[str, list[Jacobian]]]:
    """Return the factors of `dz_L/dp` at a point for every layer's parameters p, `dp` last."""
    factors = jacobians(layers, forward)
    by_layer = (layer.parameter_jacobians(visit) for layer, visit in forward.steps(layers))
    return [
        {name: [*factors[: len(factors) - i], jacobian] for name, jacobian in own.items()}
        for i, own in enumerate(by_layer, start=1)
    ]


def pull_back(
    layers: Iterable[Layer], forward: ForwardPass, adjoints: Array
) -> tuple[list[dict[str, Array]], Array]:
    """Return the parameter gradients of each layer and the input adjoints `(n, |x|)`.

    Takes output adjoints `(n, |z_L|)`, one sample a row, and sweeps from the last layer.
    """
    by_layer = []
    for layer, visit in reversed(forward.steps(layers)):
        by_name, adjoints = layer.pullback(adjoints, visit)
        by_layer.append(by_name)
    return by_layer[::-1], adjoints


def pull_rows(layers: Iterable[Layer], forward: ForwardPass, adjoints: Array) -> Array:
    """Return adjoints `(n, |z_L|)` times all Jacobians, none of them built: `(n, |x|)`."""
    for layer, visit in reversed(forward.steps(layers)):
        adjoints = layer.vjp(adjoints, visit)
    return adjoints


def push_forward(layers: Iterable[Layer], forward: ForwardPass, tangents: Array) -> Array:
    """Return all Jacobians, none of them built, times tangents `(n, |x|)`: `(n, |z_L|)`."""
    for layer, visit in forward.steps(layers):
        tangents = layer.jvp(tangents, visit)
    return tangents
