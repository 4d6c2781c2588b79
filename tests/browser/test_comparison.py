"""The page of the committed run beside a slower one: its links, its table, its screens."""

import gzip
import json
from pathlib import Path

import pytest

from jacchain.report.comparison_page import write_comparison
from jacchain.report.side_by_side import compare_runs
from tests.browser.test_report import CUT, PALE, TOPS

REFERENCE = Path(__file__).parents[2] / "results/reference"
SLOWER = 1.5


def slowed(line):
    """A line of records in which every chain of many inputs takes longer."""
    record = json.loads(line)
    if record["kind"] == "block" and record["cell"].endswith("256"):
        record["seconds"] = [SLOWER * time for time in record["seconds"]]
    return json.dumps(record)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    lines = gzip.decompress((REFERENCE / "records.jsonl.gz").read_bytes()).decode().splitlines()
    slow = folder / "slower.jsonl"
    slow.write_text("\n".join(map(slowed, lines)) + "\n")
    return write_comparison(compare_runs(REFERENCE, slow), folder / "page").as_uri()


def test_every_link_leads_to_its_section(page, comparison):
    page.emulate_media(reduced_motion="reduce")
    page.goto(comparison)
    links = page.locator("a").evaluate_all("all => all.map(a => a.hash)")
    assert links == ["#verdicts", "#verdicts", "#times", "#environments", "#words"]
    for place, link in enumerate(links):
        page.goto(comparison)
        page.locator("a").nth(place).evaluate("a => a.click()")
        page.wait_for_function("hash => location.hash === hash", arg=link)
        top, below = page.evaluate(TOPS, link[1:])
        assert -1 <= top <= 80 or below < 1, link


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_and_the_picture_has_the_colours_of_the_page(
    page, comparison, width, scheme
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(comparison)
    assert page.evaluate(CUT) == []
    ends = (200, 255) if scheme == "light" else (0, 60)
    (pale,) = page.evaluate(PALE)
    assert ends[0] <= pale <= ends[1]


def test_the_times_sort_by_ratio_and_filter_by_direction(page, comparison):
    page.goto(comparison)
    head = page.locator("#times thead th").nth(4)
    head.get_by_role("button").click()
    numbers = "all => all.map(c => Number(c.dataset.value))"
    ratios = page.locator("#times tbody td:nth-child(5)").evaluate_all(numbers)
    assert ratios == sorted(ratios)
    assert ratios[0] == 1.0
    assert ratios[-1] == pytest.approx(SLOWER)
    page.locator("#times .filter input").fill("B slower")
    shown = page.locator("#times tbody tr:visible td:last-child").all_inner_texts()
    assert set(shown) == {"B slower"}
    assert len(shown) < len(ratios)
