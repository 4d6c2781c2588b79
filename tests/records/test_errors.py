"""A problem with its remedy."""

import pickle

from jacchain.records.errors import RecordsError


def test_an_error_from_another_process_is_the_same():
    error = pickle.loads(pickle.dumps(RecordsError("line 7: not JSON", "Delete that line.")))
    assert (error.problem, error.remedy) == ("line 7: not JSON", "Delete that line.")
