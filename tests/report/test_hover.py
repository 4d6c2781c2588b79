"""Values lie where their points are drawn, and say what the points show."""

import re

import numpy as np

from jacchain.experiments import show
from jacchain.report.hover import split_values
from jacchain.report.show import draw_figures
from tests.report.examples import curve, panel

CIRCLE = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="6"><title>(.*?)</title>', re.DOTALL)
MARKER = re.compile(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill: #0072b2', re.IGNORECASE)


def svg_of(figure, folder):
    return draw_figures([figure], folder)[0].read_text("utf-8")


def test_a_value_lies_on_the_point_that_is_drawn(tmp_path):
    points = show.Curve(
        "loss-first",
        x=np.array([2.0, 8.0, 32.0]),
        y=np.array([1e-6, 3e-5, 2e-4]),
        look="loss-first",
        marks="filled",
        line="",
    )
    axes = {"x": show.Axis("|x|", "powers of 2"), "y": show.Axis("time (s)", "seconds")}
    svg = svg_of(show.Lines("f", "Title", "", ((panel(curves=(points,), **axes),),)), tmp_path)
    circles = CIRCLE.findall(svg)
    assert [text for *_, text in circles] == [
        "loss-first: time 1\u00a0µs, |x| 2",
        "loss-first: time 30\u00a0µs, |x| 8",
        "loss-first: time 200\u00a0µs, |x| 32",
    ]
    drawn = [(float(x), float(y)) for x, y in MARKER.findall(svg)]
    for place in ((float(x), float(y)) for x, y, _ in circles):
        assert any(np.allclose(place, marker, atol=0.06) for marker in drawn)


def test_names_of_values_are_text(tmp_path):
    points = curve(label="<b> & <title>", marks="filled")
    svg = svg_of(show.Lines("f", "Title", "", ((panel(curves=(points,)),),)), tmp_path)
    drawing, values = split_values(svg)
    assert "&lt;b&gt; &amp; &lt;title&gt;: " in values
    assert "<b>" not in svg
    assert "<circle" not in drawing


def test_of_two_values_on_one_place_both_are_shown(tmp_path):
    points = (curve("first"), curve("second"))
    svg = svg_of(show.Lines("f", "Title", "", ((panel(curves=points),),)), tmp_path)
    texts = [text.splitlines() for *_, text in CIRCLE.findall(svg)]
    assert len(texts) == len(curve().x)
    assert all([line.split(":")[0] for line in lines] == ["first", "second"] for lines in texts)


def test_rows_and_sweeps_have_values_too(figures, tmp_path):
    for kind in ("Rows", "Sweep"):
        figure = next(f for f in figures.values() if type(f).__name__ == kind)
        assert CIRCLE.search(svg_of(figure, tmp_path)), kind


def test_lines_without_points_have_none(tmp_path):
    svg = svg_of(show.Lines("f", "Title", "", ((panel(curves=(curve(marks=""),)),),)), tmp_path)
    assert split_values(svg) == (svg, "")
