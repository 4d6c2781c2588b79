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
