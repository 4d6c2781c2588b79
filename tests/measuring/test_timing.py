"""Batches are calibrated by a clock that only the tests advance."""

from contextlib import contextmanager
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.measuring import timing
from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS, calibrate, sample, time_calls


class Clock:
    """A clock that only the functions under test advance; the CPU works half of the time."""

    def __init__(self):
        self.nanoseconds = 0
        self.calls = 0

    def __call__(self):
        return self.nanoseconds

    def kernel(self, *nanoseconds):
        """Return a function whose calls take these times, the last one repeated."""

        def function():
            self.nanoseconds += nanoseconds[min(self.calls, len(nanoseconds) - 1)]
            self.calls += 1

        return function


@contextmanager
def fake_clock():
    fake = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "perf_counter_ns", fake)
        patch.setattr(timing, "process_time", lambda: fake.nanoseconds * 0.5e-9)
        yield fake


@pytest.fixture
def clock():
    with fake_clock() as fake:
        yield fake


@pytest.mark.parametrize("calls", [0, 4])
def test_the_calls_are_timed_together(clock, calls):
    assert time_calls(clock.kernel(250), calls) == pytest.approx((calls * 250e-9, calls * 125e-9))
    assert clock.calls == calls


@pytest.mark.parametrize("nanoseconds", [999, 10_000, 3_333_333, 10_000_000, 10**12])
def test_a_sample_lasts_long_enough_and_not_much_longer(clock, nanoseconds):
    calls = calibrate(clock.kernel(nanoseconds))
    seconds = calls * nanoseconds * 1e-9
    assert seconds >= LEAST_SAMPLE_SECONDS
    assert calls == 1 or seconds <= 2 * LEAST_SAMPLE_SECONDS


@given(nanoseconds=st.integers(1000, 10**8), least=st.floats(1e-6, 0.01))
def test_any_least_time_is_reached(nanoseconds, least):
    with fake_clock() as clock:
        calls = calibrate(clock.kernel(nanoseconds), least)
    assert calls * nanoseconds * 1e-9 >= least


def test_the_first_call_warms_up_and_is_not_timed(clock):
    assert calibrate(clock.kernel(10**9, 10**6)) >= 10


@pytest.mark.parametrize(("batch", "calls"), [(11, 11), (8, 10), (4, 10), (9, 10)])
def test_a_batch_that_falls_short_is_filled_up(clock, batch, calls):
    wall, cpu, *rest = sample(clock.kernel(10**6), batch)
    assert (wall, cpu) == pytest.approx((calls * 1e-3, calls * 5e-4))
    assert rest == [calls, False]
    assert clock.calls == calls


@given(batch=st.integers(1, 1000), nanoseconds=st.integers(10**4, 10**8))
def test_a_sample_is_a_batch_and_no_more_than_it_takes_to_be_long_enough(batch, nanoseconds):
    with fake_clock() as clock:
        seconds, _, calls, _ = sample(clock.kernel(nanoseconds), batch)
    assert seconds == pytest.approx(calls * nanoseconds * 1e-9)
    assert seconds >= LEAST_SAMPLE_SECONDS
    enough = ceil(LEAST_SAMPLE_SECONDS * 1e9 / nanoseconds)
    assert batch <= calls <= max(batch, enough) + batch / 10 + 1


def test_a_clock_too_coarse_for_one_call_is_waited_for(clock):
    ticks = iter(range(10**6))

    def function():
        clock.nanoseconds = next(ticks) // 100 * 10**6  # a tick of 1 ms every 100 calls

    assert calibrate(function) >= 900


MS = 10**6


@pytest.mark.parametrize("jump", [-20 * MS, 0])
def test_a_sample_over_which_the_clock_does_not_go_forward_is_taken_again(clock, jump):
    """Batches of 6 ms: the second one of the first sample is none."""
    wall, _, calls, retaken = sample(clock.kernel(6 * MS, jump, 6 * MS), batch=1)
    assert (wall, calls, retaken) == (pytest.approx(12e-3), 2, True)
    assert clock.calls == 4


def test_a_clock_that_jumps_back_for_ever_is_refused_with_a_remedy(clock):
    with pytest.raises(RuntimeError, match=r"perf_counter\) jumped back 5 times.*clocksource"):
        sample(clock.kernel(-MS), batch=3)
    assert clock.calls == 15


def test_a_calibration_repeats_calls_over_which_the_clock_jumps_back(clock):
    """The second call is timed again, and does not multiply the batch by 100."""
    assert calibrate(clock.kernel(MS, -MS, MS)) == 11


def test_a_calibration_by_a_clock_that_only_jumps_back_is_refused(clock):
    with pytest.raises(RuntimeError, match=r"jumped back 5 times"):
        calibrate(clock.kernel(-MS))
    assert clock.calls == 6
