"""Layers at random: one maker for each class, and what a peer must know to compute the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import jacchain as jc
from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.losses import LOSSES

small = st.integers(1, 4)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
activations = st.sampled_from(sorted(ACTIVATIONS))
losses = sorted(LOSSES)


@dataclass(frozen=True)
class Case:
    """A layer by its class, its parameters by name, and all else by keyword."""

    kind: type
    arrays: dict[str, np.ndarray]
    options: dict[str, Any]

    def layer(self, dtype="float64"):
        """The layer; dtype is its parameters' too."""
        if self.kind is jc.ResidualLayer:
            return jc.ResidualLayer(case.layer(dtype) for case in self.options["inside"])
        if not self.arrays:
            return self.kind(**self.options, dtype=dtype)
        return self.kind(*(array.astype(dtype) for array in self.arrays.values()), **self.options)


def forward(layers, cases, arrays, x, ending=""):
    """Output of a batch `x`, where `layers` has a peer's function for each class."""
    for number, case in enumerate(cases, start=1):
        own = {name: arrays[f"{name}{number}{ending}"] for name in case.arrays}
        x = layers[case.kind](x, **own, **case.options)
    return x


def affine(rng, inputs, outputs, activation="identity"):
    """An affine layer of these sizes."""
    arrays = {"W": rng.normal(size=(outputs, inputs)), "b": rng.normal(size=outputs)}
    return Case(jc.AffineLayer, arrays, {"activation": activation})


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
    outputs, inputs = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    arrays = {"W": rng.normal(size=(outputs, inputs, *kernel)), "b": rng.normal(size=outputs)}
    options = {
        "size": size, "activation": draw(activations),
        "stride": stride, "padding": padding, "dilation": dilation,
    }  # fmt: skip
    return Case(jc.ConvolutionLayer, arrays, options)


@st.composite
def poolings(draw, kind):
    axes = draw(st.sampled_from([2, 1]))
    kernel = per_axis(draw, axes, 1, 3)
    size = tuple(k + draw(st.integers(0, 4)) for k in kernel)
    stride = draw(st.one_of(st.none(), st.just(per_axis(draw, axes, 1, 3))))
    options = {"channels": draw(small), "size": size, "kernel": kernel, "stride": stride}
    return Case(kind, {}, options)


@st.composite
def flattenings(draw):
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    axes = st.none() | st.permutations(range(len(shape))).map(tuple)
    return Case(jc.FlattenLayer, {}, {"shape": shape, "axes": draw(axes)})


@st.composite
def recurrences(draw, kind, gates):
    rng, inputs, states = draw(generators), draw(small), draw(small)
    shapes = {"Wx": (gates * states, inputs), "Wh": (gates * states, states), "b": gates * states}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return Case(kind, arrays, {"steps": draw(small)})


@st.composite
def normalisations(draw):
    rng, size = draw(generators), draw(st.integers(1, 6))
    arrays = {name: rng.normal(size=size) for name in ("gamma", "beta")}
    epsilon = draw(st.sampled_from([1e-5, 1e-2]))
    return Case(jc.LayerNormalisation, arrays, {"epsilon": epsilon})


def block(inside):
    """A skip connection over these cases."""
    arrays = {
        f"{name}{number}_": array
        for number, case in enumerate(inside, start=1)
        for name, array in case.arrays.items()
    }
    return Case(jc.ResidualLayer, arrays, {"inside": inside})


@st.composite
def blocks(draw):
    """A layer of any class, and an affine one that gives as many elements as that one takes."""
    first = draw(CASES[draw(st.sampled_from(list(CASES)))])
    sizes = first.layer().output_size, first.layer().input_size
    return block([first, affine(draw(generators), *sizes, draw(activations))])


CASES = {
    jc.AffineLayer: affines(),
    jc.ConvolutionLayer: convolutions(),
    jc.AveragePoolingLayer: poolings(jc.AveragePoolingLayer),
    jc.MaxPoolingLayer: poolings(jc.MaxPoolingLayer),
    jc.FlattenLayer: flattenings(),
    jc.RecurrentLayer: recurrences(jc.RecurrentLayer, 1),
    jc.LSTMLayer: recurrences(jc.LSTMLayer, 4),
    jc.LayerNormalisation: normalisations(),
    jc.ResidualLayer: blocks(),
}
