"""Gradients of networks, at a point and of a batch, compared with PyTorch and JAX."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain import networks
from tests.peers import in_torch
from tests.peers.cases import CASES, Case, affine, block, forward, generators, losses, small
from tests.peers.comparing import CLOSE, PEERS, assert_agree

every_dtype = pytest.mark.parametrize("dtype", CLOSE)
every_loss = pytest.mark.parametrize("loss", losses)
every_published = pytest.mark.parametrize("name", in_torch.ZOO)


def random_targets(rng, loss, samples, size):
    """Return random targets `(n,)` or `(n, size)`; for cross-entropy, indices or probabilities."""
    if loss == "squared_error":
        return rng.normal(size=(samples, size))
    if rng.random() < 0.5:
        return rng.integers(size, size=samples)
    return rng.dirichlet(np.ones(size), samples)


def compare(results, network, output_of, x, target):
    """Compare gradients with a peer's, of the mean loss of `output_of(peer)(arrays, x)`."""
    arrays = {"x": x.astype(network.dtype), **network.parameters}
    for peer in PEERS:
        output, loss = output_of(peer), peer.LOSSES[network.loss.name]
        expected = peer.as_target(target, network.dtype)

        def total(arrays, output=output, loss=loss, expected=expected):
            return loss(output(arrays, arrays["x"]), expected)

        assert_agree(results, peer.gradients(total, arrays), peer)


def check(network, output_of, inputs, targets):
    """Compare gradients at the first sample, of the batch, and by the chain of the batch."""
    alone = networks.gradients(network, inputs[0], targets[0])
    assert alone.keys() == {"x", *network.parameters}
    compare({**alone, "x": alone["x"][None]}, network, output_of, inputs[:1], targets[:1])
    together = networks.batch_gradients(network, inputs, targets)
    assert together.keys() == {"x", *network.parameters}
    compare(together, network, output_of, inputs, targets)
    row = jc.evaluate(networks.batch_chain(network, inputs, targets), "loss-first")
    compare({"x": row.reshape(inputs.shape)}, network, output_of, inputs, targets)


def check_cases(cases, loss, rng, samples, dtype="float64"):
    network = networks.Network([case.layer(dtype) for case in cases], loss)
    inputs = rng.normal(size=(samples, network.sizes[0]))
    targets = random_targets(rng, loss, samples, network.sizes[-1])
    check(network, lambda peer: partial(forward, peer.LAYERS, cases), inputs, targets)


@every_loss
@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=3)
@given(data=st.data(), rng=generators, samples=small)
def test_a_network_has_the_gradients_of_the_peers(kind, loss, data, rng, samples):
    case = data.draw(CASES[kind])
    head = affine(rng, case.layer().output_size, data.draw(small), "tanh")
    check_cases([case, head], loss, rng, samples)


def every_class(rng):
    """Return a layer of every class, first for images, then for sequences."""

    def case(kind, options, **shapes):
        arrays = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}
        return Case(kind, arrays, options)

    convolved = {"stride": (1, 1), "padding": (0, 1), "dilation": (1, 2), "activation": "gelu"}
    largest = {"channels": 3, "size": (8, 6), "kernel": (2, 2), "stride": None}
    average = {"channels": 3, "size": (4, 3), "kernel": (1, 2), "stride": (1, 1)}
    return [
        case(networks.ConvolutionLayer, {"size": (9, 8), **convolved}, W=(3, 2, 2, 3), b=3),
        case(networks.MaxPoolingLayer, largest),
        case(networks.AveragePoolingLayer, average),
        case(networks.FlattenLayer, {"shape": (3, 4, 2), "axes": (1, 2, 0)}),
        case(networks.LSTMLayer, {"steps": 4}, Wx=(24, 6), Wh=(24, 6), b=24),
        block([affine(rng, 6, 5, "softplus"), affine(rng, 5, 6)]),
        case(networks.LayerNormalisation, {"epsilon": 1e-5}, gamma=6, beta=6),
        case(networks.RecurrentLayer, {"steps": 3}, Wx=(4, 2), Wh=(4, 4), b=4),
        case(networks.GRULayer, {"steps": 2}, Wx=(12, 2), Wh=(12, 4), b=16),
        affine(rng, 4, 3),
    ]


@every_loss
@every_dtype
def test_a_network_with_a_layer_of_every_class(loss, dtype):
    rng = np.random.default_rng(0)
    cases = every_class(rng)
    assert {case.kind for case in cases} == CASES.keys()
    check_cases(cases, loss, rng, 3, dtype)


@every_published
@every_dtype
def test_a_published_network_has_the_gradients_of_the_peers(name, dtype):
    rng = np.random.default_rng(1)
    network = networks.load_network(name, rng=rng, dtype=dtype)
    inputs, targets = rng.normal(size=(5, 784)), rng.integers(10, size=5)
    check(network, lambda peer: peer.ZOO[name], inputs, targets)


@every_published
def test_the_chains_of_a_published_network_multiply_to_those_gradients(name):
    rng = np.random.default_rng(2)
    network = networks.load_network(name, rng=rng)
    x, target = rng.normal(size=784), 3
    chains = {**network.parameter_chains(x, target), "x": network.chain(x, target)}
    shapes = {**{n: a.shape for n, a in network.parameters.items()}, "x": (1, 784)}
    rows = {n: row.reshape(shapes[n]) for n, row in jc.evaluate(chains).items()}
    assert rows.keys() == shapes.keys()
    compare(rows, network, lambda peer: peer.ZOO[name], x[None], np.array([target]))
