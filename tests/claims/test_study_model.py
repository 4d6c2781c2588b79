"""The machine in a run: its controls and ceilings, the time model and where it misses."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Noise, Regimes
from jacchain.claims.registry import chosen
from jacchain.claims.study_model import EXPERIMENT, cells, findings, shows
from jacchain.costs.fit import fit_times
from jacchain.experiments.grids import input_grid
from jacchain.experiments.show import Lines, Rows, Scatter, Table
from jacchain.experiments.sizes import Sizes
from tests.claims import makers
from tests.claims.makers import (
    MIB,
    OVERHEAD,
    QUICK,
    REGIMES,
    by_formula,
    cliff,
    judged,
    simulate_chains,
    with_cells,
)


@pytest.mark.parametrize("scale", ["quick", "standard", "full"])
def test_controls_are_both_orders_small_middle_and_large(scale):
    controls = [cell for cell in cells(Sizes(scale)) if cell.role == "control"]
    sizes = [size for size, _ in input_grid(Sizes(scale)).cells]
    for order in BOTH:
        swept = [c.dims[-1] for c in controls if c.name.endswith(f", {order}")]
        assert len(swept) == 8
        assert {sizes[0], sizes[-1]} <= set(swept)
    for cell in controls:
        first, second = cell.arms(np.dtype("float64"), 0)
        assert (first.name, first.cost) == (second.name, second.cost)


def test_a_chain_of_ones_and_ceilings_of_every_kind_are_measured():
    by_role = Counter(cell.role for cell in cells(QUICK))
    assert by_role["overhead"] == 1
    assert by_role["ceiling"] > 5
    ceilings = [cell for cell in cells(QUICK) if cell.role == "ceiling"]
    kinds = {cell.group for cell in ceilings}
    assert kinds == {"row-matrix", "matrix-matrix", "copy", "empty call"}
    for cell in ceilings:
        (arm,) = cell.arms(np.dtype("float32"), 0)
        rows = arm.cost.row_multiplications
        assert rows == (arm.cost.multiplications if cell.group == "row-matrix" else 0)


def test_larger_caches_get_larger_ceilings():
    def largest(l2, llc):
        arms = (cell.arms(np.dtype("f8"), 0) for cell in cells(Sizes(l2=l2 * MIB, llc=llc * MIB)))
        return max(arm.cost.working_set for pair in arms for arm in pair)

    assert largest(1, 32) < largest(2, 256)


def test_each_claim_that_has_cells_is_measured_beside_it():
    names = {cell.name for experiment in chosen(["C7"]) for cell in experiment.cells(QUICK)}
    assert names > {cell.name for cell in cells(QUICK)}


def test_predictions_of_a_machine_that_obeys_agree():
    verdict = judged(EXPERIMENT, simulate_chains(by_formula))
    assert verdict.verdict == "agrees"
    share, error = verdict.parts
    assert (share.measured, share.margin, share.timed) == (1.0, (0.9, 1.0), False)
    assert share.reason.startswith("100.0\u00a0% of ")
    assert 0 < error.measured < 0.05
    assert (error.margin, error.timed) == ((0.0, 0.1), False)


def test_predictions_of_a_machine_without_a_rule_disagree():
    rng = np.random.default_rng(0)
    verdict = judged(EXPERIMENT, simulate_chains(lambda s: exact(s) * np.exp(rng.normal())))
    assert [part.verdict for part in verdict.parts] == ["disagrees", "disagrees"]
    assert verdict.parts[1].measured > 0.3


def exact(series):
    """Obey the model."""
    return 2e-6 * series.cost.products + 1e-10 * series.cost.multiplications


def uneven(series):
    """Obey it, but some chains between two caches take double the time."""
    leaving = REGIMES.name(series.cost.working_set).startswith("leaving")
    return exact(series) * (2 if leaving and series.dims[-1] >= 4096 else 1)


@pytest.mark.parametrize(("law", "vanishes"), [(uneven, True), (cliff, False)])
def test_the_models_misses_are_explained_only_where_all_others_are_predicted(law, vanishes):
    (finding,) = findings(simulate_chains(law), QUICK)
    assert "predictions miss by more than 25\u00a0%" in finding.observed
    assert "leaving a cache" in finding.cause
    assert finding.vanishes is vanishes


def test_a_machine_that_obeys_the_model_has_no_finding():
    assert list(findings(simulate_chains(exact, regimes=Regimes()), QUICK)) == []


def test_nothing_measured_has_no_prediction_and_only_the_regimes_are_shown():
    assert list(EXPERIMENT.judge(Evidence(), QUICK)) == []
    (table,) = shows(Evidence(), QUICK)
    assert table.caption == "Memory regimes"
    assert {row[-1] for row in table.rows} == {0}


@pytest.fixture(scope="module")
def whole():
    """Everything that a run with the model beside C5 leaves."""
    measured = (cell for experiment in chosen(["C5"]) for cell in experiment.cells(QUICK))
    # Empty calls move nothing and multiply nothing.
    arms = makers.simulate_cells(measured, lambda series: 1e-9 + makers.obeys(series))
    return Evidence(arms, noise=Noise(0.05), regimes=REGIMES, overhead=OVERHEAD)


def test_the_model_the_ceilings_the_regimes_and_the_noise_are_shown(whole):
    items = list(shows(whole, QUICK))
    assert [type(item) for item in items] == [Scatter, Table, Lines, Table, Table, Table, Rows]
    residuals, coefficients, ceilings, *_, regimes, noise = items
    assert [curve.label for curve in residuals.panel.curves] == list(BOTH)
    assert [row[0] for row in coefficients.rows] == [term.name for term in fit_times(whole).terms]
    left, right = ceilings.panels[0]
    fastest = max(curve.y.max() for curve in right.curves)
    assert ceilings.title.endswith(f"\u00a0GB/s and {fastest:.3g}\u00a0GFLOP/s")
    fitted = ("time model, row x matrix", "time model, matrix x matrix")
    assert [curve.label for curve in left.curves] == ["v @ M", "v @ M.T", "copyto", *fitted]
    assert {curve.label for curve in right.curves} == {"A @ B", "A @ B.T"}
    for panel in (left, right):
        for curve in panel.curves:
            assert all(a <= b for a, b in pairwise(curve.x))
            if curve.label not in fitted:
                assert curve.y.max() < panel.y.limits[1]
    assert sum(row[-1] for row in regimes.rows) == 2 * len(whole.chains)
    assert len(noise.rows) == len(whole.controls) == 16
    assert noise.bands[0].label == "noise floor, 5.0\u00a0%"


def test_fitted_bandwidth_is_shown_between_the_knots(whole):
    fit = fit_times(whole)
    left = next(item for item in shows(whole, QUICK) if isinstance(item, Lines)).panels[0][0]
    for kind in ("row x matrix", "matrix x matrix"):
        (curve,) = (c for c in left.curves if c.label.endswith(f", {kind}"))
        assert curve.x[0] >= fit.knots[kind][0] * (1 - 1e-9)
        assert curve.x[-1] <= fit.knots[kind][-1] * (1 + 1e-9)
        np.testing.assert_allclose(curve.y, fit.bandwidth(kind, curve.x) / 1e9)


@pytest.mark.parametrize("processes", [5, 12])
def test_coefficients_are_listed_as_rates_where_processes_agree_on_them(whole, processes):
    few = {
        name: tuple(replace(s, seconds=s.seconds[:processes]) for s in arms)
        for name, arms in whole.cells.items()
    }
    calls = captioned(replace(whole, cells=few), "Coeff").rows[0]
    if processes == 5:
        assert calls == ("calls", "not identified", "")
    else:
        term = fit_times(whole).terms[0]
        low, value, high = (f"{1e6 * t:.3g}" for t in (term.low, term.value, term.high))
        assert calls == ("calls", f"{value}\u00a0µs", f"{low} to {high}\u00a0µs")


def captioned(evidence, caption):
    (table,) = (item for item in shows(evidence, QUICK) if item.caption.startswith(caption))
    return table


def test_a_ceiling_measured_too_low_is_said_to_be(whole):
    ceilings = [replace(s, seconds=100 * s.seconds) for s in whole.ceilings]
    slow = with_cells(whole, {series.cell: (series,) for series in ceilings})
    rows = captioned(slow, "Efficiency").rows
    assert any("error of the ceiling" in row[-1] for row in rows)


def test_a_machine_whose_caches_are_unknown_has_no_bounds():
    table = captioned(simulate_chains(by_formula, regimes=Regimes()), "Memory regimes")
    assert {row[1:4] for row in table.rows} == {("caches unknown", None, None)}
