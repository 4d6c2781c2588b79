"""The time model: machines that follow it, one that does not, and what can't be told apart."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Regimes
from jacchain.analysis.fit import TERMS, features, fit_times, model_parts, solve
from jacchain.analysis.verdicts import decide
from jacchain.cost import Cost
from tests.analysis.examples import make_evidence, make_pair, make_series

TRUTH = np.array([1e-6, 4e-10, 5e-11, 2e-11, 0, 4e-11, 0, 1e-10])  # in the order of TERMS
REGIMES = Regimes(l2=2**20, llc_low=2**22, llc_high=2**25, memory=2**29)


def machine(*, chains=20, noise=0.0, spoil=None):
    """Chains of every regime, whose times follow the model, but for twice that of `spoil`."""
    rng = np.random.default_rng(0)
    arms = []
    for number in range(2 * chains):
        rows, matrices, moved = (int(10 ** rng.uniform(3, top)) for top in (8, 9, 8))
        cost = Cost(
            products=int(rng.integers(2, 9)),
            multiplications=rows + matrices,
            row_multiplications=rows,
            bytes=moved,
            held_bytes=(2**19, 2**23, 2**30)[number % 3],
        )
        slower = np.exp(np.abs(rng.normal(0, noise, (1, 12, 2))))
        dims = (1, 2, 3, 4, 5 + number // 2)
        series = make_series(slower, dims=dims, name=BOTH[number % 2], cost=cost)
        seconds = features(series, Evidence(regimes=REGIMES)) @ TRUTH
        seconds *= 2.0 if number == spoil else 1.0
        arms.append(replace(series, seconds=seconds * slower))
    return make_evidence(*zip(arms[::2], arms[1::2], strict=True), regimes=REGIMES)


def test_features_put_bytes_in_the_column_of_their_regime():
    cost = Cost(products=3, multiplications=15, row_multiplications=5, bytes=70, held_bytes=2**23)
    values = features(make_series(np.ones((1, 2, 2)), cost=cost), Evidence(regimes=REGIMES))
    assert {term: value for term, value in zip(TERMS, values, strict=True) if value} == {
        "calls": 3,
        "flops, row x matrix": 10,
        "flops, matrix x matrix": 20,
        "bytes, LLC": 70,
    }


def test_a_machine_that_follows_the_model_gives_its_coefficients_away():
    fit = fit_times(machine())
    np.testing.assert_allclose(fit.coefficients, TRUTH, rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(fit.predicted, fit.fitted, rtol=1e-6)


def test_intervals_of_the_coefficients_hold_them():
    fit = fit_times(machine(noise=0.02))
    used = TRUTH > 0
    low, high = fit.intervals[used].T
    assert np.all(low <= fit.coefficients[used] * 1.02)
    assert np.all(high >= fit.coefficients[used] * 0.98)
    np.testing.assert_allclose(fit.coefficients[used], TRUTH[used], rtol=0.1)


def test_coefficients_are_never_negative():
    design = np.array([[1.0, 10], [1, 20], [1, 40]])
    coefficients = solve(design, np.array([5.0, 15, 35]))  # the line has an intercept of -5
    assert coefficients[0] == 0
    assert coefficients[1] > 0


def test_a_prediction_uses_neither_order_of_the_chain_that_it_is_judged_on():
    evidence = machine(spoil=7)
    fit = fit_times(evidence)
    design = np.array([features(series, evidence) for series in fit.series])
    times = np.array([series.time for series in fit.series])
    kept = np.arange(len(times)) // 2 != 3
    np.testing.assert_allclose(fit.predicted[6:8], design[6:8] @ solve(design[kept], times[kept]))
    assert fit.fitted[7] > 1.01 * fit.predicted[7]


def test_a_chain_that_takes_twice_as_long_is_noticed():
    evidence = machine(noise=0.01, spoil=7)
    parts = decide(model_parts(fit_times(evidence), evidence), evidence.noise_floor)
    assert [p.verdict for p in parts].count("agrees") == len(parts) - 1
    assert parts[7].verdict == "disagrees"
    assert parts[7].measured == pytest.approx(0.5, rel=0.1)
    assert parts[7].name == "predicted time of input-first, dims 1 2 3 4 8"


def test_a_chain_of_which_no_other_knows_a_term_is_undecided():
    evidence = machine()
    fit = fit_times(evidence)
    fit.predicted[3] = 0.0
    parts = list(decide(model_parts(fit, evidence), evidence.noise_floor))
    part = parts.pop(3)
    assert part.verdict == "inconclusive"
    assert part.name == "predicted time of input-first, dims 1 2 3 4 6"
    assert "knows none of its terms" in part.reason
    assert {part.verdict for part in parts} == {"agrees"}


def test_terms_that_grow_together_are_not_separable():
    assert fit_times(machine()).separable
    flops = 2 * np.arange(1, 21) * 10**6
    moved = flops * (8 + np.arange(20) % 2)  # nearly in proportion
    chains = []
    for f, b in zip(flops.tolist(), moved.tolist(), strict=True):
        cost = Cost(multiplications=f // 2, row_multiplications=f // 2, bytes=b, held_bytes=1)
        seconds = np.full((1, 4, 2), 4e-10 * f + 2e-11 * b)
        chains.append(make_pair(seconds, seconds, dims=(1, 2, f), cost=cost))
    fit = fit_times(make_evidence(*chains, regimes=REGIMES))
    relative = np.column_stack([flops, moved]).repeat(2, axis=0) / fit.fitted[:, None]
    expected = np.linalg.cond(relative / np.linalg.norm(relative, axis=0))
    assert fit.condition == pytest.approx(expected, rel=1e-3)
    assert expected > 30
    assert not fit.separable


def test_fewer_than_a_dozen_series_are_no_fit():
    assert fit_times(machine(chains=5)) is None
    assert fit_times(machine(chains=6)) is not None
