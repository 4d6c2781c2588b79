"""Reading records without changing them: from a folder, a file or a gzipped file."""

import gzip
import json
import warnings
import zlib
from collections.abc import Iterable
from io import BufferedIOBase
from pathlib import Path

from jacchain.records.codec import DELETE, decode
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.schema import Identity, Key, Record, SessionRecord

PLAIN = "records.jsonl"
GZIPPED = "records.jsonl.gz"
MOST_BYTES = 2**27  # of records, unpacked: a full run has a tenth
PIECE = 2**20  # bytes that are read at once


def read_records(path: str | Path) -> list[Record]:
    """Read and check all records of one run, in the order in which they were written.

    `path` is a folder with ``records.jsonl`` or ``records.jsonl.gz``, or such a file. Raises
    RecordsError if there are none or over 128 MiB, a line is no record or repeats another, or they
    must not mix: the identity or the profile of one isn't that of the first. Warns of a torn last
    line: a run was interrupted, or is still being written.
    """
    file = _find(Path(path))
    data = _read(file)
    whole = whole_lines(data)
    if len(whole) < len(data):
        message = f"{file}: the last line is torn and was ignored; a resumed run repairs it"
        warnings.warn(message, RecordsWarning, stacklevel=2)
    return parse(whole, file)


def first_session(records: Iterable[Record]) -> SessionRecord:
    """Return the session that started the run, with its environment.

    Raises RecordsError if there is none.
    """
    for record in records:
        if isinstance(record, SessionRecord):
            return record
    problem = "the records hold no session, so nothing is known of their environment"
    raise RecordsError(problem, "Resume the run, which writes one.")


def compress(source: str | Path, target: str | Path) -> None:
    """Write the records of a folder or file into a gzipped file; equal ones give equal bytes."""
    data = whole_lines(_read(_find(Path(source))))
    Path(target).write_bytes(gzip.compress(data, mtime=0))


def whole_lines(data: bytes) -> bytes:
    r"""Cut a torn last line off; one that only lacks its line feed is whole.

    A line is a JSON object, and no proper beginning of one is JSON.

    Examples
    --------
    >>> whole_lines(b'{"a": 1}\n{"a": 2')
    b'{"a": 1}\n'
    >>> whole_lines(b'{"a": 1}\n{"a": 2}')
    b'{"a": 1}\n{"a": 2}'
    """
    end = data.rfind(b"\n") + 1
    try:
        json.loads(data[end:])
    except (ValueError, RecursionError):
        return data[:end]
    return data


def parse(data: bytes, file: Path, expected: Identity | None = None) -> list[Record]:
    """Read all lines: none a repetition, all of the expected (or the first's) identity."""
    records: list[Record] = []
    lines: dict[Key, int] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        try:
            record = decode(line)
        except RecordsError as error:
            problem = f"{where}: {error.problem}"
            raise RecordsError(problem, error.remedy) from error
        expected = expected or record.identity
        _check_identity(record, expected, where)
        if isinstance(record, SessionRecord):
            check_profile(record, records, where)
        if record.key and lines.setdefault(record.key, number) != number:
            problem = f"{where}: repeats {record.key}, which line {lines[record.key]} holds"
            raise RecordsError(problem, "Delete one of the two lines.")
        records.append(record)
    return records


def _check_identity(record: Record, expected: Identity, where: str) -> None:
    if differences := record.identity.differences(expected):
        problem = f"{where}: measured with {', '.join(differences)}, and these must not mix"
        remedy = "Give each its own folder with --out, or start anew with --fresh."
        raise RecordsError(problem, remedy)


def check_profile(record: SessionRecord, earlier: list[Record], where: str) -> None:
    """Raise RecordsError if a session measured other cells than the first, which judges them all.

    `where` is for the message.
    """
    first = next((r for r in earlier if isinstance(r, SessionRecord)), record)
    if record.profile != first.profile:
        profiles = f"a session of profile {record.profile!r} in a run of {first.profile!r}"
        problem = f"{where}: {profiles}, and these must not mix"
        raise RecordsError(problem, DELETE)


def _find(path: Path) -> Path:
    """Return the file of records that a path means."""
    candidates = [path / PLAIN, path / GZIPPED] if path.is_dir() else [path]
    for file in candidates:
        if file.is_file():
            return file
    problem = f"no records: there is no file {' or '.join(map(str, candidates))}"
    raise RecordsError(problem, "Name the folder of a run, or a file of records.")


def _read(file: Path) -> bytes:
    """Return the bytes of a file, unpacked if it is gzipped, up to 128 MiB of them."""
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return bounded(gzip.GzipFile(fileobj=raw) if packed else raw, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"{file}: damaged gzip file: {error}"
        raise RecordsError(problem, "Copy it again from where it came from.") from error
    except OSError as error:
        problem = f"can't read {file}: {error.strerror}"
        raise RecordsError(problem, "Make it readable.") from error


def read_at_most(stream: BufferedIOBase, most: int) -> bytes:
    """Return what a stream holds, or its first `most + 1` bytes.

    `stream.read(most + 1)` would allocate them all, however few there are.

    Examples
    --------
    >>> from io import BytesIO
    >>> read_at_most(BytesIO(b"few"), 10), read_at_most(BytesIO(b"too many"), 2)
    (b'few', b'too')
    """
    data = bytearray()
    while piece := stream.read(min(PIECE, most + 1 - len(data))):
        data += piece
    return bytes(data)


def bounded(stream: BufferedIOBase, file: Path) -> bytes:
    """Return what a stream of `file` holds; raise RecordsError if that is over 128 MiB."""
    data = read_at_most(stream, MOST_BYTES)
    if len(data) > MOST_BYTES:
        problem = f"{file}: more than {MOST_BYTES >> 20} MiB, which no run has"
        raise RecordsError(problem, "Name the folder of a run, or a file of records.")
    return data
