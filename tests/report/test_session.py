"""Runs from Python: the same records, verdicts and report as by the command."""

import json
from dataclasses import replace

import pytest

import jacchain as jc
from jacchain.claims.own_chain import claim_of
from jacchain.experiments.sizes import FIXED_PROFILES
from jacchain.report import session
from tests.runs.tiny_claims import OWN


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Runs of a chain with few visits, in a folder of their own."""
    monkeypatch.setitem(FIXED_PROFILES, "chain", replace(OWN.sampling, name="chain"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_chain_is_measured_judged_and_reported(few):
    assessment = jc.run(dims=(1, 4, 3, 2))
    (verdict,) = (v for v in assessment.verdicts if v.claim == claim_of((1, 4, 3, 2)))
    folder = few / "results/chain/1x4x3x2"
    stored = json.loads((folder / "verdicts.json").read_text())
    assert [v["verdict"] for v in stored if v["claim"] == verdict.claim] == [verdict.verdict]
    assert (folder / "report.html").exists()
    before = (folder / "records.jsonl").read_bytes()
    again = jc.run(dims=(1, 4, 3, 2))  # which measures nothing
    assert list(map(repr, again.verdicts)) == list(map(repr, assessment.verdicts))
    assert (folder / "records.jsonl").read_bytes() == before
    paths = jc.plot(folder, target=few / "drawn")
    assert {path.suffix for path in paths} == {".svg", ".png"}
    assert all(path.exists() for path in paths)


@pytest.mark.usefixtures("few")
def test_claims_are_measured_where_it_is_said(monkeypatch):
    asked = []
    monkeypatch.setattr(
        session, "measure", lambda *given, **options: asked.append((given, options))
    )
    monkeypatch.setattr(session, "publish", lambda folder: folder)
    assert (
        jc.run(["C3"], profile="standard", dtype="float32", out="there", fresh=True).name == "there"
    )
    (((folder, job), options),) = asked
    assert (folder.name, options) == ("there", {"fresh": True})
    assert (job.sampling.name, job.dtype, "C3" in job.claims) == ("standard", "float32", True)
    assert jc.run().as_posix() == "results/local"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            (["C3"],),
            {"dims": (1, 2, 3)},
            r"claims \('C3',\) and dims \(1, 2, 3\) exclude each other",
        ),
        ((), {"dims": (1, 0, 3)}, "dims are 1 0 3; expected at least three sizes"),
        ((), {"profile": "bad"}, "unknown profile 'bad'"),
        ((), {"out": ""}, "the folder is ''"),
    ],
)
def test_what_cannot_be_run_is_refused(few, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        jc.run(*arguments, **options)
    assert not list(few.iterdir())


@pytest.mark.parametrize("claims", ["C3 C99", "C99,C3", ["C3", "C99"]])
def test_claims_are_names_in_one_text_or_several(claims):
    with pytest.raises(ValueError, match="unknown claim 'C99'"):
        jc.run(claims)
