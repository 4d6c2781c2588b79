"""What a measurement depends on: the machine, its software, and its other users."""

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from jacchain.limits import cpu_quota, system_text, usable_cores
from jacchain.measuring.caches import detect_caches
from jacchain.measuring.clock import clock_step
from jacchain.measuring.threads import blas_description, forced_kernels

T = TypeVar("T")

_CPU = Path("/sys/devices/system/cpu")
_CORES = ("cpu_model", "physical_cores", "logical_cores")
_IDENTITY = (*_CORES, "l2_bytes", "llc_bytes", "os", "architecture")


@dataclass(frozen=True)
class Counters:
    """System counters at one moment; the difference of two is the cost of what ran between.

    Examples
    --------
    >>> Counters(7, 0.5) - Counters(5, 0.25)
    Counters(involuntary_switches=2, steal_seconds=0.25)
    """

    involuntary_switches: int  # times that the system took a core away from this process
    steal_seconds: float | None  # of all cores, given to other machines; None if unknown

    def __sub__(self, earlier: Self) -> "Counters":
        """Return the counts since `earlier`."""
        steal, steal_before = self.steal_seconds, earlier.steal_seconds
        return Counters(
            self.involuntary_switches - earlier.involuntary_switches,
            None if steal is None or steal_before is None else steal - steal_before,
        )


def process_counters() -> Counters:
    """Return the counters of this process now, in about 20 microseconds."""
    return Counters(_involuntary_switches(), _steal_seconds())


def environment(*, jacchain_version: str | None = None) -> dict[str, Any]:
    """Describe this machine and its software, without names of hosts, users or folders.

    Values fit JSON: sizes are in bytes, and None is what this system does not tell. Without
    `jacchain_version`, the version is that of the installed package.

    Examples
    --------
    >>> sorted(environment(jacchain_version="0.1.0"))[:4]
    ['architecture', 'blas', 'clock_step_seconds', 'cpu_model']
    """
    caches, smt = detect_caches(), system_text(_CPU / "smt/active")
    return {
        "cpu_model": _cpu_model(),
        "physical_cores": told(lambda: psutil.cpu_count(logical=False)),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "cpu_quota": cpu_quota(),
        "l2_bytes": caches.l2,
        "llc_bytes": caches.llc,
        "memory_bytes": psutil.virtual_memory().total,
        "os": platform.system(),
        "kernel": release(platform.release()),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "scipy": importlib.metadata.version("scipy"),
        "blas": blas_description(),
        "forced_kernels": forced_kernels(),
        "jacchain": jacchain_version or importlib.metadata.version("jacchain"),
        "clock_step_seconds": clock_step(),
        "load_averages": list(told(psutil.getloadavg) or ()),
        "governor": system_text(_CPU / "cpu0/cpufreq/scaling_governor"),
        "turbo": turbo(
            system_text(_CPU / "intel_pstate/no_turbo"), system_text(_CPU / "cpufreq/boost")
        ),
        "smt": None if smt is None else smt == "1",
        "hypervisor": hypervisor(_cpuinfo().get("flags")),
    }


def fingerprint(environment: Mapping[str, Any]) -> str:
    """Return twelve hexadecimal digits that are equal for the same hardware and system.

    Takes a result of `environment`, of this run or from a record. Software is left out: it is
    compared separately, so that a mismatch can be named.

    Examples
    --------
    >>> here = environment(jacchain_version="0.1.0")
    >>> fingerprint(here) == fingerprint(here | {"load_averages": [9.0, 9.0, 9.0]})
    True
    """
    identity = {name: environment[name] for name in _IDENTITY}
    identity["memory_gib"] = round(environment["memory_bytes"] / 2**30)  # kernels reserve some
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def release(name: str) -> str:
    """Return the version of a kernel without its builder's additions.

    Examples
    --------
    >>> release("6.1.0-13-amd64")
    '6.1.0'
    """
    version = re.match(r"[\d.]+", name)
    return version[0] if version else name


def turbo(no_turbo: str | None, boost: str | None) -> bool | None:
    """Return whether the clock may rise, from two Linux settings, of which one exists."""
    if no_turbo is not None:
        return no_turbo == "0"
    return None if boost is None else boost == "1"


def hypervisor(flags: str | None) -> bool | None:
    """Return whether the processor's flags show a virtual machine; None without flags."""
    return None if flags is None else "hypervisor" in flags.split()


@functools.cache
def _cpu_model() -> str:
    """Return the processor's name; only without /proc/cpuinfo, ask py-cpuinfo for a second."""
    if model := _cpuinfo().get("model name"):
        return model
    import cpuinfo

    return str(cpuinfo.get_cpu_info().get("brand_raw") or platform.processor() or "unknown")


@functools.cache
def _cpuinfo() -> dict[str, str]:
    """Return Linux's description of the first core, empty elsewhere."""
    first = (system_text(Path("/proc/cpuinfo")) or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def told(reading: Callable[[], T]) -> T | None:
    """Return a reading of the system, or None where it denies it, or tells what psutil can't read.

    Examples
    --------
    >>> told(lambda: Path("none").read_text()) is None, told(lambda: 1)
    (True, 1)
    """
    try:
        return reading()
    except (psutil.Error, OSError, RuntimeError, ValueError, LookupError):
        return None


def _involuntary_switches() -> int:
    """Return how often the system took a core away from this process."""
    if sys.platform == "win32":
        return int(psutil.Process().num_ctx_switches().involuntary)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _steal_seconds() -> float | None:
    """Return the time stolen from all cores since boot, or None if unknown."""
    try:
        with Path("/proc/stat").open("rb", buffering=0) as file:
            return steal_seconds(file.read(256), os.sysconf("SC_CLK_TCK"))
    except OSError:
        return None


def steal_seconds(stat: bytes, ticks_per_second: int) -> float | None:
    r"""Return the stolen seconds, the eighth number in the first line of `/proc/stat`.

    Examples
    --------
    >>> steal_seconds(b"cpu  25256 0 3328 309764 341 0 48 1916 0 0\ncpu0 12948", 100)
    19.16
    """
    fields = stat.split(b"\n", 1)[0].split()
    return int(fields[8]) / ticks_per_second if len(fields) > 8 else None
