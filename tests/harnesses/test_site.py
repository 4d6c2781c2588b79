"""What stands in the way of a dashboard is named, with its remedy."""

import subprocess
from pathlib import Path

import pytest

from jacchain.harnesses.site import SiteError, build
from jacchain.records.errors import RecordsError

ROOT = Path(__file__).resolve().parents[2]


def test_a_folder_that_is_no_checkout_with_results_is_refused(tmp_path):
    with pytest.raises(SiteError, match=r"no asv.conf.json.*in a clone"):
        build(tmp_path)
    (tmp_path / "asv.conf.json").write_text("{}")
    with pytest.raises(SiteError, match=r"history of a clone, .*: fatal: not a git repository"):
        build(tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(RecordsError, match=r"no results of asv.*make bench-quick"):
        build(tmp_path)


def test_a_repository_of_another_owner_is_refused_with_the_remedy_of_git(tmp_path, monkeypatch):
    (tmp_path / "asv.conf.json").write_text("{}")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SiteError, match=r"dubious ownership.*safe\.directory"):
        build(tmp_path)


def test_a_shallow_clone_is_refused_with_the_remedy(tmp_path):
    command = ["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(tmp_path / "shallow")]
    subprocess.run(command, check=True)
    with pytest.raises(SiteError, match=r"shallow.*git fetch --unshallow"):
        build(tmp_path / "shallow")
