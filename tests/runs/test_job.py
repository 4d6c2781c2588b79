"""What is asked for: claims by name with what they need, and what can't be had."""

from collections import Counter

import pytest

from jacchain.claims.registry import chosen
from jacchain.experiments.sizes import FIXED_PROFILES, PROFILES, sampling_of
from jacchain.runs import job as job_module
from jacchain.runs.job import RunError, job_of, why_left_out


def test_a_job_of_claims_has_the_cells_of_each_once():
    job = job_of("quick", ("c3", "C5"), dtype="float32")
    names = [cell.name for cell in job.cells]
    assert job.claims == ("C3", "C5", "model")
    expected = {cell.name for e in job.experiments for cell in e.cells(job.sizes)}
    assert sorted(names) == sorted(expected)
    assert Counter(cell.role for cell in job.cells)["control"] >= 2
    assert (job.sampling, job.sizes.itemsize) == (PROFILES["quick"], 4)
    assert job.checks == ("C3:counts",)


def test_no_claims_are_all_claims():
    job = job_of("quick")
    assert job.claims == tuple(e.claim for e in chosen())
    assert "C9:digits" in job.checks


def test_other_experiments_are_added():
    assert job_of("quick", ["C1"], also=["construction"]).claims == ("C1", "construction", "model")


@pytest.mark.parametrize("name", [*PROFILES.entries, *FIXED_PROFILES])
def test_a_job_is_of_its_profile(name):
    job = job_of(name, ["chain-1x4x3x2"])
    assert job.sampling is sampling_of(name)
    assert job.sizes.scale == sampling_of(name).scale


@pytest.mark.parametrize(("claim", "extra"), [("C9", "data"), ("peers", "peers")])
def test_a_claim_whose_library_is_missing_names_the_remedy(monkeypatch, claim, extra):
    monkeypatch.setattr(job_module, "find_spec", lambda _: None)
    with pytest.raises(RunError, match=rf"{claim} needs .*pip install 'jacchain\[{extra}\]'"):
        job_of("quick", (claim,))
    assert job_of("quick", ("C1",)).claims == ("C1", "model")


def test_default_claims_whose_library_is_missing_are_left_out(monkeypatch):
    everything = job_of("quick")
    monkeypatch.setattr(job_module, "find_spec", lambda name: None if name == "sklearn" else name)
    job = job_of("quick")
    assert everything.left_out == ()
    assert [e.claim for e in job.left_out] == ["C9"]
    assert set(everything.claims) - set(job.claims) == {"C9"}
    assert "pip install 'jacchain[data]'" in why_left_out(job.left_out[0])


def test_what_is_added_by_name_is_never_left_out(monkeypatch):
    monkeypatch.setattr(job_module, "find_spec", lambda _: None)
    with pytest.raises(RunError, match="claim peers needs"):
        job_of("quick", also=["peers"])
