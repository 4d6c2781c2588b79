"""What the figures show: the right points, lines and labels."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from jacchain.analysis.slopes import best, judged_regimes
from jacchain.analysis.slopes import sweep as collect
from jacchain.experiments.cells import BOTH
from jacchain.experiments.experiment import Figure
from jacchain.experiments.grids import all_grids
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK
from jacchain.report.figures import DRAWINGS, all_figures, draw, draw_figures
from jacchain.report.ratios import formula_plane, measured_plane, multiplication_ratio
from jacchain.report.style import LOOKS, house_style
from jacchain.report.sweeps import LEAVING, scaled_formula, stretches


def figure_of(kind, grid=""):
    return Figure(kind, kind, f"Title of {kind}", "Caption.", grid=grid)


@pytest.fixture
def drawn(assessment):
    def make(kind, grid=""):
        with house_style():
            return draw(figure_of(kind, grid), assessment)

    return make


def texts_of(page):
    return [text.get_text() for text in page.findobj(lambda o: hasattr(o, "get_text"))]


def points(axes, colour=None, marker=None):
    """Coordinates of all points drawn with a marker, not as a line."""
    found = [
        line.get_xydata()
        for line in axes.lines
        if line.get_linestyle() == "None"
        and line.get_marker() not in {"None", ""}
        and colour in {None, line.get_color()}
        and marker in {None, line.get_marker()}
    ]
    return np.concatenate([np.atleast_2d(f) for f in found if len(f)])


def test_an_unknown_kind_lists_the_known_ones(assessment):
    with pytest.raises(ValueError, match=r"'pie'; known are sweep, plane, ratios, counts"):
        draw(figure_of("pie"), assessment)


def test_every_figure_of_a_claim_has_a_drawing(assessment):
    every = replace(assessment, experiments=tuple(experiments().values()))
    assert {f.kind for f in all_figures(every)} == set(DRAWINGS)


@pytest.mark.parametrize("name", all_grids(QUICK))
def test_a_sweep_shows_every_measured_size_of_both_orders(drawn, evidence, name):
    page = drawn("sweep", name)
    grid = all_grids(QUICK)[name]
    for order in BOTH:
        expected = [(n, evidence.get(d, order).time) for n, d in grid.cells]
        shown = points(page.axes[1], colour=LOOKS[order].colour, marker=LOOKS[order].marker)
        np.testing.assert_allclose(sorted(shown.tolist()), expected)


def test_filled_points_are_the_judged_ones(drawn, evidence):
    axes = drawn("sweep", "x").axes[1]
    grid = all_grids(QUICK)["x"]
    for order in BOTH:
        whole = collect(evidence, grid.name, grid.variable, grid.cells, order)
        judged = np.concatenate([p.sizes for p in judged_regimes(whole, evidence).values()])
        (filled,) = (line for line in axes.lines if line.get_label() == order)
        assert filled.get_markerfacecolor() != "white"
        assert sorted(filled.get_xdata()) == sorted(judged)
        assert 0 < len(judged) < len(whole.sizes)


def test_a_sweeps_axes_and_legend_have_units_and_names(drawn):
    page = drawn("sweep", "z1")
    axes = page.axes[1]
    assert axes.get_xlabel() == "$|z_1|$ (elements)"
    assert axes.get_ylabel() == "time per evaluation (s)"
    assert axes.get_xscale() == axes.get_yscale() == "log"
    legend = [text.get_text() for text in page.legends[0].get_texts()]
    assert legend[:2] == list(BOTH)
    assert any(LEAVING in text for text in legend)
    assert drawn("sweep", "depth").axes[1].get_xlabel() == "L (layers)"


@pytest.mark.parametrize("order", BOTH)
def test_the_formulas_line_passes_through_the_judged_points(evidence, order):
    grid = all_grids(QUICK)["x"]
    whole = collect(evidence, grid.name, grid.variable, grid.cells, order)
    stretch = max((s for s in stretches(whole, evidence) if s.judged), key=lambda s: len(s.indices))
    line = scaled_formula(whole, stretch)
    misses = np.log(best(whole.times) / line)[stretch.indices]
    assert abs(misses.mean()) < 1e-9
    assert np.abs(misses).max() < 0.3
    np.testing.assert_allclose(line / whole.multiplications, (line / whole.multiplications)[0])


def test_stretches_between_regimes_are_named_and_not_judged(evidence):
    grid = all_grids(QUICK)["x"]
    whole = collect(evidence, grid.name, grid.variable, grid.cells, "loss-first")
    found = stretches(whole, evidence)
    leaving = [s for s in found if not s.judged]
    assert leaving
    assert {s.name for s in leaving} == {LEAVING}
    for stretch in leaving:
        assert (np.diff(stretch.indices) == 1).all()
        names = {evidence.regimes.name(w) for w in whole.working_set[stretch.indices]}
        assert len(names) > 1 or next(iter(names)).startswith("leaving")


def test_a_machine_without_known_caches_still_has_a_line(assessment, evidence):
    blind = replace(evidence, regimes=type(evidence.regimes)())
    page = draw(figure_of("sweep", "x"), replace(assessment, evidence=blind))
    assert len(page.axes[1].lines) > 2


def test_the_plane_holds_both_ratios_and_hatches_what_is_missing(assessment, evidence):
    loss, inputs = next(p for p in evidence.pairs() if p[0].dims == (1, 16, 16, 16, 1024))
    row, column = QUICK.plane_z.index(16), QUICK.plane_x.index(1024)
    measured, formula = measured_plane(evidence, QUICK), formula_plane(QUICK)
    ratio = np.median(inputs.seconds.sum(-1) / loss.seconds.sum(-1))
    assert measured[row, column] == pytest.approx(ratio, rel=0.02)
    assert formula[row, column] == (16 * 16 + 16 * 16 + 16) * 1024 / (16 * 16 * 2 + 16 * 1024)
    fewer = {key: s for key, s in evidence.series.items() if key[1] != loss.dims}
    page = draw(figure_of("plane"), replace(assessment, evidence=replace(evidence, series=fewer)))
    left, right = page.axes[:2]
    assert [patch.get_hatch() for patch in left.patches] == ["////"]
    assert len(right.patches) == 0
    assert len(left.texts) == measured.size - 1
    assert len(right.texts) == formula.size
    assert any("(ratio)" in text for text in texts_of(page))


def test_ratios_show_every_pair_and_where_the_claim_fails(drawn, evidence):
    axes = drawn("ratios").axes[0]
    shown = points(axes)
    assert len(shown) == len(evidence.pairs())
    np.testing.assert_allclose(shown[:, 0], [multiplication_ratio(*p) for p in evidence.pairs()])
    ((region,),) = ([c for c in axes.collections if "fail" in str(c.get_label())],)
    path = region.get_paths()[0]
    assert path.contains_point((3, 0.8))
    assert path.contains_point((150, 9))
    assert not path.contains_point((1.5, 0.8))
    assert not path.contains_point((50, 9))


def test_counts_lie_on_equality(drawn):
    axes = drawn("counts", "loss-first").axes[0]
    shown = points(axes)
    assert sorted(shown[:, 0]) == [2 * 3 + 3 * 4 + 4 * 5, 81 + 81 + 891]
    np.testing.assert_array_equal(shown[:, 0], shown[:, 1])
    assert axes.get_xlabel().endswith("(multiplications)")


def test_training_shows_remainders_on_a_line_of_order_two(drawn):
    left, right = drawn("training").axes
    line = left.lines[0].get_xydata()
    np.testing.assert_allclose(line[:, 1], points(left)[:, 1])
    assert len(right.lines[0].get_xdata()) == 3
    assert "97.0%" in right.texts[0].get_text()


def test_residuals_show_each_prediction(drawn, assessment):
    axes = drawn("residuals").axes[0]
    assert len(points(axes)) == len(assessment.fit.series)
    assert axes.get_ylabel() == "predicted / measured (ratio)"


def test_the_noise_floor_shows_each_control(drawn, evidence):
    axes = drawn("noise").axes[0]
    assert len(axes.get_yticks()) == len(evidence.controls)
    blocks = evidence.controls[0][0].seconds[..., 0].size
    assert len(points(axes, marker="|")) == blocks * len(evidence.controls)
    assert "%" in axes.get_xlabel()


def test_ceilings_show_bandwidth_and_the_regimes(drawn):
    left, right = drawn("ceilings").axes
    (bandwidth,) = left.lines
    np.testing.assert_allclose(bandwidth.get_ydata(), [80, 30])
    assert {text.get_text() for text in left.texts} >= {"L2", "LLC"}
    assert left.get_ylabel() == "bandwidth (GB/s)"
    assert right.get_ylabel().endswith("(GFLOP/s)")


def test_nothing_measured_draws_empty_axes(assessment, evidence):
    empty = replace(evidence, series={}, controls=(), ceilings={}, checks={}, counts=())
    bare = replace(assessment, evidence=empty, fit=None)
    for kind in DRAWINGS:
        grid = {"sweep": "x", "counts": "loss-first"}.get(kind, "")
        assert draw(figure_of(kind, grid), bare).axes


def test_files_are_small_and_the_same_each_time(assessment, tmp_path):
    first = draw_figures(assessment, tmp_path / "a")
    again = draw_figures(assessment, tmp_path / "b")
    assert {p.suffix for p in first} == {".svg", ".png"}
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_size < 110_000
    for path in first[::2]:
        assert ET.parse(path).getroot().tag.endswith("svg")
        assert "Verdana" in path.read_text("utf-8")
