"""The report of the committed run: where its links lead, and what fits on its screens."""

from pathlib import Path

import pytest

from jacchain.report.publish import publish

ROOT = Path(__file__).parents[2]
TOPS = """id => [document.getElementById(id).getBoundingClientRect().top,
    document.documentElement.getBoundingClientRect().bottom - innerHeight]"""
CUT = """() => [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .formulas')
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
PALE = """() => [...document.images].map(image => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 9, height: 9});
    const drawing = canvas.getContext('2d');
    drawing.drawImage(image, 0, 0);
    return drawing.getImageData(2, 2, 1, 1).data[0];
})"""  # how bright each picture is in its corner


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    publish(ROOT / "results/reference", target=folder)
    return (folder / "report.html").as_uri()


def test_every_link_leads_to_its_section(page, report):
    page.emulate_media(reduced_motion="reduce")
    page.goto(report)
    links = page.locator("a[href^='#']").evaluate_all("all => all.map(a => a.hash)")
    assert len(links) > 20
    for place, link in enumerate(links):
        page.goto(report)  # as a reader does who has not scrolled yet
        page.locator("a[href^='#']").nth(place).evaluate("a => a.click()")
        page.wait_for_function("hash => location.hash === hash", arg=link)
        top, below = page.evaluate(TOPS, link[1:])
        assert -1 <= top <= 80 or below < 1, link


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_and_pictures_have_the_colours_of_the_page(page, report, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(report)
    assert page.evaluate(CUT) == []
    ends = (200, 255) if scheme == "light" else (0, 60)
    assert all(ends[0] <= pale <= ends[1] for pale in page.evaluate(PALE))


def test_a_value_is_shown_where_a_pointer_rests(page, report):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(report)
    circle = page.locator("circle").first
    circle.scroll_into_view_if_needed()
    shown = "c => document.elementsFromPoint(...c).map(e => e.textContent.trim())"
    box = circle.bounding_box()
    texts = page.evaluate(shown, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    assert circle.locator("title").text_content() in texts


def test_a_long_table_sorts_by_numbers_and_filters_by_text(page, report):
    page.goto(report)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    table = page.locator(".scroll table", has=page.locator("thead button")).first
    head = table.locator("thead th").nth(2)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    numbers = "all => all.map(c => c.dataset.value).filter(Boolean).map(Number)"
    up = table.locator("tbody tr td:nth-child(3)").evaluate_all(numbers)
    assert up == sorted(up)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("tbody tr td:nth-child(3)").evaluate_all(numbers) == up[::-1]
    rows = table.locator("tbody tr")
    page.locator(".filter input").first.fill("no row has this")
    assert rows.evaluate_all("all => all.every(row => row.hidden)")
    page.locator(".filter input").first.fill("")
    assert not rows.evaluate_all("all => all.some(row => row.hidden)")


def test_the_keyboard_opens_follows_and_sorts(page, report):
    page.goto(report)
    page.keyboard.press("Tab")
    assert "Skip to the claims" in page.evaluate("() => document.activeElement.textContent")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent.trim()") == "Contents"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    hash_ = page.evaluate("() => document.activeElement.hash")
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash") == hash_ != ""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    button = page.locator("thead button").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.locator("xpath=..").get_attribute("aria-sort") == "ascending"


def test_without_script_the_page_is_whole_and_no_other_script_runs(browser, report):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(report)
    assert plain.locator("thead button, .filter").count() == 0
    assert plain.locator("tbody tr").count() > 100
    context.close()
