"""Caches as systems describe them."""

import pytest

from jacchain.measuring.caches import Caches, caches_in_cpuinfo, caches_in_sysfs, detect_caches

KIB, MIB = 2**10, 2**20


@pytest.fixture
def sysfs(tmp_path):
    """A function that writes caches as Linux describes them, and returns the folder."""

    def write(*caches):
        for i, entries in enumerate(caches):
            index = tmp_path / f"index{i}"
            index.mkdir()
            for name, text in zip(("level", "type", "size"), entries, strict=False):
                (index / name).write_text(f"{text}\n")
        return tmp_path

    return write


L1, L2 = (1, "Data", "48K"), (2, "Unified", "256K")


@pytest.mark.parametrize(
    ("entries", "llc"),
    [
        ([L1, (1, "Instruction", "32K"), L2, (3, "Unified", "32M")], 32 * MIB),
        ([L1, L2], 256 * KIB),
        ([L2, (3, "Unified", "6144K"), (4, "Unified", "128M")], 128 * MIB),
    ],
    ids=["three levels", "two levels", "four levels"],
)
def test_sysfs_gives_the_second_and_the_last_level(sysfs, entries, llc):
    assert caches_in_sysfs(sysfs(*entries)) == Caches(256 * KIB, llc)


@pytest.mark.parametrize(
    "entries",
    [(), [L1], [(2, "Unified", "0K")], [(2, "Instruction", "1M")], [(2, "Unified")]],
    ids=["no cache", "first level only", "size 0", "instructions", "size missing"],
)
def test_sysfs_without_a_second_level(sysfs, entries):
    assert caches_in_sysfs(sysfs(*entries)).l2 is None


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"l2_cache_size": 4194304, "l3_cache_size": 33554432}, Caches(4 * MIB, 32 * MIB)),
        ({"l2_cache_size": "256 KiB", "l3_cache_size": "8 MB"}, Caches(256 * KIB, 8 * MIB)),
        ({"l2_cache_size": "4194304"}, Caches(4 * MIB, 4 * MIB)),
        ({"l2_cache_size": "1.5 MiB"}, Caches(3 * MIB // 2, 3 * MIB // 2)),
        ({}, Caches(None, None)),
    ],
)
def test_cpuinfo_in_all_its_spellings(info, expected):
    assert caches_in_cpuinfo(info) == expected


def test_this_machine_is_read_once():
    assert detect_caches() is detect_caches()


@pytest.mark.parametrize("sizes", [(0, MIB), (MIB, -1)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="expected a positive size"):
        Caches(*sizes)
