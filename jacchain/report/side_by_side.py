"""Two runs side by side, for the command `compare`."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from jacchain.analysis.changes import FASTER, NO_NOISE, SLOWER, Change, changes, differences
from jacchain.analysis.evidence import Dims
from jacchain.analysis.verdicts import plain
from jacchain.experiments.show import Column, Table, Unit, table
from jacchain.records.errors import RecordsError
from jacchain.records.read import GZIPPED, PLAIN
from jacchain.report.tables import fact, fact_name
from jacchain.report.terminal import print_table
from jacchain.runs.assess import Assessment, assess
from jacchain.units import share

MOST_PRINTED = 20
DIRECTION = "B against A"
LONG = 8  # sizes of a chain; longer ones are abridged
SAME = "Machine, software and settings are the same in both runs."


@dataclass(frozen=True)
class Run:
    """One of the two runs: where it is and what it was measured with."""

    folder: str  #: or file, as the user named it
    cpu_model: str | None
    machine: str
    started: str  #: ISO 8601
    profile: str
    jacchain: str
    dtype: str
    threads: int  #: of BLAS
    chains: int  #: how many were timed in both orders
    cautions: tuple[str, ...]  #: what would spoil its times

    @property
    def described(self) -> str:
        """Say in one line which run it is."""
        return f"{self.folder} ({', '.join(self.facts)})"

    @property
    def facts(self) -> tuple[str, ...]:
        """List machine, date, profile, version, element type and threads."""
        return (
            self.cpu_model or f"machine {self.machine}",
            self.started[:10],
            f"profile {self.profile}",
            f"jacchain {self.jacchain}",
            self.dtype,
            self.described_threads,
        )

    @property
    def described_threads(self) -> str:
        """Say how many threads BLAS had."""
        return f"{self.threads} BLAS thread{'' if self.threads == 1 else 's'}"


@dataclass(frozen=True)
class Comparison:
    """What two runs share and where they differ.

    `verdicts` has (A, B) of each claim that both judged, `titles` what claims are about, and
    `noise_floor` is the larger of the two.
    """

    a: Run
    b: Run
    changes: tuple[Change, ...]
    environments: dict[str, tuple[Any, Any]]
    verdicts: dict[str, tuple[str, str]]
    noise_floor: float
    titles: dict[str, str]

    @property
    def runs(self) -> dict[str, Run]:
        """Return both runs by their letters."""
        return {"A": self.a, "B": self.b}

    @property
    def cautions(self) -> tuple[str, ...]:
        """List what would spoil the comparison, or the times of either run, with its letter."""
        a, b = ((run.dtype, run.described_threads) for run in (self.a, self.b))
        unlike = f"A measured {', '.join(a)} and B {', '.join(b)}: equal chains are unequal work."
        alone = (f"{name}: {c}" for name, run in self.runs.items() for c in run.cautions)
        return (*([unlike] if a != b else []), *alone)

    @property
    def changed_verdicts(self) -> dict[str, tuple[str, str]]:
        """Return the claims that the runs judge differently."""
        return {claim: pair for claim, pair in self.verdicts.items() if pair[0] != pair[1]}

    @property
    def middle(self) -> float:
        """Median of B / A over all matched series, of which there must be one."""
        return float(np.exp(np.median(np.log([c.ratio for c in self.changes]))))

    @property
    def directions(self) -> Counter[str]:
        """Count the series in which B is slower, faster, or within noise."""
        return Counter(change.direction(self.noise_floor) for change in self.changes)

    @property
    def answer(self) -> str:
        """Say in one sentence which run took longer."""
        if not self.changes:
            return f"No times are compared: {_why_apart(self.a, self.b)}."
        several = f"{len(self.changes)} matched series" if len(self.changes) > 1 else "one series"
        longer = f"B took {self.middle:.2f} times as long as A in the middle of {several}"
        counts, floor = self.directions, share(self.noise_floor, 0)
        if NO_NOISE in counts:
            return f"{longer}; the noise floor was not measured, so no change is judged."
        return (
            f"{longer}; {counts[SLOWER] or 'none'} slower and {counts[FASTER] or 'none'} faster "
            f"beyond the noise floor of {floor}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        floor = self.noise_floor
        comparison = {
            "a": asdict(self.a),
            "b": asdict(self.b),
            "answer": self.answer,
            "noise_floor": floor,
            "changes": [
                asdict(c) | {"ratio": c.ratio, "direction": c.direction(floor)}
                for c in self.changes
            ],
            "environments": self.environments,
            "verdicts": self.verdicts,
            "changed_verdicts": self.changed_verdicts,
        }
        result: dict[str, Any] = plain(comparison)
        return result


def compare_runs(run_a: str | Path, run_b: str | Path) -> Comparison:
    """Compare two folders or files of records.

    Raises RecordsError if either has no records, or damaged ones, if both are the same, or if they
    have neither a chain nor a verdict in common.
    """
    a = assess(run_a)
    if place(run_a) == place(run_b):
        problem = f"A and B are the same run: {run_a}"
        raise RecordsError(problem, "Name two runs; the second is compared with the first.")
    b = assess(run_b)
    first, second = ({v.claim: v.verdict for v in run.verdicts} for run in (a, b))
    comparison = Comparison(
        _described(run_a, a),
        _described(run_b, b),
        tuple(changes(a.evidence, b.evidence)),
        differences(*map(_facts, (a, b))),
        {claim: (first[claim], second[claim]) for claim in first if claim in second},
        float(np.fmax(a.evidence.noise_floor, b.evidence.noise_floor)),
        {e.claim: e.title for e in a.experiments},
    )
    if not comparison.changes and not comparison.verdicts:
        problem = f"nothing to compare: {_why_apart(comparison.a, comparison.b)}"
        raise RecordsError(problem, "Measure the same --claims or --dims by the same --profile.")
    return comparison


def place(run: str | Path) -> Path:
    """Return the folder of a run, or its file of records where that has a name of its own."""
    path = Path(run).resolve()
    return path.parent if path.name in {PLAIN, GZIPPED} else path


def _described(folder: str | Path, run: Assessment) -> Run:
    session, identity = run.session, run.session.identity
    return Run(
        str(folder),
        session.environment.get("cpu_model"),
        identity.machine,
        session.started,
        session.profile,
        identity.jacchain,
        identity.dtype,
        identity.threads,
        len(run.evidence.chains),
        tuple(run.cautions),
    )


def _facts(run: Assessment) -> dict[str, Any]:
    session = run.session
    return session.environment | vars(session.identity) | {"profile": session.profile}


def _why_apart(a: Run, b: Run) -> str:
    """Say why no chain of one run is in the other."""
    untimed = [name for name, run in {"A": a, "B": b}.items() if not run.chains]
    if untimed:
        return f"{' and '.join(untimed)} timed no chain in both orders"
    pairs = {
        "profile": (a.profile, b.profile),
        "dtype": (a.dtype, b.dtype),
        "machine": (a.machine, b.machine),
    }
    others = "".join(f"; {name} {x} and {y}" for name, (x, y) in pairs.items() if x != y)
    return f"no chain of A has the sizes of one of B (A timed {a.chains}, B {b.chains}{others})"


# Tables


def environments_table(comparison: Comparison) -> Table:
    """List what differs between the runs' machines, software and settings."""
    rows = (
        (fact_name(name), fact(name, a), fact(name, b))
        for name, (a, b) in comparison.environments.items()
    )
    caption = "What differs between the runs: machine, software and settings"
    return Table(caption, (Column("what"), Column("A"), Column("B")), tuple(rows))


def verdicts_table(comparison: Comparison) -> Table:
    """List the verdicts of both runs, those that differ first."""
    changed = comparison.changed_verdicts
    pairs = changed | comparison.verdicts  # in the order of their first appearance
    rows = (
        (
            f"{claim} {comparison.titles.get(claim, '')}".strip(),
            a,
            b,
            "same" if a == b else "differs",
        )
        for claim, (a, b) in pairs.items()
    )
    caption = f"Verdicts on claims; {len(changed) or 'none'} of {len(pairs)} differ"
    columns = (Column("claim"), Column("A"), Column("B"), Column(DIRECTION))
    return Table(caption, columns, tuple(rows))


def changes_table(comparison: Comparison, most: int | None = None) -> Table:
    """List the times of the series that both runs measured, at most so many of them."""
    units: dict[str, Unit] = {
        "sizes, loss first": "text",
        "order": "text",
        "time in A": "seconds",
        "time in B": "seconds",
        "B / A": "ratio",
        "95 % interval": "interval",
        DIRECTION: "text",
    }
    floor = comparison.noise_floor
    rows = (
        (sizes_text(c.dims), c.name, c.before, c.after, c.ratio, c.interval, c.direction(floor))
        for c in comparison.changes[:most]
    )
    return table("Times per call, largest change first", units, rows)


def sizes_text(dims: Dims) -> str:
    """Write the sizes of a chain, of a long one the ends.

    Examples
    --------
    >>> sizes_text((1, 4, 3)), sizes_text((1, *[16] * 20, 784))
    ('1 4 3', '1 16 ... 16 784, 21 factors')
    """
    if len(dims) < LONG:
        return " ".join(map(str, dims))
    return f"{dims[0]} {dims[1]} ... {dims[-2]} {dims[-1]}, {len(dims) - 1} factors"


# Terminal


def print_comparison(console: Console, comparison: Comparison, *, every: bool = False) -> None:
    """Print the answer, which run is which, verdicts, what differs, then times, or `every` row."""
    console.print(escape(comparison.answer), highlight=False)
    for name, run in comparison.runs.items():
        console.print(escape(f"{name}: {run.described}"), highlight=False, soft_wrap=True)
    for caution in comparison.cautions:
        console.print(f"[yellow]{escape(caution)}[/]", highlight=False, soft_wrap=True)
    if comparison.verdicts:
        print_table(console, verdicts_table(comparison))
    if comparison.environments:
        print_table(console, environments_table(comparison))
    else:
        console.print(SAME, highlight=False)
    if comparison.changes:
        _print_changes(console, comparison, None if every else MOST_PRINTED)


def _print_changes(console: Console, comparison: Comparison, most: int | None) -> None:
    shown = changes_table(comparison, most)
    print_table(console, shown, whole=("order", DIRECTION))
    rows, total = len(shown.rows), len(comparison.changes)
    if rows < total:
        console.print(f"{rows} of {total} shown: --all shows every row.", highlight=False)
    console.print(meaning(comparison), highlight=False)


def meaning(comparison: Comparison) -> str:
    """Say what "B slower" and "within noise" mean."""
    floor = comparison.noise_floor
    if np.isnan(floor):
        return "Neither run measured how far equal work lies apart, so no change is judged."
    return (
        f"B slower, B faster: the 95 % interval of B / A, widened by the noise floor of "
        f"{share(floor, 0)}, lies wholly above 1, or below; within noise: it holds 1."
    )
