"""What can go wrong with records: always a problem together with its remedy."""


class RecordsError(Exception):
    """Records that can't be read, written or mixed.

    The problem says what is wrong and where, with the bad value; the remedy what to do about it.

    Examples
    --------
    >>> print(RecordsError("run/records.jsonl, line 7: not JSON", "Delete that line."))
    run/records.jsonl, line 7: not JSON. Delete that line.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        """Return the problem and the remedy, each a sentence."""
        return f"{self.problem}. {self.remedy}"


class RecordsWarning(UserWarning):
    """Records that were repaired or read in part; the message says what it cost."""
