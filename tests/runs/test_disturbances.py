"""What is added to true times: the order of samples, noise, states, the clock."""

from itertools import groupby
from math import log

import numpy as np
import pytest

from jacchain.experiments.cell import Cell
from jacchain.experiments.sizes import PROFILES, Sampling
from jacchain.runs.disturbances import (
    FAMILIES,
    Samples,
    disturb,
    measure,
    noise_factors,
    order_samples,
    quartile_factor,
    read_clock,
    state_factors,
)
from jacchain.runs.machine import Clock, JumpsBack, Noise, Spikes, State
from tests.runs.machines import machine

N = 200_000
NORMAL = Noise(family="normal", scale=0.01)
SLOW = (State(factor=1.35, share=0.4, seconds=3.0),)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def cells(*groups):
    return [
        Cell(f"{group} {number}", (1, 2, 2), lambda *_: (), group=group)
        for group, members in groups
        for number in range(members)
    ]


def test_samples_are_in_the_order_of_visits_group_by_group(rng):
    visited, arms = cells(("x", 3), ("y", 2), ("z", 1)), np.array([2, 2, 2, 2, 2, 1])
    samples = order_samples(visited, arms, Sampling("here", 2, 3, 1.0), rng)
    first = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5])
    by_block = [first[samples.arm[samples.block == block]].tolist() for block in range(6)]
    assert (np.diff(samples.block) >= 0).all()
    for order in by_block:
        assert sorted(order) == sorted([0, 1, 2, 3, 4] * 4 + [5] * 2)
        runs = [cell for cell, _ in groupby(order)]
        assert len(runs) == 6
        assert len(list(groupby(runs, key=lambda cell: visited[cell].group))) == 3
    assert len({tuple(order) for order in by_block}) > 1


def test_both_arms_of_a_cell_are_sampled_in_turn(rng):
    samples = order_samples(cells(("x", 1)), np.array([2]), Sampling("here", 1, 50, 1.0), rng)
    sequences = {tuple(block) for block in samples.arm.reshape(50, 4).tolist()}
    assert sequences == {(0, 1, 1, 0), (1, 0, 0, 1)}
    assert set(map(tuple, samples.number.reshape(50, 4).tolist())) == {(0, 0, 1, 1)}


@pytest.mark.parametrize(
    ("family", "middle", "quarters"),
    [
        ("normal", 1.0, (1 - 0.06745, 1 + 0.06745)),
        ("log-normal", 1.0, (np.exp(-0.06745), np.exp(0.06745))),
        ("t2", 1.0, (1 / (1 + 0.1 * 0.8165), 1 + 0.1 * 0.8165)),
        ("one-sided", 1 + 0.1 * log(2), (1 + 0.1 * log(4 / 3), 1 + 0.1 * log(4))),
    ],
)
def test_each_family_has_its_median_and_quartiles(rng, family, middle, quarters):
    factors = noise_factors(Noise(family=family, scale=0.1), N, rng)
    assert np.quantile(factors, [0.25, 0.5, 0.75]) == pytest.approx(
        [quarters[0], middle, quarters[1]], abs=1.5e-3
    )
    assert factors.min() > 0
    one = quartile_factor(Noise(family=family, scale=0.1), (), 1)  # a sample is its own quartile
    assert one == pytest.approx(middle, abs=2e-3)


def test_t_has_heavy_tails_and_one_sided_noise_never_speeds_up(rng):
    tails = {f: noise_factors(Noise(family=f, scale=0.01), N, rng) for f in FAMILIES}
    assert np.quantile(tails["t2"], 0.9999) > 1.5
    assert np.quantile(tails["normal"], 0.9999) < 1.05
    assert tails["one-sided"].min() >= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_noise_correlates_from_sample_to_sample(rng, family):
    logs = np.log(noise_factors(Noise(family=family, scale=0.01, correlation=0.5), N, rng))
    ranks = logs.argsort().argsort()
    for lag, expected in ((1, 0.5), (2, 0.25), (20, 0.0)):
        assert np.corrcoef(ranks[:-lag], ranks[lag:])[0, 1] == pytest.approx(expected, abs=0.03)
    plain = np.log(noise_factors(Noise(family=family, scale=0.01), N, rng))
    assert np.quantile(logs, 0.9) == pytest.approx(np.quantile(plain, 0.9), rel=0.03)


def test_spikes_hit_their_share_of_samples(rng):
    noise = Noise(family="normal", scale=0.0, spikes=Spikes(share=0.02, size=0.3))
    factors = noise_factors(noise, N, rng)
    assert set(factors.round(9)) == {1.0, 1.3}
    assert (factors > 1).mean() == pytest.approx(0.02, rel=0.1)


def test_states_have_their_share_of_the_time_and_last(rng):
    elapsed = np.arange(0, 60_000, 0.05)
    slow = state_factors(SLOW, elapsed, rng) == 1.35
    assert slow.mean() == pytest.approx(0.4, abs=0.02)
    spells = [len(list(spell)) * 0.05 for value, spell in groupby(slow) if value]
    assert np.mean(spells) == pytest.approx(3.0, rel=0.06)


def test_a_machine_may_have_several_states_and_no_normal_one(rng):
    states = tuple(State(factor=f, share=s, seconds=1.0) for f, s in ((2.0, 0.75), (3.0, 0.25)))
    factors = state_factors(states, np.arange(0, 20_000, 0.1), rng)
    assert set(factors) == {2.0, 3.0}
    assert (factors == 3.0).mean() == pytest.approx(0.25, abs=0.02)
    never = (State(factor=2.0, share=0.0, seconds=1.0),)
    assert (state_factors(never, np.arange(9.0), rng) == 1).all()
    assert quartile_factor(NORMAL, states, 2) == pytest.approx(2.0, abs=0.05)


def test_a_run_begins_in_either_state(rng):
    starts = [state_factors(SLOW, np.zeros(1), rng)[0] for _ in range(2000)]
    assert np.mean(np.array(starts) == 1.35) == pytest.approx(0.4, abs=0.05)


def test_a_drift_grows_with_the_time(rng):
    samples = Samples(*np.zeros((3, 3), dtype=np.intp))
    factors = disturb(machine(drift=0.2), samples, np.array([0.0, 60.0, 120.0]), rng)
    np.testing.assert_allclose(factors, [1, 1.2, 1.4])


def test_a_process_has_a_factor_of_its_own_for_each_arm(rng):
    described = machine(noise__processes=0.1, profile="standard")
    order = order_samples(cells(("x", 40)), np.full(40, 2), described.sampling, rng)
    times = measure(described, np.full(80, 1e-3), order, rng)
    assert times.shape == (80, 12, 2, 2)
    np.testing.assert_allclose(times, np.broadcast_to(times[:, :, :1, :1], times.shape))
    assert np.log(times[:, :, 0, 0]).std() == pytest.approx(0.1, rel=0.3)


def test_without_noise_the_true_times_are_read(rng):
    true = np.array([1e-7, 1e-3, 0.5])
    order = order_samples(cells(("x", 2)), np.array([2, 1]), PROFILES["quick"], rng)
    times = measure(machine(), true, order, rng)
    np.testing.assert_allclose(times, np.broadcast_to(true[:, None, None, None], times.shape))
    assert times.shape == (3, PROFILES["quick"].processes, 1, 2)


def test_a_coarse_clock_reads_its_multiples(rng):
    seconds = np.array([0.0105, 0.02, 0.024, 1.0])
    readings = read_clock(Clock(resolution=0.0156), seconds, rng)
    np.testing.assert_allclose(readings, 0.0156 * np.array([1, 1, 2, 64]))
    np.testing.assert_array_equal(read_clock(Clock(), seconds, rng), seconds)


def test_a_clock_that_jumps_back_shortens_a_sample_and_batches_are_repeated(rng):
    clock = Clock(jumps_back=JumpsBack(probability=1.0, seconds=0.005))
    readings = read_clock(clock, np.array([0.0105, 0.1]), rng)
    np.testing.assert_allclose(readings, [(2 * 0.0105 - 0.005) / 2, 0.095])
    rare = Clock(jumps_back=JumpsBack(probability=0.02, seconds=0.5))
    many = read_clock(rare, np.full(N, 0.0105), rng)
    assert (many < 0.0105).mean() == pytest.approx(0.02, rel=0.1)
    assert many.min() > 0
