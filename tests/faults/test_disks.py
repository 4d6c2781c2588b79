"""Small disks, full at random bytes or read-only: whole records stay, and a run goes on."""

import os
import random
import subprocess
from dataclasses import replace

import pytest

from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError
from jacchain.records.read import read_records
from jacchain.records.store import Store
from jacchain.report.publish import DRAFT, replacing
from tests.records.examples import BLOCK, HERE, RUN

TIMES, PAGE = 200, 4096
REMEDY = "No space left on device. No finished record is lost: .* run again, and the run resumes"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A file system of 256 KiB in memory; `make test-faults` gives leave to mount it."""
    folder = tmp_path_factory.mktemp("disk")
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", folder)
    yield folder
    subprocess.run(["umount", folder], check=True)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def fill(disk, left):
    """Leave so many bytes of the disk, by a file that takes the rest."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    facts = os.statvfs(disk)
    filler.write_bytes(bytes(max(facts.f_bavail * facts.f_frsize - left, 0)))
    return filler


def random_block(number, rng):
    """A record of a length of its own."""
    seconds = tuple(round(rng.uniform(1e-6, 1), rng.randrange(2, 17)) + 1e-6 for _ in range(4))
    return replace(BLOCK, round=number, seconds=seconds, cpu_seconds=seconds)


def append_all(store, records):
    for record in records:
        store.append(record)


@pytest.mark.parametrize("part", range(4))
def test_a_disk_full_at_random_bytes_costs_the_record_that_hit_it(disk, faults_seed, part):
    rng = random.Random(f"disks {faults_seed} {part}")
    for number in range(TIMES // 4):
        folder = disk / f"{part}-{number}"
        blocks = [random_block(n, rng) for n in range(60)]
        with Store.open(folder, HERE) as store:
            store.append(RUN[0])
            filler = fill(disk, PAGE * rng.randrange(1, 4))
            with pytest.raises(RecordsError, match=rf"can't write .*: {REMEDY}"):
                append_all(store, blocks)
            kept = store.records
        assert store.path.read_bytes() == b"".join(map(encode, kept))
        filler.unlink()
        with Store.open(folder, HERE) as store:  # no warning: nothing torn was left
            assert store.records == kept
            append_all(store, blocks[len(kept) - 1 :])
        assert read_records(folder) == [RUN[0], *blocks]
        store.path.unlink()


def test_a_full_disk_keeps_the_old_files_of_a_report(disk, faults_seed):
    rng, out = random.Random(f"reports {faults_seed}"), disk / "report"
    write_report(out, "old", 1000)
    for _ in range(TIMES // 4):
        filler = fill(disk, PAGE * rng.randrange(0, 6))
        size = rng.randrange(7 * PAGE, 20 * PAGE)
        with pytest.raises(RecordsError, match=r"can't write to the folder .*: No space"):
            write_report(out, "new", size)
        filler.unlink()
        assert {path.read_text()[:3] for path in out.rglob("*") if path.is_file()} == {"old"}
        assert not list(out.glob(f"{DRAFT}*"))
    write_report(out, "new", 1000)
    assert (out / "figures" / "a.svg").read_text().startswith("new")


def write_report(out, word, size):
    with replacing(out) as draft:
        (draft / "figures").mkdir()
        for name in ("report.html", "verdicts.json", "figures/a.svg"):
            (draft / name).write_text(word + "x" * size)


def test_a_disk_that_can_only_be_read_is_named(disk):
    folder = disk / "run"
    with Store.open(folder, HERE) as store:
        store.append(RUN[0])
    mount("-o", "remount,ro", disk)
    try:
        message = r"can't write to the folder .*Read-only.*--out"
        with pytest.raises(RecordsError, match=message), Store.open(folder, HERE):
            pass
        with pytest.raises(RecordsError, match=r"can't write to the folder .*Read-only"):
            write_report(folder, "new", 10)
        assert read_records(folder) == RUN[:1]
    finally:
        mount("-o", "remount,rw", disk)
