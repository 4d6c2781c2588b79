"""A run with its report, as the command `jacchain run` makes them."""

from collections.abc import Sequence
from pathlib import Path

from jacchain.claims.own_chain import claim_of
from jacchain.inputs import as_integers, as_path, as_tuple, check_flag, check_type
from jacchain.report.publish import publish
from jacchain.runs.assess import Assessment
from jacchain.runs.job import job_of
from jacchain.runs.runner import run as measure

LOCAL, CHAIN = Path("results/local"), Path("results/chain")


def run(
    claims: str | Sequence[str] = (),
    *,
    dims: Sequence[int] | None = None,
    profile: str = "quick",
    threads: int = 1,
    dtype: str = "float64",
    out: str | Path | None = None,
    fresh: bool = False,
) -> Assessment:
    """Measure claims, or a chain of one's own, and write verdicts, figures and the report.

    What was interrupted is resumed; what is complete is not measured again.

    Parameters
    ----------
    claims : str or sequence of str
        Such as ``["C3", "C5"]``, or ``"C3 C5"``; all by default.
    dims : sequence of int, optional
        A chain of one's own instead, loss first.
    profile : str
        ``"quick"`` (minutes), ``"standard"`` or ``"full"``; of no use with `dims`.
    threads : int
        Of BLAS, at most the cores that may be used here.
    dtype : str
        ``"float32"`` or ``"float64"``.
    out : str or path, optional
        Folder; by default ``results/local``, or a chain's own in ``results/chain``.
    fresh : bool
        Whether to set aside what is there, and start anew.

    Returns
    -------
    Assessment
        Its `verdicts`, and the evidence that they rest on.

    Raises
    ------
    TypeError, ValueError
        If a claim, the profile or the dtype is unknown, both claims and dims are given, or the
        threads can't be had.
    RunError, RecordsError
        If the folder holds another run or can't be written, or measuring fails.

    Examples
    --------
    >>> run(["C99"])
    Traceback (most recent call last):
        ...
    ValueError: unknown claim 'C99'; the known ones are ['C1', 'C10', ...
    """
    given = claims.replace(",", " ").split() if isinstance(claims, str) else claims
    names = as_tuple(given, str, "the claims")
    check_flag(fresh, "fresh")
    (threads,) = as_integers([threads], "threads")
    for value, name in ((profile, "the profile"), (dtype, "the dtype")):
        check_type(value, str, name)
    if dims is not None and names:
        message = f"claims {names} and dims {tuple(dims)} exclude each other; give one of them"
        raise ValueError(message)
    folder = LOCAL
    if dims is not None:
        names = (claim_of(as_integers(dims, "dims")),)
        profile, folder = "chain", CHAIN / names[0].removeprefix("chain-")
    job = job_of(profile, names, threads=threads, dtype=dtype)
    folder = folder if out is None else as_path(out, "the folder")
    measure(folder, job, fresh=fresh)
    return publish(folder)
