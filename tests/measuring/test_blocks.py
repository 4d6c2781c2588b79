"""Blocks: which kernel runs when and how often, and what is flagged."""

import gc
from contextlib import nullcontext
from itertools import count, groupby

import numpy as np
import pytest

from jacchain.measuring import blocks
from jacchain.measuring.blocks import draw_sequence, measure_block
from jacchain.measuring.environment import Counters
from jacchain.measuring.timing import Sample

SECOND = 1.0


class Machine:
    """A machine whose clocks only its kernels advance, and which logs what ran."""

    def __init__(self):
        self.wall = self.cpu = 0.0
        self.switches, self.steal = 0, 0.0
        self.log = []

    def kernel(self, name, *, wall=SECOND, cpu=SECOND, steal=0.0, switches=0):
        def function():
            self.log.append(name)
            self.wall += wall
            self.cpu += cpu
            self.steal += steal
            self.switches += switches

        return function

    def counters(self):
        return Counters(self.switches, self.steal)


@pytest.fixture
def machine(monkeypatch):
    fake = Machine()

    def sample(function, batch):
        wall, cpu = fake.wall, fake.cpu
        for _ in range(batch):
            function()
        return Sample(fake.wall - wall, fake.cpu - cpu, batch, retaken=False)

    monkeypatch.setattr(blocks, "sample", sample)
    monkeypatch.setattr(blocks, "process_counters", fake.counters)
    return fake


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_two_arms_run_mirrored_both_ways_round_as_the_seed_says():
    first, again = ([draw_sequence(2, np.random.default_rng(i)) for i in range(200)] for _ in "ab")
    assert first == again
    assert set(first) == {"ABBA", "BAAB"}
    assert 60 < first.count("ABBA") < 140


@pytest.mark.parametrize("seed", range(6))
def test_samples_run_in_the_sequence_on_record_after_one_warm_call_each(machine, seed):
    kernels = [machine.kernel("A"), machine.kernel("B")]
    block = measure_block(kernels, (3, 3), np.random.default_rng(seed))
    assert machine.log == ["A", "B", *(letter for letter in block.sequence for _ in range(3))]


def test_batches_are_respected_and_times_are_per_call(machine, rng):
    kernels = [machine.kernel("A", wall=2.0, cpu=1.99), machine.kernel("B", wall=0.5, cpu=0.5)]
    block = measure_block(kernels, (2, 7), rng)
    runs = [len(list(group)) for _, group in groupby(machine.log[2:])]
    assert runs == ([2, 14, 2] if block.sequence == "ABBA" else [7, 4, 7])
    expected = {"A": (2.0, 1.99), "B": (0.5, 0.5)}
    measured = zip(block.seconds, block.cpu_seconds, strict=True)
    for letter, times in zip(block.sequence, measured, strict=True):
        assert times == pytest.approx(expected[letter])


def test_times_are_per_call_where_a_sample_took_several_batches(rng, monkeypatch):
    monkeypatch.setattr(blocks, "sample", lambda _, batch: Sample(6.0, 6.0, 3 * batch, False))
    assert measure_block([lambda: None], (2,), rng).seconds == (1.0, 1.0)


def test_a_drift_linear_in_time_cancels(machine, rng):
    ticks = count(1)

    def drifting():
        machine.wall += 1 + 0.1 * next(ticks)

    block = measure_block([drifting, drifting], (5, 5), rng)
    outer, inner = block.seconds[0] + block.seconds[3], block.seconds[1] + block.seconds[2]
    assert outer == pytest.approx(inner)


def test_one_kernel_gives_two_samples(machine, rng):
    block = measure_block([machine.kernel("A")], (4,), rng)
    assert (block.sequence, len(block.seconds), len(machine.log)) == ("AA", 2, 9)


@pytest.mark.parametrize(
    ("disturbance", "flagged"),
    [
        ({}, False),
        ({"cpu": 0.96}, False),
        ({"cpu": 0.94}, True),
        ({"cpu": 2.0}, False),  # two threads
        ({"cpu": 2.2}, True),  # more than two threads can spend
        ({"steal": 0.009}, False),
        ({"steal": 0.011}, True),
        ({"switches": 3}, False),  # only the time that they take counts
    ],
)
def test_a_block_is_flagged_where_the_core_was_shared(machine, rng, disturbance, flagged):
    kernels = [machine.kernel(name, **disturbance) for name in "AB"]
    block = measure_block(kernels, (2, 2), rng, threads=2)
    assert block.flagged is flagged
    assert block.switches == 8 * disturbance.get("switches", 0)
    assert block.steal == pytest.approx(8 * disturbance.get("steal", 0.0))


@pytest.mark.parametrize("retaken", [True, False])
def test_a_block_is_flagged_where_a_sample_was_taken_again(rng, monkeypatch, retaken):
    samples = iter([Sample(1.0, 1.0, 1, retaken=False), Sample(1.0, 1.0, 1, retaken=retaken)])
    monkeypatch.setattr(blocks, "sample", lambda *_: next(samples))
    assert measure_block([lambda: None], (1,), rng).flagged is retaken


def test_arms_are_weighted_by_their_time(machine, rng):
    """A waits for 10 % of its time, which is only a hundredth of the block's time."""
    kernels = [machine.kernel("A", cpu=0.9), machine.kernel("B")]
    assert not measure_block(kernels, (1, 100), rng).flagged
    assert measure_block(kernels, (100, 1), rng).flagged


def test_unknown_steal_is_no_alarm(machine, rng, monkeypatch):
    monkeypatch.setattr(blocks, "process_counters", lambda: Counters(0, None))
    block = measure_block([machine.kernel("A")], (1,), rng)
    assert block.steal is None
    assert not block.flagged


@pytest.fixture
def _collector():
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


@pytest.mark.usefixtures("_collector")
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_the_collector_is_paused_and_left_as_it_was(rng, enabled, fails):
    (gc.enable if enabled else gc.disable)()
    seen = []

    def kernel():
        seen.append(gc.isenabled())
        if fails and len(seen) == 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) if fails else nullcontext():
        measure_block([kernel], (3,), rng)
    assert gc.isenabled() is enabled
    assert not any(seen[1:])  # all but the warm-up


def test_real_clocks_fill_every_field(rng):
    block = measure_block([lambda: sum(range(1000))], (10,), rng)
    assert all(seconds > 0 for seconds in block.seconds)
    assert all(seconds >= 0 for seconds in block.cpu_seconds)
    assert all(type(seconds) is float for seconds in block.seconds + block.cpu_seconds)
    assert type(block.flagged) is bool
