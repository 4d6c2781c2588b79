"""The harnesses side by side, for people and for programs."""

import json
from io import StringIO

import pytest
from rich.console import Console

from jacchain.harnesses.comparison import CONTROL, PAIRS, compare, ratio_text
from jacchain.harnesses.comparison_report import (
    as_json,
    comparison_figure,
    draw_harnesses,
    headline,
    print_harnesses,
)
from tests.report.examples import printed


@pytest.fixture(scope="module")
def comparison(make_rounds):
    return compare(make_rounds(pytest=1.3))


def test_the_answer_comes_first_pair_by_pair(comparison):
    text = printed(print_harnesses, comparison)
    assert text.startswith(
        "1 of 3 pairs of harnesses agree within 10 %: asv / own engine. asv / own engine + agrees: "
        "asv takes 0.99 times as long as own engine in the middle of 6 judged cells. "
        "pytest-benchmark / own engine x disagrees: pytest-benchmark takes 1.30 times as long"
    )
    assert "0 of 6 parts agree; " in text


def test_tables_show_every_cell_with_units_and_say_what_columns_are(comparison):
    text = printed(print_harnesses, comparison)
    assert all(text.count(row.name) >= 2 for row in comparison.rows)
    assert "Time per call: median over 6 rounds cell own engine asv pytest-benchmark judged" in text
    assert "above 1 the first of both harnesses takes longer" in text
    assert "2.6 µs no: under 100 µs" in text
    assert "260 µs yes" in text
    assert "own is our own engine, pytest is pytest-benchmark. own again / own is the sec" in text
    assert "The cause is not known." in text


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({}, "3 of 3 pairs of harnesses agree within 10 %"),
        ({"pytest": 1.3, "asv": 0.7}, "0 of 3 pairs of harnesses agree within 10 %"),
    ],
)
def test_the_headline_and_the_title_of_the_figure_state_the_finding(make_rounds, factors, said):
    compared = compare(make_rounds(**factors))
    assert headline(compared).replace("\xa0", " ") == said
    assert comparison_figure(compared).title == headline(compared)


def test_where_no_call_is_long_enough_nothing_is_judged(make_rounds):
    rounds = make_rounds()
    short = compare(rounds[rounds["dims"] == min(rounds["dims"], key=sum)])
    assert "no call takes 100 µs, and shorter ones are not judged" in printed(
        print_harnesses, short
    )


def test_on_a_narrow_terminal_every_interval_stays_whole(comparison):
    console = Console(width=80, file=StringIO())
    print_harnesses(console, comparison)
    text = console.file.getvalue()
    assert "…" not in text
    for row in comparison.rows:
        for pair in (*PAIRS, CONTROL):
            assert ratio_text(row.ratios[pair]).split()[1] in text


def test_programs_get_every_ratio_with_its_interval(comparison):
    plain = json.loads(json.dumps(as_json(comparison)))
    assert [v["claim"] for v in plain["verdicts"]] == ["asv / own", "pytest / own", "asv / pytest"]
    assert len(plain["cells"]) == len(comparison.rows)
    for cell in plain["cells"]:
        for low, middle, high in cell["ratios"].values():
            assert low <= middle <= high


def test_the_figure_has_a_point_for_every_pair_and_cell(comparison, tmp_path):
    (panel,) = comparison_figure(comparison).panels[0]
    assert [curve.label for curve in panel.curves] == [
        "asv / own engine",
        "pytest-benchmark / own engine",
        "asv / pytest-benchmark",
    ]
    for pair, curve in zip(PAIRS, panel.curves, strict=True):
        assert list(curve.y) == [row.ratios[pair][1] for row in comparison.rows]
    svg, png = draw_harnesses(comparison, tmp_path)
    assert (svg.name, png.name) == ("harnesses.svg", "harnesses.png")
    assert png.stat().st_size > 10_000
