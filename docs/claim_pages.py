"""A page for each claim and study of the registry, written before Sphinx reads its sources."""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import sympy
from sphinx.application import Sphinx

from jacchain.analysis.evidence import Evidence
from jacchain.claims.registry import experiments
from jacchain.costs.closed_forms import terms
from jacchain.costs.formulas import gradient_formula, symbolic_dims
from jacchain.experiments.experiment import Check, Experiment
from jacchain.experiments.show import Figure
from jacchain.experiments.sizes import Sizes

SCALES = ("quick", "standard", "full")
L2, LLC = 2**20, 2**25  # the caches for which the pages count cells
FIGURES = Path(__file__).parents[1] / "results/reference/figures"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the pages."""
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True}


def _write_pages(app: Sphinx) -> None:
    """Write ``claims/<name>.rst`` and ``claims/list.txt``, and delete pages of no experiment."""
    folder = Path(app.srcdir, "claims")
    folder.mkdir(exist_ok=True)
    every = experiments().entries.values()
    texts = {f"{_page(e)}.rst": "\n".join(_lines(e, folder)) for e in every}
    texts["list.txt"] = "\n".join(_list(every))
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _page(experiment: Experiment) -> str:
    return experiment.claim.lower()


def _list(every: Iterable[Experiment]) -> Iterator[str]:
    """List all experiments, each with a link to its page."""
    for e in every:
        yield f":doc:`{escaped(_heading(e))} </claims/{_page(e)}>`"
        yield f"    {escaped(e.statement)}\n"
    yield ".. toctree::\n   :hidden:\n"
    yield from (f"   /claims/{_page(e)}" for e in every)


def _heading(experiment: Experiment) -> str:
    kind = "" if experiment.judge and experiment.is_claim else "Study "
    return f"{kind}{experiment.claim}: {experiment.title}"


def _lines(experiment: Experiment, folder: Path) -> Iterator[str]:
    """Write the page of one experiment."""
    own = module_of(experiment)
    yield from _titled(escaped(_heading(experiment)), "=")
    yield f"{escaped(experiment.statement)}\n"
    yield from _formulas(experiment)
    yield from _measured(experiment)
    if experiment.checks:
        yield from _titled("Checks", "-")
        yield "Untimed measurements.\n"
        yield from (_check(name, check) for name, check in experiment.checks.items())
    yield from _figures(experiment, folder)
    yield from _titled(f"claims/{own.__name__.rpartition('.')[2]}.py", "-")
    yield f".. automodule:: {own.__name__}\n"
    helpers = sorted(_modules(experiment) - {own.__name__})
    if helpers:
        yield "It also calls " + ", ".join(f":py:mod:`{name}`" for name in helpers) + ".\n"


def _titled(text: str, mark: str) -> Iterator[str]:
    yield f"{text}\n{mark * len(text)}\n"


def _formulas(experiment: Experiment) -> Iterator[str]:
    """Show the formulas of orders and of parameter gradients that it confronts."""
    if not experiment.formulas and not experiment.gradient_formulas:
        return
    yield from _titled("Formulas", "-")
    yield "Scalar multiplications.\n"
    for order, layers in experiment.formulas:
        yield f"{order}, {layers} layers\n    ``{order_text(order, layers)}``\n"
    for order, cache in experiment.gradient_formulas:
        how = "with a cache" if cache else "each from scratch"
        expression = gradient_formula(order, 3, cache=cache)
        yield f"all gradients, {order}, {how}, 3 layers\n    ``{expression_text(expression)}``\n"


def order_text(order: str, layers: int) -> str:
    """Write the multiplications of an order as text: |z2||z1| + |z1||x|."""
    return " + ".join(
        "".join(f"|{size}|" for size in term if size != 1)
        for term in terms(order, symbolic_dims(layers))
    )


def expression_text(expression: sympy.Expr) -> str:
    """Write a polynomial in sizes in the same way: 2|z2||z1| + |z1|."""
    place = {size: i for i, size in enumerate(symbolic_dims(9))}
    texts = []
    for term in expression.as_ordered_terms():
        number, powers = term.as_coeff_Mul()[0], term.as_coeff_Mul()[1].as_powers_dict()
        sizes = sorted(powers.items(), key=lambda item: place[item[0]])
        texts.append(
            f"{number if number != 1 else ''}"
            + "".join(f"|{size}|{f'^{power}' if power != 1 else ''}" for size, power in sizes)
        )
    return " + ".join(texts)


def _measured(experiment: Experiment) -> Iterator[str]:
    """Say how many cells it measures at each scale."""
    counts = [len(experiment.cells(Sizes(scale, L2, LLC))) for scale in SCALES]
    yield from _titled("Cells", "-")
    if not any(counts):
        yield "It times nothing.\n"
        return
    every = ", ".join(f"{n} in {scale}" for scale, n in zip(SCALES, counts, strict=True))
    yield (
        f"It measures {every}, where the caches are L2 = {L2 >> 20} MiB and LLC = {LLC >> 20} MiB; "
        "cells that other claims share are measured once in a run.\n"
    )
    if experiment.needs:
        needs = ", ".join(experiment.needs)
        yield f"It needs {needs} (``pip install 'jacchain[{experiment.extra}]'``).\n"


def _check(name: str, check: Check) -> str:
    function = getattr(check.run, "func", check.run)  # what is partly applied has no words
    words = (inspect.getdoc(function) or "").partition("\n")[0]
    return f"``{name}``\n    {words or 'See the functions below.'}\n"


def _figures(experiment: Experiment, folder: Path) -> Iterator[str]:
    """Show the figures of the reference run; data there is none of, so captions come from none."""
    shown = experiment.shows(Evidence(), Sizes(SCALES[0], L2, LLC))
    figures = [item for item in shown if isinstance(item, Figure)]
    pictures = [(item, FIGURES / f"{item.name}.png") for item in figures]
    if any(path.is_file() for _, path in pictures):
        yield from _titled("Figures of the reference run", "-")
    for figure, path in pictures:
        if path.is_file():
            source = path.relative_to(folder.parents[1])
            title, caption = escaped(figure.title), escaped(figure.caption)
            yield f".. figure:: ../../{source.as_posix()}\n   :alt: {title}\n"
            yield f"   **{title}.** {caption}\n"


def module_of(experiment: Experiment) -> ModuleType:
    """Return the module that defines an experiment of the registry."""
    return next(
        module
        for name, module in tuple(sys.modules.items())
        if name.startswith("jacchain.claims.") and getattr(module, "EXPERIMENT", None) is experiment
    )


def _modules(experiment: Experiment) -> set[str]:
    """Return the names of the modules of claims that define its functions."""
    functions: list[Any] = [
        experiment.cells,
        experiment.judge,
        experiment.shows,
        experiment.findings,
        *(check.run for check in experiment.checks.values()),
    ]
    plain = (f.func if isinstance(f, partial) else f for f in functions if f)
    return {f.__module__ for f in plain if f.__module__.startswith("jacchain.claims.")}


def escaped(text: str) -> str:
    r"""Write text as reStructuredText that is shown as it stands.

    Examples
    --------
    >>> print(escaped("|x| * 2"))
    \|x\| \* 2
    """
    return re.sub(r"([\\*_`|<>])", r"\\\1", text)
