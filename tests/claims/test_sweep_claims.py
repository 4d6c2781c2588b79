"""C3 and C4: counts, slopes and rivals over |x|, each |z_i|, all of them, and depth."""

import pytest

from jacchain.analysis.evidence import BOTH
from jacchain.claims import c3_input_size as c3
from jacchain.claims import c4_layer_sizes as c4
from jacchain.experiments.grids import input_grid
from tests.claims.makers import MIB, QUICK, by_formula, cliff, judged, simulate_chains

GRIDS = {c3: (input_grid(QUICK),), c4: c4.grids(QUICK)}
NAMES = {c3: ["x"], c4: ["z1", "z2", "z3", "all_z", "depth"]}

each_claim = pytest.mark.parametrize("claim", GRIDS, ids=lambda module: module.EXPERIMENT.claim)


@each_claim
def test_each_order_has_statements_of_its_own_on_slopes_and_rivals(claim):
    exact, *timed = judged(claim.EXPERIMENT, simulate_chains(by_formula)).statements
    assert [part.verdict for part in exact.parts] == ["agrees"] * 2 * len(NAMES[claim])
    assert [statement.verdict for statement in timed] == ["agrees"] * 4
    for statement, order in zip(timed, BOTH * 2, strict=True):
        names = {part.name.rpartition(", ")[0] for part in statement.parts}
        assert names == {f"{order} over {grid.variable}" for grid in GRIDS[claim]}
    assert all("0.15" in statement.sentence for statement in timed[:2])
    assert all("percentage point" in statement.sentence for statement in timed[2:])


@each_claim
@pytest.mark.parametrize("order", BOTH)
def test_an_order_that_is_never_judged_leaves_the_claim_open(claim, order):
    """However many parts of the other order agree, and of exact counts."""

    def overhead(series):
        return by_formula(series) * (1e-4 if series.name == order else 1.0)

    verdict = judged(claim.EXPERIMENT, simulate_chains(overhead))
    assert verdict.verdict == "inconclusive"
    assert sum(s.verdict == "agrees" for s in verdict.statements) == 3


def test_loss_first_that_does_not_grow_with_x_disagrees():
    def flat(series):
        return 1e-3 if series.name == "loss-first" else by_formula(series)

    verdict = judged(c3.EXPERIMENT, simulate_chains(flat))
    assert verdict.verdict == "disagrees"
    assert verdict.statements[1].verdict == "disagrees"


@pytest.mark.parametrize("claim", GRIDS, ids=lambda module: module.EXPERIMENT.claim)
def test_a_cliff_of_a_quarter_within_a_regime_disagrees_with_nothing(claim):
    def jump(series):
        beyond = series.name == "input-first" and series.cost.working_set > 12 * MIB
        return by_formula(series) * (1.25 if beyond else 1.0)

    assert judged(claim.EXPERIMENT, simulate_chains(jump)).verdict != "disagrees"


@each_claim
def test_every_sweep_is_measured_counted_and_shown(claim):
    names, experiment = NAMES[claim], claim.EXPERIMENT
    assert [grid.name for grid in GRIDS[claim]] == names
    chains = [dims for grid in GRIDS[claim] for _, dims in grid.cells]
    assert [cell.dims for cell in experiment.cells(QUICK)] == chains
    assert [*experiment.checks[f"{experiment.claim}:counts"].run(0)] == names
    figures = experiment.shows(simulate_chains(by_formula), QUICK)
    assert [figure.name for figure in figures] == [f"cost_{name}" for name in names]


def test_input_size_grows_each_count_by_its_terms():
    parts = judged(c3.EXPERIMENT, simulate_chains(by_formula)).parts
    assert [part.name for part in parts if not part.timed] == [
        "count of loss-first grows by z1 for each |x|",
        "count of input-first grows by z2 z1 + z3 z2 + z3 for each |x|",
    ]


def test_a_sweep_that_leaves_the_cache_is_told():
    def steep(series):
        swept = series.dims[1:3] == (64, 256)  # |z1|
        beyond = swept and series.cost.working_set > 2**23
        return cliff(series) * (series.cost.working_set / 2**23 if beyond else 1.0)

    findings = c4.EXPERIMENT.findings(simulate_chains(steep), QUICK)
    assert any("|z_1|" in finding.observed for finding in findings)
