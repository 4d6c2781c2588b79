"""The harnesses side by side, for people and for programs."""

import json

import pytest

from jacchain.harnesses.comparison import PAIRS, compare
from jacchain.harnesses.comparison_report import (
    as_json,
    comparison_figure,
    draw_harnesses,
    print_harnesses,
)
from tests.report.examples import printed


@pytest.fixture(scope="module")
def comparison(make_rounds):
    return compare(make_rounds(pytest=1.3))


def test_the_table_shows_every_cell_and_verdict(comparison):
    text = printed(print_harnesses, comparison)
    assert all(row.name in text for row in comparison.rows)
    assert "pytest / own x disagrees" in text
    assert "asv / own + agrees" in text
    assert "6 rounds" in text
    assert "The cause is not known." in text


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
