"""Harnesses side by side: what their ratios are judged as, and how they are shown."""

import json
from io import StringIO

import pytest
from rich.console import Console

from jacchain.harnesses.comparison import compare
from jacchain.harnesses.comparison_report import as_json, draw_harnesses, print_harnesses


def verdicts(found):
    return {pair: verdict.verdict for pair, verdict in found.verdicts.items()}


def test_harnesses_that_measure_the_same_agree(harness_rounds):
    found = compare(harness_rounds())
    assert set(verdicts(found).values()) == {"agrees"}
    assert found.rounds == 6
    assert found.noise < 0.03
    judged = [row for row in found.rows if row.judged]
    assert {row.dims for row in judged} == {(1, 64, 32), (1, 256, 64), (1, 512, 512)}
    assert all(len(verdict.parts) == len(judged) for verdict in found.verdicts.values())
    own = [row.medians["own"] for row in found.rows]
    assert own == sorted(own)


def test_one_that_takes_longer_is_named(harness_rounds):
    found = compare(harness_rounds(pytest=1.3))
    assert verdicts(found) == {
        ("asv", "own"): "agrees", ("pytest", "own"): "disagrees", ("asv", "pytest"): "disagrees",
    }  # fmt: skip
    low, middle, high = found.rows[-1].ratios["pytest", "own"]
    assert low < middle < high
    assert middle == pytest.approx(1.3, rel=0.03)


def test_the_cause_of_a_difference_counts_if_it_vanishes_without_it(harness_rounds):
    paired = compare(harness_rounds(own=1.3, **{"own again": 1.3}))
    assert len(paired.findings) == 2 * 6  # both other harnesses, all judged cells
    assert all(finding.vanishes for finding in paired.findings)
    unknown = compare(harness_rounds(asv=1.3))
    assert len(unknown.findings) == 6
    assert not any(finding.vanishes for finding in unknown.findings)
    assert compare(harness_rounds()).findings == ()


def test_where_noise_explains_a_difference_nothing_is_decided(harness_rounds):
    found = compare(harness_rounds(noise=0.3, pytest=1.2))
    assert set(verdicts(found).values()) == {"inconclusive"}


@pytest.fixture(scope="module")
def comparison(harness_rounds):
    return compare(harness_rounds(pytest=1.3))


def test_the_table_shows_every_cell_and_verdict(comparison):
    out = StringIO()
    print_harnesses(Console(file=out, width=200), comparison)
    text = out.getvalue()
    assert text.count("loss-first") >= 4
    assert "pytest / own x disagrees" in text
    assert "asv / own + agrees" in text
    assert "6 rounds" in text


def test_programs_get_every_ratio_with_its_interval(comparison):
    plain = json.loads(json.dumps(as_json(comparison)))
    assert [v["claim"] for v in plain["verdicts"]] == ["asv / own", "pytest / own", "asv / pytest"]
    for cell in plain["cells"]:
        for low, middle, high in cell["ratios"].values():
            assert low <= middle <= high


def test_the_figure_has_a_point_for_every_pair_and_cell(comparison, tmp_path):
    svg, png = draw_harnesses(comparison, tmp_path)
    assert (svg.suffix, png.suffix) == (".svg", ".png")
    text = svg.read_text()
    for label in ("asv / own engine", "pytest-benchmark / own engine", "asv / pytest-benchmark"):
        assert label in text
