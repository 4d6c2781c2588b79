"""Numbers as text."""

from typing import get_args

import numpy as np
import pytest

from jacchain.experiments.show import Unit
from jacchain.report.units import FORMATS, cell_text, margin


def test_every_unit_has_a_format():
    assert set(FORMATS) == set(get_args(Unit))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (10**20 + 1, "count", "100,000,000,000,000,000,001"),
        (np.int64(1024), "count", "1,024"),
        (3.14159, "number", "3.142"),
        (2**53 + 1, "number", "9,007,199,254,740,993"),
        (np.float64(0.25), "seconds", "250\u00a0ms"),
        (1536, "bytes", "1.5\u00a0KiB"),
        (0.976, "share", "97.6\u00a0%"),
        ((0.5, 2), "interval", "0.5 to 2"),
        ("LLC", "text", "LLC"),
        ("not up to 256", "ratio", "not up to 256"),
        (None, "bytes", "-"),
        (np.nan, "seconds", "-"),
    ],
)
def test_a_cell_is_written_in_the_unit_of_its_column(value, unit, text):
    assert cell_text(value, unit) == text


def test_margins_without_ends_are_words():
    assert margin((-np.inf, 1.0)) == "at most 1"
    assert margin((np.nan, np.nan)) == "-"
