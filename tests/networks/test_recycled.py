"""Results that a caller keeps are never written to again."""

import numpy as np
import pytest

import jacchain as jc
from jacchain.networks import recycled
from jacchain.networks.recycled import Recycled

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("keep", [lambda g: g, lambda g: g[0, 1:], memoryview, lambda g: [g][0].T])
def test_gradients_that_are_kept_stay_as_they_are(keep):
    network = jc.mlp(4, 3, 2, rng=0)
    cases = [(RNG.normal(size=4), RNG.normal(size=2)) for _ in range(6)]
    kept = [keep(jc.gradients(network, *case)["W1"]) for case in cases]
    copies = [np.array(keep(jc.gradients(network, *case)["W1"].copy())) for case in cases]
    for found, expected in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(np.array(found), expected)


def test_memory_let_go_of_is_used_again():
    taken = Recycled((3,), np.dtype("float32"))
    places = set()
    for _ in range(5):
        array = taken.take()
        places.add(array.__array_interface__["data"][0])
    assert len(places) == recycled.MOST_KEPT  # while one is held, the other is written


def test_without_a_count_of_references_every_array_is_new(monkeypatch):
    monkeypatch.setattr(recycled, "_counts_references", lambda: False)
    taken = Recycled((3,), np.dtype("float64"))
    held = taken.take()
    place = held.__array_interface__["data"]
    del held
    assert taken.take().__array_interface__["data"] != place
