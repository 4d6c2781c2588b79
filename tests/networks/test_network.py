"""Networks: what they refuse, what a pass keeps, the shape and dtype of chains."""

import numpy as np
import pytest

from jacchain.networks.layers import AffineLayer
from jacchain.networks.mlp import mlp
from jacchain.networks.network import Network
from jacchain.networks.pooling import AveragePoolingLayer


def layer(rows, columns, dtype=np.float64):
    return AffineLayer(np.ones((rows, columns), dtype), np.zeros(rows, dtype))


def test_sizes_that_do_not_fit_name_the_layer_and_both_sizes():
    with pytest.raises(ValueError, match=r"layer 3 takes 5 elements, but layer 2 gives 4"):
        Network([layer(3, 2), layer(4, 3), layer(1, 5)])


def test_dtypes_that_differ_name_the_layer():
    with pytest.raises(TypeError, match=r"layer 2 is float32, but layer 1 float64"):
        Network([layer(3, 2), layer(1, 3, np.float32)])


def test_no_layer():
    with pytest.raises(ValueError, match="no layers; expected at least one"):
        Network([])


def test_a_layer_in_two_places_is_refused_if_it_has_parameters():
    twice = layer(2, 2)
    with pytest.raises(ValueError, match="layer 3 is layer 1 again, and its parameters would be"):
        Network([twice, layer(2, 2), twice])
    pooling = AveragePoolingLayer(1, (3,), 1)
    assert Network([pooling, pooling]).sizes == (3, 3, 3)


def test_unknown_loss():
    with pytest.raises(ValueError, match=r"unknown loss 'hinge'; known: cross_entropy"):
        Network([layer(1, 1)], "hinge")


@pytest.mark.parametrize("sizes", [(), (3,)])
def test_too_few_sizes(sizes):
    with pytest.raises(ValueError, match=r"at least two; give .* input first"):
        mlp(*sizes)


@pytest.mark.parametrize("sizes", [(3, 0), (-1, 2), (3, 0, 2)])
def test_sizes_below_one(sizes):
    with pytest.raises(ValueError, match=r"at least 1"):
        mlp(*sizes)


@pytest.mark.parametrize("dtype", ["float16", "complex128"])
def test_unfit_dtype(dtype):
    with pytest.raises(TypeError, match=f"dtype {dtype}: expected float32 or float64"):
        mlp(2, 2, dtype=dtype)


@pytest.mark.parametrize("size", [2.0, "2", None])
def test_sizes_are_integers(size):
    with pytest.raises(TypeError):
        mlp(3, size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "step"}, "unknown activation 'step'"),
        ({"output": "step"}, "unknown activation 'step'"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
    ],
)
def test_mlp_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        mlp(2, 2, 2, **options)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0], ValueError, r"the input has shape \(1,\); expected \(2,\)"),
        ([[1.0, 2.0]], ValueError, r"the input has shape \(1, 2\)"),
        ([1.0, np.nan], ValueError, r"the input is nan at index \(1,\)"),
        ([-np.inf, 1.0], ValueError, r"the input is -inf at index \(0,\)"),
        ([1.0, 1j], TypeError, r"the input has dtype complex128"),
        ([None, 1.0], TypeError, r"the input has dtype object"),
    ],
)
def test_unfit_input(x, error, message):
    network = mlp(2, 3, 1, rng=0)
    for use in (network.forward, lambda x: network.chain(x, [0.0])):
        with pytest.raises(error, match=message):
            use(x)


def test_input_too_large_for_float32():
    with pytest.raises(ValueError, match=r"the input is inf at index \(0,\); expected finite floa"):
        mlp(2, 1, rng=0, dtype="float32").forward([1e300, 0.0])


def test_chain_that_overflows_raises():
    network = Network([AffineLayer([[1e200]], [0.0]), AffineLayer([[1e200]], [0.0], "relu")])
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=r"factor 0 holds inf"):
        network.chain([1.0], [0.0])


def test_pass_by_hand():
    network = Network([AffineLayer([[1, -1], [2, 0]], [0, 1], "relu"), AffineLayer([[1, 1]], [0])])
    passed = network.forward([1, 3])
    assert [a.tolist() for a in passed.preactivations] == [[-2, 3], [3]]
    assert [z.tolist() for z in passed.outputs] == [[1, 3], [0, 3], [3]]
    chain = network.chain([1, 3], [1])
    factors = [factor.to_dense().tolist() for factor in chain.factors]
    assert factors == [[[2]], [[1, 1]], [[0, 0], [2, 0]]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(4, 3, 2), (1, 1), (5, 1, 7, 1)])
def test_chain_has_the_networks_dims_and_dtype(dtype, sizes):
    network = mlp(*sizes, activation="gelu", output="softplus", rng=0, dtype=dtype)
    chain = network.chain(np.ones(sizes[0]), np.zeros(sizes[-1]))
    assert chain.dims == network.dims == (1, *reversed(sizes))
    assert chain.dtype == network.dtype == dtype


def test_parameters_are_numbered_from_the_input():
    shapes = {name: array.shape for name, array in mlp(4, 3, 2, rng=0).parameters.items()}
    assert shapes == {"W1": (3, 4), "b1": (3,), "W2": (2, 3), "b2": (2,)}


def test_mlp_repeats_with_its_seed_and_scales_its_weights():
    first, again = (mlp(300, 400, 10, activation="relu", rng=7) for _ in range(2))
    np.testing.assert_array_equal(first.parameters["W1"], again.parameters["W1"])
    assert first.parameters["W1"].std() == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    glorot = mlp(300, 400, 10, activation="tanh", rng=7)
    assert glorot.parameters["W1"].std() == pytest.approx((2 / 700) ** 0.5, rel=0.02)
