"""What a notebook shows: tables of what a value holds, in which all text is text."""

from html.parser import HTMLParser

import numpy as np
import pytest

import jacchain as jc
from jacchain.analysis.verdicts import Statement, exact, judge
from jacchain.notebook import MOST_ROWS, html_table

HOSTILE = "<script>alert('&')</script>"


class Shown(HTMLParser):
    """The tags of some HTML, its cells row by row, and its words."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.words, self.within = [], [], "", False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not attributes
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        self.within = tag in {"td", "th"}

    def handle_endtag(self, _tag):
        self.within = False

    def handle_data(self, data):
        self.words += data
        if self.within:
            self.rows[-1][-1] += data


def test_text_is_text_everywhere():
    shown = Shown(html_table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE))
    assert "script" not in shown.tags
    assert shown.words.count(HOSTILE) == 4


def test_many_rows_are_cut_with_a_word():
    shown = Shown(html_table("", ["n"], ([n] for n in range(1000))))
    assert len(shown.rows) == 1 + MOST_ROWS
    assert f"{1000 - MOST_ROWS} more rows are not shown" in shown.words


def test_a_plan_shows_its_steps_and_totals():
    plan = jc.plan((1, 10, 20, 30), "input-first")
    shown = Shown(plan._repr_html_())
    assert shown.rows[1] == ["1", "J1 J2", "(10, 20) (20, 30)", "6,000", "300", "300"]
    assert "multiplications: 6,300" in shown.words
    assert "input-first: 2 products over 1 x 10 x 20 x 30" in shown.words


def test_a_chain_shows_its_factors():
    shown = Shown(jc.random_chain((1, 2, 3), rng=0)._repr_html_())
    assert shown.rows[1:] == [["J0", "dense", "1 x 2", "2"], ["J1", "dense", "2 x 3", "6"]]


def test_a_network_shows_its_layers():
    shown = Shown(jc.mlp(4, 3, 2, activation="tanh", rng=0)._repr_html_())
    assert [row[2:] for row in shown.rows[1:]] == [["4", "3", "15"], ["3", "2", "8"]]
    assert "23 parameters" in shown.words


def test_a_verdict_shows_its_parts():
    statement = Statement("Counts are <equal>.", (exact(HOSTILE, 7, 8),))
    verdict = judge("C1", [statement], 0.0)
    shown = Shown(verdict._repr_html_())
    row = ["Counts are <equal>.", HOSTILE, "disagrees", "7", "8", "", ""]
    assert [cell.strip() for cell in shown.rows[1]] == row
    assert repr(verdict) == "Verdict('C1', 'disagrees', 0 of 1 statements agree)"


@pytest.mark.parametrize("factors", [1, 300])
def test_what_is_shown_in_one_line_is_short(factors):
    chain = jc.Chain([np.ones((2, 2))] * factors)
    net = jc.mlp(*[2] * (factors + 1), rng=0)
    for value in (chain, jc.plan(chain), jc.plan({"a": chain, "b": chain}), net):
        assert len(repr(value)) <= 120
        assert "\n" not in repr(value)
