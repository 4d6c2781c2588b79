"""The same layers, losses and networks in PyTorch; x is a batch `(n, size)`."""

from itertools import pairwise

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from jacchain import networks
from tests.peers.cases import forward


def softplus(a):
    """Raise the threshold above which torch returns `a` itself, 20 by default."""
    return functional.softplus(a, threshold=100)


ACTIVATIONS = {
    "identity": lambda a: a,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": functional.relu,
    "softplus": softplus,
    "gelu": functional.gelu,
}


def affine(x, W, b, *, activation):
    return ACTIVATIONS[activation](functional.linear(x, W, b))


def convolution(x, W, b, *, size, activation, **windows):
    convolve = (functional.conv1d, functional.conv2d)[len(size) - 1]
    channels = windows.get("groups", 1) * W.shape[1]
    a = convolve(x.reshape(len(x), channels, *size), W, b, **windows)
    return ACTIVATIONS[activation](a).flatten(1)


def pooling(*by_axes):
    def pool(x, *, channels, size, kernel, stride, padding=0, ceil=False):
        images, ends = x.reshape(-1, channels, *size), {"padding": padding, "ceil_mode": ceil}
        return by_axes[len(size) - 1](images, kernel, stride, **ends).flatten(1)

    return pool


def flatten(x, *, shape, axes):
    moved = axes or range(len(shape))
    return x.reshape(-1, *shape).permute(0, *(axis + 1 for axis in moved)).flatten(1)


def recurrent(kind):
    """Return a function for the outputs of a module, whose second bias is ours beyond the first."""

    def outputs(x, Wx, Wh, b, *, steps, sequence=False):
        module = kind(Wx.shape[1], Wh.shape[1], batch_first=True, dtype=x.dtype)
        first, more = b[: len(Wx)], b[len(Wx) :]
        second = torch.cat([torch.zeros(len(Wx) - len(more), dtype=x.dtype), more])
        weights = {"weight_ih_l0": Wx, "weight_hh_l0": Wh}
        parameters = {**weights, "bias_ih_l0": first, "bias_hh_l0": second}
        every, _ = functional_call(module, parameters, x.reshape(len(x), steps, -1))
        return every.flatten(1) if sequence else every[:, -1]

    return outputs


def normalisation(x, gamma, beta, *, epsilon):
    return functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)


def residual(x, *, inside, **arrays):
    return x + forward(LAYERS, inside, arrays, x, "_")


LAYERS = {
    networks.AffineLayer: affine,
    networks.ConvolutionLayer: convolution,
    networks.AveragePoolingLayer: pooling(functional.avg_pool1d, functional.avg_pool2d),
    networks.MaxPoolingLayer: pooling(functional.max_pool1d, functional.max_pool2d),
    networks.FlattenLayer: flatten,
    networks.RecurrentLayer: recurrent(nn.RNN),
    networks.GRULayer: recurrent(nn.GRU),
    networks.LSTMLayer: recurrent(nn.LSTM),
    networks.LayerNormalisation: normalisation,
    networks.ResidualLayer: residual,
}


def squared_error(z, target):
    return functional.mse_loss(z, target, reduction="sum") / (2 * len(z))


# Means over a batch.
LOSSES = {"squared_error": squared_error, "cross_entropy": functional.cross_entropy}


def perceptron(*sizes):
    """Return affine modules with tanh between them."""
    linear = [nn.Linear(*pair) for pair in pairwise(sizes)]
    return [linear[0], *(module for later in linear[1:] for module in (nn.Tanh(), later))]


def lenet_300_100():
    return nn.Sequential(*perceptron(784, 300, 100, 10))


def lenet_5():
    first = [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)]
    second = [nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()]
    rest = perceptron(400, 120, 84, 10)
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *first, *second, *rest)


def published(build):
    """Return the output of a module with our parameters, in our order, in place of its own."""
    module = build()
    names = [name for name, _ in module.named_parameters()]

    def output(arrays, x):
        parameters = [array for name, array in arrays.items() if name != "x"]
        return functional_call(module, dict(zip(names, parameters, strict=True)), x)

    return output


ZOO = {"lenet-300-100": published(lenet_300_100), "lenet-5": published(lenet_5)}


def jacobians(function, arrays):
    """Return the output of a function of arrays by name, and its Jacobians by array."""
    tensors = tuple(torch.tensor(array) for array in arrays.values())

    def output(*tensors):
        return function(dict(zip(arrays, tensors, strict=True)))

    by_name = zip(arrays, torch.autograd.functional.jacobian(output, tensors), strict=True)
    z = output(*tensors)
    return z.numpy(), {name: j.numpy().reshape(len(z), -1) for name, j in by_name}


def gradients(function, arrays):
    """Return the gradients of a scalar function of arrays by name."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    results = torch.autograd.grad(function(tensors), list(tensors.values()))
    return {name: gradient.numpy() for name, gradient in zip(arrays, results, strict=True)}


def as_target(target, dtype):
    """Return targets as a tensor; class indices stay integers."""
    return torch.tensor(target.astype(dtype) if target.dtype.kind == "f" else target)
