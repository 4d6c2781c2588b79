import numpy as np
import pytest

from jacchain.analysis.evidence import Regimes
from jacchain.analysis.fit import TERMS, features, fit_times, model_parts, solve
from jacchain.analysis.verdicts import decide

TRUTH = np.array([1e-6, 4e-10, 5e-11, 2e-11, 0, 4e-11, 0, 1e-10])  # in the order of TERMS
REGIMES = Regimes(l2=2**20, llc_low=2**22, llc_high=2**25, memory=2**29)


@pytest.fixture
def machine(make_series, make_evidence):
    """Cells of every regime, whose times follow the model with these coefficients."""

    def make(coefficients=TRUTH, *, cells=40, noise=0.0, spoil=None):
        rng = np.random.default_rng(0)
        series = []
        for number in range(cells):
            dims = (1, 2, 3, 4, 5 + number)
            blank = make_series(
                np.ones((1, 12, 2)), dims=dims, products=int(rng.integers(2, 9)),
                row_flops=int(10 ** rng.uniform(3, 8)), matrix_flops=int(10 ** rng.uniform(3, 9)),
                bytes=int(10 ** rng.uniform(3, 8)),
                working_set=[2**19, 2**23, 2**30][number % 3],
            )  # fmt: skip
            evidence = make_evidence([blank], regimes=REGIMES)
            seconds = float(features(blank, evidence) @ coefficients)
            seconds *= 2.0 if number == spoil else 1.0
            slower = np.abs(rng.normal(0, noise, (1, 12, 2)))
            facts = {n: v for n, v in vars(blank).items() if n != "seconds"}
            series.append(make_series(seconds * np.exp(slower), **facts))
        return make_evidence(series, regimes=REGIMES)

    return make


def test_features_put_bytes_in_the_column_of_their_regime(make_series, make_evidence):
    series = make_series(
        np.ones((1, 2, 2)), products=3, row_flops=10, matrix_flops=20, bytes=70, working_set=2**23
    )
    found = dict(zip(TERMS, features(series, make_evidence([], regimes=REGIMES)), strict=True))
    assert {term: value for term, value in found.items() if value} == {
        "calls": 3, "flops, row x matrix": 10, "flops, matrix x matrix": 20, "bytes, LLC": 70
    }  # fmt: skip


def test_a_machine_that_follows_the_model_gives_its_coefficients_away(machine):
    fit = fit_times(machine())
    np.testing.assert_allclose(fit.coefficients, TRUTH, rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(fit.predicted, fit.fitted, rtol=1e-6)


def test_intervals_of_the_coefficients_hold_them(machine):
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


def test_a_prediction_never_uses_the_cell_that_it_is_judged_on(machine):
    plain, spoilt = fit_times(machine()), fit_times(machine(spoil=7))
    assert spoilt.predicted[7] == pytest.approx(plain.predicted[7])
    assert spoilt.fitted[7] > 1.01 * plain.fitted[7]


def test_both_orders_of_a_cell_are_left_out_together(machine):
    evidence = machine()
    first, second = list(evidence.series.values())[:2]
    object.__setattr__(second, "cell", first.cell)
    fit = fit_times(evidence)
    design = np.array([features(s, evidence) for s in fit.series])
    times = np.array([s.time for s in fit.series])
    times[:2] *= 3
    without = design[:2] @ solve(design[2:], times[2:])
    np.testing.assert_allclose(fit.predicted[:2], without)


def test_a_cell_that_takes_twice_as_long_is_found(machine):
    evidence = machine(noise=0.01, spoil=7)
    parts = decide(model_parts(fit_times(evidence), evidence), evidence.noise_floor)
    assert [p.verdict for p in parts].count("agrees") == len(parts) - 1
    assert parts[7].verdict == "disagrees"
    assert parts[7].measured == pytest.approx(0.5, rel=0.1)


def test_terms_that_grow_together_are_not_separable(machine, make_series, make_evidence):
    assert fit_times(machine()).separable
    flops = np.arange(1, 21) * 10**6
    moved = flops * (8 + np.arange(20) % 2)  # nearly in proportion
    series = [
        make_series(
            np.full((1, 4, 2), 4e-10 * f + 2e-11 * b), dims=(1, 2, 3, 4, 5 + n),
            products=0, row_flops=int(f), matrix_flops=0, bytes=int(b), working_set=1,
        ) for n, (f, b) in enumerate(zip(flops, moved, strict=True))
    ]  # fmt: skip
    fit = fit_times(make_evidence(series, regimes=REGIMES))
    relative = np.column_stack([flops, moved]) / fit.fitted[:, None]
    expected = np.linalg.cond(relative / np.linalg.norm(relative, axis=0))
    assert fit.condition == pytest.approx(expected, rel=1e-3)
    assert expected > 30
    assert not fit.separable


def test_too_few_cells_are_no_fit(machine):
    assert fit_times(machine(cells=11)) is None
    assert fit_times(machine(cells=12)) is not None
