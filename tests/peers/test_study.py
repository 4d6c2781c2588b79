"""The kernels of `jacchain run --peers` give the gradients that ours gives."""

import numpy as np
import pytest

from jacchain.experiments import peers, study_peers
from jacchain.experiments.compared import check_results
from jacchain.experiments.profiles import PROFILES
from jacchain.experiments.study_peers import CASES, Case, comparisons

SMALL = {
    "784-512-256-10, batch of 256": Case((7, 6, 5, 4), 3),
    "784-512-256-10, batch of 1": Case((7, 6, 5, 4), 1),
    "4096-1024-1024-1024, batch of 128": Case((9, 4, 4, 4), 2),
    "LeNet-5, batch of 64": Case(CASES["LeNet-5, batch of 64"].sizes, 2, True),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_give_the_same(monkeypatch, dtype):
    monkeypatch.setattr(study_peers, "CASES", SMALL)
    for of in comparisons(PROFILES["quick"]):
        ways = of.ways(np.dtype(dtype), 5)
        error, bound = check_results(of, [way.prepare() for way in ways])
        assert error <= bound


def test_a_wrong_gradient_is_found(monkeypatch):
    monkeypatch.setattr(study_peers, "CASES", SMALL)
    monkeypatch.setattr(peers, "_is_tanh", lambda _: False)
    (of, *_) = comparisons(PROFILES["quick"])
    kernels = [way.prepare() for way in of.ways(np.dtype("float64"), 5)]
    with pytest.raises(ArithmeticError, match="the ways differ"):
        check_results(of, kernels)


def test_compiling_takes_time():
    network, data = SMALL["784-512-256-10, batch of 1"], np.dtype("float64")
    assert peers.compile_seconds(network.network(data, 0), *network.data(data, 0)) > 0
