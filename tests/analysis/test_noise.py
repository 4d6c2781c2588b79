"""The noise floor and the memory regimes of a machine."""

import numpy as np
import pytest

from jacchain.analysis.noise import cache_share, noise_of, regimes
from tests.analysis.examples import make_pair


def controls(pairs=200, *, within=0.0, processes=0.0, shapes=0.0, blocks=2):
    """A/A pairs whose ratios vary from sample to sample, process to process, pair to pair."""
    rng = np.random.default_rng(0)
    biases = rng.normal(0, shapes, (pairs, 1)) + rng.normal(0, processes, (pairs, 8))
    samples = rng.normal(0, within, (pairs, 2, 8, blocks, 2))
    samples[:, 0] += biases[..., None, None]
    return [make_pair(*np.exp(pair), names=("loss-first",) * 2) for pair in samples]


@pytest.mark.parametrize(
    "parts",
    [{"within": 0.02}, {"processes": 0.03}, {"shapes": 0.04}, {"within": 0.04, "shapes": 0.02}],
    ids=" and ".join,
)
def test_the_noise_is_told_by_its_parts(parts):
    noise = noise_of(controls(**parts))
    per_block = {"within": 2**-0.5}  # a process has two blocks
    for name in ("within", "processes", "shapes"):
        expected = parts.get(name, 0.0) * per_block.get(name, 1.0)
        assert getattr(noise, name) == pytest.approx(expected, abs=0.004)
    total = noise.within**2 + noise.processes**2 + noise.shapes**2
    assert noise.floor == pytest.approx(total**0.5, rel=0.1)


def test_a_bias_between_equal_arms_counts_as_noise():
    pair = make_pair(np.ones((8, 1, 2)), np.full((8, 1, 2), 0.9))
    noise = noise_of([pair])
    assert noise.floor == noise.shapes == pytest.approx(-np.log(0.9))
    assert noise.processes == noise.within == 0


def test_a_quiet_machine_has_a_floor_of_its_own():
    assert noise_of(controls(within=0.001)).floor < 0.002  # and no constant of 5 %


def test_without_pairs_the_noise_is_unknown():
    assert np.isnan(noise_of([]).floor)


def test_processes_that_a_pair_lacks_do_not_count():
    (first, second), *others = controls(3, within=0.02)
    cut = np.where(np.arange(8)[:, None, None] < 5, first.seconds, np.nan)
    short = make_pair(cut, second.seconds, names=("loss-first",) * 2)
    assert noise_of([short, *others]).floor == pytest.approx(
        noise_of([(first, second), *others]).floor, rel=0.3
    )


def test_the_cache_share_ends_where_the_bandwidth_drops():
    bandwidths = {64: 20.0, 1: 500.0, 16: 95.0, 4: 100.0, 32: 60.0, 8: 110.0}
    ladder = [(size, bandwidth, bandwidth) for size, bandwidth in bandwidths.items()]
    assert cache_share(ladder, low=4) == 16
    assert cache_share(ladder, low=64) == 64
    assert cache_share(ladder, low=65) == 0
    ladder[4] = (32, 60.0, 91.0)  # perhaps as fast as the others
    assert cache_share(ladder, low=4) == 32


def test_regimes_have_the_nominal_bounds_and_the_measured_share():
    nominal = regimes(100, 8000, [])
    assert (nominal.l2, nominal.llc_low, nominal.llc_high, nominal.memory) == (50, 200, 2000, 16000)
    measured = regimes(100, 8000, [(200, 9.0, 9.0), (400, 9.0, 9.0), (800, 3.0, 3.0)])
    assert measured.llc_high == 400
    beyond_a_quarter = regimes(100, 8000, [(200, 9.0, 9.0), (4000, 9.0, 9.0)])
    assert beyond_a_quarter.llc_high == 2000


def test_without_cache_sizes_no_working_set_is_in_a_regime():
    assert {regimes(None, 8000, []).name(size) for size in (1, 10**6, 10**12)} == {"leaving L2"}
