"""One sweep: differences of counts, slopes in each regime, what leaves the cache, the figure."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Regimes
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.slopes import slope_part
from jacchain.experiments import sweep_parts
from jacchain.experiments.grids import all_grids
from jacchain.experiments.sweep_parts import difference_parts, sweep_figure, time_parts
from tests.claims.makers import MIB, QUICK, REGIMES, by_formula, cliff, simulate_chains

GRIDS = all_grids(QUICK)
X = GRIDS["x"]
SMALL_CACHE = replace(REGIMES, llc_high=24 * MIB)

each_sweep = pytest.mark.parametrize("name", GRIDS)


@pytest.fixture(scope="module")
def obeying():
    return simulate_chains(by_formula)


@pytest.mark.parametrize(
    ("grid", "order", "growth", "wrong"),
    [
        ("x", "input-first", "z2 z1 + z3 z2 + z3", "z2 z1 + z3 z2"),
        ("z2", "loss-first", "z3 + z1", "z3 z1"),
        ("all_z", "input-first", "2 x", "x"),
        ("depth", "input-first", "z z x", "z z"),
    ],
)
def test_differences_of_counts_are_the_formulas_growth(grid, order, growth, wrong):
    counts = sweep_parts.count_growth([grid], 0)
    for expected, verdict in ((growth, "agrees"), (wrong, "disagrees")):
        parts = difference_parts(counts, GRIDS[grid], {order: expected})
        assert [part.verdict for part in parts] == [verdict]


@pytest.mark.parametrize("counts", [None, {}, {"x": {"input-first": (1, 2, 3, 4)}}])
def test_counts_that_were_not_taken_are_undecided(counts):
    (part,) = difference_parts(counts, X, {"loss-first": "z1"})
    assert (part.verdict, part.reason) == ("inconclusive", "not counted in this run")


def test_counts_that_bend_have_no_slope():
    (part,) = difference_parts({"x": {"loss-first": (9, 16, 49, 81)}}, X, {"loss-first": "z1"})
    assert part.verdict == "disagrees"
    assert np.isnan(part.measured)


@each_sweep
def test_counted_chains_change_as_the_sweep_does_and_have_different_sizes(name):
    small, large = sweep_parts.small_dims(name, 7), sweep_parts.small_dims(name, 9)
    dims = [d for _, d in GRIDS[name].cells[:2]]
    assert len(large) - len(small) == (2 if name == "depth" else 0)
    if name != "depth":
        swept = [a != b for a, b in zip(*dims, strict=True)]
        assert [a != b for a, b in zip(small, large, strict=True)] == swept
        assert len({*small}) == 5 if name != "all_z" else 3


@each_sweep
@pytest.mark.parametrize("order", BOTH)
@pytest.mark.parametrize("judgement", [slope_part, rival_part])
def test_each_judged_regime_has_a_part(obeying, name, order, judgement):
    parts = time_parts(obeying, GRIDS[name], order, judgement)
    label = f"{order} over {GRIDS[name].variable}, "
    assert {part.name.removeprefix(label) for part in parts} <= {"L2", "LLC", "memory"}
    for part in parts:
        assert part.margin[0] < part.measured < part.margin[1]


def test_a_sweep_that_can_not_be_judged_is_undecided_with_its_reason(obeying):
    outside = replace(obeying, regimes=Regimes())
    for evidence, reason in (
        (outside, "no memory regime holds four sizes"),
        (Evidence(), "not measured in this run"),
    ):
        (part,) = time_parts(evidence, X, "loss-first", slope_part)
        assert part.verdict == "inconclusive"
        assert reason in part.reason


@pytest.mark.parametrize("inside", [True, False])
def test_a_sweep_that_leaves_the_cache_is_told_and_its_cause_where_a_regime_is_free_of_it(inside):
    """Each step beyond the cache is steeper; in a machine without a cause, the cached part too."""

    def steep(series):
        beyond = series.cost.working_set > SMALL_CACHE.llc_high
        everywhere = 1 if inside else (series.dims[-1] / 1024) ** 0.4
        return cliff(series) * (4 if beyond else 1) * everywhere

    evidence = simulate_chains(steep, regimes=SMALL_CACHE)
    (finding,) = sweep_parts.cache_finding(evidence, X)
    for part in time_parts(evidence, X, "loss-first", slope_part):
        assert f"{part.measured:.2f} in {part.name.rpartition(', ')[2]}" in finding.without
    assert "leave the cache" in finding.cause
    assert finding.vanishes is inside


def test_a_sweep_that_obeys_or_was_not_measured_has_no_finding(obeying):
    for evidence in (obeying, Evidence()):
        assert list(sweep_parts.cache_finding(evidence, X)) == []


def test_the_figure_shows_both_orders_with_their_stretches(obeying):
    figure = sweep_figure(obeying, X)
    assert figure.name == "cost_x"
    assert [swept.order for swept in figure.orders] == list(BOTH)
    low, high = figure.x.limits
    assert low < X.cells[0][0] < X.cells[-1][0] < high
    for swept in figure.orders:
        np.testing.assert_array_equal(swept.sizes, [size for size, _ in X.cells])
        assert swept.ends.shape == (len(X.cells), 2)
        assert np.all(swept.ends[:, 0] <= swept.ends[:, 1])
        judged = {s.name: (s.slope, s.expected) for s in swept.stretches if s.judged}
        assert judged
        label = f"{swept.order} over {X.variable}, "
        parts = time_parts(obeying, X, swept.order, slope_part)
        assert judged == {p.name.removeprefix(label): (p.measured, p.expected) for p in parts}


@each_sweep
def test_stretches_are_neighbouring_sizes_and_share_no_step(obeying, name):
    for swept in sweep_figure(obeying, GRIDS[name]).orders:
        steps = [step for s in swept.stretches for step in pairwise(s.indices.tolist())]
        assert all(b == a + 1 for a, b in steps)
        assert len(set(steps)) == len(steps)


def test_the_table_has_a_row_for_each_measured_size(obeying):
    table = sweep_figure(obeying, X).numbers
    assert [row[0] for row in table.rows] == [size for size, _ in X.cells]
    loss, inputs = obeying.chains[X.cells[-1][1]]
    row = {column.name: value for column, value in zip(table.columns, table.rows[-1], strict=True)}
    assert row["loss-first, time"] == loss.time
    assert row["input-first, 95 % interval"] == inputs.interval
    formula = inputs.cost.multiplications / loss.cost.multiplications
    assert row["ratio of multiplications"] == formula
    assert row["ratio of times"] == pytest.approx(formula, rel=0.1)
