"""What a claim's file defines: its cells, its judgement, its findings, and what it shows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Statement
from jacchain.experiments.cell import Cell
from jacchain.experiments.show import Figure, Table
from jacchain.experiments.sizes import Sizes


@dataclass(frozen=True)
class Check:
    """An untimed measurement."""

    run: Callable[[int], Any]  #: a function of a seed that returns `values`
    values: Any  #: Their type, a frozen dataclass or a mapping, by which records are validated


@dataclass(frozen=True)
class Finding:
    """Something unexpected, and the measurement that removes its cause.

    `cause` counts as one only if `vanishes`: then what was `observed` is gone in the measurement
    without the cause, whose figures `without` holds.
    """

    observed: str
    cause: str
    without: str
    vanishes: bool


def _nothing(*_: object) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Experiment:
    """One claim of the article, or a study beside them."""

    claim: str  #: C1, C2, ..., or the name of a study.
    #: A few words; the claim in a sentence
    title: str
    statement: str
    cells: Callable[[Sizes], Sequence[Cell]] = _nothing  #: what is timed for it at given sizes
    #: Statements, undecided as yet, from the evidence; None of a study, which only shows something
    judge: Callable[[Evidence, Sizes], Sequence[Statement]] | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)  #: Untimed measurements by name
    #: What is unexpected in the evidence, with its cause if a measurement shows it
    findings: Callable[[Evidence, Sizes], Iterable[Finding]] = _nothing
    #: Figures, and tables that stand by themselves, as data
    shows: Callable[[Evidence, Sizes], Iterable[Figure | Table]] = _nothing
    #: Sentences and tables that end `jacchain run`, and head the claim's section of the report
    answer: Callable[[Evidence, Sizes], Iterable[str | Table]] = _nothing
    #: (order, layers) of the article's formulas that it confronts
    formulas: tuple[tuple[str, int], ...] = ()
    #: (order, cache) of the formulas of all parameter gradients that it confronts
    gradient_formulas: tuple[tuple[str, bool], ...] = ()
    timed: bool = True  #: whether it is judged on times, rather than on checks and counts alone
    #: Modules that are not installed with jacchain itself, and the extra that installs them
    needs: tuple[str, ...] = ()
    extra: str = "data"
    default: bool = True  #: whether it is measured where nothing is named
    beside: tuple[str, ...] = ("model",)  #: Other experiments that are measured and shown with it
    #: Whether it is one of the article's claims: a summary counts those alone
    is_claim: bool = True
