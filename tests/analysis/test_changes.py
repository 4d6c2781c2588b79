"""Two runs side by side."""

import numpy as np
import pytest

from jacchain.analysis.changes import (
    FASTER,
    NO_NOISE,
    SLOWER,
    WITHIN_NOISE,
    change,
    changes,
    differences,
)
from jacchain.analysis.evidence import BOTH
from tests.analysis.examples import make_evidence, make_series


def timed(seconds, seed=0, *, noise=0.02, **facts):
    """A series whose samples are off the truth by a random part."""
    slower = np.random.default_rng(seed).normal(0, noise, (12, 2, 2))
    return make_series(seconds * np.exp(slower), **facts)


def test_a_change_is_after_over_before():
    before, after = timed(2.0, 1), timed(3.0, 2)
    result = change(before, after)
    assert (result.before, result.after) == (before.time, after.time)
    assert (result.dims, result.name) == (before.dims, "loss-first")
    assert result.ratio == after.time / before.time
    assert result.ratio == pytest.approx(1.5, rel=0.02)
    assert result.interval[0] <= result.ratio <= result.interval[1]


def test_its_interval_holds_the_true_ratio():
    results = [change(timed(2.0, 2 * run), timed(3.0, 2 * run + 1)) for run in range(200)]
    assert 0.9 <= np.mean([c.interval[0] <= 1.5 <= c.interval[1] for c in results]) <= 1


@pytest.mark.parametrize(
    ("seconds", "direction"),
    [(1.0, WITHIN_NOISE), (1.04, WITHIN_NOISE), (1.2, SLOWER), (0.8, FASTER)],
)
def test_a_change_counts_beyond_the_noise_floor(seconds, direction):
    result = change(timed(1.0, 1, noise=0.002), timed(seconds, 2, noise=0.002))
    assert result.direction(0.05) == direction
    assert result.beyond(0.05) is (direction != WITHIN_NOISE)
    assert result.direction(np.nan) == NO_NOISE


def test_chains_of_both_runs_are_matched_the_largest_change_first():
    def chain(x, *seconds, **facts):
        pairs = zip(BOTH, seconds, strict=True)
        return [timed(s, dims=(1, 2, 3, 4, x), name=order, **facts) for order, s in pairs]

    before = make_evidence(
        *(chain(x, 1.0, 1.0) for x in (5, 6, 7)), chain(8, 1.0, 1.0, role="cause")
    )
    after = make_evidence(chain(5, 0.25, 1.1), chain(6, 3.0, 1.0), chain(8, 1.0, 1.0))
    results = [(c.dims[-1], c.name, round(c.ratio, 2)) for c in changes(before, after)]
    assert results == [
        (5, "loss-first", 0.25),
        (6, "loss-first", 3.0),
        (5, "input-first", 1.1),
        (6, "input-first", 1.0),
    ]


def test_differences_name_what_differs_and_what_is_missing():
    before, after = {"numpy": "2.1", "cpu": "a", "governor": None}, {"numpy": "2.2", "cpu": "a"}
    assert differences(before, after) == {"numpy": ("2.1", "2.2")}
    assert differences(before, {}) == {"numpy": ("2.1", None), "cpu": ("a", None)}
