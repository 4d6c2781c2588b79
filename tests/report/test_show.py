"""What the figures show: the right points, lines and labels, of each kind of figure."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from jacchain.experiments import show
from jacchain.report.show import DRAWINGS, draw, draw_figures, scaled_formula
from jacchain.report.style import LOOKS, house_style
from tests.report.examples import SIZES, STRETCHES, curve, panel, swept

EMPTY = panel(curves=(curve(y=np.array([])),))
NO_TIMES = np.full((1, 1), np.nan)
SIZE, SECONDS = show.Axis("|x|", "powers of 2"), show.Axis("s", "seconds")


def drawn(figure):
    with house_style():
        page = draw(figure)
        page.draw_without_rendering()
    return page


def lines_of(*panels, **changes):
    return show.Lines("name", "Title", "Caption.", (panels,), **changes)


def rows_of(names, *panels, **changes):
    return show.Rows("name", "Title", "", names, panels, **changes)


def axes_of(*changes, **facts):
    """The axes of one panel."""
    return drawn(lines_of(panel(*changes, **facts))).axes[0]


def line(axes, label):
    (match,) = (line for line in axes.lines if line.get_label() == label)
    return match


def words(texts):
    return [text.get_text() for text in texts]


def legend_of(page):
    legends = page.findobj(lambda o: hasattr(o, "get_texts"))
    return [text for legend in legends for text in words(legend.get_texts())]


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"kind of figure 'Figure'; .*'Lines', 'Plane', 'Rows'"):
        draw(show.Figure("pie", "Pie", ""))


def test_there_is_an_example_of_every_kind(figures):
    assert {type(figure).__name__ for figure in figures.values()} == set(DRAWINGS.entries)


def test_files_are_small_and_the_same_each_time(figures, tmp_path):
    first, again = (draw_figures(figures.values(), tmp_path / name) for name in "ab")
    assert [path.name for path in first[:2]] == ["lines.svg", "lines.png"]
    for a, b in zip(first, again, strict=True):
        assert a.read_bytes() == b.read_bytes()
        assert a.stat().st_size < 110_000
    assert all(ET.parse(path).getroot().tag.endswith("svg") for path in first[::2])


@pytest.mark.parametrize(
    ("figure", "texts"),
    [
        (lines_of(EMPTY), ["not measured"]),
        (lines_of(panel(curves=()), panel(), shared=True), ["not measured"]),
        (show.Scatter("name", "Title", "", EMPTY, "equality"), ["not measured"]),
        (show.Sweep("name", "Title", "", SIZE, ()), []),
        (show.Sweep("name", "Title", "", SIZE, (swept(stretches=()),)), []),
        (rows_of((), (SECONDS, ())), ["not measured"]),
        (rows_of(("a",), (SECONDS, ((),))), ["not measured"]),
        (show.Plane("name", "Title", "", (("a", NO_TIMES),), (1,), (1,), ("",) * 3), []),
    ],
)
def test_a_run_that_is_not_complete_is_drawn_and_says_so(figure, texts):
    assert words(drawn(figure).axes[0].texts) == texts


def test_a_curve_has_its_points_its_look_and_its_intervals():
    ends = np.column_stack([0.5e-3 * SIZES, 2e-3 * SIZES])
    axes = axes_of(curves=(curve(ends=ends),))
    points = line(axes, "a curve")
    np.testing.assert_array_equal(points.get_xydata(), np.column_stack([SIZES, 1e-3 * SIZES]))
    assert (points.get_color(), points.get_marker()) == (LOOKS["third"].colour, "D")
    (bars,) = (c for c in axes.collections if len(c.get_segments()) == len(SIZES))
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], ends[0])


def test_hollow_points_are_open_and_lines_of_formulas_pale():
    curves = (curve("open", marks="hollow"), curve("formula", marks="", line="--"))
    axes = axes_of(curves=curves)
    assert line(axes, "open").get_markerfacecolor() == "white"
    assert line(axes, "formula").get_alpha() < 1
    assert line(axes, "formula").get_marker() == ""


def test_open_points_show_what_is_behind_them_but_in_a_scatter():
    points = panel(curves=(curve(marks="hollow", line=""),))
    figures = lines_of(points), show.Scatter("name", "Title", "", points)
    pages = [drawn(figure) for figure in figures]
    faces = [line(page.axes[0], "a curve").get_markerfacecolor() for page in pages]
    assert faces == ["none", "white"]


def test_labels_are_typeset_and_axes_have_units():
    axes = axes_of("over |x|", x=show.Axis("|z1| (elements)", "powers of 2"))
    assert axes.get_xlabel() == "$|z_1|$ (elements)"
    assert axes.get_ylabel() == "time (s)"
    assert axes.get_title(loc="left") == "over $|x|$"
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_sizes_and_ticks_are_written_where_they_are_shown():
    whole = show.Axis("batch", "sizes", (1, 4, 1000))
    axes = axes_of(x=whole)
    assert words(axes.get_xticklabels()) == ["1", "4", "1000"]
    assert axes.get_xlim()[1] >= 1000
    cut = replace(whole, limits=(2, 200))
    axes = axes_of(x=cut, y=show.Axis("", "ratio", (0.01, 0.05, 9)))
    assert axes.get_xlim() == (2, 200)
    assert words(axes.get_xticklabels()) == ["4"]
    assert words(axes.get_yticklabels()) == ["0.01", "0.05"]


def test_levels_bands_regions_and_notes():
    full = panel(
        levels=(show.Level("pays from 9", 9, "x", "loss-first", ":"),),
        bands=(
            show.Band("", 0, 10, "x", "L2"),
            show.Band("noise", 1e-2, np.inf),
            show.Band("elsewhere", 1e6, 2e6, "x"),
        ),
        regions=(show.Region("fails", (4, 128), (1e-2, 1e-2)),),
        note="a note",
    )
    page = drawn(lines_of(full))
    (axes,) = page.axes
    level = line(axes, "pays from 9")
    assert set(level.get_xdata()) == {9}
    assert (level.get_color(), level.get_linestyle()) == (LOOKS["loss-first"].colour, ":")
    assert {"L2", "a note"} <= set(words(axes.texts))
    assert set(legend_of(page)) == {"a curve", "pays from 9", "noise", "fails"}
    (region,) = (c for c in axes.collections if c.get_label() == "fails")
    assert region.get_paths()[0].contains_point((10, 9e-3))
    assert not region.get_paths()[0].contains_point((10, 2e-2))


def test_rows_of_panels_have_a_legend_each_or_share_one():
    rows = ((panel(), panel()), (panel(curves=(curve("below"),)), panel()))
    apart = drawn(show.Lines("name", "Title", "", rows, heights=(2, 1), widths=(3, 1)))
    assert sorted(legend_of(apart)) == ["a curve", "a curve", "below"]
    left, right = (axes.get_position().width for axes in apart.axes[:2])
    assert left > 2 * right
    shared = drawn(show.Lines("name", "Title", "", rows, shared=True))
    assert legend_of(shared) == ["a curve", "below"]
    first, second, third, _ = shared.axes
    assert first.get_shared_y_axes().joined(first, second)
    assert first.get_shared_x_axes().joined(first, third)
    assert second.get_ylabel() == first.get_xlabel() == ""


def test_a_curve_without_points_is_in_the_legend_alone():
    curves = (curve("", line="--"), curve("the model", y=np.array([])))
    assert legend_of(drawn(lines_of(panel(curves=curves)))) == ["the model"]


def test_the_diagonal_is_where_both_are_equal():
    both = show.Axis("n", "powers of 10")
    points = panel(x=both, y=both, curves=(curve(y=SIZES),))
    axes = drawn(show.Scatter("name", "Title", "", points, "equality")).axes[0]
    np.testing.assert_array_equal(*line(axes, "equality").get_data())


def test_rows_have_marks_intervals_and_strips_from_the_top():
    marks = (
        (show.Mark("median", 2.0, (1.0, 3.0), "loss-first", np.array([1.0, 2, 5])),),
        (show.Mark("median", 4.0, None, "input-first"), show.Mark("held", 9.0)),
    )
    panels = ((show.Axis("time (s)"), marks),) * 2
    beside = {"levels": (show.Level("", 0.0),), "bands": (show.Band("noise", -1, 1),)}
    figure = rows_of(("|x| = 4", "b"), *panels, **beside)
    page = drawn(figure)
    top, bottom = page.axes
    assert words(top.get_yticklabels()) == ["$|x|$ = 4", "b"]
    assert top.get_shared_y_axes().joined(top, bottom)
    strip, interval, value, *_ = top.lines
    assert (strip.get_marker(), len(strip.get_xdata())) == ("|", 3)
    assert list(interval.get_xdata()) == [1, 3]
    assert (value.get_xdata()[0], value.get_ydata()[0]) == (2, 0)
    assert [text for text in legend_of(page) if text != "noise"] == ["one block", "median", "held"]


def test_a_sweep_shows_every_size_and_fills_the_judged_ones(figures):
    ribbons, axes = drawn(figures["sweep"]).axes
    for data in figures["sweep"].orders:
        filled = line(axes, data.order)
        np.testing.assert_array_equal(filled.get_xdata(), SIZES[:3])
        own = [points for points in axes.lines if points.get_color() == filled.get_color()]
        (hollow,) = (points for points in own if points.get_markerfacecolor() == "white")
        np.testing.assert_array_equal(hollow.get_xdata(), SIZES[3:])
        np.testing.assert_array_equal(hollow.get_ydata(), data.times[3:])
    assert words(ribbons.get_yticklabels()) == ["loss-first", "input-first"]


def test_a_sweeps_ribbon_has_the_slopes_and_brackets_what_is_not_judged(figures):
    page = drawn(figures["sweep"])
    ribbons, axes = page.axes
    assert words(ribbons.texts) == ["L2 1.02 / 1.00", "(1.30 / 1.00)"] * 2
    (dotted, _) = (a for a in axes.lines if a.get_linestyle() == ":" and len(a.get_xdata()))
    np.testing.assert_array_equal(dotted.get_xdata(), SIZES[2:5])
    legend = legend_of(page)
    assert legend[:2] == ["loss-first", "input-first"]
    assert "leaves the cache, not judged" in legend


def test_slopes_between_two_judged_stretches_are_short(figures):
    three = (*STRETCHES, show.Stretch("LLC", np.array([4, 5]), 0.9, 1.0, judged=True))
    page = drawn(replace(figures["sweep"], orders=(swept(stretches=three),)))
    assert words(page.axes[0].texts)[1] == "(1.30)"


def test_the_formulas_line_passes_through_the_judged_points():
    data = swept()
    scaled = scaled_formula(data, STRETCHES[0])
    np.testing.assert_allclose(scaled[:3], data.times[:3])
    np.testing.assert_allclose(scaled / data.multiplications, (scaled / data.multiplications)[0])
    assert scaled_formula(data, None)[0] > data.times[0]


def test_a_plane_writes_its_numbers_and_hatches_what_is_missing(figures):
    left, right, bar = drawn(figures["plane"]).axes
    assert words(left.texts) == ["1.0", "20", "30k"]
    assert [patch.get_hatch() for patch in left.patches] == ["////"]
    assert len(right.texts) == 4
    assert len(right.patches) == 0
    assert words(right.get_xticklabels()) == ["$2^{2}$", "1000"]
    assert bar.get_ylabel() == "ratio"
    assert left.get_xlabel() == "$|x|$"


def test_a_wide_plane_has_its_maps_one_above_the_other(figures):
    wide = replace(figures["plane"], maps=(("a", np.ones((2, 8))),) * 2, x=range(1, 9))
    top, bottom, _ = drawn(wide).axes
    assert top.get_position().y0 > bottom.get_position().y1


def test_a_bar_leads_from_zero_to_its_mark():
    mark = show.Mark("", 3e-6, (2e-6, 4e-6), "third", bar=True)
    axes = drawn(rows_of(("a",), (show.Axis("s", "seconds from 0"), ((mark,),)))).axes[0]
    (bar,) = axes.patches
    assert (bar.get_x(), bar.get_width()) == (0, 3e-6)
    assert axes.get_xlim()[0] == 0
    assert axes.get_xscale() == "linear"
