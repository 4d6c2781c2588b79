"""Each check warns for its own reading, from its threshold on, and says what to do."""

import dataclasses

import pytest
import threadpoolctl

from jacchain.measure.doctor import diagnose, judge
from jacchain.measure.readings import Readings

QUIET = Readings(
    load=0.1,
    cores=4,
    steal=0.0,
    governor="performance",
    blas="openblas 0.3.29 SkylakeX",
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
SILENT = {
    "steal": None, "governor": None, "smt": None, "hypervisor": None, "on_battery": None,
}  # fmt: skip


def warnings(**readings):
    """The findings that warn, by topic, where the given readings are all that differs."""
    findings = judge(dataclasses.replace(QUIET, **readings))
    return {finding.topic: finding for finding in findings if finding.status == "warn"}


def test_a_quiet_machine_needs_nothing():
    assert warnings() == {}
    assert {finding.remedy for finding in judge(QUIET)} == {"Nothing to do."}


def test_a_machine_that_tells_nothing_is_not_accused():
    assert warnings(**SILENT) == {}


@pytest.mark.parametrize(
    ("topic", "reading", "measured"),
    [
        ("load", {"load": 1.01}, "1.01 runnable processes on 4 cores"),
        ("load", {"load": 0.26, "cores": 1}, "0.26 runnable processes on 1 cores"),
        ("steal", {"steal": 0.025}, "2.5% of the cores' time"),
        ("governor", {"governor": "powersave"}, "powersave"),
        ("threads", {"pinned": False}, "openblas 0.3.29 SkylakeX: one thread not verified"),
        ("memory", {"available_bytes": 2**31 - 2**28}, "1.8 GiB available"),
        ("swap", {"swapped_bytes": 2**30}, "1024 MiB swapped out"),
        ("smt", {"smt": True}, "two threads share a core"),
        ("hypervisor", {"hypervisor": True}, "a virtual machine"),
        ("battery", {"on_battery": True}, "running on battery"),
        ("clock", {"clock_step": 1.5e-6}, "step 1500 ns, call 60 ns"),
        ("clock", {"clock_call": 2e-6}, "step 50 ns, call 2000 ns"),
        ("noise", {"noise": 0.12}, "12.0% between the quartiles of equal products"),
    ],
)
def test_one_bad_reading_gives_one_warning_with_its_remedy(topic, reading, measured):
    found = warnings(**reading)
    assert found.keys() == {topic}
    assert found[topic].measured == measured
    assert found[topic].remedy.endswith(".")
    assert found[topic].remedy != "Nothing to do."


@pytest.mark.parametrize(
    "reading",
    [
        {"load": 1.0},
        {"steal": 0.02},
        {"available_bytes": 2**31},
        {"swapped_bytes": 2**28},
        {"clock_step": 1e-6},
        {"noise": 0.05},
    ],
)
def test_at_the_threshold_there_is_no_warning(reading):
    assert warnings(**reading) == {}


def test_this_machine_is_looked_at_and_its_threads_given_back():
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    findings = diagnose()
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
    assert [finding.topic for finding in findings] == [finding.topic for finding in judge(QUIET)]
