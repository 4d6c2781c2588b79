"""The command on simulated machines."""

import json
from typing import Annotated

import typer

from jacchain.claims import modules
from jacchain.cli.shared import DISAGREES, Json, app, bad_values, bar, console, option


def _complete(incomplete: str) -> list[str]:
    from jacchain.runs.machine import committed

    return [name for name in committed().entries if name.startswith(incomplete)]


@app.command(epilog="Example: jacchain simulate obeys-normal --runs 100 --claims C3 C5")
def simulate(
    machine: Annotated[
        str,
        typer.Argument(
            help="A machine's JSON file, or one of those listed without it.",
            autocompletion=_complete,
        ),
    ] = "",
    *,
    runs: Annotated[int, typer.Option(help="Runs to judge.")] = 200,
    claims: Annotated[str, option(modules(), "All of the file by default, or some of ")] = "",
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 on a broken bound.")] = False,
    as_json: Json = False,
) -> None:
    """Try the rules of judging on a machine whose behaviour is known, many runs of it."""
    from jacchain.report.terminal import print_frequencies
    from jacchain.runs.machine import find_machine
    from jacchain.runs.simulated import tally

    if not machine:
        _list(as_json=as_json)
        return
    names = [name for name in claims.split(",") if name]
    with bad_values():
        described = find_machine(machine)
    with bad_values(), bar("simulating", every=5) as update:
        frequencies = tally(described, runs, seed, names, update)
    if as_json:
        print(json.dumps([frequency.row() for frequency in frequencies]))  # noqa: T201
    else:
        console.print(described.says, highlight=False)
        print_frequencies(console, frequencies)
    if check and not all(frequency.met for frequency in frequencies):
        raise typer.Exit(DISAGREES)


def _list(*, as_json: bool) -> None:
    from jacchain.report.terminal import print_machines
    from jacchain.runs.machine import FOLDER, committed, committed_machine

    machines = [committed_machine(name) for name in committed().entries]
    if as_json:
        facts = [{"name": m.name, "half": m.half, "says": m.says} for m in machines]
        print(json.dumps(facts))  # noqa: T201
    else:
        print_machines(console, machines)
        console.print(f"files to copy: {FOLDER}", highlight=False, soft_wrap=True)
