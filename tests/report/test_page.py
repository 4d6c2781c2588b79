"""The report: parsed as a browser would, and held to what it must and must not hold."""

from base64 import b64decode
from dataclasses import replace

import pytest

from jacchain.analysis.verdicts import judge
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.show import Table
from jacchain.report.page import render, summary
from tests.report.examples import Page

SVG = "<svg xmlns='http://www.w3.org/2000/svg'/>"
SIMULATED = {
    "machine": "obeys",
    "runs": 1000,
    "what": "C3 disagrees",
    "share": 0.012,
    "low": 0.0,
    "high": 0.05,
    "met": True,
}
OTHER = Experiment(
    "other",
    "Other frameworks",
    "They, too.",
    needs=("torch", "jax"),
    extra="peers",
    default=False,
    is_claim=False,
)


def rendered(assessment, **changes):
    changed = replace(assessment, **changes)
    shown = {e.claim: e.shows(changed.evidence, changed.sizes) for e in changed.experiments}
    figures = [f for items in shown.values() for f in items if not isinstance(f, Table)]
    known = (*changed.experiments, OTHER)
    pictures = dict.fromkeys((figure.name for figure in figures), SVG)
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
    assert "One <sentence>." in page.text


def test_a_malicious_reason_is_escaped(assessment):
    first, *others = assessment.verdicts
    nasty = replace(first, reason="<img src=x onerror=alert(1)> z1")
    text = rendered(assessment, verdicts=(nasty, *others))
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_every_picture_has_a_text_in_its_place(page, figures):
    images = page.all("img")
    assert [image["alt"] for image in images] == [
        f"{figure.title}. {figure.caption}"
        for name in ("rows", "scatter", "sweep", "plane", "lines")
        for figure in [figures[name]]
    ]
    assert b64decode(images[0]["src"].partition(",")[2]).decode() == SVG


def test_the_verdict_table_comes_first_and_links_to_sections(page):
    names = [name for name, _ in page.elements]
    table = names.index("table")
    assert "img" not in names[:table]
    assert page.elements[table][1]["class"] == "cards"
    links = [a["href"] for a in page.all("a")]
    assert links == ["#claims", "#C1", "#C2", "#model"]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} < set(ids)


def test_claims_come_first_with_their_verdicts_in_words(page):
    names = [a["id"] for a in page.all("section") if a.get("class") == "claim"]
    assert names == ["C1", "C2", "model", "study", "other"]
    for mark in ("✗ disagrees", "✓ agrees", "? inconclusive"):
        assert mark in page.words
    assert "C1 Counting" in page.words
    assert "model Cells" not in page.words


def test_headings_and_tables_are_semantic(page, text):
    assert 'lang="en"' in text
    assert len(page.all("h1")) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))


def test_a_section_has_answer_findings_formulas_and_parts(text):
    counting, time = section(text, "C1"), section(text, "C2")
    assert "loss-first, 3 layers" in counting
    assert "all gradients loss-first, with a cache" in counting
    assert "Parts that agree (1 of 1)" in counting
    assert "One <sentence>. what an answer" in time
    assert "Found, with its cause Over |z1| the slope is 2. Cause: The cache." in time
    assert "Parts that do not agree (1 of 1)" in time
    assert "too few sizes" in time


def test_numbers_of_a_figure_and_tables_by_themselves_are_in_units(text):
    assert "Numbers of this figure Times over |z1|" in section(text, "C1")
    model = section(text, "model")
    assert "Numbers of this figure" not in model
    assert "1,024 250 ms L2 2,048 - LLC" in model


def test_a_study_is_no_claim_and_says_if_nothing_was_measured(assessment, text):
    assert "It is no claim of the article, and not judged." in section(text, "study")
    assert "It is no claim of the article. ✗ disagrees" in section(text, "model")
    bare = Experiment("bare", "Bare", "Nothing.", is_claim=False)
    changed = rendered(assessment, experiments=(*assessment.experiments, bare))
    assert "Nothing of it was measured" in section(changed, "bare")


def test_what_is_not_measured_by_default_says_how_it_is(assessment, text):
    words = section(text, "other")
    assert "pip install 'jacchain[peers]' installs what it needs (torch, jax)" in words
    assert "jacchain run --claims other measures it" in words
    measured = rendered(assessment, experiments=(*assessment.experiments, OTHER))
    assert "pip install" not in measured


def test_verdicts_that_hang_on_flagged_samples_are_told(assessment):
    first, claim, last = assessment.verdicts
    clean = (first, replace(claim, verdict="inconclusive"), last)
    text = rendered(assessment, unflagged=clean)
    assert "Without flagged samples: ? inconclusive" in section(text, "C1")
    assert "Without flagged samples" not in section(text, "C2")


def test_the_method_and_the_machine_are_told(page):
    for words in (
        "Noise floor 5.0 %",
        "would take 900 s",
        "obeys 1,000 C3 disagrees 1.2 %",
        "0% to 5%",
        "seed 7",
        "cells measured 1",
        "A/A controls 1",
        "reverse mode",
        "forward mode",
        "not judged",
        "l2 1 MiB",
        "governor not told",
    ):
        assert words in page.words


def test_a_run_of_nothing_has_a_report(assessment):
    evidence = replace(assessment.evidence, cells={}, skipped={})
    page = Page(rendered(assessment, evidence=evidence, verdicts=(), unflagged=()))
    assert "No cell was skipped." in page.text
    assert page.open == []


def test_the_lead_counts_claims_and_not_the_model(page):
    lead = "Of 2 claims, this machine confirms 1 (C1), contradicts none and leaves 1 (C2) open."
    assert lead in page.words


def test_a_chain_of_the_users_own_leads_with_its_answer(assessment):
    own = Experiment(
        "chain-1x10x784",
        "Your chain",
        "It costs.",
        judge=lambda *_: (),
        is_claim=False,
        answer=lambda *_: ("loss-first is 3 times as fast.",),
    )
    verdicts = (judge(own.claim, [], 0.05),)
    text = rendered(assessment, experiments=(own,), verdicts=verdicts, unflagged=verdicts)
    assert '<p class="lead">loss-first is 3 times as fast.</p>' in text
    assert {"id": own.claim, "class": "claim", "aria-labelledby": f"{own.claim}-title"} in Page(
        text
    ).all("section")


def test_a_summary_of_several_claims():
    verdicts = [
        replace(judge(claim, [], 0.05), verdict=verdict)
        for claim, verdict in [("C1", "agrees"), ("C2", "agrees"), ("C3", "disagrees")]
    ]
    assert summary(verdicts) == (
        "Of 3 claims, this machine confirms 2 (C1, C2), contradicts 1 (C3) and leaves none open."
    )


def test_a_claim_that_is_not_tested_is_named_unless_none_was_asked_for(assessment, page):
    untested = "C6 (|x| of hundreds of millions"
    assert untested in page.words
    beside = [e for e in assessment.experiments if not e.is_claim]
    assert untested not in Page(rendered(assessment, experiments=tuple(beside))).words


def test_forced_kernels_are_told_before_the_verdicts(assessment, page):
    here = assessment.session.environment | {"forced_kernels": ["OPENBLAS_CORETYPE=<x>"]}
    text = rendered(assessment, session=replace(assessment.session, environment=here))
    words = Page(text).words
    assert words.index("forced by OPENBLAS_CORETYPE=<x>") < words.index("Verdicts")
    assert "forced" not in page.words
