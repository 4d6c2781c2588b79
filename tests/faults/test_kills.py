"""Runs and reports that are ended at random moments: nothing is lost, doubled or left behind."""

import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from itertools import product

import pytest

from jacchain.experiments.sizes import FIXED_PROFILES
from jacchain.records.errors import RecordsWarning
from jacchain.records.read import PLAIN, read_records
from jacchain.report.publish import DRAFT, publish
from jacchain.runs.runner import run
from tests.faults import forks
from tests.runs.tiny_claims import OWN

ENDINGS = {".html": "</html>", ".svg": "</svg>", ".json": "}", ".png": "IEND"}
RUNS, KILLS, REPORTS = 90, 10, 100  # 90 runs, each ended 10 times, and 100 reports: 1,000 ends


@pytest.fixture(scope="module", autouse=True)
def in_forks():
    with pytest.MonkeyPatch.context() as patch:
        forks.quickly(patch)
        patch.setitem(FIXED_PROFILES, OWN.sampling.name, OWN.sampling)
        yield


def measure(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordsWarning)
        return run(folder, OWN)


def duration(function, *args):
    start = time.perf_counter()
    process = forks.start(function, *args)
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - start


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """The folder of an undisturbed run, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, duration(measure, folder)


def keys(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordsWarning)
        records = read_records(folder) if (folder / PLAIN).exists() else []
    return Counter(record.key for record in records if record.key)


def expected_keys():
    sampling = OWN.sampling
    cells = [cell.name for cell in OWN.cells]
    visits = product(cells, range(sampling.processes), range(sampling.rounds))
    return Counter([*(("cell", c) for c in cells), *(("block", *visit) for visit in visits)])


@pytest.mark.parametrize("part", range(10))
def test_runs_ended_again_and_again(tmp_path, whole_run, faults_seed, part):
    rng = random.Random(f"runs {faults_seed} {part}")
    for number in range(RUNS // 10):
        folder, before = tmp_path / str(number), Counter()
        for _ in range(KILLS):
            process = forks.start(measure, folder)
            forks.end_at_random(process, whole_run[1], rng)
            now = keys(folder)
            assert now >= before  # what was finished stays
            before = now
        measure(folder)
        assert keys(folder) == expected_keys()


def is_whole(path):
    end = path.read_bytes()[-200:].decode(errors="replace").rstrip()
    if path.suffix == ".json":
        return end.endswith(("}", "]"))
    return ENDINGS[path.suffix] in end


def written(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in paths if not path.relative_to(folder).parts[0].startswith(DRAFT)]


@pytest.mark.parametrize("part", range(5))
def test_reports_ended_again_and_again(tmp_path, whole_run, faults_seed, part):
    rng, records = random.Random(f"reports {faults_seed} {part}"), whole_run[0]
    longest = duration(publish_to, records, tmp_path / "whole")
    whole = {p.relative_to(tmp_path / "whole") for p in written(tmp_path / "whole")}
    for number in range(REPORTS // 5):
        target = tmp_path / str(number % 2)
        forks.end_at_random(forks.start(publish_to, records, target), longest, rng)
        torn = [path for path in written(target) if not is_whole(path)]
        assert not torn
    for number in range(2):
        target = tmp_path / str(number)
        publish_to(records, target)
        assert {p.relative_to(target) for p in written(target)} == whole
        assert not list(target.glob(f"{DRAFT}*"))


def publish_to(records, target):
    publish(records, target=target)


def test_a_run_that_is_stopped_goes_on(tmp_path, whole_run, faults_seed):
    rng = random.Random(f"stops {faults_seed}")
    for number in range(10):
        process = forks.start(measure, tmp_path / str(number))
        process.join(rng.uniform(0.05, whole_run[1]))
        for what in (signal.SIGSTOP, signal.SIGCONT):
            if process.is_alive():
                os.killpg(process.pid, what)
        process.join()
        assert process.exitcode == 0
        assert keys(tmp_path / str(number)) == expected_keys()


def command(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "jacchain", *arguments], **options)


def test_the_command_itself_ended_and_resumed(tmp_path, faults_seed):
    rng = random.Random(f"commands {faults_seed}")
    arguments = "run", "--dims", "1", "4", "3", "2", "--out", str(tmp_path / "run")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    for _ in range(6):
        with command(*arguments, **quiet) as process:
            try:
                process.wait(rng.uniform(0.5, 4))
            except subprocess.TimeoutExpired:
                process.send_signal(rng.choice(forks.SIGNALS))
            errors = process.communicate()[1]
        assert "Traceback" not in errors
    with command(*arguments, **quiet) as process:
        errors = process.communicate()[1]
    assert process.returncode == 0, errors
    counts = keys(tmp_path / "run")
    assert set(counts.values()) == {1}


def test_without_a_home_a_terminal_or_a_reader(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path[:1])}
    arguments = "run", "--dims", "1", "4", "3", "2", "--out", str(tmp_path)
    bare = {"env": environment, "stdin": subprocess.DEVNULL, "start_new_session": True}
    reader, unread = os.pipe()
    os.close(reader)
    with command(*arguments, **bare, stdout=unread, stderr=subprocess.PIPE, text=True) as process:
        errors = process.communicate()[1]
    os.close(unread)
    assert "Traceback" not in errors
    assert process.returncode == 141  # nobody reads what it prints; all is measured and written
    assert (tmp_path / "report.html").exists()
