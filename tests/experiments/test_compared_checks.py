"""The untimed checks of C7, C8 and C10: counts are equal, values fit their types."""

import json
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.experiments import c7_mini_batches as c7
from jacchain.experiments import c8_caching as c8
from jacchain.experiments import c10_real_networks as c10
from jacchain.experiments.cells import BOTH
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK

FLOAT64 = np.dtype("float64")
CHECKS = {
    name: (claim, function)
    for claim in ("C7", "C8", "C10")
    for name, function in experiments()[claim].checks.items()
}


@pytest.fixture(scope="module")
def values():
    """A function: what a check returns, run once; of what takes little to count."""

    @cache
    def of(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(c10, "COUNT_LIMIT", 3 * 10**8)
            return CHECKS[name][1](3)

    return of


def validated(name, values):
    shape = experiments()[CHECKS[name][0]].values[name]
    return TypeAdapter(shape).validate_json(json.dumps(values), strict=True)


@pytest.mark.parametrize(
    ("name", "forms"),
    [(c7.COUNTS, 2 * 2), (c8.COUNTS, 4 * 4), (c10.COUNTS, 2 * 2 + 1)],
)  # of real networks, input-first is too much to execute but for one
def test_counts_are_the_predicted_ones(values, name, forms):
    found = values(name)
    assert len(found) == forms
    for label, (counted, predicted) in found.items():
        assert counted == predicted > 0, label
    assert validated(name, found).keys() == found.keys()


def test_counts_of_a_batch_can_be_done_by_hand(values):
    """Of 3 samples; tanh after each layer. Explicit factors hold the activations already."""
    found, weights = values(c7.COUNTS), 5 * 7 + 7 * 9 + 9 * 12
    assert found["explicit factors, loss-first, batch of 3"] == [3 * weights] * 2
    assert found["shared factors, loss-first, batch of 3"] == [3 * (weights + 5 + 7 + 9)] * 2
    dense = 7 * 9 * 12 + 5 * 7 * 12 + 5 * 12
    assert found["explicit factors, input-first, batch of 3"] == [3 * dense] * 2


def test_counts_of_gradients_can_be_done_by_hand(values):
    """A row of 4 takes 16 through W2 to the first layer, and 4 for a bias and 16 for a matrix."""
    found, through, own = values(c8.COUNTS), 16, 4 + 16
    assert found["loss-first, with a cache, 2 layers of 4"] == [own + through + own] * 2
    assert found["loss-first, each from scratch, 2 layers of 4"] == [own + 2 * through + own] * 2


def test_a_cache_saves_multiplications_loss_first_only(values):
    found = values(c8.COUNTS)
    for layers in c8.COUNTED:
        of = {key: count for key, (count, _) in found.items() if f", {layers} layers" in key}
        scratch, cached, *inputs = of.values()
        assert cached < scratch
        assert inputs[0] == inputs[1]


@pytest.mark.parametrize("name", [c8.MEMORY, c10.MEMORY])
def test_values_fit_the_types_they_are_read_by(values, name):
    assert validated(name, values(name))


@pytest.mark.parametrize("name", [c7.COUNTS, c8.COUNTS, c10.COUNTS])
@pytest.mark.parametrize("wrong", [[1], [1, 2, 3], ["1", 2], [1.5, 2], [-1, 2], 7, [1, 2**63]])
def test_counts_edited_by_hand_are_refused(name, wrong):
    assert validated(name, {"loss-first": [1, 2]}) == {"loss-first": (1, 2)}
    with pytest.raises(ValidationError, match="loss-first"):
        validated(name, {"loss-first": wrong})


EDITS = {
    c8.MEMORY: [
        {"layers": 7}, {"layers": ["2", 4, 8]}, {"layers": [2, 4]}, {"layers": [0, 4, 8]},
        {"allocated": {}}, {"kept": {"one": [1]}},
        {"predicted": None}, {"allocated": {"loss-first, with a cache": [1, 2, -3]}},
    ],
    c10.MEMORY: [
        {"LeNet-5, dense": 7}, {"LeNet-5, dense": {}},
        {"LeNet-5, dense": {"held": -1, "predicted": {}, "allocated": {}}},
        {"LeNet-5, dense": {"held": 1, "predicted": {"loss-first": "2"}, "allocated": {}}},
        {"LeNet-5, dense": {"held": 1, "predicted": {}, "allocated": {}}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "edit"), [(n, e) for n, edits in EDITS.items() for e in edits])
def test_memory_edited_by_hand_is_refused(values, name, edit):
    whole = values(name) if name == c8.MEMORY else {}
    with pytest.raises(ValidationError):
        validated(name, whole | edit)


@pytest.mark.parametrize("missing", ["layers", "allocated", "predicted", "kept"])
def test_memory_without_one_of_its_values_is_refused(values, missing):
    less = {key: value for key, value in values(c8.MEMORY).items() if key != missing}
    with pytest.raises(ValidationError, match=f"{missing}\n.*Field required"):
        validated(c8.MEMORY, less)


def test_a_cache_keeps_adjoints_loss_first_only(values):
    found = values(c8.MEMORY)
    for way, kept in found["kept"].items():
        assert (kept[0] > 0) is (way == "loss-first, with a cache")
    rows = np.diff(found["kept"]["loss-first, with a cache"])
    np.testing.assert_array_equal(rows, 8 * c8.NARROW * 2 * np.diff(c8.HELD) / 2 * [1, 1])


def test_evaluations_allocate_about_what_the_plan_says(values):
    """Never less than the peak; twice as much, and what Python's objects take, at most."""
    held = [*values(c10.MEMORY).values(), None]
    pairs = [(of["allocated"][o], of["predicted"][o]) for of in held[:-1] for o in BOTH]
    memory = values(c8.MEMORY)
    for way, allocated in memory["allocated"].items():
        pairs += zip(allocated, memory["predicted"][way], strict=True)
    for allocated, predicted in pairs:
        assert predicted <= allocated <= 2.3 * predicted + 2**16


def test_dense_factors_hold_every_element(values):
    for network, dims in c10.DIMS.items():
        dense = sum(m * n for m, n in pairwise(dims))
        assert values(c10.MEMORY)[f"{network}, dense"]["held"] == 8 * dense
        assert values(c10.MEMORY)[f"{network}, as they are"]["held"] < 8 * dense / 10


@pytest.mark.parametrize("network", c10.NETWORKS)
def test_dims_that_are_stated_are_those_of_the_chains(network):
    chain = c10.NETWORKS[network](FLOAT64, 3)
    assert chain.dims == c10.DIMS[network]
    assert c10.NETWORKS.keys() == c10.DIMS.keys()


@pytest.mark.parametrize("claim", ["C7", "C8"])
def test_dims_that_are_stated_are_those_of_the_networks(claim):
    for of in experiments()[claim].comparisons(QUICK):
        assert of.dims[0] == 1
        work = of.ways(FLOAT64, 3)[0].work
        weights = sum(m * n for m, n in pairwise(of.dims[1:]))
        assert work.held_bytes >= 8 * weights


def test_a_digit_is_scaled_to_the_size_that_the_networks_read():
    image, label = c10.digit(0)
    assert image.shape == (c10.SIDE**2,)
    assert -1.1 < image.min() < image.max() < 1.1
    assert 0 <= label < c10.CLASSES
    assert c10.digit(0)[0] is image
    assert not np.array_equal(c10.digit(1)[0], image)


def test_dense_chains_have_the_same_product():
    chain = c10.recurrent(FLOAT64, 0)
    dense = c10.densified(chain)
    for factor, same in zip(chain.factors, dense.factors, strict=True):
        np.testing.assert_array_equal(factor.to_dense(), same.to_dense())
