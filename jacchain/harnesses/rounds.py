"""The folder of a comparison: whose it is, which rounds it holds, and what may be deleted.

`setting.json` says what was measured and which files each round has. Only what it lists is ours:
the rest of the folder is the user's, and is neither read nor deleted.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from jacchain.harnesses.json_files import read_json
from jacchain.inputs import short
from jacchain.records.errors import RecordsError
from jacchain.runs.job import RunError

SETTING, ORDER, LOCK = "setting.json", "order.json", ".lock"
DRAFT = ".jacchain-draft-"
Rounds = dict[str, list[str]]  # files by round, relative to it
_ROUNDS: TypeAdapter[Rounds] = TypeAdapter(Rounds)
_ELSEWHERE = "move it away, or choose another folder with --out"


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Make a folder and lock it, without waiting; clear what a killed comparison left in it.

    Raises RecordsError if another comparison is measuring into it.
    """
    out.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(out / LOCK, timeout=0).acquire()
    except Timeout as error:
        problem = f"another comparison is measuring into the folder {out}"
        remedy = "Wait until it is done, or choose another folder with --out."
        raise RecordsError(problem, remedy) from error
    with lock:
        for draft in out.glob(f"{DRAFT}*"):
            if draft.is_dir() and not draft.is_symlink():
                rmtree(draft)
        yield


def open_folder(out: Path, setting: Mapping[str, Any], *, fresh: bool) -> Rounds:
    """Prepare a folder for rounds of a setting; return the rounds that it has.

    `fresh` deletes earlier ones, but for folders that hold more than was measured. Raises RunError,
    with nothing changed, if there are such, rounds that are none of ours, or rounds of another
    setting.
    """
    earlier, rounds = _read(out)
    _refuse_foreign(out, rounds, fresh=fresh)
    if fresh:
        for name in rounds:  # as a draft first: half a round must not be taken for a whole one
            rmtree((out / name).rename(out / f"{DRAFT}{name}"))
        earlier, rounds = {}, {}
    different = [name for name in setting if earlier and earlier.get(name) != setting[name]]
    if different:
        message = (
            f"{out} holds rounds of another setting ({', '.join(different)}); "
            "use --fresh to start anew or --out for another folder"
        )
        raise RunError(message)
    _write(out, setting, rounds)
    return rounds


def round_folders(out: Path) -> list[Path]:
    """Return the folders of the rounds that were measured into a folder, in order.

    Raises RecordsError if its `setting.json` is damaged.
    """
    return [out / name for name in sorted(_read(out)[1])]


def keep(out: Path, draft: Path, name: str, setting: Mapping[str, Any], rounds: Rounds) -> None:
    """Take a finished draft over as a round; `rounds` is changed."""
    rounds[name] = _files(draft)
    _write(out, setting, rounds)  # first: what is listed and not there is measured again
    draft.rename(out / name)


def _read(out: Path) -> tuple[dict[str, Any], Rounds]:
    """Return the setting and the rounds that are there."""
    path = out / SETTING
    if not path.exists():
        return {}, {}
    data = read_json(path)
    try:
        rounds = _ROUNDS.validate_python(data.get("rounds"))
    except ValidationError as error:
        problem = f"{path}: rounds is {short(data.get('rounds'))}; expected files by round"
        raise RecordsError(problem, f"It is of no comparison: {_ELSEWHERE}.") from error
    return data, {name: files for name, files in rounds.items() if _is_round(out / name)}


def _is_round(path: Path) -> bool:
    return path.name.startswith("round-") and path.is_dir() and not path.is_symlink()


def _refuse_foreign(out: Path, rounds: Rounds, *, fresh: bool) -> None:
    """Refuse rounds of unknown origin, which count for none, and to delete what is the user's."""
    for path in sorted(out.glob("round-[0-9]*")):
        if path.name not in rounds:
            message = f"{path} is no round that was measured here; {_ELSEWHERE}"
            raise RunError(message)
    for name, files in rounds.items():
        foreign = sorted({*_files(out / name)} - {*files}) if fresh else []
        if foreign:
            message = (
                f"{out / name} holds {short(foreign[0])}, which was not measured; {_ELSEWHERE}"
            )
            raise RunError(message)


def _files(folder: Path) -> list[str]:
    """List all that is no folder, links to folders among it, relative to a folder."""
    paths = (
        Path(base, name) for base, folders, files in os.walk(folder) for name in folders + files
    )
    return sorted(
        path.relative_to(folder).as_posix()
        for path in paths
        if path.is_symlink() or not path.is_dir()
    )


def _write(out: Path, setting: Mapping[str, Any], rounds: Rounds) -> None:
    draft = out / f"{DRAFT}{SETTING}"
    draft.write_text(json.dumps({**setting, "rounds": rounds}, indent=1) + "\n", "utf-8")
    draft.replace(out / SETTING)
