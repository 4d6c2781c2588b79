"""What PyTorch makes of the same layers, losses and networks; x is a batch, one sample a row."""

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

import jacchain as jc
from tests.peers.cases import forward


def softplus(a):
    """Without torch's own bound, a = 20, beyond which it takes `a` for it."""
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
    a = convolve(x.reshape(len(x), W.shape[1], *size), W, b, **windows)
    return ACTIVATIONS[activation](a).flatten(1)


def pooling(*by_axes):
    def pool(x, *, channels, size, kernel, stride):
        return by_axes[len(size) - 1](x.reshape(-1, channels, *size), kernel, stride).flatten(1)

    return pool


def flatten(x, *, shape, axes):
    moved = axes or range(len(shape))
    return x.reshape(-1, *shape).permute(0, *(axis + 1 for axis in moved)).flatten(1)


def recurrent(kind):
    """The last output of a module; of its two biases the second is 0."""

    def last(x, Wx, Wh, b, *, steps):
        module = kind(Wx.shape[1], Wh.shape[1], batch_first=True, dtype=x.dtype)
        parameters = {"weight_ih_l0": Wx, "weight_hh_l0": Wh,
                      "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)}  # fmt: skip
        outputs, _ = functional_call(module, parameters, x.reshape(len(x), steps, -1))
        return outputs[:, -1]

    return last


def normalisation(x, gamma, beta, *, epsilon):
    return functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)


def residual(x, *, inside, **arrays):
    return x + forward(LAYERS, inside, arrays, x, "_")


LAYERS = {
    jc.AffineLayer: affine,
    jc.ConvolutionLayer: convolution,
    jc.AveragePoolingLayer: pooling(functional.avg_pool1d, functional.avg_pool2d),
    jc.MaxPoolingLayer: pooling(functional.max_pool1d, functional.max_pool2d),
    jc.FlattenLayer: flatten,
    jc.RecurrentLayer: recurrent(nn.RNN),
    jc.LSTMLayer: recurrent(nn.LSTM),
    jc.LayerNormalisation: normalisation,
    jc.ResidualLayer: residual,
}


def squared_error(z, target):
    return functional.mse_loss(z, target, reduction="sum") / (2 * len(z))


# The mean over a batch.
LOSSES = {"squared_error": squared_error, "cross_entropy": functional.cross_entropy}


def lenet_300_100():
    return nn.Sequential(nn.Linear(784, 300), nn.Tanh(), nn.Linear(300, 100), nn.Tanh(),
                         nn.Linear(100, 10))  # fmt: skip


def lenet_5():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


def published(build):
    """A module with our arrays, weight before bias and layer after layer, in place of its own."""
    module = build()
    names = [name for name, _ in module.named_parameters()]

    def output(arrays, x):
        parameters = [array for name, array in arrays.items() if name != "x"]
        return functional_call(module, dict(zip(names, parameters, strict=True)), x)

    return output


ZOO = {"lenet-300-100": published(lenet_300_100), "lenet-5": published(lenet_5)}


def jacobians(function, arrays):
    """Output of a function of arrays by name, and its derivatives, a row for each element."""
    tensors = tuple(torch.tensor(array) for array in arrays.values())

    def output(*given):
        return function(dict(zip(arrays, given, strict=True)))

    found = torch.autograd.functional.jacobian(output, tensors)
    by_name = zip(arrays, found, strict=True)
    z = output(*tensors)
    return z.numpy(), {name: j.numpy().reshape(len(z), -1) for name, j in by_name}


def gradients(function, arrays):
    """Derivatives of a scalar function of arrays by name."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    found = torch.autograd.grad(function(tensors), list(tensors.values()))
    return {name: gradient.numpy() for name, gradient in zip(arrays, found, strict=True)}


def as_target(target, dtype):
    """Class indices stay integers."""
    return torch.tensor(target.astype(dtype) if target.dtype.kind == "f" else target)
