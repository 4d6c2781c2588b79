"""From the records of a run to its files: verdicts, environment, figures and the report."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock, Timeout

from jacchain.analysis.verdicts import as_json
from jacchain.claims.registry import experiments
from jacchain.experiments.show import Figure, Table
from jacchain.inputs import as_path
from jacchain.records.errors import RecordsError
from jacchain.report.page import Shown, render
from jacchain.report.show import Progress, draw_figures
from jacchain.runs.assess import Assessment, assess
from jacchain.runs.simulated import published

DRAFT, LOCK = ".jacchain-draft-", ".lock"
FIGURES, REPORT = "figures", "report.html"
VERDICTS, ENVIRONMENT = "verdicts.json", "environment.json"


def publish(
    folder: str | Path, *, target: str | Path | None = None, progress: Progress | None = None
) -> Assessment:
    """Judge a run and write ``verdicts.json``, ``environment.json``, ``figures/``, ``report.html``.

    Of the run's folder ``records.jsonl`` or ``records.jsonl.gz`` is all that is needed; `target` is
    the same folder by default. Each file replaces its predecessor only when it is whole. `progress`
    is called after each figure with how many are drawn, and how many there are.

    Raises RecordsError if the records can't be read, or the target can't be written.
    """
    run = as_path(folder, "the run")
    out = run if target is None else as_path(target, "the target")
    assessment = assess(run)
    shown = _shown(assessment)
    with replacing(out) as draft:
        _write_json(draft / VERDICTS, [as_json(verdict) for verdict in assessment.verdicts])
        _write_json(draft / ENVIRONMENT, assessment.session.environment)
        paths = draw_figures(_figures(shown), draft / FIGURES, progress)
        pictures = {path.stem: path.read_text("utf-8") for path in paths if path.suffix == ".svg"}
        every = experiments().entries.values()
        page = render(assessment, shown, pictures, experiments=every, simulated=published())
        (draft / REPORT).write_text(page, "utf-8")
    return assessment


def plot(
    folder: str | Path, *, target: str | Path | None = None, progress: Progress | None = None
) -> list[Path]:
    """Draw a run's figures again, from its records alone, into ``figures/``.

    Parameters
    ----------
    folder : str or path
        Of the run, or its file of records.
    target : str or path, optional
        Folder; by default that of the run.
    progress : callable, optional
        Called after each figure with how many are drawn, and how many there are.

    Returns
    -------
    list of Path
        An SVG and a PNG of each figure.

    Raises
    ------
    TypeError, ValueError
        If a folder is no path, or an empty one.
    RecordsError
        If the records can't be read, or the folder can't be written: then nothing has changed.

    Examples
    --------
    >>> plot("nowhere")
    Traceback (most recent call last):
    jacchain.records.errors.RecordsError: no records: there is no file nowhere. Name the folder ...
    """
    run = as_path(folder, "the run")
    out = run if target is None else as_path(target, "the target")
    return write_figures(_figures(_shown(assess(run))), out, FIGURES, progress)


def write_figures(
    figures: Iterable[Figure],
    out: str | Path,
    subfolder: str = "",
    progress: Progress | None = None,
) -> list[Path]:
    """Write figures into a folder, or its subfolder; return the SVG and the PNG of each.

    `progress` is called after each figure with how many are drawn, and how many there are. Raises
    RecordsError if the folder can't be written: then nothing has changed in it.
    """
    with replacing(Path(out)) as draft:
        paths = draw_figures(figures, draft / subfolder, progress)
        return [Path(out, path.relative_to(draft)) for path in paths]


def _shown(assessment: Assessment) -> Shown:
    """Return the figures and tables of each experiment, by its claim."""
    evidence, sizes = assessment.evidence, assessment.sizes
    return {e.claim: tuple(e.shows(evidence, sizes)) for e in assessment.experiments}


def _figures(shown: Shown) -> list[Figure]:
    return [item for items in shown.values() for item in items if not isinstance(item, Table)]


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(_rounded(value), indent=1, allow_nan=False) + "\n", "utf-8")


def _rounded(value: Any) -> Any:
    """Round floats to six digits: further ones differ from one processor to the next."""
    match value:
        case float():
            return float(f"{value:.6g}")
        case dict():
            return {key: _rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_rounded(inner) for inner in value]
    return value


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yield a draft folder whose files take their places in the target once all are written.

    A draft is locked while it is written: one that is not was left by a killed command, and goes.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for left in out.glob(f"{DRAFT}*"):
            with suppress(Timeout, FileNotFoundError), FileLock(left / LOCK, timeout=0):
                rmtree(left)
        with TemporaryDirectory(dir=out, prefix=DRAFT) as name, FileLock(Path(name, LOCK)):
            draft = Path(name)
            yield draft
            for path in sorted(p for p in draft.rglob("*") if p.is_file() and p.name != LOCK):
                place = out / path.relative_to(draft)
                place.parent.mkdir(exist_ok=True)
                path.replace(place)
    except OSError as error:
        problem = f"can't write to the folder {out}: {error.strerror}"
        raise RecordsError(problem, "Make it writable, or choose another.") from error
