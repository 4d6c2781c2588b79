"""Named networks, and the article's example f(x, y) = xy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacchain as jc
from jacchain.networks import zoo


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("article", 8 * 6 + 6 + 6 * 5 + 5 + 5 * 3 + 3),
        ("lenet-300-100", 266_610),  # as the pruning literature counts it
        ("digits", 6_570),
    ],
)
def test_number_of_parameters(name, parameters):
    network = zoo.load(name, rng=0)
    assert sum(array.size for array in network.parameters.values()) == parameters
    assert network.sizes == zoo.ZOO[name].sizes


def test_lenet_5_is_as_published():
    network = zoo.load("lenet-5", rng=0, dtype="float32")
    count = sum(array.size for array in network.parameters.values())
    assert count == 61_706  # as "Dive into Deep Learning" builds it, section 7.6
    assert network.sizes == (28 * 28, 6 * 28**2, 6 * 14**2, 16 * 10**2, 16 * 5**2, 120, 84, 10)
    assert network.dtype == np.float32
    assert sorted(network.parameters) == sorted(f"{p}{i}" for p in "Wb" for i in (1, 3, 5, 6, 7))


def test_the_chain_of_lenet_5_is_as_its_plan_says():
    network = zoo.load("lenet-5", rng=0)
    rng = np.random.default_rng(1)
    x = rng.normal(size=784)
    chain = network.chain(x, 3)
    kinds = [structure.kind for structure in chain.structures]
    assert kinds == ["dense"] * 4 + ["sparse"] * 4
    row = jc.gradients(network, x, 3)["x"]
    np.testing.assert_allclose(jc.evaluate(chain, "loss-first")[0], row, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(jc.evaluate(chain, "input-first")[0], row, rtol=1e-9, atol=1e-12)
    assert jc.count(chain, "loss-first") == jc.plan(chain, "loss-first").multiplications
    assert jc.count(chain, "input-first") == jc.plan(chain, "input-first").multiplications


def test_the_articles_network_has_three_layers_and_four_factors():
    network = zoo.load("article", rng=0)
    assert network.chain(np.ones(8), np.zeros(3)).dims == (1, 3, 5, 6, 8)


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="'alexnet'; known: article, digits, lenet-300-100, len"):
        zoo.load("alexnet")


@settings(deadline=None)
@given(h=st.integers(-1000, 1000))
def test_moving_x_by_h_lowers_the_articles_product_by_exactly_6h(h):
    value, row = zoo.article_product(2, -6)
    assert row.tolist() == [[-6, 2]]
    assert zoo.article_product(2 + h, -6)[0] - value == -6 * h == h * row[0, 0]


@settings(deadline=None)
@given(x=st.floats(-10, 10), y=st.floats(-10, 10))
def test_row_of_the_product_is_the_complex_step(x, y):
    step = 1e-30
    by_x, by_y = ((x + 1j * step) * y).imag / step, (x * (y + 1j * step)).imag / step
    np.testing.assert_allclose(
        zoo.article_product(x, y)[1], [[by_x, by_y]], rtol=1e-14, atol=1e-200
    )


def test_product_refuses_nan():
    with pytest.raises(ValueError, match=r"the point \(x, y\) is nan at index \(1,\)"):
        zoo.article_product(1, np.nan)
