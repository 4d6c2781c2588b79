"""The page Complexity: what it draws, what its choices do, and its links."""

import json
import re

from playwright.sync_api import expect

SWEEPS = ["x", "z1", "z2", "z3", "all_z", "depth"]


def shapes(page, sweep, selector):
    return page.locator(f"#{sweep} svg {selector}")


def data_of(page):
    return json.loads(page.locator("#data").text_content())["sweeps"]


def lines(page, sweep="x"):
    return shapes(page, sweep, "path.formula").evaluate_all("all => all.map(p => p.outerHTML)")


def test_every_sweep_has_its_points_and_both_formulas(page, site):
    page.goto(site + "complexity.html")
    expect(page.locator("svg[role=img]")).to_have_count(len(SWEEPS))
    known = data_of(page)
    for sweep in SWEEPS:
        orders = known[sweep][:2]
        assert shapes(page, sweep, "circle.point").count() == sum(len(s["points"]) for s in orders)
        assert shapes(page, sweep, "path.formula").count() == 2
        for box in (shapes(page, sweep, "path.formula").nth(i).bounding_box() for i in (0, 1)):
            assert box["width"] > 200
            assert box["height"] > 5
    assert page.locator("math").count() >= 2


def test_the_site_opens_on_the_finding_of_what_is_chosen(page, site):
    page.goto(site)
    known = data_of(page)
    chains = sum(len(known[sweep][0]["points"]) for sweep in SWEEPS)
    finding = page.locator("#finding")
    expect(finding).to_contain_text(f"In the middle of {chains} chains input-first took")
    expect(finding).to_contain_text("where multiplications say")
    before = finding.inner_text()
    select = page.locator("#commit")
    values = select.locator("option").evaluate_all("all => all.map(o => o.value)")
    select.select_option(values[-1])
    assert finding.inner_text() != before


def test_a_coefficient_at_its_bound_is_not_identified(page, site):
    page.goto(site)
    text = page.locator("main").inner_text()
    assert "not identified" in text
    assert "● loss-first: 0" not in text
    point = shapes(page, "x", "circle.point title").first
    assert re.fullmatch(r"loss-first, 16: \S+\sµs \(\S+\sµs to \S+\sµs\)", point.text_content())


def test_numpy_commit_and_machine_change_what_is_drawn(page, varied):
    page.goto(varied + "complexity.html")
    drawn = [lines(page)]
    for choice in ("numpy", "machine", "commit"):
        select = page.locator(f"#{choice}")
        values = select.locator("option").evaluate_all("all => all.map(o => o.value)")
        assert len(values) >= 2
        select.select_option(values[-1])
        if choice != "machine":  # both have the same times but for their name
            assert lines(page) not in drawn
        assert page.locator(f"#{choice}").input_value() == values[-1]
        assert shapes(page, "x", "circle.point").count() > 0
        drawn.append(lines(page))


def test_links_lead_to_asv_and_back(page, site):
    page.goto(site + "complexity.html")
    page.get_by_role("link", name="evaluation.OverZ2.time_evaluate").click()
    page.evaluate("() => until(() => window.$?.('#main-graph').data('plot')?.getData().length > 0)")
    expect(page.locator("#main-graph")).to_be_visible()
    page.get_by_role("link", name="Complexity").click()
    expect(page.locator("svg[role=img]")).to_have_count(len(SWEEPS))
    page.get_by_role("link", name="Regressions").click()
    page.wait_for_selector("#regressions-body table", state="attached")


def test_a_narrow_window_needs_no_sideways_scrolling(page, site):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site + "complexity.html")
    expect(page.locator("svg[role=img]")).to_have_count(len(SWEEPS))
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
