"""The HTML report: one file that needs nothing else."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jacchain.analysis.verdicts import TOO_NOISY, Statement, Verdict
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.show import Figure, Table
from jacchain.report import tables
from jacchain.report.hover import split_values
from jacchain.report.mathml import formula_mathml, gradients_mathml, typeset
from jacchain.report.style import with_dark_variant
from jacchain.report.units import cell_text, interval, margin, number
from jacchain.runs.assess import Assessment
from jacchain.units import share, unbroken

Shown = Mapping[str, Sequence[Figure | Table]]

HEROES = {"ratio_plane", "orders"}  # figures that stand first
SYMBOLS = {"agrees": "✓", "disagrees": "✗", "inconclusive": "?"}


@dataclass(frozen=True)
class Picture:
    """A figure with the address of its picture, which holds the picture itself, and its size.

    `values` is what SVG lays over it, to be shown where a pointer rests.
    """

    figure: Figure
    source: str
    values: Markup
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """What the page says of one claim or study; a study has no verdicts."""

    experiment: Experiment
    verdict: Verdict | None
    unflagged: Verdict | None
    formulas: tuple[tuple[str, Markup], ...]
    answer: tuple[str | Table, ...]
    findings: tuple[Finding, ...]
    shown: tuple[Picture | Table, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What the claim says, sentence by sentence, judged."""
        return self.verdict.statements if self.verdict else ()


def render(
    assessment: Assessment,
    shown: Shown,
    pictures: Mapping[str, str],
    *,
    experiments: Iterable[Experiment] = (),
    simulated: Iterable[Mapping[str, Any]] = (),
) -> str:
    """Write the report on an assessment.

    `shown` has figures and tables by claim, `pictures` the SVG texts by the names of figures, and
    `simulated` rows of the table of simulated machines. Of `experiments`, all that there are, the
    page says how to measure those that are not measured by default.
    """
    evidence, session = assessment.evidence, assessment.session
    sections = _sections(assessment, shown, pictures)
    measured = {experiment.claim for experiment in assessment.experiments}
    return write_page(
        "report.html",
        lead=_lead(sections, assessment.untested),
        hero=_hero(sections),
        untested=assessment.untested,
        cautions=assessment.cautions,
        session=session,
        noise_floor=evidence.noise_floor,
        too_noisy=TOO_NOISY,
        sections=sections,
        others=[e for e in experiments if not e.default and e.claim not in measured],
        environment=tables.environment_table(session.environment),
        sampling=tables.sampling_table(assessment),
        skipped=tables.skipped_table(evidence.skipped),
        simulated=tables.simulated_table(simulated),
    )


def write_page(template: str, **values: Any) -> str:
    """Fill a template, with the script that sorts and filters tables, and the script's hash."""
    script = (files("jacchain.report") / "templates/report.js").read_text("utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    page: str = (
        _templates()
        .get_template(template)
        .render(script=Markup(script), script_hash=f"sha256-{digest}", **values)
    )
    return unbroken(page)


def _lead(sections: Sequence[Section], untested: Iterable[str]) -> list[str]:
    """Return the first answer, and the verdicts in one sentence where several were judged."""
    claims = [s.verdict for s in sections if s.verdict and s.experiment.is_claim]
    answers = [text for section in sections for text in section.answer if isinstance(text, str)]
    verdicts = [summary(claims, untested)] if len(claims) > 1 or (claims and not answers) else []
    return answers[:1] + verdicts or ["No claim of the article was judged in this run."]


def _hero(sections: Sequence[Section]) -> Picture | None:
    """Return the picture that answers the page's title at a glance."""
    shown = (item for section in sections for item in section.shown)
    return next((p for p in shown if isinstance(p, Picture) and p.figure.name in HEROES), None)


def summary(verdicts: Iterable[Verdict], untested: Iterable[str] = ()) -> str:
    """Return the verdicts on claims in one sentence, with those that no run tests yet.

    Examples
    --------
    >>> summary([Verdict("C1", "agrees", "equal", ())], ["C6"])
    'Of 2 claims, this machine confirms 1 (C1), contradicts none and leaves none open;
     1 (C6) is not tested yet.'
    """
    missing = list(untested)
    claims: dict[str, list[str]] = {kind: [] for kind in SYMBOLS}
    for verdict in verdicts:
        claims[verdict.verdict].append(verdict.claim)
    counts = [f"{len(c)} ({', '.join(c)})" if c else "none" for c in claims.values()]
    total = sum(map(len, claims.values())) + len(missing)
    several = f"{len(missing)} ({', '.join(missing)}) {'is' if len(missing) == 1 else 'are'}"
    rest = f"; {several} not tested yet" if missing else ""
    return (
        f"Of {total} claim{'' if total == 1 else 's'}, this machine confirms {counts[0]}, "
        f"contradicts {counts[1]} and leaves {counts[2]} open{rest}."
    )


def _sections(assessment: Assessment, shown: Shown, pictures: Mapping[str, str]) -> list[Section]:
    """Return a section for each experiment, claims before what is shown beside them."""
    verdicts, unflagged = (
        {verdict.claim: verdict for verdict in several}
        for several in (assessment.verdicts, assessment.unflagged)
    )
    evidence, sizes = assessment.evidence, assessment.sizes
    return [
        Section(
            experiment,
            verdicts.get(experiment.claim),
            unflagged.get(experiment.claim, verdicts.get(experiment.claim)),
            _formulas(experiment),
            tuple(experiment.answer(evidence, sizes)),
            tuple(experiment.findings(evidence, sizes)),
            _shown(shown.get(experiment.claim, ()), pictures),
        )
        for experiment in sorted(assessment.experiments, key=lambda e: not e.is_claim)
    ]


def _formulas(experiment: Experiment) -> tuple[tuple[str, Markup], ...]:
    """Return each formula after what it is of."""
    orders = [(f"{o}, {n} layers", formula_mathml(o, n)) for o, n in experiment.formulas]
    for order, cached in experiment.gradient_formulas:
        name = f"all gradients {order}, {'with a cache' if cached else 'each from scratch'}"
        orders.append((name, gradients_mathml(order, cache=cached)))
    return tuple(orders)


def _shown(
    shown: Sequence[Figure | Table], pictures: Mapping[str, str]
) -> tuple[Picture | Table, ...]:
    """Return what a claim shows, tables without rows and figures without a picture left out."""
    return tuple(
        item if isinstance(item, Table) else picture_of(item, pictures[item.name])
        for item in shown
        if (item.rows if isinstance(item, Table) else item.name in pictures)
    )


def picture_of(figure: Figure, svg: str) -> Picture:
    """Place an SVG text in the page, with its size: what follows must not move once it is drawn."""
    ends = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    width, height = (round(float(end)) for end in ends)
    drawing, values = split_values(svg)
    content = b64encode(with_dark_variant(drawing).encode()).decode()
    address = f"data:image/svg+xml;base64,{content}"
    return Picture(figure, address, Markup(values.replace('id="values" ', "")), width, height)


def sort_key(value: Any) -> str:
    """Return the number by which a cell is sorted; of an interval its low end, of a text nothing.

    Examples
    --------
    >>> sort_key(1e-05), sort_key((2.0, 3.0)), sort_key("dense"), sort_key(None)
    ('1e-05', '2.0', '', '')
    """
    first = value[0] if isinstance(value, tuple) and value else value
    return repr(float(first)) if isinstance(first, int | float) and not isnan(first) else ""


@cache
def _templates() -> Environment:
    environment = template_environment("jacchain.report")
    filters = (number, interval, margin, cell_text, typeset, share, sort_key)
    environment.filters |= {function.__name__: function for function in filters}
    environment.globals |= {"symbols": SYMBOLS}
    return environment


def template_environment(package: str) -> Environment:
    """Return jinja's environment of a package: strict, and everything escaped."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
