"""Memory and cores: below the tightest limit of control groups, idle file cache included."""

import os
import subprocess
import sys

import psutil
import pytest

from jacchain import limits
from jacchain.limits import (
    available_bytes,
    cgroup_available_bytes,
    cgroup_cpu_quota,
    usable_cores,
)

GIB = 2**30


@pytest.fixture
def groups(tmp_path):
    """A function that writes control groups, and returns what they leave for this process."""

    def left(membership, files, read=cgroup_available_bytes):
        (tmp_path / "self").write_text(membership)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return read(tmp_path / "self", tmp_path / "cgroup")

    return left


def test_version_two_counts_file_cache_as_available(groups):
    files = {
        "a/memory.max": 4 * GIB,
        "a/memory.current": 3 * GIB,
        "a/memory.stat": f"anon {GIB}\ninactive_file {2 * GIB}",
    }
    assert groups("0::/a\n", files) == 3 * GIB


def test_the_tightest_limit_on_the_way_to_the_root_counts(groups):
    files = {
        "a/memory.max": 2 * GIB,
        "a/memory.current": GIB,
        "a/b/memory.max": 8 * GIB,
        "a/b/memory.current": GIB,
        "memory.max": "max",
        "memory.current": 9 * GIB,
        "other/memory.max": 1,
        "other/memory.current": 0,
    }
    assert groups("0::/a/b\n", files) == GIB


def test_version_one_has_memory_in_a_separate_folder(groups):
    files = {
        "memory/job/memory.limit_in_bytes": 2 * GIB,
        "memory/job/memory.usage_in_bytes": GIB,
        "memory/job/memory.stat": f"inactive_file 7\ntotal_inactive_file {GIB // 2}",
        "job/memory.limit_in_bytes": 1,
        "job/memory.usage_in_bytes": 0,
    }
    assert groups("5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n", files) == 3 * GIB // 2


def test_inside_a_container_only_its_own_group_is_mounted(groups):
    files = {"memory.max": GIB, "memory.current": 0}
    assert groups("0::/not/mounted/here\n", files) == GIB


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": GIB, "memory.current": 2 * GIB}, 0),  # over its limit
        ({"memory.max": "max", "memory.current": GIB}, None),
        ({"memory.max": GIB}, None),  # what is used is not told
        ({"memory.max": GIB, "memory.current": "?"}, None),
        ({}, None),
    ],
)
def test_a_limit_that_is_spent_or_absent(groups, files, left):
    assert groups("0::/\n", files) == left


def test_without_control_groups_there_is_no_figure(tmp_path):
    assert cgroup_available_bytes(tmp_path / "absent", tmp_path) is None


@pytest.mark.parametrize(("group", "expected"), [(None, 8), (9, 8), (3, 3), (0, 0)])
def test_the_lower_of_machine_and_group_is_available(monkeypatch, group, expected):
    machine = psutil.virtual_memory()._replace(available=8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    monkeypatch.setattr(limits, "cgroup_available_bytes", lambda *_: group)
    assert available_bytes() == expected


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/a\n", {"a/cpu.max": "50000 100000"}, 0.5),
        ("0::/a\n", {"a/cpu.max": "max 100000", "cpu.max": "150000 100000"}, 1.5),
        ("0::/a\n", {"a/cpu.max": "max 100000"}, None),
        ("0::/a\n", {"a/cpu.max": ""}, None),
        (
            "4:cpu,cpuacct:/job\n0::/\n",
            {"cpu/job/cpu.cfs_quota_us": 25000, "cpu/job/cpu.cfs_period_us": 100000},
            0.25,
        ),
        (
            "4:cpu,cpuacct:/job\n",
            {"cpu/job/cpu.cfs_quota_us": -1, "cpu/job/cpu.cfs_period_us": 100000},
            None,
        ),
    ],
)
def test_a_quota_is_the_time_of_so_many_cores(groups, membership, files, quota):
    assert groups(membership, files, cgroup_cpu_quota) == quota


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (0.5, 1), (2.9, 2), (9.0, 4)])
def test_whole_cores_of_a_quota_are_usable_and_at_least_one(monkeypatch, quota, cores):
    monkeypatch.setattr(limits, "allowed_cores", lambda: 4)
    monkeypatch.setattr(limits, "cpu_quota", lambda: quota)
    assert usable_cores() == cores


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_limit_on_the_address_space_is_seen():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**32, -1));"
        "from jacchain.limits import available_bytes; print(available_bytes())"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = [sys.executable, "-c", code]
    left = int(subprocess.run(run, capture_output=True, check=True, env=environment).stdout)
    assert 0 < left < 2**32
