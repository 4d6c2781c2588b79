"""The article's claims and the studies beside them, each in a file of its own."""

import re
from pkgutil import iter_modules


def modules() -> dict[str, str]:
    """Return the modules of claims and studies by what they are called, claims first; load none.

    They are found by their files, `c<number>_<words>.py` and `study_<word>.py`.

    Examples
    --------
    >>> modules()["C5"], modules()["self-test"]
    ('c5_ratio', 'study_self_test')
    """
    found = (module.name for module in iter_modules(__path__))
    numbers = {name: re.match(r"c(\d+)_\w", name) for name in found}
    claims = {f"C{match[1]}": name for name, match in numbers.items() if match}
    studies = {
        name.removeprefix("study_").replace("_", "-"): name
        for name in numbers
        if name.startswith("study_")
    }
    order = sorted(claims, key=lambda claim: int(claim[1:]))
    return {claim: claims[claim] for claim in order} | dict(sorted(studies.items()))
