import numpy as np
import pytest

from jacchain.analysis.compare import change, changes, differences


@pytest.fixture
def timed(make_series):
    def make(seconds, seed=0, *, noise=0.02, **facts):
        rng = np.random.default_rng(seed)
        slower = np.abs(rng.normal(0, noise, (2, 12, 2)))
        return make_series(seconds * np.exp(slower), **facts)

    return make


def test_a_change_is_the_ratio_of_the_times(timed):
    before, after = timed(2.0, 1), timed(3.0, 2)
    found = change(before, after)
    assert (found.before, found.after) == (before.time, after.time)
    assert found.ratio == after.time / before.time
    assert found.ratio == pytest.approx(1.5, rel=0.01)
    assert found.interval[0] <= found.ratio <= found.interval[1]


def test_its_interval_holds_the_true_ratio(timed):
    found = [change(timed(2.0, 2 * run), timed(3.0, 2 * run + 1)) for run in range(200)]
    held = np.mean([c.interval[0] <= 1.5 <= c.interval[1] for c in found])
    assert 0.9 <= held <= 1


@pytest.mark.parametrize(
    ("seconds", "beyond"), [(1.0, False), (1.04, False), (1.2, True), (0.8, True)]
)
def test_a_change_counts_beyond_the_noise_floor(timed, seconds, beyond):
    found = change(timed(1.0, 1, noise=0.002), timed(seconds, 2, noise=0.002))
    assert found.beyond(0.05) is beyond


def test_the_cells_of_both_runs_are_matched_the_largest_change_first(timed, make_evidence):
    small, large, gone, new = ((1, 2, 3, 4, x) for x in (5, 6, 7, 8))
    before = make_evidence(
        [timed(1.0, dims=small), timed(1.0, dims=large), timed(1.0, dims=gone),
         timed(1.0, dims=small, order="input-first"), timed(1.0, dims=new, role="cause")]
    )  # fmt: skip
    after = make_evidence(
        [timed(0.25, dims=small), timed(3.0, dims=large), timed(1.0, dims=new),
         timed(1.1, dims=small, order="input-first")]
    )  # fmt: skip
    found = [(c.dims, c.order, round(c.ratio, 2)) for c in changes(before, after)]
    assert found == [
        (small, "loss-first", 0.25), (large, "loss-first", 3.0), (small, "input-first", 1.1)
    ]  # fmt: skip


def test_differences_name_what_differs_and_what_is_missing():
    before, after = {"numpy": "2.1", "cpu": "a", "governor": None}, {"numpy": "2.2", "cpu": "a"}
    assert differences(before, after) == {"numpy": ("2.1", "2.2")}
    assert differences(before, {}) == {"numpy": ("2.1", None), "cpu": ("a", None)}
