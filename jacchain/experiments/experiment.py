"""What a claim's file defines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jacchain.analysis.evidence import Evidence
from jacchain.analysis.verdicts import Part
from jacchain.experiments.cells import Cell
from jacchain.experiments.comparison import Comparison
from jacchain.experiments.profiles import Profile

Check = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Figure:
    """What a figure of a claim shows; `report` draws it.

    `kind` names the drawing: "sweep" (cost over `grid`), "plane", "residuals", "noise",
    "counts", "ratios" or "training". `name` is the file's, without its ending.
    """

    kind: str
    name: str
    title: str
    caption: str
    grid: str = ""


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


@dataclass(frozen=True)
class Experiment:
    """One claim of the article, or a study beside them: what it measures, confronts and shows.

    Attributes
    ----------
    claim
        C1, C2, ..., or the name of a study.
    title, statement
        A few words; the claim in a sentence.
    formulas
        (order, layers) of the article's formulas that it confronts.
    gradient_formulas
        (order, cache) of the formulas of all parameter gradients that it confronts.
    cells, comparisons
        What is timed for it in a profile: orders of dense chains, and other work in two ways.
    judge
        Parts, undecided as yet, from the evidence; None of a study, which only shows something.
    checks
        Untimed measurements by name: functions of a seed that return JSON-able values.
    values
        Of each check the dataclass that its values must fit, since records can be edited by hand.
    findings
        What is unexpected in the evidence, each with its cause if a measurement shows it.
    figures
        What its figures show.
    needs
        Modules that are not installed with jacchain itself.
    default
        Whether it is measured where nothing is named.
    timed
        Whether it is judged on times, rather than on checks and counts alone.
    """

    claim: str
    title: str
    statement: str
    cells: Callable[[Profile], list[Cell]]
    judge: Callable[[Evidence, Profile], list[Part]] | None
    formulas: tuple[tuple[str, int], ...] = ()
    gradient_formulas: tuple[tuple[str, bool], ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    values: Mapping[str, type] = field(default_factory=dict)
    findings: Callable[[Evidence, Profile], list[Finding]] = lambda _evidence, _profile: []
    figures: tuple[Figure, ...] = ()
    timed: bool = True
    comparisons: Callable[[Profile], list[Comparison]] = lambda _profile: []
    needs: tuple[str, ...] = ()
    default: bool = True
