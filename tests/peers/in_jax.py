"""The same layers, losses and networks in JAX; x is a batch `(n, size)`."""

import jax
import numpy as np
from jax import lax, nn
from jax import numpy as jnp

from jacchain import networks
from tests.peers.cases import forward

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

ACTIVATIONS = {
    "identity": nn.identity,
    "tanh": nn.tanh,
    "sigmoid": nn.sigmoid,
    "relu": nn.relu,
    "softplus": nn.softplus,
    "gelu": lambda a: nn.gelu(a, approximate=False),
}


def affine(x, W, b, *, activation):
    return ACTIVATIONS[activation](x @ W.T + b)


def convolution(x, W, b, *, size, activation, stride, padding, dilation, groups=1):
    images, zeros = x.reshape(len(x), groups * W.shape[1], *size), [(p, p) for p in padding]
    options = {"rhs_dilation": dilation, "feature_group_count": groups}
    a = lax.conv_general_dilated(images, W, stride, zeros, **options)
    return ACTIVATIONS[activation](a + b.reshape(-1, *(1 for _ in size))).reshape(len(x), -1)


def beyond(n, k, s, p, *, ceil):
    """Return the places that windows need beyond the padding; none may begin in the padding."""
    more = (-(n + 2 * p - k) % s) if ceil else 0
    return more if n + 2 * p - k + more < n + p else 0


def reduced(images, start, operation, ends, kernel, stride):
    """Reduce windows of images `(n, channels, *size)`, with places added at the ends."""
    windows = (1, 1, *kernel), (1, 1, *stride), ((0, 0), (0, 0), *ends)
    return lax.reduce_window(images, start, operation, *windows).reshape(len(images), -1)


def pooling(reduce):
    def pool(x, *, channels, size, kernel, stride, padding=None, ceil=False):
        images, strides = x.reshape(len(x), channels, *size), stride or kernel
        zeros = padding or (0,) * len(size)
        axes = zip(size, kernel, strides, zeros, strict=True)
        more = [beyond(*axis, ceil=ceil) for axis in axes]
        return reduce(images, zeros, more, kernel, strides)

    return pool


def average(images, padding, more, *windows):
    """Divide sums by what they are of: elements and padding, but nothing beyond."""
    ends = [(p, p + extra) for p, extra in zip(padding, more, strict=True)]
    ones = jnp.ones((1, images.shape[1], *np.add(images.shape[2:], 2 * np.array(padding))))
    counts = reduced(ones, 0.0, lax.add, [(0, extra) for extra in more], *windows)
    return reduced(images, 0.0, lax.add, ends, *windows) / counts.astype(images.dtype)


def largest(images, padding, more, *windows):
    ends = [(p, p + extra) for p, extra in zip(padding, more, strict=True)]
    return reduced(images, -jnp.inf, lax.max, ends, *windows)


def flatten(x, *, shape, axes):
    moved = axes or range(len(shape))
    images = x.reshape(len(x), *shape)
    return images.transpose(0, *(axis + 1 for axis in moved)).reshape(len(x), -1)


def scanned(step, start, x, steps, *, sequence):
    """Return the first state after the last step, or after every step."""

    def kept(states, x_t):
        after = step(x_t, *states)
        return after, after[0]

    inputs = jnp.swapaxes(x.reshape(len(x), steps, -1), 0, 1)
    last, every = lax.scan(kept, start, inputs)
    return jnp.swapaxes(every, 0, 1).reshape(len(x), -1) if sequence else last[0]


def recurrent(x, Wx, Wh, b, *, steps, sequence=False):
    def step(x_t, h):
        return (jnp.tanh(x_t @ Wx.T + h @ Wh.T + b),)

    start = (jnp.zeros((len(x), len(Wh)), x.dtype),)
    return scanned(step, start, x, steps, sequence=sequence)


def gru(x, Wx, Wh, b, *, steps, sequence=False):
    """Follow cuDNN, with a matrix for each gate and the reset gate after the product."""
    by_input, by_state, bias = jnp.split(Wx, 3), jnp.split(Wh, 3), jnp.split(b, 4)

    def step(x_t, h):
        r, u, n = (x_t @ U.T + s for U, s in zip(by_input, bias[:3], strict=True))
        r, u = nn.sigmoid(r + h @ by_state[0].T), nn.sigmoid(u + h @ by_state[1].T)
        n = jnp.tanh(n + r * (h @ by_state[2].T + bias[3]))
        return ((1 - u) * n + u * h,)

    start = (jnp.zeros((len(x), Wh.shape[1]), x.dtype),)
    return scanned(step, start, x, steps, sequence=sequence)


def lstm(x, Wx, Wh, b, *, steps, sequence=False):
    """Follow the equations of Gers et al., 2000, with a matrix for each gate."""
    by_input, by_state, bias = (jnp.split(array, 4) for array in (Wx, Wh, b))

    def step(x_t, h, c):
        put, keep, new, show = (
            x_t @ U.T + h @ V.T + s for U, V, s in zip(by_input, by_state, bias, strict=True)
        )
        c = nn.sigmoid(keep) * c + nn.sigmoid(put) * jnp.tanh(new)
        return nn.sigmoid(show) * jnp.tanh(c), c

    zeros = jnp.zeros((len(x), Wh.shape[1]), x.dtype)
    return scanned(step, (zeros, zeros), x, steps, sequence=sequence)


def normalisation(x, gamma, beta, *, epsilon):
    return gamma * nn.standardize(x, epsilon=epsilon) + beta


def residual(x, *, inside, **arrays):
    return x + forward(LAYERS, inside, arrays, x, "_")


LAYERS = {
    networks.AffineLayer: affine,
    networks.ConvolutionLayer: convolution,
    networks.AveragePoolingLayer: pooling(average),
    networks.MaxPoolingLayer: pooling(largest),
    networks.FlattenLayer: flatten,
    networks.RecurrentLayer: recurrent,
    networks.GRULayer: gru,
    networks.LSTMLayer: lstm,
    networks.LayerNormalisation: normalisation,
    networks.ResidualLayer: residual,
}


def squared_error(z, target):
    return jnp.square(z - target).sum(axis=1).mean() / 2


def cross_entropy(z, target):
    p = nn.one_hot(target, z.shape[1], dtype=z.dtype) if target.ndim == 1 else target
    return -(p * nn.log_softmax(z)).sum(axis=1).mean()


# Means over a batch.
LOSSES = {"squared_error": squared_error, "cross_entropy": cross_entropy}


def perceptron(arrays, x, numbers):
    """Apply affine layers by number, with tanh after all but the last."""
    *hidden, last = numbers
    for k in hidden:
        x = jnp.tanh(x @ arrays[f"W{k}"].T + arrays[f"b{k}"])
    return x @ arrays[f"W{last}"].T + arrays[f"b{last}"]


def lenet_300_100(arrays, x):
    return perceptron(arrays, x, (1, 2, 3))


def lenet_5(arrays, x):
    """Apply LeNet-5, whose pooling layers are numbers 2 and 4."""
    z = x.reshape(-1, 1, 28, 28)
    for k, padding in ((1, "SAME"), (3, "VALID")):
        a = lax.conv_general_dilated(z, arrays[f"W{k}"], (1, 1), padding)
        z = jnp.tanh(a + arrays[f"b{k}"][:, None, None])
        samples, channels, rows, columns = z.shape
        z = z.reshape(samples, channels, rows // 2, 2, columns // 2, 2).mean(axis=(3, 5))
    return perceptron(arrays, z.reshape(len(x), 400), (5, 6, 7))


ZOO = {"lenet-300-100": lenet_300_100, "lenet-5": lenet_5}


def compiled(function):
    """Compile without optimisation, which would take longer than it saves."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def jacobians(function, arrays):
    """Return the output of a function of arrays by name, and its Jacobians by array."""

    def forward_by_x_else_reverse(arrays):
        by_x = jax.jacfwd(lambda x: function({**arrays, "x": x}))(arrays["x"])
        return function(arrays), {**jax.jacrev(function)(arrays), "x": by_x}

    z, by_name = compiled(forward_by_x_else_reverse)(arrays)
    return np.asarray(z), {name: np.reshape(j, (len(z), -1)) for name, j in by_name.items()}


def gradients(function, arrays):
    """Return the gradients of a scalar function of arrays by name."""
    return {name: np.asarray(g) for name, g in compiled(jax.grad(function))(arrays).items()}


def as_target(target, dtype):
    """Return targets as a JAX array; class indices stay integers."""
    return jnp.asarray(target, dtype if target.dtype.kind == "f" else None)
