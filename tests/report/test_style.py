"""The house style: looks, ticks, legends, files."""

from typing import get_args, get_type_hints

import matplotlib as mpl
import pytest
from matplotlib.text import Text

from jacchain.experiments.show import Axis, Look
from jacchain.report import style
from jacchain.report.show import draw
from jacchain.report.style import (
    DARK,
    LOOKS,
    SCALES,
    canvas,
    house_style,
    legend_below,
    save,
    with_dark_variant,
)
from jacchain.units import unbroken


def ticks(scale, low, high):
    with house_style():
        page = canvas()
        axes = page.subplots()
        axes.plot([low, high], [low, high])
        SCALES[scale](axes.xaxis)
        page.draw_without_rendering()
        low, high = axes.get_xlim()
        return [t.get_text() for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]


def test_every_look_and_scale_of_a_figure_is_there():
    assert set(LOOKS) == set(get_args(Look))
    assert len({(look.colour, look.marker) for look in LOOKS.values()}) == len(LOOKS)
    assert {*SCALES, "sizes"} == set(get_args(get_type_hints(Axis)["scale"]))


@pytest.mark.parametrize(
    ("scale", "low", "high", "texts"),
    [
        (
            "seconds",
            1e-6,
            1e-2,
            ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms"],
        ),
        ("seconds", 1.5e-3, 1.5e-2, ["2 ms", "5 ms", "10 ms"]),
        (
            "bytes",
            2**12,
            2**30,
            ["4 KiB", "64 KiB", "1 MiB", "16 MiB", "256 MiB"],
        ),
        ("bytes", 2**13, 2**17, ["16 KiB", "64 KiB"]),
        ("powers of 2", 16, 64, ["$2^{4}$", "$2^{5}$", "$2^{6}$"]),
        ("powers of 10", 10, 100, ["$10^{1}$", "$10^{2}$"]),
        ("ratio", 0.5, 5, ["0.5", "1", "2", "5"]),
        ("ratio", 1, 5000, ["1", "10", "100", "1000"]),
        ("linear", 0, 3, ["0", "1", "2", "3"]),
    ],
)
def test_ticks_are_few_and_in_units(scale, low, high, texts):
    assert ticks(scale, low, high) == [unbroken(text) for text in texts]


def test_a_legend_names_each_label_once_and_the_orders_first():
    page = canvas()
    axes = page.subplots(1, 2)
    assert legend_below(page, axes) == 0
    assert page.legends == []  # nothing to name as yet
    for label in ("|z1|", "input-first", "loss-first", "_hidden"):
        for a in axes:
            a.plot([1], [1], label=label)
    assert legend_below(page, axes) == 1
    texts = [text.get_text() for text in page.legends[0].get_texts()]
    assert texts == ["loss-first", "input-first", "$|z_1|$"]


def test_the_users_settings_change_nothing(tmp_path):
    def saved(name):
        with house_style():
            page = canvas()
            page.subplots().plot([1, 2], [1, 2])
            return [path.read_bytes() for path in save(page, tmp_path / name)]

    first = saved("a")
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.grid": False}):
        assert saved("b") == first
    assert b"Verdana" in first[0]


def test_a_dark_page_has_colours_of_its_own_but_numbers_in_coloured_cells_keep_theirs():
    svg = '<svg a="b"><path style="fill: #ffffff; stroke: #0072b2"/><text style="fill: #ffffff">'
    varied = with_dark_variant(svg)
    style, drawn = varied.split("</style>")
    assert style.startswith('<svg a="b"><style>:root {')
    paper, ink = (f"--c{list(DARK).index(colour)}" for colour in ("#ffffff", "#0072B2"))
    assert drawn == (
        f'<path style="fill: var({paper}); stroke: var({ink})"/><text style="fill: #ffffff">'
    )
    light, dark = style.split("@media")
    for name, colours in ((light, DARK), (dark, DARK.values())):
        for place, colour in enumerate(colours):
            assert f"--c{place}: {colour};" in name


def test_no_text_is_smaller_than_ten_pixels_on_a_phone(figures):
    pixels = 360 / (72 * style.WIDTH)  # to a point, in a figure 360 pixels wide
    for figure in figures.values():
        with style.house_style():
            page = draw(figure)
            texts = page.findobj(lambda o: isinstance(o, Text) and o.get_text())
        assert min(text.get_fontsize() for text in texts) * pixels >= 10
    assert 0.7 * style.POWERS * pixels >= 10  # of exponents


def test_a_long_title_takes_more_lines_and_more_paper():
    one, two = style.canvas(), style.canvas()
    style.entitle(one, "short")
    style.entitle(two, "word " * 18)
    assert two.get_suptitle().count("\n") == 1
    assert two.get_figheight() == pytest.approx(one.get_figheight() + style.TITLE_LINE)
