"""The README says what the committed run found."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERDICTS = json.loads((ROOT / "results/reference/verdicts.json").read_text("utf-8"))
TABLE = (ROOT / "README.md").read_text("utf-8").split("```text")[1].split("```")[0]


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict["claim"])
def test_the_table_is_that_of_the_committed_run(verdict):
    row = next(line for line in TABLE.splitlines() if line.split()[:1] == [verdict["claim"]])
    assert verdict["verdict"] in row
    assert f"{verdict['measured']:,.4g}" in row or f"{verdict['measured']:,.0f}" in row


def test_pictures_are_there():
    text = (ROOT / "README.md").read_text("utf-8")
    pictures = [part.split(")")[0] for part in text.split("](")[1:] if ".png" in part]
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
