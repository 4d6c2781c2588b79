"""What can go wrong with records: always a problem together with its remedy."""

MOST_CHARACTERS = 1000


class RecordsError(Exception):
    """Records that can't be read, written or mixed.

    The problem says what is wrong and where, with the bad value, of a long one the ends; the remedy
    what to do about it.

    Examples
    --------
    >>> print(RecordsError("run/records.jsonl, line 7: not JSON", "Delete that line."))
    run/records.jsonl, line 7: not JSON. Delete that line.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        if len(problem) > MOST_CHARACTERS:
            half = MOST_CHARACTERS // 2
            problem = f"{problem[:half]} ... {problem[-half:]}"
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        """Return the problem and the remedy, each a sentence."""
        return f"{self.problem}. {self.remedy}"


class RecordsWarning(UserWarning):
    """Records that were repaired or read in part; the message says what it cost."""
