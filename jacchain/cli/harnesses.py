"""Commands on the results of all harnesses: our own engine, asv and pytest-benchmark."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from jacchain.chains.registry import Registry
from jacchain.cli.shared import DISAGREES, Json, app, bad_values, bar, console, option, say

SOURCES: Registry[Path] = Registry(
    "source",
    {
        "own": Path("results/local"),
        "asv": Path("results/asv"),
        "pytest": Path("results/pytest/results.json"),
    },
)
PLOTS, HARNESSES = Path("results/plots"), Path("results/harnesses")
SIZES = {  # of the cells that harnesses are compared on, from microseconds to tens of milliseconds
    "x": (16, 1024, 65536),
    "z1": (1024,),
    "z2": (4096,),
    "all_z": (128, 256),
    "depth": (32,),
}


@app.command(epilog="Example: jacchain plot --source asv --numpy 2.0.2")
def plot(
    *,
    source: Annotated[str, option(SOURCES.entries)] = "own",
    results: Annotated[
        Path | None, typer.Option(help="Folder of a run or of asv, file of pytest-benchmark.")
    ] = None,
    machine: Annotated[str, typer.Option(help="Of asv's results.")] = "",
    numpy: Annotated[str, typer.Option(help="Of asv's results.")] = "",
    commit: Annotated[str, typer.Option(help="Of asv's results; the latest by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder; of a run by default its own.")] = None,
) -> None:
    """Draw the figures of a run, of asv or of pytest-benchmark, from stored results alone."""
    from jacchain.harnesses.figures import plot_asv, plot_pytest
    from jacchain.report.publish import plot as plot_run

    choices = {"machine": machine, "numpy": numpy, "commit": commit}
    with bad_values():
        default = SOURCES[source]
        given = [f"--{name}" for name, value in choices.items() if value]
        if given and source != "asv":
            names = ", ".join(given)
            message = f"{names} choose among asv's results; give --source asv with them"
            raise ValueError(message)
    path, folder = results or default, out or PLOTS / source
    with bar("drawing") as update:
        if source == "asv":
            paths = plot_asv(path, folder, **choices, progress=update)
        elif source == "pytest":
            paths = plot_pytest(path, folder, progress=update)
        else:
            paths = plot_run(path, target=out, progress=update)
    where = paths[0].parent if paths else path
    console.print(f"{len(paths)} files in {where}", highlight=False, soft_wrap=True)


@app.command("compare-harnesses", epilog="Example: jacchain compare-harnesses --rounds 9")
def compare_harnesses(
    *,
    rounds: Annotated[int, typer.Option(help="Each visits all harnesses.", min=2)] = 9,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = HARNESSES,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if a pair disagrees.")] = False,
    as_json: Json = False,
) -> None:
    """Measure the same cells by our own engine, asv and pytest-benchmark, and compare them."""
    from jacchain.harnesses.comparison import compare
    from jacchain.harnesses.comparison_report import as_json as plain
    from jacchain.harnesses.comparison_report import draw_harnesses, print_harnesses
    from jacchain.harnesses.visits import measure, read_rounds, shared_cells

    with bar("measuring") as update:
        cells = shared_cells(SIZES)
        measure(Path.cwd(), out, cells, rounds=rounds, fresh=fresh, progress=update)
    comparison = compare(read_rounds(out))
    pictures = draw_harnesses(comparison, out)
    if as_json:
        print(json.dumps(plain(comparison)))  # noqa: T201
    else:
        print_harnesses(console, comparison)
        console.print(f"figure: {pictures[0]}", highlight=False, soft_wrap=True)
    if check and any(v.verdict == "disagrees" for v in comparison.verdicts.values()):
        raise typer.Exit(DISAGREES)


@app.command(epilog="Example: jacchain dashboard --port 8080")
def dashboard(
    *,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8080,
    host: Annotated[
        str, typer.Option(help="Address; another than loopback lets others in.")
    ] = "127.0.0.1",
    build_only: Annotated[bool, typer.Option("--build-only", help="Serve nothing.")] = False,
) -> None:
    """Build asv's pages of the stored history, with the formulas drawn in, and serve them."""
    from jacchain.harnesses.server import is_loopback, server
    from jacchain.harnesses.site import build, summary

    with bad_values():
        if not host:
            message = "--host is empty; expected an address, such as 127.0.0.1"
            raise ValueError(message)
    site = build(Path.cwd())
    console.print(f"{summary(site)}: {site}", highlight=False, soft_wrap=True)
    if build_only:
        return
    if not is_loopback(host):
        say(f"warning: whoever reaches {host} can read these pages", "yellow")
    with server(site, host=host, port=port) as serving:
        address = f"http://{f'[{host}]' if ':' in host else host}:{serving.server_address[1]}/"
        console.print(f"{address} (stop with Ctrl-C)", highlight=False, soft_wrap=True)
        with suppress(KeyboardInterrupt):
            serving.serve_forever()
