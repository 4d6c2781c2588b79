"""What about this machine would spoil a measurement, and what to do about it."""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import psutil
import threadpoolctl

from jacchain.limits import allowed_cores, available_bytes, cpu_quota
from jacchain.measuring.clock import clock_step
from jacchain.measuring.cores import are_shared, shared_cores
from jacchain.measuring.environment import environment, process_counters, told
from jacchain.measuring.threads import pin_threads
from jacchain.units import share


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    topic: str
    status: Literal["ok", "warn"]  # "warn" if it would spoil a measurement
    measured: str  # the reading, with units
    remedy: str  # a sentence that says what to do


@dataclass(frozen=True)
class Readings:
    """What the checks read from the machine; None if the system does not tell."""

    load: float | None  # runnable processes, averaged over the last minute
    cores: int  # logical, that this process may run on
    quota: float | None  # cores' time that a container allows
    cpu_shares: tuple[float, ...]  # CPU time / wall time of a busy thread on each core
    switches: int  # times that the system took a core away from these threads
    steal: float | None  # share of the cores' time that a hypervisor gave to other machines
    governor: str | None  # the policy that sets the processor's clock
    blas: str  # with its version
    forced: tuple[str, ...]  # settings that put other kernels in the place of the chosen ones
    pinned: bool  # whether BLAS was seen to obey a limit of one thread
    available_bytes: int  # memory that can still be allocated
    swapped_bytes: int | None  # memory swapped out to disk
    smt: bool | None  # whether two threads share a core
    hypervisor: bool | None  # whether the machine is virtual
    on_battery: bool | None
    clock_step: float  # smallest step of the clock, in seconds
    clock_call: float  # time of one call of the clock, in seconds
    noise: float  # interquartile range / median of the times of one fixed kernel


def diagnose() -> list[Finding]:
    """Check everything that would spoil a measurement here, in under a second.

    Examples
    --------
    >>> [finding.topic for finding in diagnose()][:3]
    ['load', 'cores', 'quota']
    """
    return judge(take_readings())


def judge(r: Readings) -> list[Finding]:
    """Return one finding for each check, the most important first."""
    load = _told(r.load, f"{{:.2f}} runnable processes on {r.cores} cores")
    quota = _told(r.quota, f"the time of {{:.2g}} of {r.cores} cores", "none")
    steal = "not told" if r.steal is None else f"{share(r.steal)} of the cores' time"
    cores = (
        f"CPU time / wall time of {len(r.cpu_shares)} threads at least {min(r.cpu_shares):.2f}, "
        f"{r.switches} involuntary switches"
    )
    swapped = None if r.swapped_bytes is None else r.swapped_bytes / 2**20
    swap = _told(swapped, "{:.0f} MiB swapped out")
    threads = f"{r.blas}: one thread {'verified' if r.pinned else 'not verified'}"
    clock = f"step {r.clock_step * 1e9:.0f} ns, call {r.clock_call * 1e9:.0f} ns"
    checks: dict[str, tuple[bool | None, str]] = {  # whether it spoils a measurement, the reading
        "load": (r.load is not None and r.load > 0.25 * r.cores, load),
        "cores": (are_shared(r.cpu_shares), cores),
        "quota": (r.quota is not None and r.quota < r.cores, quota),
        "steal": (r.steal is not None and r.steal > 0.02, steal),
        "governor": (r.governor not in {None, "performance"}, r.governor or "not told"),
        "threads": (not r.pinned, threads),
        "kernels": (bool(r.forced), ", ".join(r.forced) or "as the library chooses"),
        "memory": (r.available_bytes < 2**31, f"{r.available_bytes / 2**30:.1f} GiB available"),
        "swap": (r.swapped_bytes is not None and r.swapped_bytes > 2**28, swap),
        "smt": (r.smt, _yes_no(r.smt, "two threads share a core", "one thread a core")),
        "hypervisor": (r.hypervisor, _yes_no(r.hypervisor, "a virtual machine", "none seen")),
        "battery": (r.on_battery, _yes_no(r.on_battery, "running on battery", "plugged in")),
        "clock": (max(r.clock_step, r.clock_call) > 1e-6, clock),
        "noise": (r.noise > 0.05, f"{share(r.noise)} between the quartiles of equal products"),
    }
    return [
        Finding(topic, "warn", measured, _REMEDIES[topic])
        if spoils
        else Finding(topic, "ok", measured, "Nothing to do.")
        for topic, (spoils, measured) in checks.items()
    ]


def _told(reading: float | None, text: str, otherwise: str = "not told") -> str:
    """Return the text for a reading that the system may not tell."""
    return otherwise if reading is None else text.format(reading)


def _yes_no(state: bool | None, yes: str, no: str) -> str:
    """Return the text for a state that may be unknown."""
    return "not told" if state is None else yes if state else no


_REMEDIES = {
    "load": "Close other programs, wait a minute for the average to fall, and look again.",
    "cores": "Something else uses a core. Products by several threads wait for the slowest, and "
    "take many times as long: stop it, or measure with `--threads 1`.",
    "quota": "The container stops this process when its time is spent, in the midst of a sample: "
    "run it without a CPU quota (`cpu.max`, `--cpus`).",
    "steal": "Other machines use this one's cores: use a dedicated host, or a quieter hour.",
    "governor": "Fix the clock while measuring: `sudo cpupower frequency-set -g performance`.",
    "threads": "Set OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS and "
    "VECLIB_MAXIMUM_THREADS to 1 before starting, or use a numpy built with OpenBLAS or MKL.",
    "kernels": "Unset it in the shell that measures: forced kernels say little about this machine.",
    "memory": "Close programs until 2 GiB are available; larger cells are skipped below that.",
    "swap": "Memory has been short: close programs, then `sudo swapoff -a && sudo swapon -a`.",
    "smt": "Leave the machine otherwise idle, or switch it off while measuring: "
    "`echo off | sudo tee /sys/devices/system/cpu/smt/control`.",
    "hypervisor": "Neighbours share caches and memory unseen: trust ratios over absolute times, "
    "and look at the run's A/A intervals.",
    "battery": "Plug the machine in: on battery the clock falls.",
    "clock": "Choose a faster clock source (on Linux `tsc`): beyond 1 µs it blurs short calls.",
    "noise": "Mend the warnings above first; if none is left, take `--profile standard`, "
    "which repeats more.",
}


def take_readings() -> Readings:
    """Read what `judge` needs from this machine, in under a second."""
    here = environment()
    battery = told(getattr(psutil, "sensors_battery", lambda: None))
    swap = told(psutil.swap_memory)
    before = process_counters()
    cpu_shares = tuple(shared_cores())
    switches = (process_counters() - before).involuntary_switches
    with threadpoolctl.threadpool_limits():  # restores the caller's threads
        pinned = _obeys_pinning()
        before = process_counters()
        seconds = _time_products()
        stolen = (process_counters() - before).steal_seconds
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    return Readings(
        load=next(iter(here["load_averages"]), None),
        cores=allowed_cores(),
        quota=cpu_quota(),
        cpu_shares=cpu_shares,
        switches=switches,
        steal=None if stolen is None else stolen / (sum(seconds) * here["logical_cores"]),
        governor=here["governor"],
        blas=here["blas"],
        forced=tuple(here["forced_kernels"]),
        pinned=pinned,
        available_bytes=available_bytes(),
        swapped_bytes=None if swap is None else swap.used,
        smt=here["smt"],
        hypervisor=here["hypervisor"],
        on_battery=None if battery is None else not battery.power_plugged,
        clock_step=clock_step(),
        clock_call=_time_clock_call(),
        noise=float((high - low) / median),
    )


def _time_products(window: float = 0.4, size: int = 320) -> list[float]:
    """Return the times, in seconds, of one matrix product repeated for `window` seconds.

    The window is so long that one tick of the steal counter, 10 ms, does not raise a warning.
    """
    a = np.random.default_rng(0).standard_normal((size, size))
    out = np.empty_like(a)
    np.matmul(a, a, out=out)
    seconds: list[float] = []
    while sum(seconds) < window:
        begin = time.perf_counter()
        np.matmul(a, a, out=out)
        seconds.append(time.perf_counter() - begin)
    return seconds


def _obeys_pinning() -> bool:
    """Return whether BLAS is seen to obey a limit of one thread."""
    try:
        return pin_threads(1)
    except RuntimeError:
        return False


def _time_clock_call(repeats: int = 2000) -> float:
    """Return the mean time of a call of the clock, in seconds."""
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        time.perf_counter_ns()
    return (time.perf_counter_ns() - begin) / repeats / 1e9
