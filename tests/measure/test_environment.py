"""The environment says all that a time depends on, and nothing about whose machine it is."""

import json
import platform
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.measure import environment as module
from jacchain.measure.environment import (
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


def test_environment_survives_json():
    here = environment()
    assert json.loads(json.dumps(here)) == here


def test_environment_is_complete():
    assert environment().keys() >= MACHINE.keys() | {
        "python", "scipy", "blas", "jacchain", "governor", "load_averages", "hypervisor", "smt",
        "turbo", "usable_cores",
    }  # fmt: skip


def test_environment_names_no_host_no_user_no_folder():
    text = json.dumps(environment())
    assert f'"{platform.node()}"' not in text
    assert f'"{Path.home().name}"' not in text
    assert str(Path.cwd()) not in text


def test_given_version_goes_before_the_installed_one():
    assert environment(jacchain_version="9.9")["jacchain"] == "9.9"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu_model", "Another Processor"),
        ("physical_cores", 8),
        ("logical_cores", 4),
        ("l2_bytes", None),
        ("llc_bytes", 2**24),
        ("memory_bytes", 17 * 2**30),
        ("os", "Darwin"),
        ("architecture", "arm64"),
    ],
)
def test_other_hardware_has_another_fingerprint(name, value):
    assert fingerprint(MACHINE | {name: value}) != fingerprint(MACHINE)


@pytest.mark.parametrize(
    "change", [{"kernel": "6.2"}, {"numpy": "2.5.0"}, {"load_averages": [5.0] * 3}]
)
def test_the_same_hardware_keeps_its_fingerprint(change):
    assert fingerprint(MACHINE | change) == fingerprint(MACHINE)


@given(st.integers(-(2**28), 2**28))
def test_memory_that_a_kernel_keeps_back_does_not_show(difference):
    memory = MACHINE["memory_bytes"] + difference
    assert fingerprint(MACHINE | {"memory_bytes": memory}) == fingerprint(MACHINE)


def test_the_fingerprint_survives_a_record():
    stored = json.loads(json.dumps(dict(reversed(MACHINE.items()))))
    assert fingerprint(stored) == fingerprint(MACHINE)


def test_counters_count_this_process():
    before = process_counters()
    deadline = time.process_time() + 0.02
    while time.process_time() < deadline:
        pass
    spent = process_counters() - before
    assert spent.cpu_seconds >= 0.02
    assert spent.involuntary_switches >= 0
    assert spent.steal_seconds is None or spent.steal_seconds >= 0


@pytest.mark.parametrize(("earlier", "later"), [(None, 1.0), (1.0, None), (None, None)])
def test_steal_unknown_at_either_end_is_unknown(earlier, later):
    assert (Counters(1.0, 1, later) - Counters(0.0, 0, earlier)).steal_seconds is None


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
def test_turbo_in_both_its_spellings(no_turbo, boost, expected):
    assert turbo(no_turbo, boost) is expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu hypervisor avx", True), ("fpu avx", False), ("nohypervisor", False), (None, None)],
)
def test_a_virtual_machine_shows_in_the_flags(flags, expected):
    assert hypervisor(flags) is expected


def test_what_the_system_does_not_tell_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_CPU", tmp_path)
    here = environment()
    assert (here["governor"], here["turbo"], here["smt"]) == (None, None, None)


def test_settings_are_read_where_linux_keeps_them(monkeypatch, tmp_path):
    settings = {
        "cpu0/cpufreq/scaling_governor": "powersave\n",
        "intel_pstate/no_turbo": "0\n",
        "smt/active": "1\n",
    }
    for name, text in settings.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "_CPU", tmp_path)
    here = environment()
    assert (here["governor"], here["turbo"], here["smt"]) == ("powersave", True, True)
