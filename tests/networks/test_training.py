"""Gradient descent: descent, real data, and what it refuses."""

import numpy as np
import pytest

from jacchain import networks
from jacchain.networks.training import mean_loss


def batch(seed, n, network):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, network.sizes[0])), rng.integers(network.sizes[-1], size=n)


@pytest.mark.parametrize("seed", range(20))
def test_a_small_step_lowers_the_loss_by_the_rate_times_the_squared_gradient(seed):
    network = networks.mlp(6, 5, 4, loss="cross_entropy", rng=seed)
    inputs, targets = batch(seed, 5, network)
    by_parameter = networks.batch_gradients(network, inputs, targets)
    squared = sum(float(np.square(by_parameter[name]).sum()) for name in network.parameters)
    before, rate = mean_loss(network, inputs, targets), 1e-5
    after = mean_loss(networks.step(network, by_parameter, rate), inputs, targets)
    assert before - after == pytest.approx(rate * squared, rel=1e-3)


def test_step_returns_a_new_network_of_the_same_dtype():
    network = networks.load_network("article", rng=0, dtype="float32")
    by_parameter = networks.gradients(network, np.ones(8), np.ones(3))
    moved = networks.step(network, by_parameter, np.float64(0.1))
    assert moved.dtype == np.float32
    assert network.parameters["b1"].max() == 0
    np.testing.assert_allclose(moved.parameters["b1"], -0.1 * by_parameter["b1"], rtol=1e-6)


def test_handwritten_digits_are_learned():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, classes = load_digits(return_X_y=True)
    train_set, test_set, train_classes, test_classes = train_test_split(
        images / 16, classes, test_size=0.25, random_state=0, stratify=classes
    )
    start = networks.load_network("digits", rng=0)
    trained, losses = networks.train(
        start, train_set, train_classes, learning_rate=0.02, epochs=30, batch_size=8, rng=0
    )
    assert networks.accuracy(trained, test_set, test_classes) >= 0.95
    assert losses[0] < mean_loss(start, train_set, train_classes)
    assert losses[-1] < losses[14] < losses[4] < losses[0]
    assert losses[-1] == mean_loss(trained, train_set, train_classes)


def test_training_repeats_with_its_seed():
    network = networks.mlp(3, 4, 2, loss="cross_entropy", rng=0)
    data = batch(0, 10, network)
    options = {"learning_rate": 0.1, "epochs": 3, "batch_size": 4}
    first, again, different = (
        networks.train(network, *data, **options, rng=rng)[1] for rng in (1, 1, 2)
    )
    assert first == again != different


@pytest.mark.parametrize("rate", [0, -0.1, np.nan, np.inf])
def test_unfit_learning_rates_are_refused(rate):
    network = networks.mlp(2, 2, rng=0)
    with pytest.raises(ValueError, match="expected a finite number above 0"):
        networks.step(network, network.parameters, rate)


@pytest.mark.parametrize(("epochs", "batch_size"), [(0, 1), (1, 0), (-1, 1)])
def test_unfit_counts_are_refused(epochs, batch_size):
    network = networks.mlp(2, 2, rng=0)
    with pytest.raises(ValueError, match="expected both at least 1"):
        networks.train(
            network, [[1, 2]], [[1, 2]], learning_rate=1, epochs=epochs, batch_size=batch_size
        )


@pytest.mark.parametrize(("sizes", "unfit"), [((2, 2), "W2, b2"), ((1, 2, 2), "W1")])
def test_gradients_of_another_network_are_refused(sizes, unfit):
    other = networks.mlp(*sizes, rng=0)
    with pytest.raises(ValueError, match=f"no gradient that fits {unfit};"):
        networks.step(networks.mlp(2, 2, 2, rng=0), other.parameters, 0.1)


@pytest.mark.parametrize("classes", [[0.0, 1.0], [0], [[0, 1]]])
def test_unfit_classes_are_refused(classes):
    with pytest.raises(ValueError, match=r"expected integers, shape \(2,\)"):
        networks.accuracy(networks.mlp(2, 2, rng=0), np.ones((2, 2)), classes)
