"""Available memory: below the tightest limit of control groups, idle file cache included."""

import psutil
import pytest

from jacchain.measure import memory
from jacchain.measure.memory import allocated_bytes, available_bytes, cgroup_available_bytes

GIB = 2**30


@pytest.fixture
def groups(tmp_path):
    """A function that writes control groups, and returns the bytes left for this process."""

    def left(membership, files):
        (tmp_path / "self").write_text(membership)
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return cgroup_available_bytes(tmp_path / "self", tmp_path / "cgroup")

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
    monkeypatch.setattr(memory, "cgroup_available_bytes", lambda *_: group)
    assert available_bytes() == expected


def test_the_peak_counts_what_is_freed_again_but_no_first_call():
    memo = []

    def function():
        if not memo:
            memo.append(bytes(10**6))
        bytes(2 * 10**5)
        return bytes(10**5)

    assert 2 * 10**5 <= allocated_bytes(function) < 3 * 10**5
