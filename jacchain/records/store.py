"""The file that a run writes to: one line for each record, safe against crashes."""

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import FileIO
from itertools import count
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.read import GZIPPED, PLAIN, bounded, check_profile, parse, whole_lines
from jacchain.records.schema import Identity, Key, Record, SessionRecord

if sys.platform != "win32":  # there the lock file is the only lock
    import fcntl

LOCK = ".lock"
DERIVED = ("verdicts.json", "environment.json", "report.html", "figures")  # made from records


class Store:
    """The records of one run in their file `path`, opened with `Store.open`.

    All have the same `identity`; `records` are those read and those appended, in order.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from jacchain.records.schema import CheckRecord, Identity
    >>> here = Identity(machine="4f1c", numpy="2.1", blas="OpenBLAS 0.3", jacchain="0.1",
    ...                 dtype="float64", threads=1)
    >>> check = CheckRecord(identity=here, check="taylor", values={"order": 2.01})
    >>> with TemporaryDirectory() as folder:
    ...     with Store.open(folder, here) as store:
    ...         store.append(check)
    ...     with Store.open(folder, here) as store:  # resumes
    ...         store.done(check.key)
    True
    """

    def __init__(self, file: FileIO, path: Path, identity: Identity, records: list[Record]) -> None:
        self.path, self.identity, self.records = path, identity, records
        self._file = file
        self._keys = {record.key for record in records}

    @classmethod
    @contextmanager
    def open(cls, folder: str | Path, identity: Identity, *, fresh: bool = False) -> Iterator[Self]:
        """Lock a folder for this run alone, made if need be, and resume what it holds.

        With `fresh`, set the records of an earlier run aside, as ``records-previous.jsonl``
        (``.gz``; numbered where that name is taken), and remove what was derived from them:
        verdicts, environment, figures and report.

        Raises RecordsError if the folder can't be written, another run is writing to it, or its
        records are gzipped, no regular file, damaged or of another identity. Nothing is changed
        then. Warns if a torn last line was removed.
        """
        path = Path(folder) / PLAIN
        with _lock(path.parent), _open(path, fresh=fresh) as file:
            _lock_records(file, path)
            yield cls(file, path, identity, _resume(file, path, identity))

    def done(self, key: Key | None) -> bool:
        """Whether the record with this key is there; sessions, whose key is None, never are."""
        return key is not None and key in self._keys

    def append(self, record: Record) -> None:
        """Write one record through to the disk.

        Raises RecordsError if the record is invalid, is there already or has another identity or
        profile, if the file was removed, or if it can't be written (full disk): the file then ends
        with the record before it.
        """
        if self.done(record.key):
            problem = f"{self.path}: {record.key} is already recorded"
            raise RecordsError(problem, "Ask done(key) before measuring.")
        if differences := record.identity.differences(self.identity):
            problem = f"{self.path}: the record has {', '.join(differences)}"
            raise RecordsError(problem, "Give it the identity of the store.")
        if isinstance(record, SessionRecord):
            check_profile(record, self.records, str(self.path))
        _check_there(self._file, self.path)
        _write(self._file, encode(record), self.path)
        self.records.append(record)
        self._keys.add(record.key)


def _lock(folder: Path) -> AbstractContextManager[object]:
    """Make the folder and lock it, without waiting."""
    with _reporting(f"can't write to the folder {folder}", "Choose another with --out."):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(folder / LOCK, timeout=0).acquire()
        except Timeout as error:
            raise _another_run(folder) from error


def _lock_records(file: FileIO, path: Path) -> None:
    """Lock the records too: the lock file can be deleted, and folders can share records by links.

    The lock ends with the process, whatever ends it.
    """
    if sys.platform != "win32":
        with _reporting(f"can't lock {path}", "Choose another folder with --out."):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _another_run(path.parent) from error


def _another_run(folder: Path) -> RecordsError:
    problem = f"another run is writing to the folder {folder}"
    return RecordsError(problem, "Wait until it is done, or choose another folder with --out.")


def _open(path: Path, *, fresh: bool) -> FileIO:
    """Open for reading and appending; unbuffered, so that a failed write leaves nothing behind."""
    with _reporting(f"can't write {path}", "Make it writable, or choose another with --out."):
        if fresh:
            _set_aside(path.parent)
        gzipped = path.with_name(GZIPPED)
        if gzipped.exists() and not path.exists():
            problem = f"{gzipped} holds a finished run, to which nothing is added"
            anew = f"start anew with --fresh, which keeps that file as {_aside(gzipped).name}"
            raise RecordsError(problem, f"Choose another folder with --out, or {anew}.")
        if path.exists() and not path.is_file():  # a folder, a pipe, a device
            problem = f"can't write {path}: it is no regular file"
            raise RecordsError(problem, "Choose another folder with --out.")
        return FileIO(path, "a+")


def _set_aside(folder: Path) -> None:
    """Delete derived files, then rename the old records.

    In a folder without records nothing was derived from them, and what is there is the user's.
    """
    files = [folder / name for name in (PLAIN, GZIPPED) if (folder / name).exists()]
    for path in (folder / name for name in DERIVED if files):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for file in files:
        file.rename(_aside(file))


def _aside(file: Path) -> Path:
    """Return the first free name for earlier records: records-previous, records-previous-2, ..."""
    stem, suffixes = file.name.split(".", 1)
    endings = ("-previous" if n == 1 else f"-previous-{n}" for n in count(1))
    names = (file.with_name(f"{stem}{ending}.{suffixes}") for ending in endings)
    return next(path for path in names if not path.exists())


def _resume(file: FileIO, path: Path, identity: Identity) -> list[Record]:
    """Read what an earlier start left; repair its last line only once all else is accepted."""
    with _reporting(f"can't read {path}", "Make it readable."), path.open("rb") as stream:
        data = bounded(stream, path)
    whole = whole_lines(data)
    records = parse(whole, path, identity)
    if len(whole) < len(data):
        file.truncate(len(whole))
        message = f"{path}: removed a torn last line; only what it held is measured again"
        warnings.warn(message, RecordsWarning, stacklevel=2)
    elif data and not data.endswith(b"\n"):
        _write(file, b"\n", path)
    return records


def _check_there(file: FileIO, path: Path) -> None:
    """Raise RecordsError if what is written to is not the file of this name any more."""
    try:
        there = os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        there = False
    if not there:
        problem = f"{path} was removed or replaced while this run wrote to it"
        raise RecordsError(problem, "Run again to start anew there, or elsewhere with --out.")


def _write(file: FileIO, data: bytes, path: Path) -> None:
    """Write all bytes through to the disk, or none."""
    remedy = "No finished record is lost: mend that and run again, and the run resumes."
    end = os.fstat(file.fileno()).st_size
    rest = memoryview(data)
    with _reporting(f"can't write {path}", remedy):
        try:
            while rest:  # a disk about to be full takes a part, and only then fails
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):  # the torn line is repaired when the run resumes
                file.truncate(end)
            raise


@contextmanager
def _reporting(problem: str, remedy: str) -> Iterator[None]:
    """Turn the operating system's errors into ones with a remedy."""
    try:
        yield
    except OSError as error:
        message = f"{problem}: {error.strerror}"
        raise RecordsError(message, remedy) from error
