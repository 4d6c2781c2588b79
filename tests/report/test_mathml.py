"""Formulas and sizes, typeset for a web page."""

import pytest

from jacchain.report.mathml import formula_mathml, gradients_mathml, typeset


def test_mathml_is_the_articles_sum():
    text = formula_mathml("input-first", 3)
    assert text.count("<mo>+</mo>") == 2
    assert [text.count(f"<mn>{layer}</mn>") for layer in (1, 2, 3)] == [1, 2, 2]
    assert text.count("<mi>x</mi>") == 3


@pytest.mark.parametrize("cache", [True, False])
def test_gradients_are_sums_over_the_layers(cache):
    assert gradients_mathml("loss-first", cache=cache).count("<munderover>") == 2


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
