"""Random layers of every class, described so that a peer can compute the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from jacchain import networks
from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.losses import LOSSES

small = st.integers(1, 4)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
activations = st.sampled_from(sorted(ACTIVATIONS.entries))
losses = sorted(LOSSES.entries)


@dataclass(frozen=True)
class Case:
    """A layer's class, its parameters by name, and its other arguments by keyword."""

    kind: type
    arrays: dict[str, np.ndarray]
    options: dict[str, Any]

    def layer(self, dtype="float64"):
        """Return the layer with parameters of a dtype."""
        if self.kind is networks.ResidualLayer:
            return networks.ResidualLayer(case.layer(dtype) for case in self.options["inside"])
        if not self.arrays:
            return self.kind(**self.options, dtype=dtype)
        return self.kind(*(array.astype(dtype) for array in self.arrays.values()), **self.options)


def forward(layers, cases, arrays, x, ending=""):
    """Return the output of a batch `x`, `(n, size)`; `layers` has a peer's function by class."""
    for number, case in enumerate(cases, start=1):
        own = {name: arrays[f"{name}{number}{ending}"] for name in case.arrays}
        x = layers[case.kind](x, **own, **case.options)
    return x


def affine(rng, inputs, outputs, activation="identity"):
    """Return an affine layer with random parameters."""
    arrays = {"W": rng.normal(size=(outputs, inputs)), "b": rng.normal(size=outputs)}
    return Case(networks.AffineLayer, arrays, {"activation": activation})


@st.composite
def affines(draw):
    return affine(draw(generators), draw(small), draw(small), draw(activations))


def per_axis(draw, axes, least, most):
    return tuple(draw(st.integers(least, most)) for _ in range(axes))


@st.composite
def convolutions(draw):
    rng, axes = draw(generators), draw(st.sampled_from([2, 1]))
    kernel, stride = per_axis(draw, axes, 1, 3), per_axis(draw, axes, 1, 3)
    padding, dilation = per_axis(draw, axes, 0, 2), per_axis(draw, axes, 1, 3)
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
        for d, k, p in zip(dilation, kernel, padding, strict=True)
    )
    groups = draw(st.integers(1, 2))
    outputs, inputs = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    arrays = {"W": rng.normal(size=(outputs, inputs, *kernel)), "b": rng.normal(size=outputs)}
    windows = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    options = {"size": size, "activation": draw(activations), **windows}
    return Case(networks.ConvolutionLayer, arrays, options)


@st.composite
def poolings(draw, kind):
    axes = draw(st.sampled_from([2, 1]))
    kernel = per_axis(draw, axes, 1, 3)
    size = tuple(k + draw(st.integers(0, 4)) for k in kernel)
    stride = draw(st.one_of(st.none(), st.just(per_axis(draw, axes, 1, 3))))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    windows = {"size": size, "kernel": kernel, "stride": stride, "padding": padding}
    return Case(kind, {}, {"channels": draw(small), **windows, "ceil": draw(st.booleans())})


@st.composite
def flattenings(draw):
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    axes = st.none() | st.permutations(range(len(shape))).map(tuple)
    return Case(networks.FlattenLayer, {}, {"shape": shape, "axes": draw(axes)})


@st.composite
def recurrences(draw, kind):
    rng, inputs, states = draw(generators), draw(small), draw(small)
    rows, biases = kind.gates * states, kind.biases * states
    shapes = {"Wx": (rows, inputs), "Wh": (rows, states), "b": biases}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return Case(kind, arrays, {"steps": draw(small), "sequence": draw(st.booleans())})


@st.composite
def normalisations(draw):
    rng, size = draw(generators), draw(st.integers(1, 6))
    arrays = {name: rng.normal(size=size) for name in ("gamma", "beta")}
    epsilon = draw(st.sampled_from([1e-5, 1e-2]))
    return Case(networks.LayerNormalisation, arrays, {"epsilon": epsilon})


def block(inside):
    """Return a residual block of cases."""
    arrays = {
        f"{name}{number}_": array
        for number, case in enumerate(inside, start=1)
        for name, array in case.arrays.items()
    }
    return Case(networks.ResidualLayer, arrays, {"inside": inside})


@st.composite
def blocks(draw):
    """Draw a block of a layer of any class and an affine layer that restores its input size."""
    first = draw(CASES[draw(st.sampled_from(list(CASES)))])
    sizes = first.layer().output_size, first.layer().input_size
    return block([first, affine(draw(generators), *sizes, draw(activations))])


CASES = {
    networks.AffineLayer: affines(),
    networks.ConvolutionLayer: convolutions(),
    networks.AveragePoolingLayer: poolings(networks.AveragePoolingLayer),
    networks.MaxPoolingLayer: poolings(networks.MaxPoolingLayer),
    networks.FlattenLayer: flattenings(),
    networks.RecurrentLayer: recurrences(networks.RecurrentLayer),
    networks.GRULayer: recurrences(networks.GRULayer),
    networks.LSTMLayer: recurrences(networks.LSTMLayer),
    networks.LayerNormalisation: normalisations(),
    networks.ResidualLayer: blocks(),
}
