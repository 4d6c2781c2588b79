"""C8: gradients over depth with a cache and without, and what is shown of them."""

import json
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.evidence import Evidence, Regimes
from jacchain.analysis.noise import regimes
from jacchain.analysis.slopes import LEAST_SIZES, LEAST_SPAN
from jacchain.claims.c8_caching import (
    CACHED,
    COUNTED,
    COUNTS,
    EXPERIMENT,
    MEASURED,
    MEMORY,
    NARROW,
    SCRATCH,
    WIDE,
    Memory,
    cell_name,
    cells,
    count_gradients,
    depths,
    measure_memory,
    shows,
    wide,
)
from jacchain.experiments.cell import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.sizes import Sizes

QUICK = Sizes()
GOOD = {COUNTS: {"loss-first, with a cache, 2 layers of 4": (56, 56)}}


def obeys(series):
    """A call, and a rate for each kind of product."""
    cost = series.cost
    return 1e-7 * cost.products + 1e-10 * cost.row_flops + 2.5e-11 * cost.matrix_flops


def scaled(factor, *, name, cell):
    """The same machine, but for one arm of one cell."""
    return lambda s: obeys(s) * (factor if (s.name, s.cell) == (name, cell) else 1.0)


def verdicts(verdict, name):
    return {part.verdict for part in verdict.parts if name in part.name}


@pytest.fixture(scope="module")
def counts():
    return count_gradients(3)


@pytest.fixture(scope="module")
def memory():
    return measure_memory(3)


# Cells and checks


def test_both_arms_give_the_same(assert_same):
    assert_same(cells(QUICK))


def test_dims_that_are_stated_are_those_of_the_networks():
    for cell in cells(QUICK)[:12]:
        weights = sum(m * n for m, n in pairwise(cell.dims[1:]))
        assert all(arm.cost.held_bytes >= 8 * weights for arm in cell.arms(np.dtype(float), 3))


def test_input_first_is_less_deep_in_quick_only():
    assert depths(QUICK, INPUT_FIRST, NARROW) == (1, 2, 3, 4, 6, 8)
    assert depths(QUICK, LOSS_FIRST, NARROW) == (1, 2, 3, 4, 6, 8, 12)
    assert depths(Sizes("full"), INPUT_FIRST, NARROW) == (1, 2, 3, 4, 6, 8, 12)
    assert depths(Sizes("standard"), LOSS_FIRST, WIDE)[-2:] == (32, 48)


@pytest.mark.parametrize(
    "caches", [(2**20, 2**25), (2**21, 105 * 2**20), (2**21, 2**28), (2**19, 2**24)]
)
@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("scale", ["quick", "standard"])
def test_growth_can_be_judged_on_machines_with_room_in_their_cache(caches, itemsize, scale):
    """Four depths over half a decade in one regime, by the sizes that caches are said to have."""
    sizes, edges = Sizes(scale, *caches, itemsize), regimes(*caches, [])
    layers = []
    for cell in cells(sizes):
        if cell.group == f"C8 loss-first, width {wide(sizes)}":
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
    assert len(counts) == 4 * len(COUNTED)
    assert all(counted == predicted for counted, predicted in counts.values())


@pytest.mark.parametrize("layers", COUNTED)
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
    np.testing.assert_array_equal(np.diff(kept), 8 * NARROW * np.diff(MEASURED))


def test_calls_allocate_about_what_the_plan_says(memory):
    """Never less than the peak; twice as much, and what Python's objects take, at most."""
    assert len(memory.calls) == 4 * len(MEASURED)
    for call in memory.calls:
        assert call.predicted <= call.allocated <= 2.3 * call.predicted + 2**16


def read(values):
    """Read the values of the check from a record."""
    return TypeAdapter(Memory).validate_json(json.dumps(values), strict=True)


CALL = {
    "order": LOSS_FIRST,
    "label": CACHED,
    "layers": 2,
    "allocated": 3,
    "predicted": 2,
    "kept": 1,
}


def test_memory_is_read_as_it_was_written(memory):
    written = TypeAdapter(Memory).dump_python(memory, mode="json")
    assert read(written) == memory
    assert read({"calls": [CALL]}).calls[0].kept == 1


@pytest.mark.parametrize(
    "edit",
    [
        {"order": "sideways"},
        {"label": None},
        {"layers": 0},
        {"layers": "2"},
        {"allocated": -3},
        {"predicted": 2**63},
        {"kept": 1.5},
    ],
)
def test_memory_edited_by_hand_is_refused(edit):
    with pytest.raises(ValidationError, match=next(iter(edit))):
        read({"calls": [CALL | edit]})


@pytest.mark.parametrize("missing", CALL)
def test_memory_without_one_of_its_values_is_refused(missing):
    less = {key: value for key, value in CALL.items() if key != missing}
    with pytest.raises(ValidationError, match=f"{missing}\n.*Field required"):
        read({"calls": [less]})


# Judgement


def test_growth_is_judged_both_ways_and_gains_from_three_layers_on(simulate, judged):
    names = {part.name for part in judged(EXPERIMENT, simulate(EXPERIMENT, obeys)).parts}
    for label in (CACHED, SCRATCH):
        what = f"loss-first, {label}, over L"
        assert {f"slope of {what}, LLC", f"rivals of {what}, LLC"} <= names
    gains = [int(n.split(", ")[-1].split()[0]) for n in names if "C8 loss-first" in n]
    assert min(gains) == 3
    inputs = [name for name in names if "C8 input-first" in name]
    assert len(inputs) == len(depths(QUICK, INPUT_FIRST, NARROW))


@pytest.mark.parametrize(
    ("label", "power", "expected"),
    [
        (CACHED, 1, {"agrees"}),
        (CACHED, 2, {"disagrees"}),
        (CACHED, 1.5, {"disagrees"}),
        (SCRATCH, 2, {"agrees"}),
        (SCRATCH, 1, {"disagrees"}),
        (SCRATCH, 2.5, {"disagrees"}),
    ],
)
def test_growth_is_linear_with_a_cache_and_quadratic_without(
    simulate, judged, label, power, expected
):
    def law(series):
        if series.name != label or f"layers of {WIDE}" not in series.cell:
            return obeys(series)
        return 1e-4 * (len(series.dims) - 2) ** power

    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law, checks=GOOD))
    assert verdicts(verdict, f"slope of loss-first, {label}") == expected
    assert verdicts(verdict, f"rivals of loss-first, {label}") == expected
    if expected == {"disagrees"}:
        assert verdict.verdict == "disagrees"


def test_growth_outside_every_regime_is_undecided_with_its_reason(simulate, judged):
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, obeys, regimes=Regimes()))
    parts = [part for part in verdict.parts if part.name.startswith("slope")]
    assert [part.verdict for part in parts] == ["inconclusive"] * 2
    assert all("no memory regime holds four depths" in part.reason for part in parts)


def test_a_cache_that_gains_nothing_loss_first_disagrees(simulate, judged):
    cell = cell_name(LOSS_FIRST, NARROW, 12)
    law = scaled(20.0, name=CACHED, cell=cell)
    verdict = judged(EXPERIMENT, simulate(EXPERIMENT, law))
    assert verdict.verdict == "disagrees"
    assert cell in verdict.reason


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
def test_input_first_gains_at_most_what_counts_say(simulate, judged, gain, expected):
    cell = cell_name(INPUT_FIRST, NARROW, 6)
    law = scaled(gain, name=SCRATCH, cell=cell)
    assert verdicts(judged(EXPERIMENT, simulate(EXPERIMENT, law)), cell) == {expected}


# What is shown


@pytest.fixture(scope="module")
def whole(simulate, memory):
    return simulate(EXPERIMENT, obeys, checks={MEMORY: memory})


def panels(evidence):
    (figure,) = shows(evidence, QUICK)
    return [panel for row in figure.panels for panel in row]


def test_every_way_is_shown_over_depth(whole):
    narrow, broad, _ = panels(whole)
    for panel, width, orders in ((narrow, NARROW, BOTH), (broad, WIDE, (LOSS_FIRST,))):
        assert panel.title == f"layers of {width}"
        assert len({curve.label for curve in panel.curves}) == 2 * len(orders) + 1
        for order in orders:
            layers = depths(QUICK, order, width)
            for index, label in enumerate((SCRATCH, CACHED)):
                (points,) = (c for c in panel.curves if c.label == f"{order}, {label}")
                pairs = [whole.pair(cell_name(order, width, n)) for n in layers]
                np.testing.assert_array_equal(points.x, layers)
                np.testing.assert_array_equal(points.y, [pair[index].time for pair in pairs])
                assert (points.marks, points.line) == (("hollow", "filled")[index], "")


def test_the_formulas_growth_passes_through_the_deepest_point(whole):
    _, broad, _ = panels(whole)
    for index, style in ((0, "--"), (1, "-")):
        (line,) = (c for c in broad.curves if c.line == style)
        names = [cell_name(LOSS_FIRST, WIDE, n) for n in depths(QUICK, LOSS_FIRST, WIDE)]
        series = [whole.pair(name)[index] for name in names]
        counts = np.array([s.cost.multiplications for s in series], dtype=float)
        np.testing.assert_allclose(line.y, series[-1].time * counts / counts[-1])


def test_memory_shows_what_is_allocated_predicted_and_kept(whole, memory):
    shown = sorted(curve.y.tolist() for curve in panels(whole)[2].curves)
    rows = [memory.calls[i : i + 3] for i in range(0, 12, 3)]
    expected = [
        [getattr(c, key) for c in row] for row in rows for key in ("allocated", "predicted")
    ]
    kept = [[call.kept for call in row] for row in rows if row[0].kept]
    assert shown == sorted(expected + kept)


def test_the_table_has_a_row_for_each_cell(whole):
    (figure,) = shows(whole, QUICK)
    rows = {row[0]: row for row in figure.numbers.rows}
    assert len(rows) == len(cells(QUICK))
    assert {len(row) for row in rows.values()} == {len(figure.numbers.columns)}
    scratch, cached = whole.pair(cell_name(LOSS_FIRST, WIDE, 24))
    _, *times, gain, (low, high), formula = rows["loss-first, 24 layers of 256"]
    assert times == [scratch.time, cached.time]
    assert formula == 37754880 / 3086336
    assert low <= gain <= high
    assert rows["input-first, 8 layers of 48"][5] == 1


@pytest.mark.parametrize(
    ("kept", "rows"),
    [("loss-first, 3 layers of 48", 1), (INPUT_FIRST, 6), ("of 256", 6), ("nothing", 0)],
)
def test_a_run_that_is_not_complete_is_shown_all_the_same(whole, kept, rows):
    partly = {name: arms for name, arms in whole.cells.items() if kept in name}
    (figure,) = shows(Evidence(partly), QUICK)
    assert len(figure.numbers.rows) == rows
    assert figure.panels[1][0].curves == ()
