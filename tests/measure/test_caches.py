"""Caches are read as the system writes them, and regimes keep clear of their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.measure.caches import (
    Caches,
    caches_in_cpuinfo,
    caches_in_sysfs,
    detect_caches,
    regime,
)

KIB, MIB = 2**10, 2**20
CACHES = Caches(l2=MIB, llc=32 * MIB)
sizes = st.integers(1, 2**40)


@pytest.fixture
def sysfs(tmp_path):
    """A function that writes caches as Linux shows them, and returns their folder."""

    def write(*caches):
        for i, entries in enumerate(caches):
            index = tmp_path / f"index{i}"
            index.mkdir()
            for name, text in zip(("level", "type", "size"), entries, strict=False):
                (index / name).write_text(f"{text}\n")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("working_set", "expected"),
    [
        (0, "L2"),
        (MIB // 2, "L2"),
        (MIB // 2 + 1, "between"),
        (2 * MIB - 1, "between"),
        (2 * MIB, "LLC"),
        (8 * MIB, "LLC"),
        (8 * MIB + 1, "between"),
        (64 * MIB - 1, "between"),
        (64 * MIB, "memory"),
        (10**12, "memory"),
    ],
)
def test_regime_changes_exactly_at_its_boundaries(working_set, expected):
    assert regime(working_set, CACHES) == expected


@pytest.mark.parametrize("caches", [Caches(None, None), Caches(MIB, None), Caches(None, MIB)])
def test_without_a_cache_size_there_is_no_regime(caches):
    assert regime(1000, caches) == "unknown"


@given(working_set=sizes, l2=sizes)
def test_without_a_third_level_nothing_lies_in_the_last_level(working_set, l2):
    assert regime(working_set, Caches(l2, l2)) in {"L2", "between", "memory"}


@given(working_sets=st.tuples(sizes, sizes), l2=sizes, llc=sizes)
def test_a_larger_working_set_never_lies_closer(working_sets, l2, llc):
    closeness = {"L2": 0, "between": None, "LLC": 1, "memory": 2}
    caches = Caches(min(l2, llc), max(l2, llc))
    near, far = (closeness[regime(size, caches)] for size in sorted(working_sets))
    assert near is None or far is None or near <= far


@given(working_set=sizes, l2=sizes, llc=sizes, factor=st.integers(1, 1000))
def test_only_the_proportions_matter(working_set, l2, llc, factor):
    scaled = Caches(l2 * factor, llc * factor)
    assert regime(working_set, Caches(l2, llc)) == regime(working_set * factor, scaled)


def test_sysfs_with_three_levels(sysfs):
    folder = sysfs(
        (1, "Data", "48K"),
        (1, "Instruction", "32K"),
        (2, "Unified", "2048K"),
        (3, "Unified", "32M"),
    )
    assert caches_in_sysfs(folder) == Caches(2 * MIB, 32 * MIB)


def test_sysfs_without_a_third_level(sysfs):
    folder = sysfs((1, "Data", "32K"), (2, "Unified", "512K"))
    assert caches_in_sysfs(folder) == Caches(512 * KIB, 512 * KIB)


def test_sysfs_with_a_fourth_level(sysfs):
    folder = sysfs((2, "Unified", "256K"), (3, "Unified", "6144K"), (4, "Unified", "128M"))
    assert caches_in_sysfs(folder) == Caches(256 * KIB, 128 * MIB)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        [(1, "Data", "32K")],
        [(2, "Unified", "0K")],
        [(2, "Instruction", "1M")],
        [(2, "Unified")],
    ],
    ids=["no cache", "first level only", "size of nothing", "instructions", "size left out"],
)
def test_sysfs_that_tells_no_second_level(sysfs, entries):
    caches = caches_in_sysfs(sysfs(*entries))
    assert caches.l2 is None
    assert regime(1, caches) == "unknown"


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


def test_this_machine_is_asked_once():
    assert detect_caches() is detect_caches()


@pytest.mark.parametrize("sizes", [(0, MIB), (MIB, -1)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="give a positive size"):
        Caches(*sizes)
