"""asv's plugin: at `asv publish` it adds the page "Complexity", and makes the site local.

`asv.conf.json` names this module; asv finds the publisher by its base class.
"""

import warnings
from pathlib import Path
from typing import Any

from asv.publishing import OutputPublisher

from jacchain.harnesses.complexity import render_complexity
from jacchain.harnesses.readers import read_asv
from jacchain.harnesses.vendor import VendorError, make_local

PAGE = "complexity.html"
LINK = f'<li id="nav-li-complexity"><a href="{PAGE}">Complexity</a></li>'
_BEFORE = '<li id="nav-li-graphdisplay">'


class Complexity(OutputPublisher):  # type: ignore[misc]  # asv ships no types
    """The page, with its link in the navigation."""

    name = "complexity"
    button_label = "Complexity"
    description = "Time over each size, with the article's formulas drawn through it"

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        """Write the page into asv's site; called by asv."""
        del repo, benchmarks, graphs, revisions
        extend(Path(conf.html_dir), Path(conf.results_dir), project=conf.project)


def extend(site: Path, results: Path, *, project: str) -> None:
    """Add the page and its link to a site of asv, and the libraries that it needs.

    Warns
    -----
    UserWarning
        If the libraries can't be had: the site is then as asv makes it, and needs the internet.
    """
    page = render_complexity(read_asv(results), project=project)
    (site / PAGE).write_text(page, "utf-8")
    index = site / "index.html"
    text = index.read_text("utf-8")
    if _BEFORE not in text:
        message = f"{index}: no place for the link to {PAGE}; use the asv that pyproject.toml names"
        raise ValueError(message)
    index.write_text(text.replace(_BEFORE, LINK + "\n\t" + _BEFORE, 1), "utf-8")
    try:
        make_local(site)
    except VendorError as error:
        warnings.warn(f"the pages will need the internet: {error}", stacklevel=2)
