"""One sweep: differences of counts, slopes in each regime, what leaves the cache, the figure."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jacchain.analysis.evidence import BOTH, Evidence, Regimes
from jacchain.experiments.grids import all_grids
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.sweep_parts import (
    cache_finding,
    count_growth,
    difference_parts,
    small_dims,
    sweep_figure,
    time_parts,
)
from jacchain.runs.simulated import MIB, REGIMES, Machine, cliff, obeys, simulate

GRIDS = all_grids(Sizes())
X = GRIDS["x"]
SMALL_CACHE = replace(REGIMES, llc_high=24 * MIB)


def simulated(law, *, noise=1.0, regimes=REGIMES):
    evidence = simulate(Machine("a machine", law, (), noise), np.random.default_rng(0))
    return replace(evidence, regimes=regimes)


@pytest.fixture(scope="module")
def obeying():
    return simulated(obeys)


@pytest.mark.parametrize(
    ("grid", "order", "growth", "wrong"),
    [
        ("x", "loss-first", "z1", "z2"),
        ("x", "input-first", "z2 z1 + z3 z2 + z3", "z2 z1 + z3 z2"),
        ("z1", "input-first", "z2 x", "z2 x + x"),
        ("z2", "loss-first", "z3 + z1", "z3 z1"),
        ("z3", "input-first", "z2 x + x", "z2 x"),
        ("all_z", "loss-first", "2", "3"),
        ("all_z", "input-first", "2 x", "x"),
        ("depth", "loss-first", "z z", "z x"),
        ("depth", "input-first", "z z x", "z z"),
    ],
)
def test_differences_of_counts_are_the_formulas_growth(grid, order, growth, wrong):
    counts = count_growth([grid], 0)
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


@pytest.mark.parametrize("name", GRIDS)
def test_counted_chains_change_as_the_sweep_does_and_have_different_sizes(name):
    small, large = small_dims(name, 7), small_dims(name, 9)
    dims = [d for _, d in GRIDS[name].cells[:2]]
    assert len(large) - len(small) == (2 if name == "depth" else 0)
    if name != "depth":
        swept = [a != b for a, b in zip(*dims, strict=True)]
        assert [a != b for a, b in zip(small, large, strict=True)] == swept
        assert len({*small}) == 5 if name != "all_z" else 3


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("order", BOTH)
def test_each_judged_regime_has_a_slope_and_rivals(obeying, name, order):
    parts = time_parts(obeying, GRIDS[name], order)
    label = f"{order} over {GRIDS[name].variable}, "
    kinds = [part.name.removesuffix(part.name.split(label)[1]) for part in parts]
    assert kinds == [f"slope of {label}", f"rivals of {label}"] * (len(parts) // 2)
    assert parts[0].measured == pytest.approx(parts[0].expected, abs=0.15)


def test_a_sweep_outside_every_regime_is_undecided_with_its_reason(obeying):
    (part,) = time_parts(replace(obeying, regimes=Regimes()), X, "loss-first")
    assert part.verdict == "inconclusive"
    assert "no memory regime holds four sizes" in part.reason


def test_a_sweep_that_was_not_measured_is_undecided_with_its_reason():
    (part,) = time_parts(Evidence(), X, "loss-first")
    assert part.reason == "not measured in this run"
    assert list(cache_finding(Evidence(), X)) == []


@pytest.mark.parametrize("inside", [True, False])
def test_a_sweep_that_leaves_the_cache_is_told_and_its_cause_where_a_regime_is_free_of_it(inside):
    """Each step beyond the cache is steeper; in a machine without a cause, the cached part too."""

    def steep(series):
        beyond = series.cost.working_set > SMALL_CACHE.llc_high
        everywhere = 1 if inside else (series.dims[-1] / 1024) ** 0.4
        return cliff(series) * (4 if beyond else 1) * everywhere

    (finding,) = cache_finding(simulated(steep, regimes=SMALL_CACHE), X)
    assert "leave the cache" in finding.cause
    assert finding.vanishes is inside


def test_a_sweep_that_obeys_has_no_finding(obeying):
    assert list(cache_finding(obeying, X)) == []


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
        judged = [stretch for stretch in swept.stretches if stretch.judged]
        assert judged
        for stretch in judged:
            assert stretch.name in {"L2", "LLC", "memory"}
            assert stretch.slope == pytest.approx(stretch.expected, abs=0.15)


def test_stretches_are_neighbouring_sizes_and_share_no_step(obeying):
    for grid in GRIDS.values():
        for swept in sweep_figure(obeying, grid).orders:
            steps = [
                step for stretch in swept.stretches for step in pairwise(stretch.indices.tolist())
            ]
            assert all(b == a + 1 for a, b in steps)
            assert len(set(steps)) == len(steps)


def test_the_table_has_a_row_for_each_measured_size(obeying):
    table = sweep_figure(obeying, X).numbers
    assert [row[0] for row in table.rows] == [size for size, _ in X.cells]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    names = [column.name for column in table.columns]
    row = dict(zip(names, table.rows[-1], strict=True))
    loss, inputs = obeying.chains[X.cells[-1][1]]
    assert row["loss-first, fastest"] == loss.time
    assert row["input-first, median"] == inputs.median
    formula = inputs.cost.multiplications / loss.cost.multiplications
    assert row["ratio of multiplications"] == formula
    assert row["ratio of times"] == pytest.approx(formula, rel=0.1)


def test_a_figure_of_nothing_measured_is_empty():
    figure = sweep_figure(Evidence(), X)
    assert figure.orders == figure.numbers.rows == ()
