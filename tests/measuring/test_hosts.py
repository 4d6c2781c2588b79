"""Kernels of other processes: called, timed and let go there; what fails is told."""

import operator
import os
from functools import partial

import numpy as np
import pytest

from jacchain.measuring import hosts
from jacchain.measuring.blocks import measure_block
from jacchain.measuring.hosts import Host, HostError, host, prepared_in
from jacchain.measuring.timing import calibrate, time_calls


@pytest.fixture(scope="module")
def there():
    return Host("a library")


@pytest.fixture(autouse=True, scope="module")
def _ended():
    yield
    host.cache_clear()


def kernel(function, *arguments):
    """Return what prepares a call of a function, and can be pickled."""
    return partial(partial, function, *arguments)


def test_a_kernel_runs_in_another_process(there):
    pids = {int(there.prepare(kernel(os.getpid))()) for _ in range(2)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_results_come_back_as_arrays(there):
    np.testing.assert_array_equal(there.prepare(kernel(np.arange, 4))(), [0, 1, 2, 3])
    named = there.prepare(partial(partial, dict, a=[1.0]))()
    assert {name: array.tolist() for name, array in named.items()} == {"a": [1.0]}


def test_it_times_itself_and_its_own_cpu(there):
    busy = there.prepare(kernel(sum, range(20_000)))
    wall, cpu = time_calls(busy, 50)
    assert 0 < cpu < 2 * wall
    assert calibrate(busy, least=1e-3) >= 1
    block = measure_block([busy, busy], (5, 5), np.random.default_rng(0))
    assert min(block.seconds) > 0


def test_a_library_has_one_process():
    assert host("one") is host("one")
    first, second = (prepared_in(name, kernel(os.getpid)) for name in ("one", "two"))
    assert first() != second()


def test_what_fails_there_is_told(there):
    with pytest.raises(HostError, match="a library failed: ZeroDivisionError"):
        there.prepare(partial(operator.truediv, 1, 0))
    fails = there.prepare(kernel(operator.truediv, 1, 0))
    with pytest.raises(HostError, match="a library failed: ZeroDivisionError"):
        fails()
    with pytest.raises(HostError, match="a library failed: KeyError"):
        there.ask("time", 999, 1)


def test_a_process_that_has_ended_is_told():
    dies = Host("a library").prepare(kernel(os._exit, 3))
    for _ in range(2):
        with pytest.raises(HostError, match="the process of a library has ended"):
            dies()


def test_a_kernel_that_nobody_holds_is_let_go_there(there):
    number = there.prepare(kernel(os.getpid)).number
    with pytest.raises(HostError, match="KeyError"):
        there.ask("call", number)


class FakeTime:
    """A clock that sleeping and calls advance; other threads spin until `quiet`."""

    def __init__(self, monkeypatch, quiet):
        self.now, self.quiet = 0.0, quiet
        monkeypatch.setattr(hosts, "perf_counter", lambda: self.now)
        monkeypatch.setattr(hosts, "process_time", lambda: min(self.now, self.quiet))
        monkeypatch.setattr(hosts, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(("quiet", "answered"), [(0, 0.002), (0.027, 0.03), (9, 1.0)])
def test_it_answers_once_its_threads_spin_no_more_or_a_second_is_over(monkeypatch, quiet, answered):
    time = FakeTime(monkeypatch, quiet)
    hosts._wait_for_sleep()
    assert time.now == pytest.approx(answered, abs=0.0021)


def test_it_times_nothing_before_calls_of_a_tenth_of_a_second(monkeypatch):
    time, timed = FakeTime(monkeypatch, 0), []
    monkeypatch.setattr(hosts, "time_calls", lambda *given: timed.append((time.now, *given)))
    kernel = partial(time.sleep, 0.03)
    hosts._answer({1: kernel}, "time", 1, 7)
    assert timed == [(pytest.approx(0.12), kernel, 7)]
