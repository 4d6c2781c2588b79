from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Regimes, by_key
from jacchain.analysis.verdicts import judge
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments import sweeps
from jacchain.experiments.c9_gradient_descent import (
    descent_steps,
    product_example,
    taylor_remainders,
)
from jacchain.experiments.grids import all_grids
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK, Machine, obeys, simulate
from jacchain.networks.zoo import ZOO

QUIET = Machine("quiet", obeys, noise=0.0)


def verdict(claim, evidence):
    parts = experiments()[claim].judge(evidence, QUICK)
    return judge(claim, parts, evidence.noise_floor)


def simulated(law=obeys):
    return simulate(Machine("a machine", law), np.random.default_rng(0))


# C1, C2


def counted(order, dims, wrong=0):
    right = multiplications(order, dims)
    return {"order": order, "dims": dims, "counted": right + wrong, "counted_dims": dims}


DIMS = [(1, 5, 4, 6, 3), (1, 2, 7), (1, 3, 1, 1, 4, 9)]
COUNT_CLAIMS = pytest.mark.parametrize(
    ("claim", "order"), [("C1", "loss-first"), ("C2", "input-first")]
)


@COUNT_CLAIMS
def test_right_counts_agree(claim, order):
    evidence = Evidence(series={}, counts=tuple(counted(order, dims) for dims in DIMS))
    found = verdict(claim, evidence)
    assert found.verdict == "agrees"
    assert len(found.parts) == len(DIMS)


@COUNT_CLAIMS
@pytest.mark.parametrize("wrong", [1, -1])
def test_one_multiplication_too_many_or_too_few_disagrees(claim, order, wrong):
    counts = [counted(order, dims) for dims in DIMS]
    counts[1] = counted(order, DIMS[1], wrong)
    found = verdict(claim, Evidence(series={}, counts=tuple(counts)))
    assert found.verdict == "disagrees"
    assert found.measured == found.expected + wrong
    assert "1 x 2 x 7" in found.reason


@COUNT_CLAIMS
def test_counts_of_another_order_are_no_evidence(claim, order):
    other = {"C1": "input-first", "C2": "loss-first"}[claim]
    found = verdict(claim, Evidence(series={}, counts=(counted(other, DIMS[0]),)))
    assert found.verdict == "inconclusive"
    assert "no chain was counted" in found.reason
    assert order in found.reason


def test_a_twin_is_counted_by_its_own_dims():
    twin = counted("loss-first", DIMS[0]) | {"dims": (1, 500, 400, 600, 300)}
    part = verdict("C1", Evidence(series={}, counts=(twin,))).parts[0]
    assert part.verdict == "agrees"
    assert part.name == "1 x 5 x 4 x 6 x 3, as a twin of 1 x 500 x 400 x 600 x 300"


def test_the_chain_of_every_network_is_counted():
    dims = {cell.dims for cell in experiments()["C1"].cells(QUICK)}
    assert dims == {(1, *network.sizes[::-1]) for network in ZOO.values()}


# C3, C4


EXACT = {"C3": 2, "C4": 10}  # differences of counts, for each order and size


@pytest.mark.parametrize("claim", EXACT)
def test_a_machine_that_follows_the_formula_agrees(claim):
    found = verdict(claim, simulate(QUIET, np.random.default_rng(0)))
    assert found.verdict == "agrees"
    assert sum(not part.timed for part in found.parts) == EXACT[claim]
    assert all(part.verdict == "agrees" for part in found.parts if not part.timed)


@pytest.mark.parametrize("claim", EXACT)
def test_each_sweep_is_judged_in_both_orders(claim):
    names = [part.name for part in verdict(claim, simulated()).parts if part.timed]
    grids = all_grids(QUICK)
    expected = {"C3": ["x"], "C4": ["z1", "z2", "z3", "all_z", "depth"]}[claim]
    for grid in expected:
        for order in ("loss-first", "input-first"):
            label = f"{order} over {grids[grid].variable}, "
            assert any(name.startswith(f"slope of {label}") for name in names)
            assert any(name.startswith(f"rivals of {label}") for name in names)


@pytest.mark.parametrize(
    ("grid", "order", "slope", "wrong"),
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
def test_differences_of_counts_are_the_formulas_slope(grid, order, slope, wrong):
    found = sweeps.count_growth([grid], 0)
    parts = sweeps.difference_parts(found, all_grids(QUICK)[grid], {order: slope})
    assert [part.verdict for part in parts] == ["agrees"]
    parts = sweeps.difference_parts(found, all_grids(QUICK)[grid], {order: wrong})
    assert [part.verdict for part in parts] == ["disagrees"]


def test_counts_that_were_not_taken_are_undecided():
    for found in (None, {"sizes": [3, 4, 5], "counts": {}}):
        part = sweeps.difference_parts(found, all_grids(QUICK)["x"], {"loss-first": "z1"})[0]
        assert (part.verdict, part.reason) == ("inconclusive", "not counted in this run")


def test_counts_that_bend_have_no_slope():
    found = {"sizes": [3, 4, 7], "counts": {"x": {"loss-first": [9, 16, 49]}}}
    part = sweeps.difference_parts(found, all_grids(QUICK)["x"], {"loss-first": "z1"})[0]
    assert part.verdict == "disagrees"
    assert np.isnan(part.measured)


def test_a_sweep_outside_every_regime_is_undecided_with_its_reason():
    evidence = replace(simulated(), regimes=Regimes())
    parts = sweeps.time_parts(evidence, all_grids(QUICK)["x"], "loss-first")
    assert [part.verdict for part in parts] == ["inconclusive"]
    assert "no memory regime holds four sizes" in parts[0].reason
    assert verdict("C3", evidence).verdict == "inconclusive"


def test_a_sweep_that_was_not_measured_is_undecided_with_its_reason():
    parts = sweeps.time_parts(Evidence(series={}), all_grids(QUICK)["x"], "loss-first")
    assert [part.reason for part in parts] == ["not measured in this run"]


# C5


def machine_with_ratio(ratio_of):
    """Input-first takes `ratio_of(formula)` times as long as loss-first."""

    def law(series):
        loss = multiplications("loss-first", series.dims)
        factor = ratio_of(series.multiplications / loss) if series.order == "input-first" else 1.0
        return 1e-6 * factor

    return simulate(Machine("ratio", law, noise=0.0), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("ratio_of", "expected"),
    [
        (lambda formula: formula, "agrees"),
        (lambda formula: 11.0 if formula >= 100 else 1.2, "agrees"),
        (lambda formula: min(formula, 8.0), "disagrees"),  # too small for a formula's 100
        (lambda formula: 20.0 if formula >= 100 else 0.8, "disagrees"),
        (lambda formula: 20.0 if formula >= 100 else 1.0, "inconclusive"),
    ],
)
def test_c5_wants_one_from_two_on_and_ten_from_a_hundred_on(ratio_of, expected):
    assert verdict("C5", machine_with_ratio(ratio_of)).verdict == expected


def test_c5_sets_its_thresholds_by_the_formulas_ratio():
    evidence = machine_with_ratio(lambda formula: formula)
    parts = verdict("C5", evidence).parts
    assert {part.margin[0] for part in parts if part.expected < 100} == {1.0}
    assert {part.margin[0] for part in parts if part.expected >= 100} == {10.0}
    assert min(part.expected for part in parts) >= 2
    for part in parts:
        assert part.measured == pytest.approx(part.expected, rel=0.3)


def test_c5_says_nothing_of_cells_whose_formula_ratio_is_below_two():
    evidence = machine_with_ratio(lambda formula: formula)
    loss, inputs = evidence.pairs()[0]
    for count, judged in ((2 * loss.multiplications - 1, 0), (2 * loss.multiplications, 1)):
        pair = (loss, replace(inputs, multiplications=count))
        parts = verdict("C5", replace(evidence, series=by_key(pair))).parts
        assert sum(part.timed and part.widened is not None for part in parts) == judged


def test_c5_without_cells_is_undecided():
    assert verdict("C5", Evidence(series={})).verdict == "inconclusive"


# C9


GOOD = {
    "C9:product": {"gradient": [-6.0, 2.0], "slopes": [-6.0, -6.0, -6.0]},
    "C9:taylor": {"orders": [1.98, 2.0, 2.05]},
    "C9:descent": {"changes": [-0.1, -0.001]},
    "C9:digits": {"losses": [2.3, 0.5, 0.1], "accuracy": 0.96, "held_out": 449},
}


def test_good_checks_agree():
    found = verdict("C9", Evidence(series={}, checks=GOOD, noise_floor=0.9))
    assert found.verdict == "agrees"
    assert len(found.parts) == 5


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("C9:product", {"slopes": [-6.0, -6.0, -5.9999]}),
        ("C9:product", {"slopes": [6.0, 6.0, 6.0]}),
        ("C9:taylor", {"orders": [1.0, 1.01, 0.99]}),
        ("C9:taylor", {"orders": [2.0] * 94 + [1.8] * 6}),
        ("C9:taylor", {"orders": [2.2, 2.0, 2.15]}),
        ("C9:descent", {"changes": [-0.1, 1e-9]}),
        ("C9:digits", {"accuracy": 0.90}),
        ("C9:digits", {"losses": [2.3, 2.2, 2.1]}),
    ],
)
def test_one_bad_check_disagrees(check, values):
    checks = GOOD | {check: GOOD[check] | values}
    assert verdict("C9", Evidence(series={}, checks=checks)).verdict == "disagrees"


def test_checks_that_were_not_run_are_undecided():
    found = verdict("C9", Evidence(series={}, checks={"C9:taylor": GOOD["C9:taylor"]}))
    assert found.verdict == "inconclusive"
    assert [part.verdict for part in found.parts].count("agrees") == 1
    assert "not run" in found.reason


@pytest.mark.parametrize("seed", [0, 1])
def test_derivatives_of_random_networks_pass_the_checks(seed):
    checks = {
        "C9:product": product_example(seed),
        "C9:taylor": taylor_remainders(seed),
        "C9:descent": descent_steps(seed),
        "C9:digits": GOOD["C9:digits"],
    }
    assert len(checks["C9:taylor"]["orders"]) == len(checks["C9:descent"]["changes"]) == 100
    assert verdict("C9", Evidence(series={}, checks=checks)).verdict == "agrees"


def test_the_articles_example_changes_by_minus_six_for_each_unit():
    found = product_example(0)
    assert found["gradient"] == [-6.0, 2.0]
    assert set(found["slopes"]) == {-6.0}
