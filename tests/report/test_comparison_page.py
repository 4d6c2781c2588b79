"""The page of two runs side by side: parsed as a browser would."""

from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from jacchain.records.errors import RecordsError
from jacchain.report.comparison_page import (
    COARSE,
    FINE,
    comparison_figure,
    comparison_page,
    write_comparison,
)
from jacchain.report.side_by_side import SAME
from tests.report.examples import NASTY, Page

NAN = float("nan")


def words_of(comparison):
    return Page(comparison_page(comparison)).words.replace("\xa0", " ")


def scaled(comparison, *ratios):
    """The same comparison, of series with these ratios and narrow intervals."""
    first = comparison.changes[0]
    changes = [
        replace(first, before=1.0, after=ratio, interval=(0.99 * ratio, 1.01 * ratio))
        for ratio in ratios
    ]
    return replace(comparison, changes=tuple(changes))


def test_the_answer_comes_first_then_who_is_who(comparison):
    words = words_of(comparison)
    answer = words.index("B took 1.41 times as long as A in the middle of 2 matched series; 1 slow")
    a, b = words.index("A: a"), words.index("B: b another, 2025-01-01, profile quick")
    assert answer < a < b < words.index("Verdicts on claims; 1 of 3 differ")


def test_every_row_is_there_and_changed_verdicts_first(comparison):
    words = words_of(replace(comparison, changes=comparison.changes * 15))
    assert words.count("input-first 3 ms 6 ms 2 2 to 2 B slower") == 15
    assert words.count("loss-first 1 ms 1 ms 1 1 to 1 within noise") == 15
    first = words.index("C2 Time ? inconclusive ✓ agrees differs")
    assert first < words.index("C1 Counting ✓ agrees ✓ agrees same")
    assert "l2 1 MiB not told by this system" in words


def test_it_loads_nothing_and_runs_only_the_script_of_its_hash(comparison):
    text = comparison_page(comparison)
    page = Page(text)
    policy = page.all("meta")[2]["content"]
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith(f"script-src 'sha256-{digest}'")
    assert "url(" not in text
    assert page.all("link") == []
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page.all("img"))


def test_its_picture_follows_light_and_dark(comparison):
    (image,) = Page(comparison_page(comparison)).all("img")
    assert "prefers-color-scheme: dark" in b64decode(image["src"].partition(",")[2]).decode()
    assert image["alt"].startswith("B took 1.41 times as long as A in the middle: 1 of 2 slower")


def test_foreign_text_is_escaped(comparison):
    text = comparison_page(comparison)
    assert NASTY in Page(text).words
    assert NASTY not in text


def test_links_lead_to_sections(comparison):
    page = Page(comparison_page(comparison))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {link["href"][1:] for link in page.all("a")} < ids


def test_without_matched_series_there_is_no_picture(comparison):
    page = Page(comparison_page(replace(comparison, changes=(), environments={}, verdicts={})))
    assert page.all("img") == []
    assert "No times are compared: no chain of A has the sizes of one of B" in page.words
    assert "No claim was judged in both runs." in page.words
    assert SAME in page.words


def test_the_figure_has_a_curve_a_direction_and_the_noise_floor(comparison):
    figure = comparison_figure(scaled(comparison, 0.5, 1.0, 1.01, 2.0))
    shown = {curve.label: list(curve.y) for curve in figure.panel.curves}
    assert shown == {"within noise": [1.0, 1.01], "B slower": [2.0], "B faster": [0.5]}
    assert [curve.ends is None for curve in figure.panel.curves] == [True, False, False]
    (band,) = figure.panel.bands
    assert (band.low, band.high) == (pytest.approx(1 / 1.08), 1.08)
    assert figure.title == (
        "B took 1.00 times as long as A in the middle: 1 of 4 slower, 1 faster, beyond noise"
    )


def test_without_a_noise_floor_the_figure_judges_nothing(comparison):
    figure = comparison_figure(replace(comparison, noise_floor=NAN))
    assert [curve.label for curve in figure.panel.curves] == ["noise not measured"]
    assert figure.panel.bands == ()
    assert figure.title == "B took 1.41 times as long as A in the middle"


@pytest.mark.parametrize(("ratio", "ticks"), [(1.0, FINE), (4.0, COARSE), (50.0, ())])
def test_ticks_suit_the_range_and_all_is_inside(comparison, ratio, ticks):
    axis = comparison_figure(scaled(comparison, 1.0, ratio)).panel.y
    assert axis.ticks == ticks
    assert axis.limits[0] < 1 / 1.08
    assert axis.limits[1] > 1.01 * ratio


def test_the_page_is_written_whole_and_alone(comparison, tmp_path):
    path = write_comparison(comparison, tmp_path / "new" / "page")
    assert path.read_text("utf-8") == comparison_page(comparison)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("inside", ["", "figures"])
@pytest.mark.parametrize("run", ["a", "b"])
def test_a_folder_of_a_run_is_refused_and_stays_as_it_is(comparison, tmp_path, run, inside):
    folder = tmp_path / "run"
    folder.mkdir()
    there = replace(getattr(comparison, run), folder=str(folder / "records.jsonl"))
    with pytest.raises(RecordsError, match=f"belongs to run {run.upper()}, .*Name another folder"):
        write_comparison(replace(comparison, **{run: there}), folder / inside)
    assert list(folder.iterdir()) == []
