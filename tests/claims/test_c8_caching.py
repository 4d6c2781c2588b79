"""C8: gradients over depth with a cache and without, and what is shown of them."""

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Regimes
from jacchain.analysis.noise import regimes
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.claims import c8_caching as c8
from jacchain.claims.c8_caching import CACHED, EXPERIMENT, NARROW, SCRATCH, cell_name
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.sizes import Sizes
from tests.claims.makers import QUICK, STANDARD, judged, obeys, simulate

WIDE = c8.wide(QUICK)


@pytest.fixture(scope="module")
def counts():
    return c8.count_gradients(3)


@pytest.fixture(scope="module")
def memory():
    return c8.measure_memory(3)


# Cells and checks


def test_input_first_is_less_deep_in_quick_only():
    assert c8.depths(QUICK, INPUT_FIRST, NARROW) == (1, 2, 3, 4, 6, 8)
    assert c8.depths(QUICK, LOSS_FIRST, NARROW) == (1, 2, 3, 4, 6, 8, 12)
    assert c8.depths(Sizes("full"), INPUT_FIRST, NARROW) == (1, 2, 3, 4, 6, 8, 12)
    assert c8.depths(STANDARD, LOSS_FIRST, WIDE)[-2:] == (32, 48)


@pytest.mark.parametrize(
    "caches", [(2**20, 2**25), (2**21, 105 * 2**20), (2**21, 2**28), (2**19, 2**24)]
)
@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("scale", ["quick", "standard"])
def test_growth_can_be_judged_on_machines_with_room_in_their_cache(caches, itemsize, scale):
    """Four depths over half a decade in one regime, by the sizes that caches are said to have."""
    sizes, edges = Sizes(scale, *caches, itemsize), regimes(*caches, [])
    layers = []
    for cell in c8.cells(sizes):
        if cell.group == f"C8 loss-first, width {c8.wide(sizes)}":
            _, cached = cell.arms(np.dtype(f"f{itemsize}"), 0)
            if edges.name(cached.cost.working_set) == "LLC":
                layers.append(len(cell.dims) - 2)
    assert len(layers) >= LEAST_SIZES
    assert np.log(layers[-1] / layers[0]) >= LEAST_SPAN


def test_counts_of_gradients_can_be_done_by_hand(counts):
    """A row of 4 takes 16 through W2 to the first layer, and 4 for a bias and 16 for a matrix."""
    through, own = 16, 4 + 16
    assert counts["loss-first, with a cache, 2 layers of 4"] == (own + through + own,) * 2
    assert counts["loss-first, each from scratch, 2 layers of 4"] == (own + 2 * through + own,) * 2
    assert len(counts) == 4 * len(c8.COUNTED)
    assert all(counted == predicted for counted, predicted in counts.values())


@pytest.mark.parametrize("layers", c8.COUNTED)
def test_a_cache_saves_multiplications_loss_first_only(counts, layers):
    loss, inputs = (
        [counts[f"{order}, {label}, {layers} layers of 4"][0] for label in (CACHED, SCRATCH)]
        for order in BOTH
    )
    assert loss[0] < loss[1]
    assert inputs[0] == inputs[1]


def test_a_cache_keeps_adjoints_loss_first_only(memory):
    for call in memory.calls:
        assert (call.kept > 0) is ((call.order, call.label) == (LOSS_FIRST, CACHED))
    kept = [call.kept for call in memory.calls if call.kept]
    np.testing.assert_array_equal(np.diff(kept), 8 * NARROW * np.diff(c8.MEASURED))


def test_calls_allocate_about_what_the_plan_says(memory):
    """Never less than the peak; twice as much, and what Python's objects take, at most."""
    assert len(memory.calls) == 4 * len(c8.MEASURED)
    for call in memory.calls:
        assert call.predicted <= call.allocated <= 2.3 * call.predicted + 2**16


# Judgement


@pytest.fixture(scope="module")
def checks(counts, memory):
    return {c8.COUNTS: counts, c8.PRODUCTS: c8.count_products(3), c8.MEMORY: memory}


def statement(evidence, sentence):
    """The judged statement with this sentence."""
    return next(s for s in judged(EXPERIMENT, evidence).statements if s.sentence == sentence)


def test_a_machine_that_obeys_agrees_with_every_statement(checks):
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, checks=checks))
    assert [s.verdict for s in verdict.statements] == ["agrees"] * 6
    gains = [(NARROW, n) for n in (3, 4, 6, 8, 12)] + [(WIDE, n) for n in (6, 7, 8, 12, 16, 24)]
    pays = statement(simulate(EXPERIMENT), c8.PAYS)
    names = {f"time ratio, {cell_name(LOSS_FIRST, *gain)}" for gain in gains}
    assert {part.name for part in pays.parts} == names


@pytest.mark.parametrize(
    ("label", "power", "expected"),
    [
        *((CACHED, power, "disagrees") for power in (1.5, 2)),
        *((SCRATCH, power, "disagrees") for power in (1, 2.5)),
        (CACHED, 1, "agrees"),
        (SCRATCH, 2, "agrees"),
    ],
)
def test_growth_is_linear_with_a_cache_and_quadratic_without(label, power, expected):
    def law(series):
        if series.name != label or f"layers of {WIDE}" not in series.cell:
            return obeys(series)
        return 1e-4 * (len(series.dims) - 2) ** power

    evidence = simulate(EXPERIMENT, law, overhead=1e-7)
    growth = statement(evidence, c8.LINEAR if label == CACHED else c8.QUADRATIC)
    assert growth.verdict == expected
    assert growth.parts[0].verdict == expected
    assert growth.parts[0].name.startswith(f"slope of loss-first, {label}")


def test_what_is_not_judged_is_not_outvoted(checks):
    """By gains, or by counts: on one machine three of four growths could not be judged."""
    unjudged = simulate(EXPERIMENT, checks=checks, regimes=Regimes())
    verdict = judged(EXPERIMENT, unjudged)
    assert verdict.verdict == "inconclusive"
    assert [s.verdict for s in verdict.statements].count("agrees") == 4


def test_a_gain_that_does_not_grow_disagrees():
    def law(series):
        return (2e-3 if series.name == SCRATCH else 1e-3) * len(series.dims)

    grows = statement(simulate(EXPERIMENT, law), c8.GROWS)
    assert [part.verdict for part in grows.parts] == ["inconclusive"] * 2
    assert [part.measured for part in grows.parts] == pytest.approx([0, 0], abs=0.02)

    def falls(series):
        return law(series) / (len(series.dims) if series.name == SCRATCH else 1)

    assert statement(simulate(EXPERIMENT, falls), c8.GROWS).verdict == "disagrees"


@pytest.mark.parametrize("layers", c8.COUNTED)
def test_input_first_shares_no_product_and_loss_first_does(checks, layers):
    products = checks[c8.PRODUCTS]
    cached, scratch = products[f"input-first, {layers} layers"]
    assert cached == scratch > 0
    cached, scratch = products[f"loss-first, {layers} layers"]
    assert cached < scratch
    wrong = {**products, f"input-first, {layers} layers": (3, 4)}
    shared = statement(simulate(EXPERIMENT, checks={c8.PRODUCTS: wrong}), c8.NOTHING_SHARED)
    assert shared.verdict == "disagrees"


def test_no_two_arms_are_the_same_program():
    for cell in c8.cells(QUICK):
        first, second = cell.arms(np.dtype(float), 0)
        assert cell.dims[1:] == (NARROW, NARROW) or first.cost != second.cost


def test_growth_outside_every_regime_is_undecided_with_its_reason():
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, regimes=Regimes()))
    parts = [part for s in verdict.statements[1:3] for part in s.parts]
    assert [part.verdict for part in parts] == ["inconclusive"] * 4
    assert all("no memory regime holds four depths" in part.reason for part in parts)


# What is shown


@pytest.fixture(scope="module")
def whole(memory):
    return simulate(EXPERIMENT, checks={c8.MEMORY: memory})


def panels(evidence):
    (figure,) = c8.shows(evidence, QUICK)
    return [panel for row in figure.panels for panel in row]


def series(whole, order, width, label):
    """What was measured of one way, at every depth."""
    pairs = [whole.pair(cell_name(order, width, n)) for n in c8.depths(QUICK, order, width)]
    return [pair[order == LOSS_FIRST and label == CACHED] for pair in pairs]


@pytest.mark.parametrize(
    ("place", "width", "orders"), [(0, NARROW, BOTH), (1, WIDE, (LOSS_FIRST,))]
)
def test_every_way_is_shown_over_depth(whole, place, width, orders):
    panel = panels(whole)[place]
    assert panel.title == f"layers of {width}"
    assert len({curve.label for curve in panel.curves}) == len(orders) + 2
    for order in orders:
        ways = ((SCRATCH, "hollow"), (CACHED, "filled"))
        for label, marks in ways if order == LOSS_FIRST else ways[:1]:
            (points,) = (c for c in panel.curves if c.label == f"{order}, {label}")
            assert points.x.tolist() == [*c8.depths(QUICK, order, width)]
            assert points.y.tolist() == [s.time for s in series(whole, order, width, label)]
            assert (points.marks, points.line) == (marks, "")


@pytest.mark.parametrize(("label", "style"), [(SCRATCH, "--"), (CACHED, "-")])
def test_the_formulas_growth_passes_through_the_deepest_point(whole, label, style):
    (line,) = (curve for curve in panels(whole)[1].curves if curve.line == style)
    measured = series(whole, LOSS_FIRST, WIDE, label)
    counts = np.array([s.cost.multiplications for s in measured], dtype=float)
    np.testing.assert_allclose(line.y, measured[-1].time * counts / counts[-1])


def test_memory_shows_what_is_allocated_predicted_and_kept(whole, memory):
    shown = sorted(curve.y.tolist() for curve in panels(whole)[2].curves)
    rows = [memory.calls[i : i + 3] for i in range(0, 12, 3)]
    expected = [[getattr(c, k) for c in row] for row in rows for k in ("allocated", "predicted")]
    kept = [[call.kept for call in row] for row in rows if row[0].kept]
    assert shown == sorted(expected + kept)


def test_the_table_has_a_row_for_each_cell(whole):
    (figure,) = c8.shows(whole, QUICK)
    rows = {row[0]: row for row in figure.numbers.rows}
    assert len(rows) == len(whole.cells)
    scratch, cached = whole.pair(cell_name(LOSS_FIRST, WIDE, 24))
    row = rows[f"loss-first, each from scratch: 24 layers of {WIDE}"]
    _, *times, gain, (low, high), formula = row
    assert times == [scratch.time, cached.time]
    assert formula == (576 * WIDE**2 + 24 * WIDE) / (47 * WIDE**2 + 24 * WIDE)
    assert low <= gain <= high
    inputs, loss = whole.pair(cell_name(INPUT_FIRST, NARROW, 8))
    assert rows["input-first: 8 layers of 48"][1:3] == (inputs.time, loss.time)


@pytest.mark.parametrize(("kept", "rows"), [("loss-first, 3 layers of 48", 1), (INPUT_FIRST, 6)])
def test_the_table_leaves_out_what_was_not_measured(whole, kept, rows):
    cells = {name: arms for name, arms in whole.cells.items() if kept in name}
    (figure,) = c8.shows(Evidence(cells), QUICK)
    assert len(figure.numbers.rows) == rows
