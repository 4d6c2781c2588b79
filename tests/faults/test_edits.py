"""Files edited at random, by byte and by structure: a right result or a clear error, soon."""

import gzip
import json
import random
import signal
import warnings
from contextlib import contextmanager
from shutil import copytree

import pytest

from jacchain import cli
from jacchain.analysis.verdicts import as_json
from jacchain.experiments.sizes import FIXED_PROFILES, Sampling
from jacchain.harnesses.readers import read_source
from jacchain.records.errors import RecordsError, RecordsWarning
from jacchain.records.table import read_results
from jacchain.report.terminal import print_answers, print_verdicts
from jacchain.runs.assess import assess
from jacchain.runs.job import job_of
from jacchain.runs.machine import FOLDER, find_machine
from jacchain.runs.runner import run
from jacchain.runs.simulated import tally
from tests.conftest import ROOT
from tests.faults.edits import edit_bytes, edit_structure, hostile_texts

SECONDS = 10
INFO = {"dims": [1, 16, 32, 128, 16], "order": "input-first", "numpy": "2.4.6"}
STATS = {"data": [1e-6, 2e-6], "median": 1.5e-6, "iterations": 9}
PYTEST = {
    "version": "5.1.0",
    "machine_info": {"python_version": "3.11.2"},
    "commit_info": {"id": "ab" * 20},
    "datetime": "2026-11-25T00:00:00",
    "benchmarks": [{"name": f"a[{n}]", "extra_info": INFO, "stats": STATS} for n in range(3)],
}


@pytest.fixture(scope="module")
def chain_run(tmp_path_factory):
    """The folder of a run of one chain."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIXED_PROFILES, "chain", Sampling("chain", 1, 3, 15.0))
        run(folder, job_of("chain", ["chain-1x4x3x2"]))
        yield folder


@contextmanager
def in_time():
    """Fail what takes longer than ten seconds."""

    def fail(*_):
        pytest.fail(f"took over {SECONDS} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read_run(folder):
    """Judge a run, and say and write what the commands do but for figures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordsWarning)
        assessment = assess(folder)
        read_results(folder, samples=True)
    json.dumps([as_json(verdict) for verdict in assessment.verdicts], allow_nan=False)
    with cli.console.capture():
        print_verdicts(cli.console, assessment)
        print_answers(cli.console, assessment)
    for experiment in assessment.experiments:
        list(experiment.shows(assessment.evidence, assessment.sizes))


def read_asv(folder):
    table = read_source("asv", folder)
    assert all(seconds > 0 for row in table["seconds"] for seconds in row)


def read_pytest(file):
    table = read_source("pytest", file)
    assert all(seconds > 0 for row in table["seconds"] for seconds in row)


def read_machine(file):
    tally(find_machine(str(file)), runs=1, seed=0)


def survives(read, path, refusals=RecordsError):
    """Return whether a file is refused; fail if it takes long or ends in another error."""
    with in_time():
        try:
            read(path)
        except refusals as error:
            message = str(error)
        else:
            return False
    assert 0 < len(message) < 3000
    return True


def edit_all(file, edits, count, rng, read, path, **options):
    """Read the file after each of many edits; some are refused, and some are not."""
    good, refused = file.read_bytes(), 0
    for _ in range(count):
        file.write_bytes(rng.choice(edits)(good, rng))
        refused += survives(read, path, **options)
    file.write_bytes(good)
    assert not survives(read, path, **options)
    assert 0 < refused < count


def edit_line(data, rng):
    lines = data.splitlines(keepends=True)
    number = rng.randrange(len(lines))
    line = edit_structure(json.loads(lines[number]), rng).encode() + b"\n"
    return b"".join([*lines[:number], line, *lines[number + 1 :]])


def move_line(data, rng):
    lines = data.splitlines(keepends=True)
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    if rng.random() < 0.5:
        lines.remove(rng.choice(lines))
    return b"".join(lines)


def edit_document(data, rng):
    return edit_structure(json.loads(data), rng).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("part", range(4))
@pytest.mark.usefixtures("bounded_memory")
def test_records(chain_run, tmp_path, faults_seed, part):
    folder = copytree(chain_run, tmp_path / "run")
    edits = (edit_bytes, edit_line, edit_line, move_line)
    rng = random.Random(f"records {faults_seed} {part}")
    edit_all(folder / "records.jsonl", edits, 2000, rng, read_run, folder)


@pytest.mark.usefixtures("bounded_memory")
def test_gzipped_records(chain_run, tmp_path, faults_seed):
    file = tmp_path / "records.jsonl.gz"
    file.write_bytes(gzip.compress((chain_run / "records.jsonl").read_bytes()))

    def edit_unpacked(data, rng):
        return gzip.compress(edit_line(gzip.decompress(data), rng))

    rng = random.Random(f"gzipped {faults_seed}")
    edit_all(file, (edit_bytes, edit_unpacked), 3000, rng, read_run, file)


@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("which", ["desk/1ddd64f4*", "benchmarks.json"])
def test_files_of_asv(tmp_path, faults_seed, which):
    folder = tmp_path / "asv"
    (folder / "desk").mkdir(parents=True)
    for pattern in ("benchmarks.json", "desk/machine.json", "desk/1ddd64f4*"):
        path = min((ROOT / "results/asv").glob(pattern))
        (folder / path.relative_to(ROOT / "results/asv")).write_bytes(path.read_bytes())
    (file,) = folder.glob(which)
    rng = random.Random(f"asv {which} {faults_seed}")
    edit_all(file, (edit_bytes, edit_document), 1500, rng, read_asv, folder)


@pytest.mark.usefixtures("bounded_memory")
def test_files_of_pytest_benchmark(tmp_path, faults_seed):
    file = tmp_path / "results.json"
    file.write_text(json.dumps(PYTEST))
    rng = random.Random(f"pytest {faults_seed}")
    edit_all(file, (edit_bytes, edit_document), 4000, rng, read_pytest, file)


@pytest.mark.usefixtures("bounded_memory")
def test_files_of_machines(tmp_path, faults_seed):
    file = tmp_path / "machine.json"
    file.write_bytes((FOLDER / "obeys-normal.json").read_bytes())
    rng = random.Random(f"machines {faults_seed}")
    edits = (edit_bytes, edit_document)
    edit_all(
        file, edits, 2000, rng, lambda path: find_machine(str(path)), file, refusals=ValueError
    )


@pytest.mark.parametrize("name", hostile_texts(b"{}"))
@pytest.mark.usefixtures("bounded_memory")
def test_hostile_texts(chain_run, tmp_path, name):
    records, other = tmp_path / "run", tmp_path / "file.json"
    records.mkdir()
    text = hostile_texts((chain_run / "records.jsonl").read_bytes())[name]
    (records / "records.jsonl").write_bytes(text + b"\n")
    survives(read_run, records)
    asv = tmp_path / "asv" / "desk" / "abcd-env.json"
    asv.parent.mkdir(parents=True)
    for file, read, path in (
        (other, read_pytest, other),
        (asv, read_asv, tmp_path / "asv"),
        (asv.parents[1] / "benchmarks.json", read_asv, tmp_path / "asv"),
    ):
        file.write_bytes(hostile_texts(json.dumps(PYTEST).encode())[name])
        refused = survives(read, path)
        assert refused or name == "a byte order mark"  # which is skipped
    assert survives(lambda path: find_machine(str(path)), other, refusals=ValueError)
