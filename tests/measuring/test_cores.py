"""Shares of cores, by clocks that only the tests advance: however busy this machine is."""

import os
import threading
from types import SimpleNamespace

import pytest

from jacchain.limits import allowed_cores
from jacchain.measuring import cores
from jacchain.measuring.cores import shared_cores


@pytest.fixture
def run_on(monkeypatch):
    """Return a function that gives threads these shares of CPU time; it counts calls of 10 ms."""
    here, lock = threading.local(), threading.Lock()

    def measure(*shares):
        left, calls = list(shares), []

        def wall():
            return getattr(here, "wall", 0.0)

        def work():
            with lock:
                here.share = getattr(here, "share", None) or left.pop()
                calls.append(here.share)
            here.wall = wall() + 0.01

        monkeypatch.setattr(cores, "perf_counter", wall)
        monkeypatch.setattr(cores, "thread_time", lambda: wall() * getattr(here, "share", 0.0))
        monkeypatch.setattr(cores, "_work", work)
        monkeypatch.setattr(cores, "_cores", lambda: [set()] * len(shares))
        return shared_cores(), len(calls)

    return measure


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 1.0), (0.25, 0.951, 1.0)])
def test_each_thread_has_the_share_of_its_core(run_on, shares):
    assert sorted(run_on(*shares)[0]) == pytest.approx(shares, abs=1e-3)


@pytest.mark.parametrize(("resolution", "calls"), [(1e-9, 20), (0.0151, 76)])
def test_a_coarse_clock_is_read_over_more_time(run_on, monkeypatch, resolution, calls):
    """Fifty of its steps, by calls of 10 ms."""
    info = SimpleNamespace(resolution=resolution)
    monkeypatch.setattr(cores, "get_clock_info", lambda _: info)
    assert run_on(1.0)[1] == pytest.approx(calls, abs=1)


def test_all_threads_run_at_once_each_on_a_core_of_its_own(monkeypatch):
    seen, together = {}, threading.Barrier(allowed_cores(), timeout=60)

    def work():
        thread = threading.get_ident()
        if thread not in seen:
            seen[thread] = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else thread
            together.wait()

    monkeypatch.setattr(cores, "_SECONDS", 1e-4)
    monkeypatch.setattr(cores, "_work", work)
    assert len(shared_cores()) == len(seen) == allowed_cores()
    assert len({str(core) for core in seen.values()}) == allowed_cores()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads can't be tied to cores")
def test_threads_that_may_not_be_tied_to_a_core_are_measured_all_the_same(monkeypatch):
    def forbid(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbid)
    assert len(shared_cores()) == allowed_cores()


def test_the_threads_of_this_process_stay_where_they_were():
    before = allowed_cores()
    shares = shared_cores()
    assert allowed_cores() == before == len(shares)
    assert all(0 < share < 1.1 for share in shares)
