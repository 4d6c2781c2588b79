"""A problem with its remedy."""

import pickle

from jacchain.records.errors import RecordsError


def test_an_error_from_another_process_is_the_same():
    error = pickle.loads(pickle.dumps(RecordsError("line 7: not JSON", "Delete that line.")))
    assert (error.problem, error.remedy) == ("line 7: not JSON", "Delete that line.")


def test_of_a_long_problem_the_ends_are_told():
    error = RecordsError(f"run/records.jsonl: {'x' * 10_000} is no profile", "Delete that line.")
    assert len(str(error)) < 1100
    assert str(error).startswith("run/records.jsonl: xxx")
    assert str(error).endswith("xxx is no profile. Delete that line.")
