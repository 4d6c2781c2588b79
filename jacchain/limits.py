"""How much memory and how many cores this process may use: by machine, container and limits."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

# Of an address space: a thread's allocator maps 64 MiB at once, and libraries map what they load.
_MAPPED = 128 * 2**20
_MEMBERSHIP, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Return the bytes that this process can still allocate without swapping.

    The least of what the machine has, its control groups allow and its address space may grow by.

    Examples
    --------
    >>> available_bytes() > 0
    True
    """
    left = [
        int(psutil.virtual_memory().available),
        cgroup_available_bytes(_MEMBERSHIP, _ROOT),
        _address_space_left(),
    ]
    return min(bytes_ for bytes_ in left if bytes_ is not None)


def check_room(needed: int, what: str, remedy: str) -> None:
    """Raise MemoryError if something needs more bytes than are available.

    Examples
    --------
    >>> check_room(2**80, "the chain", "make it smaller")
    Traceback (most recent call last):
        ...
    MemoryError: the chain takes 1.1e+15 GiB, and ... GiB are available; make it smaller
    """
    room = available_bytes()
    if needed > room:
        gib = min(needed, 10**300) / 2**30
        takes = f"{gib:.1f}" if gib < 10**6 else f"{gib:.1e}"
        message = f"{what} takes {takes} GiB, and {room / 2**30:.1f} GiB are available; {remedy}"
        raise MemoryError(message)


def usable_cores() -> int:
    """Return the number of logical cores that this process may use, at least 1.

    A container's CPU quota of 2.5 cores allows 2.
    """
    cores, quota = allowed_cores(), cpu_quota()
    return cores if quota is None else max(min(cores, int(quota)), 1)


def allowed_cores() -> int:
    """Return the number of logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota() -> float | None:
    """Return how many cores' time the control groups allow, or None without a quota."""
    return cgroup_cpu_quota(_MEMBERSHIP, _ROOT)


def cgroup_available_bytes(membership: Path, root: Path) -> int | None:
    """Return the bytes left of the tightest memory limit, or None without a limit.

    `membership` is a file with lines `id:controllers:group`, as `/proc/self/cgroup`, and `root`
    the folder where groups are mounted; version 1 has a folder `memory` in it.
    """
    left = []
    for level, version in _levels(membership, root, "memory"):
        names = ("limit_in_bytes", "usage_in_bytes") if version == 1 else ("max", "current")
        limit, usage = (_number(level / f"memory.{name}") for name in names)
        if limit is not None and usage is not None:
            left.append(max(limit - usage + _reclaimable(level / "memory.stat"), 0))
    return min(left, default=None)


def cgroup_cpu_quota(membership: Path, root: Path) -> float | None:
    """Return the cores' time that the tightest quota allows, or None without one.

    Takes what `cgroup_available_bytes` does; version 1 has a folder `cpu`.
    """
    quotas = []
    for level, version in _levels(membership, root, "cpu"):
        if version == 1:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            quota, period = (_number(level / name) for name in names)
        else:
            both = (system_text(level / "cpu.max") or "max").split()
            quota, period = (_parsed(text) for text in (both[0], both[-1]))
        if quota is not None and period is not None and quota > 0 < period:
            quotas.append(quota / period)
    return min(quotas, default=None)


def _levels(membership: Path, root: Path, controller: str) -> Iterator[tuple[Path, int]]:
    """Yield every folder from the groups of this process up to the root, and its version."""
    for line in (system_text(membership) or "").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            top, version = root, 2
        elif controller in controllers.split(","):
            top, version = root / controller, 1
        else:
            continue
        folder = top / group.strip("/")
        for level in (folder, *folder.parents):
            if level.is_relative_to(top):
                yield level, version


def _reclaimable(stat: Path) -> int:
    """Return the bytes of idle file cache, which the system can reclaim."""
    fields = dict(
        line.split(maxsplit=1) for line in (system_text(stat) or "").splitlines() if " " in line
    )
    return _parsed(fields.get("total_inactive_file", fields.get("inactive_file", "0"))) or 0


def _address_space_left() -> int | None:
    """Return the bytes that fit into what `ulimit -v` leaves; None without a limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return max(limit - _MAPPED - int(psutil.Process().memory_info().vms), 0)


def _number(path: Path) -> int | None:
    return _parsed(system_text(path) or "")


def _parsed(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:  # such as "max"
        return None


def system_text(path: Path) -> str | None:
    """Return the text of a system file, or None if it can't be read."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
