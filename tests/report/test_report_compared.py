"""Figures and tables of C7, C8 and C10, from simulated comparisons: whole, in part and empty."""

from dataclasses import replace
from html import escape
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from jacchain.analysis.fit import predicted_time
from jacchain.experiments import c8_caching as c8
from jacchain.experiments import c10_real_networks as c10
from jacchain.experiments.batches import batch_sizes, name, turning, wide_rates
from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK
from jacchain.report.batches import batches_table
from jacchain.report.figures import DRAWINGS, draw, draw_figures, run_figures
from jacchain.report.gradients import gradients_table
from jacchain.report.networks import ROWS, networks_table
from jacchain.report.page import NUMBERS, render
from jacchain.report.points import span
from jacchain.report.style import GREEN, LOOKS, MUTED, house_style
from jacchain.report.terminal import number, seconds, size

FIGURES = {f.kind: f for claim in ("C7", "C8", "C10") for f in experiments()[claim].figures}
WAYS = [f"{order}, {label}" for order in BOTH for label in (c8.SCRATCH, c8.CACHED)]


def keep(assessment, kept, **facts):
    """The run of which only some comparisons were measured."""
    found = assessment.evidence
    pairs = {key: pair for key, pair in found.comparisons.items() if kept(key)}
    return replace(assessment, evidence=replace(found, comparisons=pairs, **facts))


def drawn(kind, assessment):
    with house_style():
        page = draw(FIGURES[kind], assessment)
        page.canvas.draw()  # what only the backend would stumble over
    return page


def lines(axes, **wanted):
    """Lines of a look: colour, marker, label, linestyle."""
    return [x for x in axes.lines if all(getattr(x, f"get_{k}")() == v for k, v in wanted.items())]


def legend_of(page):
    return [t.get_text() for legend in page.findobj(lambda o: hasattr(o, "get_texts"))
            for t in legend.get_texts()]  # fmt: skip


def test_every_kind_of_figure_has_a_drawing_and_every_drawing_a_figure(assessment):
    claims = {f.kind for e in experiments().values() for f in e.figures}
    assert claims | {f.kind for f in run_figures(assessment)} == set(DRAWINGS)
    assert set(NUMBERS) == {*FIGURES, "construction", "peers"} <= set(DRAWINGS)


def test_a_span_holds_the_time(whole):
    for pair in whole.evidence.comparisons.values():
        for series in pair:
            low, time, high = span(series)
            assert low <= time == series.time <= high
            assert high < 1.1 * low


# C7


def test_batches_show_seconds_per_sample_of_every_way(whole):
    above, _ = drawn("batches", whole).axes
    found = whole.evidence.comparisons
    for index, order in enumerate(BOTH):
        (batch,) = lines(above, label=f"{order}, in a batch")
        expected = [found[name("orders", n)][index].time / n for n in batch_sizes(QUICK)]
        np.testing.assert_allclose(batch.get_ydata(), expected)
        (single,) = lines(above, label=f"{order}, one by one")
        expected = [found[name(order, n)][0].time / n for n in batch_sizes(QUICK)[1:]]
        np.testing.assert_allclose(single.get_ydata(), expected)
        assert single.get_markerfacecolor() == "white"
    (explicit,) = lines(above, color=GREEN)
    np.testing.assert_array_equal(explicit.get_xdata(), batch_sizes(QUICK))


def test_the_models_prediction_is_dashed_and_absent_without_a_model(whole):
    above, _ = drawn("batches", whole).axes
    for index, order in enumerate(BOTH):
        (line,) = lines(above, linestyle="--", color=LOOKS[order].colour)
        expected = [
            predicted_time(
                whole.fit, whole.evidence.comparisons[name("orders", n)][index], whole.evidence
            ) / n for n in batch_sizes(QUICK)
        ]  # fmt: skip
        np.testing.assert_allclose(line.get_ydata(), expected)
    page = drawn("batches", replace(whole, fit=None))
    assert lines(page.axes[0], linestyle="--") == []
    assert not any("model" in text for text in legend_of(page))


def test_rates_of_loss_first_stand_under_a_roof_and_beside_the_turning(whole):
    _, below = drawn("batches", whole).axes
    sizes, rates = wide_rates(whole.evidence, QUICK)
    (line,) = lines(below, label="loss-first, in a batch")
    np.testing.assert_allclose(line.get_xydata(), np.column_stack([sizes, rates / 1e9]))
    found = turning(whole.evidence, QUICK)
    (roof,) = lines(below, label="ceilings: bandwidth, arithmetic")
    assert max(roof.get_ydata()) == pytest.approx(found.ceiling / 1e9)
    (predicted,) = lines(below, label=f"turns at {found.predicted:.1f}, predicted")
    assert predicted.get_xdata()[0] == found.predicted == pytest.approx(8)  # 8 x 6e10 / 2 x 3e10
    (reached,) = lines(below, label=f"half of the ceiling at {found.measured:.1f}, measured")
    assert 1 < reached.get_xdata()[0] < 4
    low, high = below.get_ylim()
    assert low < rates.min() / 1e9 < rates.max() / 1e9 < high


def test_without_ceilings_there_is_no_roof_and_no_turning(whole):
    bare = keep(whole, lambda _: True, ceilings={})
    _, below = drawn("batches", bare).axes
    assert [line.get_label() for line in below.lines] == ["loss-first, in a batch"]
    assert "turns" not in batches_table(bare).caption


def test_the_table_of_batches_has_a_row_for_each_size(whole):
    table = batches_table(whole)
    assert [row[0] for row in table.rows] == ["1", "4", "16", "64"]
    assert {len(row) for row in table.rows} == {len(table.header)}
    loss, inputs = whole.evidence.comparisons[name("orders", 64)]
    assert table.rows[-1][1:3] == (seconds(loss.time / 64), seconds(inputs.time / 64))
    assert table.rows[0][4] == number(17639424 / 165514)
    assert table.rows[0][5:7] == ("-", "-")  # one sample has no batch to gain from
    assert "turns from bound by memory to bound by arithmetic" in table.caption
    assert f"at a batch of {turning(whole.evidence, QUICK).predicted:.1f}" in table.caption


# C8


def test_gradients_show_every_way_over_depth(whole):
    page = drawn("gradients", whole)
    narrow, wide, memory = page.axes
    for axes, width, orders in ((narrow, c8.NARROW, BOTH), (wide, c8.WIDE, (LOSS_FIRST,))):
        for order in orders:
            for index, label in enumerate((c8.SCRATCH, c8.CACHED)):
                (points,) = lines(axes, label=f"{order}, {label}")
                pairs = [
                    (n, whole.evidence.comparisons[c8.name(order, width, n)][index].time)
                    for n in c8.depths(QUICK, order, width)
                ]
                np.testing.assert_allclose(points.get_xydata(), pairs)
    assert not any(INPUT_FIRST in str(line.get_label()) for line in wide.lines)
    assert memory.get_ylabel() == "allocated at most (bytes)"


def test_the_formulas_growth_passes_through_the_deepest_point(whole):
    wide = drawn("gradients", whole).axes[1]
    for index, style in ((0, "--"), (1, "-")):
        (line,) = lines(wide, linestyle=style)
        pair = [whole.evidence.comparisons[c8.name(LOSS_FIRST, c8.WIDE, n)][index]
                for n in c8.depths(QUICK, LOSS_FIRST, c8.WIDE)]  # fmt: skip
        counts = np.array([s.multiplications for s in pair], dtype=float)
        np.testing.assert_allclose(line.get_ydata(), pair[-1].time * counts / counts[-1])


def test_memory_shows_what_is_allocated_predicted_and_kept(whole):
    memory = drawn("gradients", whole).axes[2]
    found = whole.evidence.checks[c8.MEMORY]
    shown = [line.get_ydata().tolist() for line in memory.lines]
    expected = [*found["allocated"].values(), *found["predicted"].values(), found["kept"][WAYS[1]]]
    assert sorted(shown) == sorted(expected)


def test_the_table_of_gradients_has_a_row_for_each_pair(whole):
    table = gradients_table(whole)
    assert len(table.rows) == sum(key.startswith("C8") for key in whole.evidence.comparisons)
    rows = {row[0]: row for row in table.rows}
    scratch, cached = whole.evidence.comparisons[c8.name(LOSS_FIRST, c8.WIDE, 24)]
    row = rows["loss-first, 24 layers of 256"]
    assert row[1:3] == (seconds(scratch.time), seconds(cached.time))
    assert row[5] == number(37754880 / 3086336)
    low, high = (float(end) for end in row[4].split(" to "))
    assert low <= float(row[3]) <= high
    assert rows["input-first, 8 layers of 48"][5] == "1"


# C10


def test_networks_show_each_order_in_its_row(whole):
    time, work, memory = drawn("networks", whole).axes
    for row, (network, form) in enumerate(ROWS):
        for order in BOTH:
            key = c10.name(network, f"orders, factors {form}")
            if key not in whole.evidence.comparisons and order == INPUT_FIRST:
                continue  # in quick dense factors are multiplied loss-first alone
            shown = [
                line.get_xdata()[0]
                for line in lines(work, color=LOOKS[order].colour)
                if line.get_ydata()[0] == -row
            ]
            assert len(shown) == 1
            (point,) = (x for x in lines(time, color=LOOKS[order].colour, label=order)
                        if x.get_ydata()[0] == -row)  # fmt: skip
            assert point.get_marker() == LOOKS[order].marker
    held = sorted(line.get_xdata()[0] for line in lines(memory, color=MUTED))
    assert held == [10**6 * n for n in (1, 2, 3, 4)]
    labels = [label.get_text() for label in time.get_yticklabels()]
    assert labels == [f"{network}\n{form}" for network, form in ROWS]
    assert "the factors themselves" in legend_of(time.figure)


def test_the_legend_of_networks_names_each_mark_once(whole):
    texts = legend_of(drawn("networks", whole))
    assert sorted(texts) == sorted({LOSS_FIRST, INPUT_FIRST, "the factors themselves"})


def test_the_table_of_networks_has_a_row_for_each_order_measured(whole):
    rows = {row[0]: row for row in networks_table(whole).rows}
    assert len(rows) == 2 * 2 + 2
    row = rows["LeNet-5, as they are, loss-first"]
    series = whole.evidence.comparisons[c10.name("LeNet-5", "orders, factors as they are")][0]
    assert row == (
        "LeNet-5, as they are, loss-first", seconds(series.time), "412,960", size(10**6),
        size(2000), size(3000), row[-1],
    )  # fmt: skip
    dense, own = (s.time for s in whole.evidence.comparisons["C10 LeNet-5, loss-first, by form"])
    assert float(row[-1].split()[0]) == pytest.approx(dense / own, rel=0.05)
    assert rows["LeNet-5, dense, loss-first"][2] == "11,800,360"


def test_memory_that_was_not_measured_is_a_dash(whole):
    of = whole.evidence.checks[c10.MEMORY]["LeNet-5, dense"]
    partly = keep(whole, lambda _: True, checks={c10.MEMORY: {"LeNet-5, dense": of}})
    rows = {row[0]: row[3:6] for row in networks_table(partly).rows}
    assert rows["LeNet-5, dense, loss-first"] == (size(2 * 10**6), size(2000), size(3000))
    assert rows["LeNet-5, as they are, loss-first"] == ("-", "-", "-")
    _, _, memory = drawn("networks", partly).axes
    assert len(memory.lines) == 3


# All three

PARTS = {
    "one comparison": lambda key: key in {name("orders", 4), c8.name(LOSS_FIRST, c8.NARROW, 3)},
    "loss-first only": lambda key: f" {LOSS_FIRST}" in key,
    "input-first only": lambda key: f" {INPUT_FIRST}" in key,
    "explicit only": lambda key: "explicit" in key,
    "wide only": lambda key: "wide" in key or "of 256" in key,
    "dense only": lambda key: "by form" in key,
    "nothing": lambda _: False,
}


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("bare", [False, True])
def test_a_run_that_is_not_complete_is_drawn_all_the_same(whole, kind, part, bare):
    facts = {"checks": {}, "ceilings": {}} if bare else {}
    partly = keep(whole, PARTS[part], **facts)
    assert drawn(kind, partly).axes
    table = NUMBERS[kind](partly)
    assert {len(row) for row in table.rows} <= {len(table.header)}
    if part == "nothing":
        assert table.rows == ()


def test_the_same_records_give_the_same_bytes(whole, tmp_path):
    first, again = (draw_figures(whole, tmp_path / name) for name in "ab")
    assert {p.stem for p in first} >= {f.name for f in FIGURES.values()}
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_size < 150_000
    for path in first[::2]:
        assert ET.parse(path).getroot().tag.endswith("svg")


def test_the_report_has_the_figures_with_their_numbers(whole):
    page = render(whole, {f.name: "<svg/>" for f in FIGURES.values()})
    for kind, figure in FIGURES.items():
        assert escape(figure.caption, quote=False) in page.replace("&#39;", "'")
        for row in NUMBERS[kind](whole).rows:
            assert all(value in page for value in row)
