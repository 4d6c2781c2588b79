"""Every check warns of its own reading above its threshold, with a remedy."""

import dataclasses

import pytest
import threadpoolctl

from jacchain.measuring.doctor import Readings, diagnose, judge

QUIET = Readings(
    load=0.1,
    cores=4,
    quota=None,
    cpu_shares=(1.0, 0.99, 1.0, 0.98),
    switches=3,
    steal=0.0,
    governor="performance",
    blas="openblas 0.3.29 SkylakeX",
    forced=(),
    pinned=True,
    available_bytes=2**34,
    swapped_bytes=0,
    smt=False,
    hypervisor=False,
    on_battery=False,
    clock_step=5e-8,
    clock_call=6e-8,
    noise=0.01,
)
UNKNOWN = dict.fromkeys(
    ("load", "swapped_bytes", "steal", "governor", "smt", "hypervisor", "on_battery")
)


def warnings(**readings):
    """Return the warnings, by topic, for a quiet machine with some readings changed."""
    findings = judge(dataclasses.replace(QUIET, **readings))
    return {finding.topic: finding for finding in findings if finding.status == "warn"}


def test_a_quiet_or_unknown_machine_needs_nothing():
    assert warnings() == warnings(**UNKNOWN) == {}
    assert {finding.remedy for finding in judge(QUIET)} == {"Nothing to do."}


@pytest.mark.parametrize(
    ("topic", "reading", "measured"),
    [
        ("load", {"load": 1.01}, "1.01 runnable processes on 4 cores"),
        ("load", {"load": 0.26, "cores": 1}, "0.26 runnable processes on 1 cores"),
        (
            "cores",
            {"cpu_shares": (1.0, 0.52), "switches": 60},
            "CPU time / wall time of 2 threads at least 0.52, 60 involuntary switches",
        ),
        ("quota", {"quota": 0.5}, "the time of 0.5 of 4 cores"),
        ("steal", {"steal": 0.025}, "2.5\u00a0% of the cores' time"),
        ("governor", {"governor": "powersave"}, "powersave"),
        ("threads", {"pinned": False}, "openblas 0.3.29 SkylakeX: one thread not verified"),
        ("kernels", {"forced": ("MKL_CBWR=AVX2",)}, "MKL_CBWR=AVX2"),
        ("memory", {"available_bytes": 2**31 - 2**28}, "1.8 GiB available"),
        ("swap", {"swapped_bytes": 2**30}, "1024 MiB swapped out"),
        ("smt", {"smt": True}, "two threads share a core"),
        ("hypervisor", {"hypervisor": True}, "a virtual machine"),
        ("battery", {"on_battery": True}, "running on battery"),
        ("clock", {"clock_step": 1.5e-6}, "step 1500 ns, call 60 ns"),
        ("clock", {"clock_call": 2e-6}, "step 50 ns, call 2000 ns"),
        ("noise", {"noise": 0.12}, "12.0\u00a0% between the quartiles of equal products"),
    ],
)
def test_a_bad_reading_gives_one_warning_with_a_remedy(topic, reading, measured):
    ((name, finding),) = warnings(**reading).items()
    assert (name, finding.measured) == (topic, measured)
    assert finding.remedy.endswith(".")
    assert finding.remedy != "Nothing to do."


def test_a_shared_core_is_told_with_what_it_does_to_threads():
    remedy = warnings(cpu_shares=(0.94,))["cores"].remedy
    assert "wait for the slowest" in remedy
    assert "--threads 1" in remedy


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("load", 1.0),
        ("cpu_shares", (0.95, 0.95)),
        ("steal", 0.02),
        ("available_bytes", 2**31),
        ("swapped_bytes", 2**28),
        ("clock_step", 1e-6),
        ("noise", 0.05),
    ],
)
def test_a_reading_at_its_threshold_gives_no_warning(name, threshold):
    assert warnings(**{name: threshold}) == {}


def test_a_diagnosis_of_this_machine_restores_its_threads():
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    findings = diagnose()
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
    assert [finding.topic for finding in findings] == [finding.topic for finding in judge(QUIET)]
