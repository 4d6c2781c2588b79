"""The HTML report: one file that needs nothing else."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import isinf, isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from jacchain.analysis.verdicts import Part, Verdict
from jacchain.experiments.experiment import Experiment, Figure, Finding
from jacchain.experiments.grids import all_grids
from jacchain.experiments.job import PEERS
from jacchain.experiments.judging import Assessment
from jacchain.report import tables
from jacchain.report.batches import batches_table
from jacchain.report.construction import construction_table
from jacchain.report.figures import CEILINGS, NOISE, RESIDUALS
from jacchain.report.gradients import gradients_table
from jacchain.report.mathml import formula_mathml, gradients_mathml, typeset
from jacchain.report.networks import networks_table
from jacchain.report.peers import peers_table
from jacchain.report.tables import Table
from jacchain.report.terminal import number, title

NUMBERS: dict[str, Callable[[Assessment], Table]] = {
    "batches": batches_table,
    "gradients": gradients_table,
    "networks": networks_table,
    "construction": construction_table,
    "peers": peers_table,
}
SYMBOLS = {"agrees": "✓", "disagrees": "✗", "inconclusive": "?"}


@dataclass(frozen=True)
class Picture:
    """A figure as the page shows it; `numbers` is the table behind it, if there is one."""

    figure: Figure
    source: str
    numbers: Table | None = None


@dataclass(frozen=True)
class Section:
    """What the page says of one claim."""

    verdict: Verdict
    unflagged: Verdict
    title: str
    statement: str
    formulas: tuple[tuple[str, Markup], ...]
    pictures: tuple[Picture, ...]
    findings: tuple[Finding, ...]

    @property
    def open_parts(self) -> tuple[Part, ...]:
        """Parts that do not agree, those that disagree first."""
        order = ("disagrees", "inconclusive")
        return tuple(p for verdict in order for p in self.verdict.parts if p.verdict == verdict)

    @property
    def agreeing_parts(self) -> tuple[Part, ...]:
        """Parts that agree."""
        return tuple(p for p in self.verdict.parts if p.verdict == "agrees")


@dataclass(frozen=True)
class Study:
    """What the page shows beside the claims."""

    name: str
    title: str
    statement: str
    pictures: tuple[Picture, ...]


def render(
    assessment: Assessment,
    pictures: Mapping[str, str],
    *,
    simulated: Iterable[Mapping[str, Any]] = (),
) -> str:
    """Write the report.

    Parameters
    ----------
    assessment
        What it reports.
    pictures
        SVG texts by the names of the figures.
    simulated
        Rows of the table of simulated machines.
    """
    sections = _sections(assessment, pictures)
    run = {
        f.kind: _picture(f, pictures) if f.name in pictures else None
        for f in (RESIDUALS, NOISE, CEILINGS)
    }
    page: str = _template().render(
        summary=summary(assessment.verdicts),
        assessment=assessment,
        sections=[s for s in sections if s.verdict.claim != "model"],
        studies=_studies(assessment, pictures),
        peers_measured=any(e.claim == PEERS for e in assessment.experiments),
        model=next((s for s in sections if s.verdict.claim == "model"), None),
        all_sections=sections,
        run=run,
        tables=_tables(assessment, simulated),
        condition=tables.condition_text(assessment.fit) if assessment.fit else "",
    )
    return page


def summary(verdicts: Iterable[Verdict]) -> str:
    """The result in one sentence.

    Examples
    --------
    >>> summary([Verdict("C1", "agrees", 1.0, 1.0, None, "", "equal", ())])
    'Of 1 claim, this machine confirms 1 (C1), contradicts none and leaves none open.'
    """
    found = [v for v in verdicts if v.claim != "model"]
    names = {
        kind: ", ".join(v.claim for v in found if v.verdict == kind)
        for kind in ("agrees", "disagrees", "inconclusive")
    }
    counts = [
        f"{names[kind].count(',') + 1} ({names[kind]})" if names[kind] else "none" for kind in names
    ]
    claims = "1 claim" if len(found) == 1 else f"{len(found)} claims"
    return (
        f"Of {claims}, this machine confirms {counts[0]}, contradicts {counts[1]} "
        f"and leaves {counts[2]} open."
    )


def _sections(assessment: Assessment, pictures: Mapping[str, str]) -> list[Section]:
    experiments = {e.claim: e for e in assessment.experiments}
    unflagged = {v.claim: v for v in assessment.unflagged}
    return [
        _section(v, unflagged.get(v.claim, v), experiments.get(v.claim), assessment, pictures)
        for v in assessment.verdicts
    ]


def _studies(assessment: Assessment, pictures: Mapping[str, str]) -> list[Study]:
    return [
        Study(e.claim, e.title, e.statement, _shown(e, assessment, pictures))
        for e in assessment.experiments
        if e.judge is None
    ]


def _shown(
    experiment: Experiment, assessment: Assessment, pictures: Mapping[str, str]
) -> tuple[Picture, ...]:
    figures = (f for f in experiment.figures if f.name in pictures)
    return tuple(_picture(f, pictures, _numbers(f, assessment)) for f in figures)


def _section(
    verdict: Verdict, unflagged: Verdict, experiment: Experiment | None, assessment: Assessment,
    pictures: Mapping[str, str],
) -> Section:  # fmt: skip
    return Section(
        verdict,
        unflagged,
        title(verdict.claim),
        experiment.statement if experiment else "",
        _formulas(experiment) if experiment else (),
        _shown(experiment, assessment, pictures) if experiment else (),
        tuple(assessment.findings.get(verdict.claim, ())),
    )  # fmt: skip


def _formulas(experiment: Experiment) -> tuple[tuple[str, Markup], ...]:
    """Each formula with what it is of."""
    orders = (
        (f"{order}, {layers} layers", formula_mathml(order, layers))
        for order, layers in experiment.formulas
    )
    gradients = (
        (
            f"all gradients {order}{', with a cache' if cache else ', each from scratch'}",
            gradients_mathml(order, cache=cache),
        )
        for order, cache in experiment.gradient_formulas
    )
    return (*orders, *gradients)


def _picture(figure: Figure, pictures: Mapping[str, str], numbers: Table | None = None) -> Picture:
    encoded = b64encode(pictures[figure.name].encode()).decode()
    return Picture(figure, f"data:image/svg+xml;base64,{encoded}", numbers)


def _numbers(figure: Figure, assessment: Assessment) -> Table | None:
    if figure.kind == "sweep":
        return tables.sweep_table(assessment.evidence, all_grids(assessment.profile)[figure.grid])
    return NUMBERS[figure.kind](assessment) if figure.kind in NUMBERS else None


def _tables(
    assessment: Assessment, simulated: Iterable[Mapping[str, Any]]
) -> dict[str, Table | None]:
    evidence, fit = assessment.evidence, assessment.fit
    found = {
        "fit": tables.fit_table(fit) if fit and fit.separable else None,
        "environment": tables.environment_table(assessment.environment),
        "ceilings": tables.ceilings_table(evidence),
        "efficiency": tables.efficiency_table(evidence),
        "regimes": tables.regimes_table(evidence),
        "method": tables.method_table(assessment),
        "skipped": tables.skipped_table(evidence.skipped),
        "simulated": tables.simulated_table(simulated),
    }
    return {name: table if table and table.rows else None for name, table in found.items()}


def interval(ends: tuple[float, float] | None) -> str:
    """Both ends, or a dash where there is none.

    Examples
    --------
    >>> interval((0.98765, 1.5)), interval(None)
    ('0.9877 to 1.5', '-')
    """
    return "-" if ends is None else f"{number(ends[0])} to {number(ends[1])}"


def margin(ends: tuple[float, float]) -> str:
    """The range in which a part agrees, in words.

    Examples
    --------
    >>> [margin(ends) for ends in ((10, float("inf")), (0.85, 1.15), (7, 7))]
    ['at least 10', '0.85 to 1.15', 'exactly 7']
    """
    low, high = ends
    if isnan(low):
        return "-"
    if low == high:
        return f"exactly {number(low)}"
    if isinf(high):
        return f"at least {number(low)}"
    return f"at most {number(high)}" if isinf(low) else interval(ends)


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("jacchain.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "interval": interval,
        "margin": margin,
        "typeset": typeset,
    }
    environment.globals |= {"symbols": SYMBOLS}
    return environment.get_template("report.html")
