"""The machine in a run: its controls and ceilings, the time model and where it misses."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Regimes
from jacchain.claims.registry import chosen
from jacchain.claims.study_model import EXPERIMENT, cells, findings, shows
from jacchain.experiments.cell import unique
from jacchain.experiments.grids import input_grid
from jacchain.experiments.show import Lines, Rows, Scatter, Table
from jacchain.experiments.sizes import Sizes
from jacchain.runs.simulated import MACHINES, MIB, REGIMES, Machine, cliff, obeys, simulate

SCALES = ("quick", "standard", "full")


def simulated(law, regimes=REGIMES):
    evidence = simulate(Machine("a machine", law, ()), np.random.default_rng(0))
    return replace(evidence, regimes=regimes)


@pytest.mark.parametrize("scale", SCALES)
def test_controls_are_both_orders_small_middle_and_large(scale):
    controls = [cell for cell in cells(Sizes(scale)) if cell.role == "control"]
    sizes = [size for size, _ in input_grid(Sizes(scale)).cells]
    for order in BOTH:
        swept = [cell.dims[-1] for cell in controls if cell.name.endswith(f", {order}")]
        assert len(swept) == 3
        assert swept[0] == sizes[0] < swept[1] < sizes[-1] == swept[2]
    for cell in controls:
        first, second = cell.arms(np.dtype("float64"), 0)
        assert (first.name, first.cost) == (second.name, second.cost)


def test_a_chain_of_ones_and_ceilings_of_every_kind_are_measured():
    by_role = Counter(cell.role for cell in cells(Sizes()))
    assert by_role["overhead"] == 1
    assert by_role["ceiling"] > 5
    ceilings = [cell for cell in cells(Sizes()) if cell.role == "ceiling"]
    kinds = {cell.group for cell in ceilings}
    assert kinds == {"row-matrix", "matrix-matrix", "copy", "empty call"}
    for cell in ceilings:
        (arm,) = cell.arms(np.dtype("float32"), 0)
        rows = arm.cost.row_multiplications
        assert rows == (arm.cost.multiplications if cell.group == "row-matrix" else 0)


def test_larger_caches_get_larger_ceilings():
    def largest(l2, llc):
        sizes = Sizes(l2=l2 * MIB, llc=llc * MIB)
        return max(arm.cost.working_set for c in cells(sizes) for arm in c.arms(np.dtype("f8"), 0))

    assert largest(1, 32) < largest(2, 256)


def test_each_claim_that_has_cells_is_measured_beside_it():
    names = [cell.name for cell in unique(c for e in chosen(["C7"]) for c in e.cells(Sizes()))]
    assert set(names) > {cell.name for cell in cells(Sizes())}


def test_predictions_of_a_machine_that_obeys_agree(judged):
    evidence = simulated(obeys)
    verdict = judged(EXPERIMENT, evidence)
    assert verdict.verdict == "agrees"
    assert all(part.margin[0] < part.measured < part.margin[1] for part in verdict.parts)


def exact(series):
    """Obey the model."""
    return 2e-6 * series.cost.products + 1e-10 * series.cost.multiplications


def uneven(series):
    """Obey it, but some chains between two caches take double the time."""
    leaving = REGIMES.name(series.cost.working_set).startswith("leaving")
    return exact(series) * (2 if leaving and series.dims[-1] >= 4096 else 1)


@pytest.mark.parametrize(("law", "vanishes"), [(uneven, True), (cliff, False)])
def test_the_models_misses_are_explained_only_where_all_others_are_predicted(law, vanishes):
    (finding,) = findings(simulated(law), Sizes())
    assert "predictions miss by more than 25%" in finding.observed
    assert "leaving a cache" in finding.cause
    assert finding.vanishes is vanishes


def test_a_machine_that_obeys_the_model_has_no_finding():
    assert list(findings(simulated(exact, Regimes()), Sizes())) == []


def test_nothing_measured_has_no_prediction_and_only_the_regimes_are_shown():
    assert list(EXPERIMENT.judge(Evidence(), Sizes())) == []
    assert list(findings(Evidence(), Sizes())) == []
    (table,) = shows(Evidence(), Sizes())
    assert table.caption == "Memory regimes"
    assert {row[-1] for row in table.rows} == {0}


def obeys_or_moves(series):
    """Copies and empty calls multiply nothing: they take a microsecond, and 40 GB/s."""
    return obeys(series) or 1e-6 + series.cost.bytes / 40e9


@pytest.fixture
def whole(simulate):
    """Everything that a run with the model beside C5 leaves."""
    merged = {}
    for experiment in chosen(["C5"]):
        merged |= simulate(experiment, obeys_or_moves).cells
    return Evidence(merged, regimes=REGIMES, overhead=8e-7, noise_floor=0.05)


def test_the_model_the_ceilings_the_regimes_and_the_noise_are_shown(whole):
    items = list(shows(whole, Sizes()))
    kinds = [Scatter, Table, Lines, Table, Table, Table, Rows]
    assert [type(item) for item in items] == kinds
    residuals, coefficients, ceilings, *tables, noise = items
    assert [curve.label for curve in residuals.panel.curves] == list(BOTH)
    assert len(coefficients.rows) > 3 or "can't be told apart" in coefficients.caption
    left, right = ceilings.panels[0]
    assert {curve.label for curve in left.curves} == {"v @ M", "v @ M.T", "copyto"}
    assert {curve.label for curve in right.curves} == {"A @ B", "A @ B.T"}
    for panel in (left, right):
        for curve in panel.curves:
            assert all(a <= b for a, b in pairwise(curve.x))
            assert curve.y.max() < panel.y.limits[1]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    assert sum(row[-1] for row in tables[-1].rows) == 2 * len(whole.chains)
    assert len(noise.rows) == len(whole.controls) == 6
    assert noise.bands[0].label == "noise floor, 5.0 %"


def test_a_ceiling_measured_too_low_is_said_to_be(whole):
    slow = {
        name: tuple(replace(s, seconds=100 * s.seconds) for s in arms)
        for name, arms in whole.cells.items()
        if arms[0].role == "ceiling"
    }
    items = shows(replace(whole, cells={**whole.cells, **slow}), Sizes())
    (efficiency,) = (item for item in items if item.caption.startswith("Efficiency"))
    assert any("error of the ceiling" in row[-1] for row in efficiency.rows)


def test_a_machine_whose_caches_are_unknown_has_no_bounds():
    evidence = simulate(MACHINES[0], np.random.default_rng(0))
    items = shows(replace(evidence, regimes=Regimes()), Sizes())
    (table,) = (item for item in items if item.caption == "Memory regimes")
    assert {row[1:4] for row in table.rows} == {("caches unknown", None, None)}
