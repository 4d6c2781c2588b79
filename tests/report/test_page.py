"""The report: parsed as a browser would, and held to what it must and must not hold."""

from base64 import b64decode
from dataclasses import replace

import pytest

from jacchain.analysis.verdicts import Statement, exact, judge
from jacchain.claims.registry import experiments as known
from jacchain.claims.study_peers import EXPERIMENT as PEERS
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.show import Table
from jacchain.report.page import render, summary
from jacchain.report.style import with_dark_variant
from tests.report.examples import NASTY, Page

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460.8 309.6"></svg>'
SIMULATED = {
    "machine": "obeys",
    "runs": 1000,
    "what": "C3 disagrees",
    "share": 0.012,
    "low": 0.0,
    "high": 0.05,
    "met": True,
}


def rendered(assessment, **changes):
    changed = replace(assessment, **changes)
    shown = {e.claim: e.shows(changed.evidence, changed.sizes) for e in changed.experiments}
    figures = [f for items in shown.values() for f in items if not isinstance(f, Table)]
    pictures = dict.fromkeys((figure.name for figure in figures), SVG)
    known = (*changed.experiments, PEERS)
    return render(changed, shown, pictures, experiments=known, simulated=[SIMULATED])


@pytest.fixture(scope="module")
def text(assessment):
    return rendered(assessment)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def section(text, name):
    """The words of one section."""
    start = text.index(f'<section class="claim" id="{name}"')
    end = "</section>"
    return Page(text[start : text.index(end, start) + len(end)]).words


def test_nothing_is_loaded_from_elsewhere(page, text):
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/svg+xml;base64,"))
    assert "@import" not in text
    assert "url(" not in text
    assert page.all("script") == [{}]  # inline: its hash is in the policy
    assert page.all("link") == []


@pytest.mark.parametrize(
    "foreign",
    [NASTY, "cell:too<big>", "One <sentence>.", "slope: too few <sizes> of z1", "It <grows>."],
)
def test_foreign_text_is_escaped(page, text, foreign):
    assert foreign in page.words
    assert foreign not in text


def test_every_picture_has_a_text_in_its_place(page, figures):
    images = page.all("img")
    shown = [figures[name] for name in ("rows", "scatter", "sweep", "plane", "lines")]
    assert [image["alt"] for image in images] == [f"{f.title}. {f.caption}" for f in shown]
    assert b64decode(images[0]["src"].partition(",")[2]).decode() == with_dark_variant(SVG)
    assert {(image["width"], image["height"]) for image in images} == {("461", "310")}


@pytest.mark.parametrize(("kind", "name"), [("plane", "ratio_plane"), ("rows", "orders")])
def test_the_picture_that_answers_stands_first(assessment, figures, kind, name):
    picture = replace(figures[kind], name=name)
    shows = replace(assessment.experiments[0], shows=lambda *_: [picture])
    page = Page(rendered(assessment, experiments=(shows,)))
    names = [name for name, _ in page.elements]
    assert names.index("img") < names.index("table")
    assert len(page.all("img")) == 2


def test_the_verdict_table_comes_first_and_links_to_sections(page):
    names = [name for name, _ in page.elements]
    table = names.index("table")
    assert "img" not in names[:table]
    assert page.elements[table][1]["class"] == "cards"
    links = [a["href"] for a in page.all("a")]
    verdicts = ["#C1", "#C2", "#model"]
    contents = ["#verdicts", "#words", *verdicts, "#study", "#peers", "#machine", "#method"]
    assert links == ["#claims", *contents, *verdicts]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} < set(ids)


def test_claims_come_first_with_their_verdicts_in_words(page):
    names = [a["id"] for a in page.all("section") if a.get("class") == "claim"]
    assert names == ["C1", "C2", "model", "study", "peers"]
    for mark in ("✗ disagrees", "✓ agrees", "? inconclusive"):
        assert mark in page.words
    assert "C1 Counting" in page.words
    assert "model Cells" not in page.words


def test_headings_and_tables_are_semantic(page, text):
    assert 'lang="en"' in text
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("C1", "loss-first, 3 layers"),
        ("C1", "all gradients loss-first, with a cache"),
        ("C1", "It is 12. 1 of 1 parts agree; products of 4 x 3: equal."),
        ("C1", "1 of 1 exact part agrees"),
        ("C1", "Numbers of this figure Times over |z1|"),
        ("C2", "One <sentence>. what an answer"),
        ("C2", "Found, with its cause Over |z1| the slope is 2. Cause: The cache."),
        ("C2", "0 of 1 statements agree"),
        ("C2", "? inconclusive It <grows>. 0 of 1 parts agree; slope: too few"),
        ("C2", "too few <sizes>"),
        ("model", "It is no claim of the article. ✗ disagrees"),
        ("model", "1,024 250 ms L2 2,048 - LLC"),  # a table by itself
        ("study", "It is no claim of the article, and not judged."),
        ("peers", "pip install 'jacchain[peers]' installs what it needs (torch, jax)"),
        ("peers", "jacchain run --claims peers measures it"),
    ],
)
def test_a_section_has_answer_findings_formulas_parts_and_numbers(text, name, words):
    assert words in section(text, name)


def test_what_does_not_apply_is_not_said(assessment, text):
    assert "Numbers of this figure" not in section(text, "model")
    assert "Nothing of it was measured" not in text
    bare = Experiment("bare", "Bare", "Nothing.", is_claim=False)
    changed = rendered(assessment, experiments=(*assessment.experiments, bare, PEERS))
    assert "Nothing of it was measured" in section(changed, "bare")
    assert "pip install" not in changed


def test_verdicts_that_hang_on_flagged_samples_are_told(assessment):
    first, claim, last = assessment.verdicts
    clean = (first, replace(claim, verdict="inconclusive"), last)
    text = rendered(assessment, unflagged=clean)
    assert "Without flagged samples: ? inconclusive" in section(text, "C1")
    assert "Without flagged samples" not in section(text, "C2")


@pytest.mark.parametrize(
    "words",
    [
        "Noise floor 5.0 %",
        "would take 900 s",
        "obeys 1,000 C3 disagrees 1.2 %",
        "0 % to 5 %",
        "seed 7",
        "cells measured 1",
        "A/A controls 1",
        "reverse mode",
        "forward mode",
        "not judged",
        "l2 1 MiB",
        "governor not told",
        "clock step 51 ns",
    ],
)
def test_the_method_and_the_machine_are_told(page, words):
    assert words in page.words


def test_a_run_of_nothing_has_a_report(assessment):
    evidence = replace(assessment.evidence, cells={}, skipped={})
    page = Page(rendered(assessment, evidence=evidence, verdicts=(), unflagged=()))
    assert "No cell was skipped." in page.text


def test_the_lead_counts_claims_and_not_the_model(page):
    lead = "Of 2 claims, this machine confirms 1 (C1), contradicts none and leaves 1 (C2) open."
    assert lead in page.words


def test_a_chain_of_the_users_own_leads_with_its_answer(assessment):
    answer = "loss-first is 3 times as fast."
    facts = {"judge": lambda *_: (), "answer": lambda *_: (answer,), "is_claim": False}
    own = Experiment("chain-1x10x784", "Your chain", "It costs.", **facts)
    verdicts = (judge(own.claim, [], 0.05),)
    text = rendered(assessment, experiments=(own,), verdicts=verdicts, unflagged=verdicts)
    assert f'<p class="lead">{answer}</p>' in text
    place = {"id": own.claim, "class": "claim", "aria-labelledby": f"{own.claim}-title"}
    assert place in Page(text).all("section")


def test_a_summary_of_several_claims():
    counted = {"C1": 1, "C2": 1, "C3": 2}
    verdicts = [
        judge(claim, [Statement("", (exact("", number, 1),))], 0.05)
        for claim, number in counted.items()
    ]
    assert summary(verdicts) == (
        "Of 3 claims, this machine confirms 2 (C1, C2), contradicts 1 (C3) and leaves none open."
    )


def test_a_claim_that_is_not_tested_is_named_where_all_were_measured(assessment, page):
    assert "not tested yet" not in page.words
    every = tuple(known().entries.values())
    words = Page(rendered(assessment, experiments=every)).words
    assert "of hundreds of millions not tested yet" in words
    assert "1 (C6) is not tested yet." in words
