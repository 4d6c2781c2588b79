"""The kernels of `jacchain run --peers` give the gradients that ours gives."""

import numpy as np
import pytest

from jacchain.adapters.frameworks import compile_seconds
from jacchain.claims import study_peers
from jacchain.claims.study_peers import CASES, FRAMEWORKS, TOGETHER, Case, cells
from jacchain.experiments.sizes import Sizes
from tests.claims.agreement import agree, results

SMALL = {
    "784-512-256-10, batch of 256": Case((7, 6, 5, 4), 3),
    "784-512-256-10, batch of 1": Case((7, 6, 5, 4), 1),
    "4096-1024-1024-1024, batch of 128": Case((9, 4, 4, 4), 2),
    "LeNet-5, batch of 64": Case(CASES["LeNet-5, batch of 64"].sizes, 2, True),
}


@pytest.fixture(autouse=True)
def _small_cases(monkeypatch):
    monkeypatch.setattr(study_peers, "CASES", SMALL)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_give_the_same(dtype):
    for cell in cells(Sizes()):
        assert agree(cell, dtype), cell.name


@pytest.mark.parametrize("peer", FRAMEWORKS)
def test_another_network_gives_other_gradients(monkeypatch, peer):
    """What agrees does not do so because nothing could differ."""
    other = SMALL["784-512-256-10, batch of 1"]
    prepare = FRAMEWORKS[peer]
    monkeypatch.setitem(
        FRAMEWORKS,
        peer,
        lambda network, *data: prepare(other.network(network.dtype, 9), *data),
    )
    (cell, *_) = (cell for cell in cells(Sizes()) if cell.name.endswith(peer + TOGETHER))
    assert not agree(cell)
    ours, theirs = results(cell)
    assert ours.keys() == theirs.keys()


def test_compiling_takes_time():
    case, dtype = SMALL["784-512-256-10, batch of 1"], np.dtype("float64")
    assert compile_seconds(case.network(dtype, 0), *case.data(dtype, 0)) > 0
