"""Rival growth laws: which machines they beat the formula on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from jacchain.analysis.rivals import LAWS, error_from, leave_one_out, rival_part
from jacchain.analysis.verdicts import Statement, decide
from tests.analysis.examples import make_sweep

SIZES = np.array([1024.0, 1536, 2048, 3072, 4096, 6144])


def brute_force(growth, times, *, affine):
    """Leave each size out in turn, fit the others by non-negative least squares, and predict it."""
    errors = []
    for left_out in range(len(times)):
        kept = np.arange(len(times)) != left_out
        design = np.column_stack([np.full_like(growth, float(affine)), growth])
        weighted = design[kept] / times[kept, None]
        solution, _ = nnls(weighted, np.ones(kept.sum()))
        errors.append(abs(design[left_out] @ solution / times[left_out] - 1))
    return np.mean(errors)


@given(
    st.lists(st.floats(0.1, 10), min_size=4, max_size=7),
    st.sampled_from(sorted(LAWS)),
    st.booleans(),
)
def test_leaving_one_out_is_what_it_says(times, law, affine):
    times = np.array(times)
    growth = LAWS[law](np.arange(1.0, len(times) + 1))
    expected = brute_force(growth, times, affine=affine)
    assert leave_one_out(growth, times, affine=affine) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("affine", [False, True])
def test_many_laws_and_times_at_once_are_the_same_as_one_by_one(affine):
    growths = np.array([law(np.arange(1.0, 6)) for law in LAWS.values()])
    times = np.random.default_rng(0).lognormal(size=(20, 5))
    for law, growth in enumerate(growths):
        together = leave_one_out(growth, times, affine=affine)
        assert together.shape == (20,)
        for row, alone in zip(times, together, strict=True):
            assert leave_one_out(growths, row, affine=affine)[law] == pytest.approx(alone)


def judged(times, **facts):
    """What rivals make of a sweep with these true times."""
    part = rival_part(make_sweep(SIZES, times, **facts), 0.02, "rivals")
    return decide(Statement("no law is better", (part,)), 0.02).parts[0]


def test_a_quadratic_machine_is_beaten_by_a_quadratic_law():
    part = judged(SIZES**2, noise=0.02)
    assert part.verdict == "disagrees"
    assert part.reason.startswith("best rival n^2 predicts")
    assert part.measured > 10


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_machine_with_a_fixed_cost_is_no_rival_to_the_formula(noise):
    assert judged(5000 + SIZES, noise=noise).verdict == "agrees"


def test_the_formula_may_be_any_law():
    law = 3 * SIZES + SIZES**2 / 700
    assert judged(law, multiplications=law, noise=0.02).verdict == "agrees"


def test_a_law_of_the_formulas_own_growth_is_no_rival():
    part = judged(SIZES, multiplications=SIZES + 9000)
    assert part.measured <= 0  # the formula's constant is too large, its growth is right
    assert part.verdict == "agrees"


def test_the_margin_is_a_point_and_what_effects_of_shape_make_of_the_error():
    whole = make_sweep(SIZES, SIZES)
    effect = error_from(whole, 0.05)
    assert 0.03 < effect < 0.06  # five per cent in time are about as much in a prediction
    assert error_from(whole, 0.01) == pytest.approx(effect / 5, rel=0.05)
    assert judged(SIZES).margin == (-np.inf, pytest.approx(100 * (0.01 + effect)))
    assert np.isnan(error_from(whole, np.nan))


@pytest.mark.parametrize("spread", [0.04, 0.06, 0.08])
def test_fixed_effects_of_shape_rarely_make_a_rival_better(spread):
    beaten = 0
    for seed in range(60):
        shapes = np.exp(np.random.default_rng(seed).normal(0, spread, len(SIZES)))
        beaten += judged(SIZES * shapes, noise=0.005).verdict == "disagrees"
    assert beaten <= 3


def test_a_step_is_no_rival():
    octaves = 1024 * 2.0 ** np.arange(0, 3.5, 0.5)
    times = octaves * np.where(np.arange(7) >= 3, 1.5, 1.0)
    part = rival_part(make_sweep(octaves, times, noise=0.005), 0.02, "")
    assert part.measured <= 1


def test_a_rival_that_may_be_better_by_noise_is_not_decided():
    part = judged(SIZES**1.3, noise=0.3, processes=6)
    assert part.verdict == "inconclusive"
    assert part.interval[0] < part.margin[1] < part.interval[1]


@pytest.mark.parametrize("jump", range(1, 5))
def test_a_jump_among_few_sizes_contradicts_nothing_and_a_true_rival_does(jump):
    """Of five sizes, where a jump can't be told from another law."""
    few = SIZES[:5]

    def verdict(times):
        part = rival_part(make_sweep(few, times), 0.02, "rivals")
        return decide(Statement("no law is better", (part,)), 0.02).verdict

    assert verdict(few * np.where(np.arange(5) < jump, 1.0, 1.25)) != "disagrees"
    assert verdict(few**2) == "disagrees"
