"""C7, C8 and C10 on simulated machines that obey them, and on such as do not."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.noise import regimes
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.experiments import c7_mini_batches as c7
from jacchain.experiments import c8_caching as c8
from jacchain.experiments import c10_real_networks as c10
from jacchain.experiments.batches import WIDE, batch_sizes
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.profiles import PROFILES, fitted
from jacchain.experiments.simulated import QUICK

CLAIMS = ("C7", "C8", "C10")
COUNTS = {
    "C7": {c7.COUNTS: {"shared factors, loss-first": (30, 30)}},
    "C8": {c8.COUNTS: {"loss-first, with a cache, 2 layers of 4": (56, 56)}},
    "C10": {c10.COUNTS: {"LeNet-5, factors as they are, loss-first": (412960, 412960)}},
}


def obeys(series):
    """A call, and a rate for each kind of product; whatever is one by one takes half longer."""
    seconds = 1e-7 * series.products + 1e-10 * series.row_flops + 2.5e-11 * series.matrix_flops
    return seconds * (1.5 if series.order == c7.ONE_BY_ONE else 1.0)


def scaled(factor, *, order, cell=""):
    """The same machine, but for what is named so."""
    return lambda s: obeys(s) * (factor if s.order == order and s.cell.endswith(cell) else 1.0)


def verdicts(verdict, name=""):
    return {part.verdict for part in verdict.parts if name in part.name}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_machine_that_obeys_agrees(compared, judged, claim):
    found = judged(claim, compared(claim, obeys, checks=COUNTS[claim]))
    assert found.verdict == "agrees"
    assert len(found.parts) > len(COUNTS[claim])


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_machine_too_noisy_is_inconclusive(compared, judged, claim):
    found = judged(claim, compared(claim, obeys, checks=COUNTS[claim], noise_floor=0.16))
    assert found.verdict == "inconclusive"
    assert "noise floor is 16%" in found.reason


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("wrong", [1, -1])
def test_one_multiplication_too_many_or_too_few_disagrees(compared, judged, claim, wrong):
    (check, counts), *_ = COUNTS[claim].items()
    ((label, (_, right)),) = counts.items()
    evidence = compared(claim, obeys, checks={check: {label: (right + wrong, right)}})
    found = judged(claim, evidence)
    assert found.verdict == "disagrees"
    assert label in found.reason


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_measured_is_inconclusive_with_the_reason(judged, claim):
    found = judged(claim, Evidence(series={}))
    assert found.verdict == "inconclusive"
    assert {part.verdict for part in found.parts} == {"inconclusive"}
    assert all(part.reason for part in found.parts)
    timed = [p.reason for p in found.parts if p.name.startswith(f"{claim} ")]
    assert timed
    assert set(timed) == {"not measured in this run"}


@pytest.mark.parametrize("claim", CLAIMS)
def test_counts_that_were_not_taken_are_said_to_be_so(compared, judged, claim):
    found = judged(claim, compared(claim, obeys))
    (part,) = (p for p in found.parts if p.reason == "not counted in this run")
    assert (part.name, part.verdict) == ("multiplications", "inconclusive")


@pytest.mark.parametrize("claim", CLAIMS)
def test_skipped_comparisons_give_their_reason(compared, judged, claim):
    whole = compared(claim, obeys)
    skipped = {f"comparison:{name}": f"too long: {name}" for name in whole.comparisons}
    found = judged(claim, replace(whole, comparisons={}, skipped=skipped))
    parts = [part for part in found.parts if part.name in whole.comparisons]
    assert parts
    for part in parts:
        assert (part.verdict, part.reason) == ("inconclusive", f"too long: {part.name}")


# C7


def test_c7_judges_both_orders_and_the_gain_of_each_at_every_batch_size(compared, judged):
    names = [part.name for part in judged("C7", compared("C7", obeys)).parts]
    for n in batch_sizes(QUICK):
        for what in ("orders", *((LOSS_FIRST, INPUT_FIRST, WIDE) if n > 1 else ())):
            assert f"time ratio, {c7.name(what, n)}" in names
    assert not any("explicit" in name for name in names)


def test_the_formula_beside_a_gain_is_that_of_multiplications(compared, judged):
    for part in judged("C7", compared("C7", obeys)).parts:
        if "orders" in part.name:
            assert part.expected == pytest.approx(17639424 / 165514)
            assert part.margin == (10, np.inf)
        elif part.timed and part.interval:
            assert (part.expected, part.margin) == (1, (1, np.inf))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [(1.2, "agrees"), (1.0, "inconclusive"), (0.96, "inconclusive"), (0.8, "disagrees")],
)
@pytest.mark.parametrize("order", [LOSS_FIRST, INPUT_FIRST])
def test_a_batch_must_take_less_than_its_samples_one_by_one(
    compared, judged, order, gain, expected
):
    def law(series):
        if f"C7 {order}, batch" not in series.cell:
            return obeys(series)
        return 1e-3 * (gain if series.order == c7.ONE_BY_ONE else 1.0)

    found = judged("C7", compared("C7", law, checks=COUNTS["C7"]))
    assert verdicts(found, f"C7 {order}, batch") == {expected}
    assert (found.verdict == "disagrees") is (expected == "disagrees")


def test_a_machine_where_batches_help_nowhere_leaves_c7_open(compared, judged):
    def law(series):
        return 1e-9 * series.multiplications

    found = judged("C7", compared("C7", law, checks=COUNTS["C7"]))
    assert found.verdict == "inconclusive"
    assert verdicts(found, "orders") == {"agrees"}
    assert verdicts(found, "C7 wide") == {"inconclusive"}


def test_a_machine_where_batches_hurt_disagrees(compared, judged):
    found = judged("C7", compared("C7", scaled(4.0, order=c7.BATCH), checks=COUNTS["C7"]))
    assert found.verdict == "disagrees"
    assert verdicts(found, "orders") == {"agrees"}


@pytest.mark.parametrize("samples", [1, 64])
def test_loss_first_slower_in_a_single_batch_size_disagrees(compared, judged, samples):
    key = c7.name("orders", samples)
    law = scaled(1e4, order=LOSS_FIRST, cell=key)
    found = judged("C7", compared("C7", law, checks=COUNTS["C7"]))
    assert found.verdict == "disagrees"
    assert [p.name for p in found.parts if p.verdict == "disagrees"] == [f"time ratio, {key}"]


# C8


def test_c8_judges_growth_both_ways_and_gains_from_three_layers_on(compared, judged):
    found = judged("C8", compared("C8", obeys))
    names = {part.name for part in found.parts}
    for label in (c8.CACHED, c8.SCRATCH):
        of = f"loss-first, {label}, over L"
        assert {f"slope of {of}, LLC", f"rivals of {of}, LLC"} <= names
    gains = [int(n.split(", ")[-1].split()[0]) for n in names if "C8 loss-first" in n]
    assert min(gains) == 3
    assert len([n for n in names if "C8 input-first" in n]) == len(
        c8.depths(QUICK, INPUT_FIRST, c8.NARROW)
    )


@pytest.fixture
def growing(compared):
    """C8 where one way of the wide network takes a time that grows so with the depth."""

    def evidence(label, power):
        def law(series):
            if series.order != label or f"layers of {c8.WIDE}" not in series.cell:
                return obeys(series)
            return 1e-4 * (len(series.dims) - 2) ** power

        return compared("C8", law, checks=COUNTS["C8"])

    return evidence


@pytest.mark.parametrize(
    ("label", "power", "expected"),
    [
        (c8.CACHED, 1, {"agrees"}),
        (c8.CACHED, 2, {"disagrees"}),
        (c8.CACHED, 1.5, {"disagrees"}),
        (c8.SCRATCH, 2, {"agrees"}),
        (c8.SCRATCH, 1, {"disagrees"}),
        (c8.SCRATCH, 2.5, {"disagrees"}),
    ],
)
def test_growth_is_linear_with_a_cache_and_quadratic_without(
    judged, growing, label, power, expected
):
    found = judged("C8", growing(label, power))
    assert verdicts(found, f"slope of loss-first, {label}") == expected
    assert verdicts(found, f"rivals of loss-first, {label}") == expected
    if expected == {"disagrees"}:
        assert found.verdict == "disagrees"


def test_growth_outside_every_regime_is_undecided_with_its_reason(compared, judged):
    evidence = compared("C8", obeys)
    found = judged("C8", replace(evidence, regimes=type(evidence.regimes)()))
    parts = [part for part in found.parts if part.name.startswith("slope")]
    assert [part.verdict for part in parts] == ["inconclusive"] * 2
    assert all("no memory regime holds four depths" in part.reason for part in parts)


def test_a_cache_that_gains_nothing_loss_first_disagrees(compared, judged):
    key = c8.name(LOSS_FIRST, c8.NARROW, 12)
    found = judged("C8", compared("C8", scaled(20.0, order=c8.CACHED, cell=key)))
    assert found.verdict == "disagrees"
    assert key in found.reason


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (0.9, "agrees"),
        (1.0, "agrees"),
        (1.05, "agrees"),
        (1.15, "inconclusive"),
        (1.5, "disagrees"),
    ],
)
def test_input_first_gains_at_most_what_counts_say(compared, judged, gain, expected):
    key = c8.name(INPUT_FIRST, c8.NARROW, 6)
    found = judged("C8", compared("C8", scaled(gain, order=c8.SCRATCH, cell=key)))
    assert verdicts(found, key) == {expected}


# C10


def test_c10_wants_ten_where_the_formula_says_a_hundred(compared, judged):
    found = judged("C10", compared("C10", obeys, checks=COUNTS["C10"]))
    margins = {p.name: p.margin[0] for p in found.parts if p.timed}
    assert margins == {
        "time ratio, C10 LeNet-5, orders, factors as they are": 1,
        "time ratio, C10 recurrent, 28 steps, orders, factors as they are": 10,
    }


@pytest.mark.parametrize(
    ("network", "ratio", "expected"),
    [
        ("LeNet-5", 0.5, "disagrees"),
        ("LeNet-5", 8.0, "agrees"),
        ("recurrent, 28 steps", 8.0, "disagrees"),
        ("recurrent, 28 steps", 12.0, "agrees"),
        ("recurrent, 28 steps", 10.0, "inconclusive"),
    ],
)
def test_c10_follows_the_rule_of_c5_for_each_network(compared, judged, network, ratio, expected):
    def law(series):
        if network not in series.cell:
            return obeys(series)
        return 1e-4 * (ratio if series.order == INPUT_FIRST else 1.0)

    found = judged("C10", compared("C10", law, checks=COUNTS["C10"]))
    named = f"time ratio, {c10.name(network, 'orders, factors as they are')}"
    assert verdicts(found, named) == {expected}


def test_dense_factors_are_judged_where_both_orders_are_measured(compared, judged):
    standard = PROFILES["standard"]
    law = scaled(1e4, order=LOSS_FIRST, cell="orders, factors dense")
    found = judged("C10", compared("C10", law, profile="standard"), standard)
    assert verdicts(found, "factors dense") == {"disagrees"}
    assert verdicts(found, "factors as they are") == {"agrees"}


@pytest.mark.parametrize(
    "caches", [(2**20, 2**25), (2**21, 105 * 2**20), (2**21, 2**28), (2**19, 2**24)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_growth_can_be_judged_on_machines_with_room_in_their_cache(caches, dtype, profile):
    """Four depths over half a decade in one regime, by the sizes that caches are said to have."""
    known = fitted(PROFILES[profile], *caches, dtype)
    width, edges = c8.wide(known), regimes(*caches, [])
    places = []
    for layers in c8.depths(known, LOSS_FIRST, width):
        _, cached = c8._ways(LOSS_FIRST, width, layers, np.dtype(dtype), 0)
        if edges.name(cached.work.working_set) == "LLC":
            places.append(layers)
    assert len(places) >= LEAST_SIZES
    assert np.log(places[-1] / places[0]) >= LEAST_SPAN
