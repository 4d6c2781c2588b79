"""What a source package and its description hold."""

import tarfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Files of the source package by name, and what its description says."""
    folder = tmp_path_factory.mktemp("sdist")
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(folder))
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
        (info,) = (
            name for name in archive.getnames() if name.count("/") == 1 and "PKG-INFO" in name
        )
        return names, archive.extractfile(info).read().decode()


def test_the_source_package_can_be_tested(package):
    names, _ = package
    tests = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/test_*.py")}
    assert len(tests) > 100
    assert tests <= names
    needed = {"Makefile", "README.md", "benchmarks/grids.json", "docs/conf.py", "LICENSE"}
    assert needed | {"results/reference/records.jsonl.gz"} <= names
    assert not any(name.startswith((".ci", ".git/", ".venv", "build/")) for name in names)


def test_the_description_on_an_index_has_no_pictures_and_no_relative_links(package):
    _, info = package
    description = info.split("\n\n", 1)[1]
    assert "jacchain run" in description
    assert "](" not in description
