"""C5: thresholds by the formula's ratio, causes of what is unexpected, and its figures."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.claims.c5_ratio import CAUSE_DIMS, EXPERIMENT, cells, findings, shows
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.grids import plane
from tests.claims.makers import (
    MIB,
    QUICK,
    REGIMES,
    by_formula,
    judged,
    simulate_chains,
    with_cells,
)

SMALL_CACHE = replace(REGIMES, llc_high=6 * MIB)


def machine_with_ratio(ratio_of):
    """Input-first takes `ratio_of(formula)` times as long as loss-first."""

    def law(series):
        formula = series.cost.multiplications / multiplications("loss-first", series.dims)
        return 1e-6 * (ratio_of(formula) if series.name == "input-first" else 1.0)

    return simulate_chains(law, noise=0.0)


def test_each_cell_is_to_be_faster_and_the_far_ones_ten_times_on_the_whole():
    verdict = judged(EXPERIMENT, machine_with_ratio(lambda formula: formula))
    assert verdict.verdict == "agrees"
    cells, (mean,) = (statement.parts for statement in verdict.statements)
    assert min(part.expected for part in cells) >= 2
    for part in cells:
        assert part.margin == (1, np.inf)
        assert part.measured == pytest.approx(part.expected, rel=0.05)
    far = [part.expected for part in cells if part.expected >= 100]
    assert mean.margin == (10, np.inf)
    assert mean.measured == pytest.approx(np.exp(np.mean(np.log(far))), rel=0.01)
    assert mean.measured == pytest.approx(mean.expected, rel=0.01)


@pytest.mark.parametrize(("time", "verdict"), [(8.0, "disagrees"), (12.0, "agrees")])
def test_far_cells_must_be_ten_times_faster_on_the_whole(time, verdict):
    evidence = machine_with_ratio(lambda formula: min(formula, time))
    assert [s.verdict for s in judged(EXPERIMENT, evidence).statements] == ["agrees", verdict]


@pytest.mark.parametrize(("factor", "never"), [(1 / 0.85, "agrees"), (1 / 0.6, "inconclusive")])
def test_one_cell_where_loss_first_is_slower_is_not_outvoted(factor, never):
    """It is one of seventy: with a factor of 1 / 0.85 it may stay open, but not agree."""

    def law(series):
        ratio = 1 / factor if series.dims == (1, 256, 256, 256, 1024) else 20
        return 1e-6 * (ratio if series.name == "input-first" else 1.0)

    statement = judged(EXPERIMENT, simulate_chains(law)).statements[0]
    assert statement.verdict not in {"agrees", never}
    assert "256, 256, 256, 1024" in statement.telling.name
    assert statement.agreeing == len(statement.parts) - 1


def test_the_answer_has_the_middle_ratio_and_those_at_both_ends_of_x():
    evidence = simulate_chains(lambda s: 2e-6 if s.name == "input-first" else 1e-6, noise=0.0)
    (sentence,) = EXPERIMENT.answer(evidence, QUICK)
    chains = len(evidence.chains)
    assert sentence.startswith(f"In the middle of {chains} chains input-first took 2.0 times as")
    assert "2.0 times at |x| = 4, where they say " in sentence
    assert "2.0 times at |x| = 16,384, where they say " in sentence
    at_ends = {d[-1] for d in evidence.chains} & {4, 16384}
    assert len(at_ends) == 2
    assert list(EXPERIMENT.answer(Evidence(), QUICK)) == []


def test_nothing_is_said_of_cells_whose_formula_ratio_is_below_two():
    evidence = machine_with_ratio(lambda formula: formula)
    loss, inputs = next(iter(evidence.chains.values()))
    twice = 2 * loss.cost.multiplications
    for count, expected in ((twice - 1, 0), (twice, 1)):
        pair = (loss, replace(inputs, cost=replace(inputs.cost, multiplications=count)))
        parts = judged(EXPERIMENT, replace(evidence, cells={loss.cell: pair})).parts
        assert sum(part.widened is not None for part in parts) == expected


def test_the_plane_is_measured_and_its_causes_by_an_engine_of_one_rate():
    chains = {cell.dims for cell in cells(QUICK) if cell.role == "chain"}
    x, z = plane(QUICK)
    assert chains == {(1, n, n, n, m) for n in z for m in x} | set(CAUSE_DIMS)
    causes = [cell for cell in cells(QUICK) if cell.role == "cause"]
    assert [cell.dims for cell in causes] == list(CAUSE_DIMS)
    assert all("einsum" in cell.name for cell in causes)


def memory_bound(series):
    """Loss-first slows down forty times where its factors leave the cache, input-first does not."""
    slow = series.name == "loss-first" and series.cost.working_set > SMALL_CACHE.llc_high
    return by_formula(series) * (40 if slow else 1)


def slow_everywhere(series):
    return by_formula(series) * (40 if series.name == "loss-first" else 1)


def blas_like(series):
    """Matrix times matrix runs ten times as fast as row times matrix."""
    return by_formula(series) / (10 if series.name == "input-first" else 1)


def with_einsum(evidence, law):
    """Add measurements by an engine whose times follow a law."""
    causes = {}
    for dims in CAUSE_DIMS:
        name = chain_cell(dims, role="cause", engine="einsum").name
        causes[name] = tuple(
            replace(s, cell=name, role="cause", seconds=np.full(s.seconds.shape, law(s)))
            for s in evidence.chains[dims]
        )
    return with_cells(evidence, causes)


def test_small_cells_are_explained_by_the_cost_of_calls():
    (finding,) = findings(simulate_chains(by_formula), QUICK)
    assert "all small" in finding.observed
    assert finding.cause.startswith("The fixed cost of a call")
    assert finding.vanishes


@pytest.mark.parametrize(("law", "vanishes"), [(memory_bound, True), (slow_everywhere, False)])
def test_large_cells_are_explained_by_memory_only_if_cached_ones_agree(law, vanishes):
    finding = findings(simulate_chains(law, regimes=SMALL_CACHE), QUICK)[-1]
    assert finding.cause.startswith("Loss-first is bound by memory")
    assert finding.vanishes is vanishes


@pytest.mark.parametrize(("law", "vanishes"), [(by_formula, True), (blas_like, False)])
def test_the_gap_to_the_formula_is_due_to_rates_only_if_one_rate_closes_it(law, vanishes):
    finding = findings(with_einsum(simulate_chains(blas_like), law), QUICK)[0]
    assert finding.observed.startswith("Time favours input-first")
    assert finding.vanishes is vanishes


def test_the_plane_shows_measured_ratios_and_leaves_out_what_was_skipped():
    evidence = simulate_chains(by_formula, noise=0.0)
    x, z = plane(QUICK)
    skipped = (1, z[0], z[0], z[0], x[1])
    kept = {name: arms for name, arms in evidence.cells.items() if arms[0].dims != skipped}
    (_, times), (_, formula) = shows(replace(evidence, cells=kept), QUICK)[0].maps
    assert times.shape == formula.shape == (len(z), len(x))
    assert np.argwhere(np.isnan(times)).tolist() == [[0, 1]]
    assert times[-1, -1] == pytest.approx(formula[-1, -1], rel=0.3)


def test_cells_measured_by_einsum_too_have_points_of_their_own():
    evidence = simulate_chains(by_formula)
    _, figure = shows(with_einsum(evidence, by_formula), QUICK)
    chains, loops = figure.panel.curves
    assert (len(chains.x), len(loops.x)) == (len(evidence.chains), len(CAUSE_DIMS))
    assert (chains.marks, loops.marks) == ("filled", "hollow")
    assert figure.panel.x.limits[0] < chains.x.min() < chains.x.max() < figure.panel.x.limits[1]
