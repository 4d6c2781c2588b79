"""Two runs side by side, for the command `compare`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jacchain.analysis.compare import Change, changes, differences
from jacchain.experiments.judging import assess
from jacchain.report.terminal import print_changes


@dataclass(frozen=True)
class Comparison:
    """What two runs share and where they differ.

    `verdicts` has (A, B) of each claim that both judged; `noise_floor` is the larger of the two.
    """

    changes: tuple[Change, ...]
    environments: dict[str, tuple[Any, Any]]
    verdicts: dict[str, tuple[str, str]]
    noise_floor: float

    @property
    def changed_verdicts(self) -> dict[str, tuple[str, str]]:
        """The claims that the runs judge differently."""
        return {claim: pair for claim, pair in self.verdicts.items() if pair[0] != pair[1]}

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "noise_floor": self.noise_floor,
            "changes": [asdict(c) | {"ratio": c.ratio} for c in self.changes],
            "environments": self.environments,
            "verdicts": self.verdicts,
            "changed_verdicts": self.changed_verdicts,
        }


def compare_runs(run_a: str | Path, run_b: str | Path) -> Comparison:
    """Compare two folders or files of records.

    Raises
    ------
    RecordsError
        If either has no records, or damaged ones.
    """
    a, b = assess(run_a), assess(run_b)
    first, second = ({v.claim: v.verdict for v in run.verdicts} for run in (a, b))
    settings = [vars(run.session.identity) | {"profile": run.profile.name} for run in (a, b)]
    return Comparison(
        tuple(changes(a.evidence, b.evidence)),
        differences(a.environment | settings[0], b.environment | settings[1]),
        {claim: (first[claim], second[claim]) for claim in first if claim in second},
        max(a.evidence.noise_floor, b.evidence.noise_floor),
    )


def print_comparison(console: Console, found: Comparison) -> None:
    """Environments, verdicts, then the largest changes of time."""
    _print_pairs(console, "what differs", found.environments)
    _print_pairs(console, "verdict", found.verdicts)
    print_changes(console, found.changes, found.noise_floor)


def _print_pairs(console: Console, name: str, pairs: dict[str, Any]) -> None:
    table = Table(name, "A", "B")
    for key, (a, b) in pairs.items():
        mark = "" if a == b else " *"
        table.add_row(escape(f"{key}{mark}"), escape(str(a)), escape(str(b)))
    console.print(table)
