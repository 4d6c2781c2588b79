"""Claims are found by their files and chosen by name."""

import pytest

from jacchain.claims import c3_input_size, modules, registry
from jacchain.claims.registry import chosen, experiments


def names(several):
    return [experiment.claim for experiment in several]


def test_claims_are_chosen_in_their_own_order_and_the_case_of_names_does_not_count():
    assert names(chosen(["c5", "C1", "c5"])) == ["C1", "C5", "model"]


def test_no_names_are_all_that_are_measured_by_default():
    defaults = {e.claim for e in experiments().entries.values() if e.default}
    assert set(names(chosen([]))) == {*defaults, "model"}
    assert "peers" not in defaults


def test_others_are_added_to_those_chosen():
    assert names(chosen([], also=["peers"])) == [*names(chosen([])), "peers"]
    assert names(chosen(["C1"], also=["peers"])) == ["C1", "model", "peers"]


def test_a_chain_of_ones_own_is_chosen_by_its_name():
    assert names(chosen(["chain-1x4x3x2"])) == ["chain-1x4x3x2"]
    assert names(chosen(["C1", "cell-1x4x3"])) == ["cell-1x4x3", "C1", "model"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown claim 'C99'; the known ones are \['C1', "):
        chosen(["c1", "C99"])


def test_two_files_of_one_claim_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "import_module", lambda _: c3_input_size)
    with pytest.raises(ValueError, match="claim 'C3' is taken"):
        experiments.__wrapped__()


def test_the_numbers_of_claims_come_first_and_studies_last():
    every = list(experiments().entries)
    studies = [claim for claim in every if not experiments()[claim].is_claim]
    assert every[-len(studies) :] == sorted(studies)
    numbers = [int(claim.removeprefix("C")) for claim in every[: -len(studies)]]
    assert numbers == sorted(numbers)


def test_claims_are_known_by_their_files_before_they_are_loaded():
    assert list(modules()) == list(experiments().entries)
