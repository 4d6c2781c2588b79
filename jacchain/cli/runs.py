"""Commands on runs of our own engine, and on this machine."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jacchain.claims import modules
from jacchain.cli.shared import (
    DISAGREES,
    INTERRUPTED,
    Check,
    Json,
    app,
    bad_values,
    bar,
    console,
    folder,
    option,
    say,
)
from jacchain.experiments.sizes import PROFILES
from jacchain.inputs import FLOATS, short
from jacchain.units import share

if TYPE_CHECKING:
    from jacchain.analysis.verdicts import Verdict
    from jacchain.report.side_by_side import Comparison
    from jacchain.runs.job import Job

LOCAL, CHAIN = Path("results/local"), Path("results/chain")  # as `jacchain.report.session`
SELF_TEST = Path("results/self-test")

Results = Annotated[Path, typer.Option("--results", help="Folder of a run.", metavar="DIR")]


def _sizes(dims: str) -> tuple[int, ...]:
    """Read sizes parted by spaces, commas or an "x"."""
    try:
        return tuple(int(size) for size in re.split(r"[\s,x]+", dims.strip(" ,=").lower()))
    except ValueError:
        message = f"dims are {short(dims)}; expected integers, loss first, such as 1 10 256 784"
        raise ValueError(message) from None


@app.command(epilog="Example: jacchain run --profile quick --claims C3 C5")
def run(
    *,
    profile: Annotated[str, option(PROFILES.entries)] = "quick",
    claims: Annotated[str | None, option(modules(), "All claims by default, or some of ")] = None,
    dims: Annotated[str | None, typer.Option(help="Your own chain instead, loss first.")] = None,
    threads: Annotated[int, typer.Option(help="BLAS threads.")] = 1,
    dtype: Annotated[str, option(map(str, FLOATS))] = "float64",
    out: Annotated[
        Path | None,
        typer.Option(help=f"Folder; by default {LOCAL}, for --dims one in {CHAIN}.", parser=folder),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List cells, measure none.")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="PyTorch and JAX beside us.")] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Pairs of the same kernel: do intervals hold 1?")
    ] = False,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Measure the article's claims here, or your own chain; resumes what was interrupted."""
    from jacchain.report.terminal import print_forecast
    from jacchain.runs.job import job_of, why_left_out
    from jacchain.runs.runner import forecast

    with bad_values():
        known, names = PROFILES[profile].name, _asked(dims, claims, self_test, peers)
        also = ["peers"] if peers else []
        job = job_of("chain" if dims else known, names, also=also, threads=threads, dtype=dtype)
    for experiment in job.left_out:
        say(why_left_out(experiment), "yellow")
    if dry_run:
        cells = forecast(job)
        if as_json:
            print(json.dumps([asdict(cell) for cell in cells]))  # noqa: T201
        else:
            print_forecast(console, cells)
        return
    own = CHAIN / names[0].removeprefix("chain-") if dims else None
    where = out or own or (SELF_TEST if self_test else LOCAL)
    measured = _measure(where, job, fresh=fresh)
    if not measured:
        say(f"{where} is complete: these are its stored verdicts; --fresh starts anew", "green")
    _finish(where, where, check=check, as_json=as_json)


def _asked(dims: str | None, claims: str | None, self_test: bool, peers: bool) -> list[str]:
    """Return the names of the experiments asked for; ValueError if options exclude each other."""
    from jacchain.claims.own_chain import claim_of

    for name, value in {"--dims": dims, "--claims": claims}.items():
        if value is not None and not value.strip(" ,="):
            message = f"{name} is empty; name what to measure, or leave it out"
            raise ValueError(message)
    options = {f"--dims {dims}": dims, "--self-test": self_test, f"--claims {claims}": claims}
    given = [name for name, value in (options | {"--peers": peers}).items() if value]
    if len(given) > 1 and given != [f"--claims {claims}", "--peers"]:
        message = f"{given[0]} and {given[1]} exclude each other; give one of them"
        raise ValueError(message)
    if dims:
        return [claim_of(_sizes(dims))]
    return ["self-test"] if self_test else [n for n in re.split(r"[\s,]+", claims or "") if n]


def _measure(folder: Path, job: "Job", *, fresh: bool) -> bool:
    from jacchain.report.terminal import STYLES
    from jacchain.runs.runner import run

    def tell(verdict: "Verdict") -> None:
        say(f"{verdict.claim} {verdict.verdict}: {verdict.reason}", STYLES[verdict.verdict])

    try:
        with bar("measuring", every=5) as update:
            return run(folder, job, fresh=fresh, progress=update, finished=tell)
    except KeyboardInterrupt:
        say("interrupted; finished cells are kept, run again to resume", "yellow")
        raise typer.Exit(INTERRUPTED) from None


def _finish(records: Path, out: Path, *, check: bool, as_json: bool) -> None:
    """Judge, write verdicts, figures and report, and print."""
    from jacchain.analysis.verdicts import as_json as plain
    from jacchain.report.publish import publish
    from jacchain.report.terminal import print_answers, print_verdicts

    with bar("drawing") as update:
        assessment = publish(records, target=out, progress=update)
    if as_json:
        print(json.dumps([plain(verdict) for verdict in assessment.verdicts]))  # noqa: T201
    else:
        print_verdicts(console, assessment)
        print_answers(console, assessment)
        console.print(f"noise floor {share(assessment.evidence.noise_floor)}")
        console.print(f"report: {out / 'report.html'}", highlight=False, soft_wrap=True)
    claims = {experiment.claim for experiment in assessment.experiments if experiment.is_claim}
    if check and any(v.verdict == "disagrees" for v in assessment.verdicts if v.claim in claims):
        raise typer.Exit(DISAGREES)


@app.command(epilog="Example: jacchain report --results results/reference")
def report(
    results: Results = LOCAL,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder; by default that of the records.", parser=folder)
    ] = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Write verdicts, figures and the HTML report of a run again, from its records alone."""
    _finish(results, out or results, check=check, as_json=as_json)


@app.command(epilog="Example: jacchain compare results/reference results/local")
def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder or records of one run, A.")],
    run_b: Annotated[Path, typer.Argument(help="Folder or records of another, B.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page to keep, compare.html.", parser=folder)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the times of every series.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 on a changed verdict.")] = False,
    as_json: Json = False,
) -> None:
    """Show two runs side by side: times of the cells they share, environments, verdicts."""
    from jacchain.report.side_by_side import compare_runs, print_comparison

    comparison = compare_runs(run_a, run_b)
    page = _write_page(comparison, out) if out else None
    if as_json:
        print(json.dumps(comparison.as_json()))  # noqa: T201
    else:
        print_comparison(console, comparison, every=every)
        if page:
            console.print(f"page: {page}", markup=False, highlight=False, soft_wrap=True)
    if check and comparison.changed_verdicts:
        raise typer.Exit(DISAGREES)


def _write_page(comparison: "Comparison", out: Path) -> Path:
    from jacchain.report.comparison_page import write_comparison  # loads matplotlib

    return write_comparison(comparison, out)


@app.command(epilog="Example: jacchain doctor --json")
def doctor(*, as_json: Json = False) -> None:
    """Tell what about this machine would spoil a measurement, and what to do about it."""
    from jacchain.measuring.doctor import diagnose
    from jacchain.report.terminal import print_findings

    findings = diagnose()
    if as_json:
        print(json.dumps([asdict(f) for f in findings]))  # noqa: T201
    else:
        print_findings(console, findings)
