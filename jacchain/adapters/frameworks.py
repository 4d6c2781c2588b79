"""Networks of ours carried out by torch and jax, on the same parameters and data.

Calls return when the result is there: a framework may compute after its own call has returned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.networks import AffineLayer, AveragePoolingLayer, ConvolutionLayer, Network
from jacchain.networks.activations import Activation

Array = NDArray[Any]
Kernel = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Functions:
    """A framework's functions on its own arrays of a batch.

    `affine` takes an array of shape (n, inputs), `convolve` and `average` of shape (n, channels,
    height, width) with the windows last, `tanh` any.
    """

    affine: Callable[[Any, Any, Any], Any]
    convolve: Callable[[Any, Any, Any, Any], Any]
    average: Callable[[Any, Any], Any]
    tanh: Callable[[Any], Any]


def forward(network: Network, arrays: Mapping[str, Any], functions: Functions) -> Any:
    """Return the output of a batch by a framework's functions, of shape `(n, |z_L|)`.

    `arrays` are the framework's: parameters by their names, and inputs "x" of shape `(n, |x|)`.

    Raises TypeError if a layer or an activation has no translation here.
    """
    z = arrays["x"]
    for number, layer in enumerate(network.layers, start=1):
        W, b = (arrays.get(f"{letter}{number}") for letter in "Wb")
        match layer:
            case AffineLayer():
                z = functions.affine(z.reshape(len(z), -1), W, b)
            case ConvolutionLayer(windows=w):
                z = functions.convolve(z.reshape(len(z), -1, *w.size), W, b, w)
            case AveragePoolingLayer(windows=w):
                z = functions.average(z.reshape(len(z), -1, *w.size), w)
            case _:
                raise TypeError(_UNKNOWN.format(layer))
        match getattr(layer, "activation", None):
            case Activation(name="tanh"):
                z = functions.tanh(z)
            case Activation(name=name) if name != "identity":
                raise TypeError(_UNKNOWN.format(layer))
    return z


_UNKNOWN = "no translation of {!r} to other frameworks; add one here"


def torch_gradients(network: Network, inputs: Array, classes: Array) -> Kernel:
    """Prepare all gradients of the mean cross-entropy, by torch.autograd.grad.

    Its threads are those of the process's environment, as those of BLAS.
    """
    import torch
    from torch.nn import functional

    functions = Functions(
        functional.linear,
        lambda z, W, b, w: functional.conv2d(z, W, b, w.stride, w.padding, w.dilation),
        lambda z, w: functional.avg_pool2d(z, w.kernel, w.stride),
        torch.tanh,
    )
    named = {**network.parameters, "x": inputs}
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in named.items()}
    targets = torch.tensor(classes)

    def run() -> dict[str, Any]:
        loss = functional.cross_entropy(forward(network, leaves, functions), targets)
        return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))

    return run


def jax_gradients(network: Network, inputs: Array, classes: Array) -> Kernel:
    """Prepare all gradients of the mean cross-entropy, by jax.grad, jitted and compiled."""
    import jax

    leaves, targets = _jax_leaves(network, inputs), jax.numpy.asarray(classes)
    compiled = _compiled(network, leaves, targets)
    return lambda: dict(jax.block_until_ready(compiled(leaves, targets)))


def compile_seconds(network: Network, inputs: Array, classes: Array) -> float:
    """Return the seconds that jax takes to trace and compile these gradients."""
    import jax

    leaves, targets = _jax_leaves(network, inputs), jax.numpy.asarray(classes)
    start = perf_counter()
    _compiled(network, leaves, targets)
    return perf_counter() - start


def jax_jacobian(network: Network, x: Array, mode: str) -> Callable[[], Array]:
    """Prepare the Jacobian of the output by the input at a point, jitted and compiled.

    `x` is of shape ``(|x|,)``, `mode` "jacrev" or "jacfwd"; the result of shape ``(|z_L|, |x|)``.
    """
    import jax

    leaves, functions = _jax_leaves(network, x), _jax_functions()
    point = leaves.pop("x")

    def output(point: Any) -> Any:
        return forward(network, leaves | {"x": point[None]}, functions)[0]

    compiled = jax.jit(getattr(jax, mode)(output)).lower(point).compile()
    return lambda: np.asarray(jax.block_until_ready(compiled(point)))


def _compiled(network: Network, leaves: dict[str, Any], targets: Any) -> Any:
    import jax

    functions = _jax_functions()

    def loss(leaves: dict[str, Any], targets: Any) -> Any:
        likely = jax.nn.log_softmax(forward(network, leaves, functions))
        return -jax.numpy.take_along_axis(likely, targets[:, None], axis=1).mean()

    return jax.jit(jax.grad(loss)).lower(leaves, targets).compile()


def _jax_leaves(network: Network, inputs: Array) -> dict[str, Any]:
    import jax

    jax.config.update("jax_enable_x64", inputs.dtype == np.float64)
    named = {**network.parameters, "x": inputs}
    return {name: jax.numpy.asarray(array) for name, array in named.items()}


def _jax_functions() -> Functions:
    import jax
    from jax import lax

    def convolve(z: Any, W: Any, b: Any, w: Any) -> Any:
        around = [(p, p) for p in w.padding]
        products = lax.conv_general_dilated(z, W, w.stride, around, rhs_dilation=w.dilation)
        return products + b[:, None, None]

    def average(z: Any, w: Any) -> Any:
        sums = lax.reduce_window(z, 0.0, lax.add, (1, 1, *w.kernel), (1, 1, *w.stride), "VALID")
        return sums / prod(w.kernel)

    return Functions(lambda z, W, b: z @ W.T + b, convolve, average, jax.numpy.tanh)
