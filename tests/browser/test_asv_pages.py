"""asv's own pages, without network: what they draw, and what their buttons and tables do."""

import json

import pytest
from playwright.sync_api import expect

INK = """selector => [...document.querySelectorAll(selector)].map(canvas => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
    return drawn;
})"""  # how many points of each canvas are drawn
CURVES = """() => window.$?.('#main-graph').data('plot')?.getData()
    .filter(s => s.lines.show !== false && s.data.some(p => p[1] !== null)).length ?? 0"""
TIME_PAGE = "index.html#evaluation.OverX.time_evaluate?x-axis=log2_x&y-axis-scale=log"
TIME_PAGE += "&p-order='loss-first'&p-order='input-first'"


def ink(page, selector):
    return page.evaluate(INK, selector)


def wait_for_curves(page, count):
    page.evaluate(f"() => until(() => ({CURVES})() === {count})")


def button(page, heading, text):
    panel = page.locator("#graphdisplay-navigation .panel").filter(
        has=page.locator(".panel-heading", has_text=heading)
    )
    return panel.locator("a.btn", has_text=text).first


def test_the_grid_draws_every_benchmark(page, site, clone):
    page.goto(site)
    page.get_by_role("link", name="Benchmark grid").click()
    page.wait_for_selector(".benchmark-plot canvas")
    known = json.loads((clone / ".asv/html/index.json").read_text())["benchmarks"]
    expect(page.locator(".benchmark-plot canvas.flot-base")).to_have_count(len(known))
    assert page.locator(".benchmark-container").count() == len(known) >= 6
    assert min(ink(page, ".benchmark-plot canvas.flot-base")) > 100


def test_a_time_page_draws_a_curve_for_each_order_and_numpy(page, site):
    page.goto(site + TIME_PAGE)
    wait_for_curves(page, 4)
    assert ink(page, "#main-graph canvas.flot-base")[0] > 1000


def test_the_numpy_buttons_take_curves_away_and_bring_them_back(page, site):
    page.goto(site + TIME_PAGE)
    wait_for_curves(page, 4)
    full = ink(page, "#main-graph canvas.flot-base")[0]
    button(page, "numpy", "2.0.2").click()
    wait_for_curves(page, 2)
    assert ink(page, "#main-graph canvas.flot-base")[0] < full
    button(page, "numpy", "2.0.2").click()
    wait_for_curves(page, 4)


def test_the_machine_buttons_do_too(page, varied):
    page.goto(varied + TIME_PAGE)
    wait_for_curves(page, 8)
    button(page, "machine", "lab").click()
    wait_for_curves(page, 4)
    assert ink(page, "#main-graph canvas.flot-base")[0] > 1000
    button(page, "machine", "lab").click()
    wait_for_curves(page, 8)


def test_time_over_commits_is_drawn_too(page, site):
    page.goto(site + "index.html#evaluation.OverAllZ.time_evaluate?p-log2_z=8")
    wait_for_curves(page, 4)
    points = page.evaluate("() => $('#main-graph').data('plot').getData()[0].data.length")
    assert points >= 8


def regressions(page):
    return page.locator("#regressions-body table").first.locator("tbody tr")


@pytest.fixture
def listed(page, varied):
    page.goto(varied + "index.html#/regressions")
    page.wait_for_selector("#regressions-body tbody tr")
    return page


def test_a_step_is_found_and_its_graph_drawn(listed):
    rows = regressions(listed)
    assert rows.count() >= 10
    assert "evaluation.OverX.time_evaluate" in rows.first.inner_text()
    rows.first.locator("a").first.hover()
    listed.wait_for_selector(".popover canvas.flot-base")
    assert ink(listed, ".popover canvas.flot-base")[0] > 100


def test_the_table_of_regressions_can_be_sorted(listed):
    def factors():
        cells = regressions(listed).locator("td:nth-child(4)").all_inner_texts()
        return [float(text.rstrip("x")) for text in cells]

    assert factors() == sorted(factors(), reverse=True)
    listed.locator("#regressions-body thead th", has_text="Factor").first.click()
    listed.wait_for_selector("#regressions-body thead th.asc")  # it sorts a moment later
    assert factors() == sorted(factors())


def test_the_list_of_benchmarks_can_be_sorted(page, site):
    page.goto(site + "index.html#/summarylist")
    page.wait_for_selector("#summarylist-body tbody tr")

    def names():
        return page.locator("#summarylist-body tbody tr td:first-child").all_inner_texts()

    assert len(names()) >= 6
    page.wait_for_selector("#summarylist-body thead th.asc")
    once = names()
    page.locator("#summarylist-body thead th").first.click()
    page.wait_for_selector("#summarylist-body thead th.desc")
    assert names() == once[::-1] != once
