"""What about this machine would spoil a measurement, and what to do about each of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jacchain.measure.readings import Readings, take_readings

__all__ = ["Finding", "diagnose", "judge"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    topic : str
        What was looked at.
    status : {"ok", "warn"}
        Whether it would spoil a measurement.
    measured : str
        What was found, with units.
    remedy : str
        A sentence: what to do about it.

    Examples
    --------
    >>> Finding("steal", "ok", "0.0 % of the time", "Nothing to do.").status
    'ok'
    """

    topic: str
    status: Literal["ok", "warn"]
    measured: str
    remedy: str


def diagnose() -> list[Finding]:
    """Look at everything that would spoil a measurement here; takes half a second.

    Examples
    --------
    >>> [finding.topic for finding in diagnose()][:3]
    ['load', 'steal', 'governor']
    """
    return judge(take_readings())


def judge(readings: Readings) -> list[Finding]:
    """Return one finding for each check, in the order in which they are worth mending."""
    return [check(readings) for check in _CHECKS]


def _finding(topic: str, *, spoils: bool, measured: str, remedy: str) -> Finding:
    """Return a finding that carries its remedy only where there is something to mend."""
    if spoils:
        return Finding(topic, "warn", measured, remedy)
    return Finding(topic, "ok", measured, "Nothing to do.")


def _load(r: Readings) -> Finding:
    return _finding(
        "load",
        spoils=r.load > 0.25 * r.cores,
        measured=f"{r.load:.2f} runnable processes on {r.cores} cores",
        remedy="Close other programs, wait a minute for the average to fall, and look again.",
    )


def _steal(r: Readings) -> Finding:
    return _finding(
        "steal",
        spoils=r.steal is not None and r.steal > 0.02,
        measured="not told" if r.steal is None else f"{r.steal:.1%} of the cores' time",
        remedy="Other machines take this one's cores: use a dedicated host, or a quieter hour.",
    )


def _governor(r: Readings) -> Finding:
    return _finding(
        "governor",
        spoils=r.governor not in {None, "performance"},
        measured=r.governor or "not told",
        remedy="Fix the clock while measuring: `sudo cpupower frequency-set -g performance`.",
    )


def _threads(r: Readings) -> Finding:
    return _finding(
        "threads",
        spoils=not r.pinned,
        measured=f"{r.blas}: one thread {'verified' if r.pinned else 'not verified'}",
        remedy="Set OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS and "
        "VECLIB_MAXIMUM_THREADS to 1 before starting, or use a numpy built with OpenBLAS or MKL.",
    )


def _memory(r: Readings) -> Finding:
    return _finding(
        "memory",
        spoils=r.available_bytes < 2 * 2**30,
        measured=f"{r.available_bytes / 2**30:.1f} GiB available",
        remedy="Close programs until 2 GiB are available; larger cells are skipped below that.",
    )


def _swap(r: Readings) -> Finding:
    return _finding(
        "swap",
        spoils=r.swapped_bytes > 2**28,
        measured=f"{r.swapped_bytes / 2**20:.0f} MiB swapped out",
        remedy="Memory has been short: close programs, then `sudo swapoff -a && sudo swapon -a`.",
    )


def _smt(r: Readings) -> Finding:
    return _finding(
        "smt",
        spoils=r.smt is True,
        measured=_yes_no(r.smt, "two threads share a core", "one thread a core"),
        remedy="Leave the machine otherwise idle, or switch it off while measuring: "
        "`echo off | sudo tee /sys/devices/system/cpu/smt/control`.",
    )


def _hypervisor(r: Readings) -> Finding:
    return _finding(
        "hypervisor",
        spoils=r.hypervisor is True,
        measured=_yes_no(r.hypervisor, "a virtual machine", "none seen"),
        remedy="Neighbours share caches and memory unseen: trust ratios over absolute times, "
        "and look at the run's A/A intervals.",
    )


def _battery(r: Readings) -> Finding:
    return _finding(
        "battery",
        spoils=r.on_battery is True,
        measured=_yes_no(r.on_battery, "running on battery", "plugged in"),
        remedy="Plug the machine in: on battery the clock falls.",
    )


def _clock_check(r: Readings) -> Finding:
    return _finding(
        "clock",
        spoils=max(r.clock_step, r.clock_call) > 1e-6,
        measured=f"step {r.clock_step * 1e9:.0f} ns, call {r.clock_call * 1e9:.0f} ns",
        remedy="Choose a faster clock source (on Linux `tsc`): beyond 1 us it blurs short calls.",
    )


def _noise_check(r: Readings) -> Finding:
    return _finding(
        "noise",
        spoils=r.noise > 0.05,
        measured=f"{r.noise:.1%} between the quartiles of equal products",
        remedy="Mend the warnings above first; if none is left, take `--profile standard`, "
        "which repeats more.",
    )


def _yes_no(state: bool | None, yes: str, no: str) -> str:
    """Return the text for a state that may be unknown."""
    return "not told" if state is None else yes if state else no


_CHECKS: tuple[Callable[[Readings], Finding], ...] = (
    _load,
    _steal,
    _governor,
    _threads,
    _memory,
    _swap,
    _smt,
    _hypervisor,
    _battery,
    _clock_check,
    _noise_check,
)
