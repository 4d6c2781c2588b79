"""The environment describes all that a time depends on, and not whose machine it is."""

import json
import platform
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.measuring import environment as module
from jacchain.measuring.environment import (
    Counters,
    environment,
    fingerprint,
    hypervisor,
    process_counters,
    steal_seconds,
    turbo,
)

MACHINE = {
    "cpu_model": "Some Processor",
    "physical_cores": 4,
    "logical_cores": 8,
    "l2_bytes": 2**20,
    "llc_bytes": 2**25,
    "memory_bytes": 16 * 2**30,
    "os": "Linux",
    "architecture": "x86_64",
    "kernel": "6.1",
    "numpy": "2.4.0",
}


def test_environment_is_complete_and_survives_json():
    here = environment()
    assert json.loads(json.dumps(here)) == here
    software = {"python", "scipy", "blas", "jacchain"}
    state = {
        "clock_step_seconds",
        "governor",
        "load_averages",
        "hypervisor",
        "smt",
        "turbo",
        "usable_cores",
    }
    assert here.keys() >= MACHINE.keys() | software | state


def test_environment_names_no_host_no_user_no_folder():
    text = json.dumps(environment())
    assert f'"{platform.node()}"' not in text
    assert f'"{Path.home().name}"' not in text
    assert str(Path.cwd()) not in text


def test_a_version_replaces_the_installed_one():
    assert environment(jacchain_version="9.9")["jacchain"] == "9.9"


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("cpu_model", "Another Processor", False),
        ("physical_cores", 8, False),
        ("logical_cores", 4, False),
        ("l2_bytes", None, False),
        ("llc_bytes", 2**24, False),
        ("memory_bytes", 17 * 2**30, False),
        ("os", "Darwin", False),
        ("architecture", "arm64", False),
        ("kernel", "6.2", True),
        ("numpy", "2.5.0", True),
        ("load_averages", [5.0] * 3, True),
    ],
)
def test_only_other_hardware_has_another_fingerprint(name, value, same):
    assert (fingerprint(MACHINE | {name: value}) == fingerprint(MACHINE)) is same


@given(st.integers(-(2**28), 2**28))
def test_memory_reserved_by_the_kernel_is_ignored(difference):
    memory = MACHINE["memory_bytes"] + difference
    assert fingerprint(MACHINE | {"memory_bytes": memory}) == fingerprint(MACHINE)


def test_the_fingerprint_survives_a_record():
    stored = json.loads(json.dumps(dict(reversed(MACHINE.items()))))
    assert fingerprint(stored) == fingerprint(MACHINE)


def test_counters_count_this_process():
    before, after = process_counters(), process_counters()
    assert after.involuntary_switches >= before.involuntary_switches
    assert (after.steal_seconds is None) == (before.steal_seconds is None)


@pytest.mark.parametrize(("earlier", "later"), [(None, 1.0), (1.0, None), (None, None)])
def test_steal_unknown_at_either_end_is_unknown(earlier, later):
    assert (Counters(1, later) - Counters(0, earlier)).steal_seconds is None


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        (b"cpu  1 2 3 4 5 6 7 250 9 10\ncpu0 1 2 3 4 5 6 7 999", 2.5),
        (b"cpu  1 2 3 4 5 6 7 0 0 0", 0.0),
        (b"cpu  1 2 3 4", None),
        (b"", None),
    ],
)
def test_steal_is_the_eighth_number_of_the_first_line(stat, expected):
    assert steal_seconds(stat, ticks_per_second=100) == expected


@pytest.mark.parametrize(
    ("no_turbo", "boost", "expected"),
    [("0", None, True), ("1", None, False), (None, "1", True), (None, "0", False), (None,) * 3],
)
def test_turbo_in_both_settings(no_turbo, boost, expected):
    assert turbo(no_turbo, boost) is expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu hypervisor avx", True), ("fpu avx", False), ("nohypervisor", False), (None, None)],
)
def test_a_virtual_machine_shows_in_the_flags(flags, expected):
    assert hypervisor(flags) is expected


SETTINGS = {
    "cpu0/cpufreq/scaling_governor": "powersave\n",
    "intel_pstate/no_turbo": "0\n",
    "smt/active": "1\n",
}


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, (None, None, None)), (SETTINGS, ("powersave", True, True))]
)
def test_settings_are_read_where_linux_keeps_them(monkeypatch, tmp_path, settings, expected):
    for name, text in settings.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "_CPU", tmp_path)
    here = environment()
    assert (here["governor"], here["turbo"], here["smt"]) == expected
