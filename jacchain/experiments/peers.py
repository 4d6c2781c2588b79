"""The same gradients by PyTorch and JAX, on the same networks and data.

Kernels return when the result is there: a framework may compute after its call has returned.
"""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.layers import AffineLayer
from jacchain.networks.network import Network
from jacchain.networks.pooling import AveragePoolingLayer

Array = NDArray[Any]
Kernel = Callable[[], dict[str, Any]]


def torch_gradients(network: Network, inputs: Array, classes: Array) -> Kernel:
    """All gradients of the mean cross-entropy, by torch.autograd.grad.

    Its threads are those of the process's environment, as those of BLAS.
    """
    import torch

    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in network.parameters.items()}
    leaves["x"] = torch.tensor(inputs, requires_grad=True)
    wanted = torch.tensor(classes)

    def run() -> dict[str, Any]:
        logits = _torch_forward(network, leaves)
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))

    return run


def _torch_forward(network: Network, leaves: dict[str, Any]) -> Any:
    import torch

    of, z = torch.nn.functional, leaves["x"]
    w: Any
    for number, layer in enumerate(network.layers, start=1):
        W, b = _weights(leaves, number)
        match layer:
            case AffineLayer():
                z = of.linear(z.flatten(1), W, b)
            case ConvolutionLayer():
                w = layer.windows
                images = z.reshape(len(z), layer.weight.shape[1], *w.size)
                z = of.conv2d(images, W, b, w.stride, w.padding, w.dilation)
            case AveragePoolingLayer():
                w = layer.windows
                z = of.avg_pool2d(z, w.kernel, w.stride)
            case _:
                raise TypeError(_UNKNOWN.format(layer))
        z = torch.tanh(z) if _is_tanh(layer) else z
    return z


def jax_gradients(network: Network, inputs: Array, classes: Array) -> Kernel:
    """All gradients of the mean cross-entropy, by jax.grad, jitted and compiled already."""
    import jax

    leaves = _jax_leaves(network, inputs)
    wanted = jax.numpy.asarray(classes)
    compiled = _compiled(network, leaves, wanted)
    return lambda: dict(jax.block_until_ready(compiled(leaves, wanted)))


def compile_seconds(network: Network, inputs: Array, classes: Array) -> float:
    """Seconds that jax takes to trace and compile these gradients."""
    import jax

    leaves, wanted = _jax_leaves(network, inputs), jax.numpy.asarray(classes)
    start = perf_counter()
    _compiled(network, leaves, wanted)
    return perf_counter() - start


def _compiled(network: Network, leaves: dict[str, Any], wanted: Any) -> Any:
    import jax

    def loss(leaves: dict[str, Any], wanted: Any) -> Any:
        likely = jax.nn.log_softmax(_jax_forward(network, leaves))
        return -jax.numpy.take_along_axis(likely, wanted[:, None], axis=1).mean()

    return jax.jit(jax.grad(loss)).lower(leaves, wanted).compile()


def _jax_leaves(network: Network, inputs: Array) -> dict[str, Any]:
    import jax

    jax.config.update("jax_enable_x64", inputs.dtype == np.float64)
    named = {**network.parameters, "x": inputs}
    return {name: jax.numpy.asarray(array) for name, array in named.items()}


def _jax_forward(network: Network, leaves: dict[str, Any]) -> Any:
    import jax

    z = leaves["x"]
    w: Any
    for number, layer in enumerate(network.layers, start=1):
        W, b = _weights(leaves, number)
        match layer:
            case AffineLayer():
                z = z.reshape(len(z), -1) @ W.T + b
            case ConvolutionLayer():
                w = layer.windows
                images = z.reshape(len(z), layer.weight.shape[1], *w.size)
                around = [(p, p) for p in w.padding]
                z = jax.lax.conv_general_dilated(
                    images, W, w.stride, around, rhs_dilation=w.dilation
                )
                z = z + b[:, None, None]
            case AveragePoolingLayer():
                w = layer.windows
                window, strides = (1, 1, *w.kernel), (1, 1, *w.stride)
                sums = jax.lax.reduce_window(z, 0.0, jax.lax.add, window, strides, "VALID")
                z = sums / np.prod(w.kernel)
            case _:
                raise TypeError(_UNKNOWN.format(layer))
        z = jax.numpy.tanh(z) if _is_tanh(layer) else z
    return z


def jax_jacobian(network: Network, x: Array, mode: str) -> Callable[[], Array]:
    """The Jacobian of the output by the input at a point, by jax.jacrev or jax.jacfwd, jitted."""
    import jax

    leaves = _jax_leaves(network, x)
    point = leaves.pop("x")

    def output(point: Any) -> Any:
        return _jax_forward(network, leaves | {"x": point[None]})[0]

    compiled = jax.jit(getattr(jax, mode)(output)).lower(point).compile()
    return lambda: np.asarray(jax.block_until_ready(compiled(point)))


def sweep_multiplications(network: Network, samples: int) -> int:
    """Of all gradients of affine layers: forward, by the weights, and by the inputs."""
    return 3 * samples * sum(m * n for m, n in pairwise(network.sizes))


_UNKNOWN = "no translation of {!r} to other frameworks; add one here"


def _weights(leaves: dict[str, Any], number: int) -> tuple[Any, Any]:
    """`W` and `b` of a layer; None of one without."""
    return leaves.get(f"W{number}"), leaves.get(f"b{number}")


def _is_tanh(layer: Any) -> bool:
    return getattr(getattr(layer, "activation", None), "name", "") == "tanh"
