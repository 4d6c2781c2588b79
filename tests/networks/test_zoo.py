"""Networks with random weights, and the article's example f(x, y) = xy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.networks import gradients
from jacchain.networks.zoo import ZOO, article_product, load_network, mlp


def number_of_parameters(network):
    return sum(array.size for array in network.parameters.values())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("article", 8 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3),
        ("lenet-300-100", 266_610),  # as the pruning literature counts it
        ("digits", 6_570),
    ],
)
def test_perceptrons_have_their_published_sizes(name, parameters):
    network = load_network(name, rng=0)
    assert number_of_parameters(network) == parameters
    assert network.sizes == ZOO[name].sizes


def test_lenet_5_is_as_published():
    network = load_network("lenet-5", rng=0, dtype="float32")
    assert number_of_parameters(network) == 61_706  # as in "Dive into Deep Learning", section 7.6
    assert network.sizes == (28 * 28, 6 * 28**2, 6 * 14**2, 16 * 10**2, 16 * 5**2, 120, 84, 10)
    assert network.dtype == np.float32
    assert sorted(network.parameters) == sorted(f"{p}{i}" for p in "Wb" for i in (1, 3, 5, 6, 7))


def test_the_chain_of_lenet_5_costs_what_it_plans(check_orders):
    network, x = load_network("lenet-5", rng=0), np.random.default_rng(1).normal(size=784)
    chain, row = network.chain(x, 3), gradients(network, x, 3)["x"]
    assert [s.kind for s in chain.structures] == ["dense"] * 4 + ["sparse"] * 4
    check_orders(chain, row, ("loss-first", "input-first"))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'alexnet'; the known ones are \['article', 'digits'"):
        load_network("alexnet")


def test_weights_repeat_with_their_seed_and_have_the_variance_of_their_activation():
    first, again = (mlp(300, 400, 10, activation="relu", rng=7) for _ in range(2))
    np.testing.assert_array_equal(first.parameters["W1"], again.parameters["W1"])
    assert first.parameters["W1"].std() == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    glorot = mlp(300, 400, 10, activation="tanh", rng=7)
    assert glorot.parameters["W1"].std() == pytest.approx((2 / 700) ** 0.5, rel=0.02)
    convolution = load_network("lenet-5", rng=0).parameters["W3"]
    assert convolution.std() == pytest.approx((2 / (22 * 25)) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("sizes", "options", "error", "message"),
    [
        ((), {}, ValueError, "at least two, .* input first"),
        ((3,), {}, ValueError, "at least two, .* input first"),
        ((3, 0), {}, ValueError, "at least 1"),
        ((-1, 2), {}, ValueError, "at least 1"),
        ((3, 2.0), {}, TypeError, None),
        ((3, "2"), {}, TypeError, None),
        ((2, 2, 2), {"activation": "step"}, ValueError, "unknown activation 'step'"),
        ((2, 2, 2), {"output": "step"}, ValueError, "unknown activation 'step'"),
        ((2, 2), {"loss": "hinge"}, ValueError, "unknown loss 'hinge'"),
        ((2, 2), {"dtype": "float16"}, TypeError, "float16: expected float32 or float64"),
        ((2, 2), {"dtype": "complex128"}, TypeError, "complex128: expected float32 or float64"),
    ],
)
def test_mlp_refuses_unfit_arguments(sizes, options, error, message):
    with pytest.raises(error, match=message):
        mlp(*sizes, **options)


@given(h=st.integers(-1000, 1000))
def test_moving_x_by_h_lowers_the_articles_product_by_6h(h):
    value, row = article_product(2, -6)
    assert row.tolist() == [[-6, 2]]
    assert article_product(2 + h, -6)[0] - value == -6 * h == h * row[0, 0]


def test_the_articles_product_refuses_nan():
    with pytest.raises(ValueError, match=r"the point \(x, y\) is nan at index \(1,\)"):
        article_product(1, np.nan)
