"""Outputs and Jacobians of every layer compared with PyTorch and JAX."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacchain import networks
from jacchain.networks.activations import ACTIVATIONS
from jacchain.networks.layer import Layer
from tests.peers import in_jax, in_torch
from tests.peers.cases import CASES, Case, forward, generators
from tests.peers.comparing import PEERS, assert_agree

every_class = pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
every_activation = pytest.mark.parametrize("name", ACTIVATIONS.entries)


def ours(network, x):
    """Return output and Jacobians, by input and parameters, of a network of one layer."""
    target = np.zeros(network.sizes[-1])
    by_parameter = network.parameter_chains(x, target).items()
    return {
        "z": network.forward(x).output,
        "x": network.chain(x, target).factors[1].to_dense(),
        **{name: chain.factors[-1].to_dense() for name, chain in by_parameter},
    }


def check(case, x, dtype="float64"):
    network, x = networks.Network([case.layer(dtype)]), x.astype(dtype)
    results, arrays = ours(network, x), {"x": x, **network.parameters}
    for peer in PEERS:

        def output(arrays, peer=peer):
            return forward(peer.LAYERS, [case], arrays, arrays["x"][None])[0]

        z, jacobians = peer.jacobians(output, arrays)
        assert results.keys() == {"z", *jacobians}
        assert_agree(results, {"z": z, **jacobians}, peer)


def test_every_layer_class_has_a_maker_and_peers():
    """A new one needs an entry in `CASES`, and in `LAYERS` of both peers."""
    methods = {name for name, member in vars(Layer).items() if name[0] != "_" and callable(member)}
    assert {"forward", "with_parameters"} <= methods
    public = [getattr(networks, name) for name in networks.__all__]
    layers = {value for value in public if isinstance(value, type) and methods <= {*dir(value)}}
    assert layers == CASES.keys() == in_torch.LAYERS.keys() == in_jax.LAYERS.keys()


@every_class
@settings(deadline=None, max_examples=8)
@given(data=st.data(), rng=generators)
def test_a_layer_and_its_jacobians_are_those_of_the_peers(kind, data, rng):
    case = data.draw(CASES[kind])
    check(case, rng.normal(size=case.layer().input_size))


@every_class
@settings(deadline=None, max_examples=3)
@given(data=st.data(), rng=generators)
def test_in_single_precision_too(kind, data, rng):
    case = data.draw(CASES[kind])
    check(case, rng.normal(size=case.layer().input_size), "float32")


@every_activation
def test_an_activation_far_out_and_at_its_kink(name):
    x = np.array([-600.0, -30.0, -3.0, -0.5, 0.0, 1e-3, 2.0, 30.0, 600.0])
    identity = {"W": np.eye(len(x)), "b": np.zeros(len(x))}
    check(Case(networks.AffineLayer, identity, {"activation": name}), x)


@every_activation
def test_every_option_of_a_convolution(name):
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(3, 2, 3, 2)), "b": rng.normal(size=3)}
    windows = {"size": (7, 6), "stride": (2, 1), "padding": (1, 2), "dilation": (2, 3)}
    check(
        Case(networks.ConvolutionLayer, arrays, {**windows, "activation": name}),
        rng.normal(size=84),
    )


@pytest.mark.parametrize(("size", "kernel", "stride"), [((7,), (3,), (2,)), ((4, 5), (2, 3), None)])
def test_of_equal_elements_the_first_is_the_largest(size, kernel, stride):
    options = {"channels": 2, "size": size, "kernel": kernel, "stride": stride}
    x = np.random.default_rng(0).integers(2, size=2 * np.prod(size))
    check(Case(networks.MaxPoolingLayer, {}, options), x)
