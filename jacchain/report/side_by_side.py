"""Two runs side by side, for the command `compare`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jacchain.analysis.changes import Change, changes, differences
from jacchain.analysis.verdicts import plain
from jacchain.report.units import interval
from jacchain.runs.assess import assess
from jacchain.units import seconds, share

MOST_PRINTED = 20


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
        """Return the claims that the runs judge differently."""
        return {claim: pair for claim, pair in self.verdicts.items() if pair[0] != pair[1]}

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        comparison = {
            "noise_floor": self.noise_floor,
            "changes": [asdict(change) | {"ratio": change.ratio} for change in self.changes],
            "environments": self.environments,
            "verdicts": self.verdicts,
            "changed_verdicts": self.changed_verdicts,
        }
        result: dict[str, Any] = plain(comparison)
        return result


def compare_runs(run_a: str | Path, run_b: str | Path) -> Comparison:
    """Compare two folders or files of records.

    Raises RecordsError if either has no records, or damaged ones.
    """
    a, b = assess(run_a), assess(run_b)
    first, second = ({v.claim: v.verdict for v in run.verdicts} for run in (a, b))
    facts = [
        run.session.environment | vars(run.session.identity) | {"profile": run.session.profile}
        for run in (a, b)
    ]
    return Comparison(
        tuple(changes(a.evidence, b.evidence)),
        differences(*facts),
        {claim: (first[claim], second[claim]) for claim in first if claim in second},
        max(a.evidence.noise_floor, b.evidence.noise_floor),
    )


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print environments, verdicts, then the largest changes of time."""
    _print_pairs(console, "what differs", comparison.environments)
    _print_pairs(console, "verdict", comparison.verdicts)
    _print_changes(console, comparison.changes, comparison.noise_floor)


def _print_pairs(console: Console, name: str, pairs: dict[str, Any]) -> None:
    table = Table(name, "A", "B")
    for key, (a, b) in pairs.items():
        mark = "" if a == b else " *"
        table.add_row(escape(f"{key}{mark}"), escape(str(a)), escape(str(b)))
    console.print(table)


def _print_changes(console: Console, changed: Sequence[Change], floor: float) -> None:
    table = Table("dims", "order", "A", "B", "B / A", "95 % interval", "beyond noise")
    for c in changed[:MOST_PRINTED]:
        dims = " ".join(map(str, c.dims)) if len(c.dims) < 8 else f"{len(c.dims) - 1} factors"
        mark = "yes" if c.beyond(floor) else "no"
        times = (seconds(c.before), seconds(c.after), f"{c.ratio:.3f}")
        table.add_row(dims, c.name, *times, interval(c.interval), mark)
    console.print(table)
    if changed:
        middle = float(np.exp(np.median(np.log([c.ratio for c in changed]))))
        beyond = sum(c.beyond(floor) for c in changed)
        console.print(
            f"{len(changed)} matched series, median B / A {middle:.3f}; "
            f"{beyond} changed beyond the noise floor of {share(floor, 0)}"
        )
