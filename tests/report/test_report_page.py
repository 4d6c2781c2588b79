"""The report: parsed as a browser would, and held to what it must and must not hold."""

from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from jacchain.analysis.verdicts import judge
from jacchain.experiments.registry import chosen
from jacchain.report.figures import all_figures
from jacchain.report.mathml import formula_mathml, typeset
from jacchain.report.page import margin, render, summary
from jacchain.report.tables import condition_text, efficiency_table

SVG = "<svg xmlns='http://www.w3.org/2000/svg'/>"
SIMULATED = {
    "machine": "obeys", "runs": 1000, "what": "C3 disagrees", "share": 0.012,
    "low": 0.0, "high": 0.05, "met": True,
}  # fmt: skip
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements in order, with their attributes and the text directly inside each."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(assessment):
    pictures = {figure.name: SVG for figure in all_figures(assessment)}
    return render(assessment, pictures, simulated=[SIMULATED])


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_every_element_is_closed(page):
    assert page.open == []


def test_nothing_is_loaded_from_elsewhere(page, text):
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/svg+xml;base64,"))
    assert "@import" not in text
    assert "url(" not in text
    assert page.all("script") == page.all("link") == []


def test_foreign_text_is_escaped(page, text):
    assert "<script" not in text
    assert "<script>alert('cpu')</script> & co" in page.text
    assert "cell:too<big>" in page.text


def test_a_malicious_reason_is_escaped(assessment):
    first = assessment.verdicts[0]
    nasty = replace(first, reason="<img src=x onerror=alert(1)> z1")
    text = render(replace(assessment, verdicts=(nasty, *assessment.verdicts[1:])), {})
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_every_picture_has_a_text_in_its_place(page, assessment):
    images = page.all("img")
    assert len(images) == len(all_figures(assessment))
    assert all(len(image["alt"]) > 20 for image in images)
    assert b64decode(images[0]["src"].partition(",")[2]).decode() == SVG


def test_the_verdict_table_comes_first(page, assessment):
    names = [name for name, _ in page.elements]
    table = names.index("table")
    assert "img" not in names[:table]
    assert page.elements[table][1]["class"] == "cards"
    for verdict in assessment.verdicts:
        assert any(a.get("href") == f"#{verdict.claim}" for a in page.all("a"))
        assert any(a.get("id") == verdict.claim for a in page.all("section"))


def test_verdicts_are_told_by_word_and_symbol(page, assessment):
    symbols = {"agrees": "✓", "disagrees": "✗", "inconclusive": "?"}
    words = " ".join(page.text.split())
    for verdict in assessment.verdicts:
        assert f"{symbols[verdict.verdict]} {verdict.verdict}" in words


def test_headings_and_tables_are_semantic(page, text):
    assert 'lang="en"' in text
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_formulas_are_typeset(page):
    assert len(page.all("math")) == 7  # C1 one; C3, C4 and C5 two each


def test_formulas_of_gradients_are_typeset_for_any_depth(assessment):
    gradients = replace(assessment, experiments=chosen(["C8"]), verdicts=(),
                        unflagged=(), findings={})  # fmt: skip
    verdict = judge("C8", [], 0.05)
    text = render(replace(gradients, verdicts=(verdict,)), {})
    assert text.count("<munderover>") == 6  # two sums of each of three formulas
    assert "all gradients loss-first, each from scratch" in text


def test_other_frameworks_are_told_how_to_be_installed(assessment, text):
    assert "pip install &#39;jacchain[peers]&#39;" in text or "'jacchain[peers]'" in text
    measured = replace(assessment, experiments=chosen(["peers"]), verdicts=(), findings={})
    assert "jacchain[peers]" not in render(measured, {})


def test_the_method_is_told(page):
    words = " ".join(page.text.split())
    for expected in ("Noise floor", "would take 900 s", "C3 disagrees", "1.2%", "0% to 5%", "seed",
                     "condition number", "reverse mode", "forward mode", "not judged"):  # fmt: skip
        assert expected in words


def test_ratios_of_multiplications_stand_beside_ratios_of_times(page):
    assert page.text.count("ratio of times") == page.text.count("ratio of multiplications") > 0


def test_the_same_run_gives_the_same_page(assessment, text):
    pictures = {figure.name: SVG for figure in all_figures(assessment)}
    assert render(assessment, pictures, simulated=[SIMULATED]) == text


def test_a_run_without_timed_cells_has_a_report(assessment, evidence):
    bare = replace(evidence, series={}, controls=(), ceilings={}, skipped={})
    verdicts = tuple(v for v in assessment.verdicts if v.claim in {"C1", "C9"})
    page = Page(render(replace(assessment, evidence=bare, fit=None, verdicts=verdicts), {}))
    assert "No cell was skipped." in page.text


def test_mathml_is_the_articles_sum():
    text = formula_mathml("input-first", 3)
    assert text.count("<mo>+</mo>") == 2
    assert [text.count(f"<mn>{layer}</mn>") for layer in (1, 2, 3)] == [1, 2, 2]
    assert text.count("<mi>x</mi>") == 3


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("|z_i| and |x|", "|<i>z</i><sub>i</sub>| and |<i>x</i>|"),
        ("z2 z1", "<i>z</i><sub>2</sub> <i>z</i><sub>1</sub>"),
        ("1 x 16 x 32", "1 x 16 x 32"),
        ("v0.1 <b>", "v0.1 &lt;b&gt;"),
    ],
)
def test_sizes_in_text_get_an_index(plain, shown):
    assert typeset(plain) == shown


def test_margins_are_words():
    infinity, nan = float("inf"), float("nan")
    assert margin((-infinity, 1.0)) == "at most 1"
    assert margin((10.0, infinity)) == "at least 10"
    assert margin((nan, nan)) == "-"


def test_the_summary_counts_claims_and_not_the_model(assessment):
    verdicts = [
        replace(assessment.verdicts[0], claim=claim, verdict=verdict)
        for claim, verdict in [
            ("C1", "agrees"), ("C2", "agrees"), ("C3", "disagrees"), ("model", "disagrees")
        ]
    ]  # fmt: skip
    assert summary(verdicts) == (
        "Of 3 claims, this machine confirms 2 (C1, C2), contradicts 1 (C3) and leaves none open."
    )


def test_an_efficiency_above_one_is_an_error_of_the_ceiling(evidence):
    table = efficiency_table(evidence)
    assert table.rows
    for *_, best, remark in table.rows:
        assert ("error of the ceiling" in remark) == (float(best) > 1.02)
    assert any("error of the ceiling" in row[-1] for row in table.rows)


def test_a_badly_conditioned_fit_reports_the_sum(assessment):
    assert "only their sum" in condition_text(replace(assessment.fit, condition=31.0))
    text = render(replace(assessment, fit=replace(assessment.fit, condition=31.0)), {})
    assert "s / flop" not in text
