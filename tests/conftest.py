"""What tests of several rooms share: clones of the repository, and files of records."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from jacchain.records.codec import encode

settings.register_profile("jacchain", deadline=None)  # nothing here depends on time
settings.load_profile("jacchain")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def make_clone(tmp_path_factory):
    """Return a function that clones this repository, with the working tree's files, as main."""

    def clone():
        target = tmp_path_factory.mktemp("clones") / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
        subprocess.run(["git", "checkout", "-q", "-B", "main"], cwd=target, check=True)
        for name in ("jacchain", "benchmarks", "results/asv"):
            shutil.copytree(ROOT / name, target / name, dirs_exist_ok=True)
        shutil.copy(ROOT / "asv.conf.json", target)
        return target

    return clone


@pytest.fixture
def write(tmp_path):
    """Return a function that writes records or JSON unchecked, as a hand might, into a file."""

    def into_file(*records):
        file = tmp_path / "records.jsonl"
        lines = (json.dumps(r).encode() + b"\n" if type(r) is dict else encode(r) for r in records)
        file.write_bytes(b"".join(lines))
        return file

    return into_file
