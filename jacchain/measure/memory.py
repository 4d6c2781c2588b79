"""The memory that a measurement may still take, and the most that it took."""

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psutil

__all__ = ["allocated_bytes", "available_bytes", "peak_rss_bytes"]


def available_bytes() -> int:
    """Return the bytes that this process can still allocate without swapping.

    In a container the control group may allow less than the machine has.

    Examples
    --------
    >>> 0 <= available_bytes() <= psutil.virtual_memory().total
    True
    """
    machine = int(psutil.virtual_memory().available)
    group = cgroup_available_bytes(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return machine if group is None else min(machine, group)


def allocated_bytes(function: Callable[[], object]) -> int:
    """Return the most bytes that a second call of a function has allocated at once.

    What it returns is counted, and arrays of numpy are. Not for timing: every allocation is traced.

    Examples
    --------
    >>> 8000 <= allocated_bytes(lambda: bytes(8000)) < 9000
    True
    """
    function()
    tracemalloc.start()
    try:
        result = function()
        _, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return peak


def peak_rss_bytes() -> int:
    """Return the largest resident set of this process so far, in bytes.

    Examples
    --------
    >>> peak_rss_bytes() > 2**20
    True
    """
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def cgroup_available_bytes(membership: Path, root: Path) -> int | None:
    """Return what is left of the tightest memory limit, None where there is none.

    Parameters
    ----------
    membership : Path
        The process's lines `id:controllers:group`, as in `/proc/self/cgroup`.
    root : Path
        Where the groups are mounted; version 1 has a folder `memory` in it.
    """
    if not membership.exists():
        return None
    left = []
    for line in membership.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            left += _left_along(root, group, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes"
            left += _left_along(root / "memory", group, *names)
    return min(left, default=None)


def _left_along(root: Path, group: str, limit: str, usage: str) -> list[int]:
    """Return what each limit from the group up to the root leaves, in bytes."""
    folder = root / group.strip("/")
    left = []
    for level in (folder, *folder.parents):
        if level.is_relative_to(root) and (level / limit).exists():
            allowed = (level / limit).read_text().strip()
            used = int((level / usage).read_text()) - _reclaimable(level / "memory.stat")
            if allowed != "max":
                left.append(max(int(allowed) - used, 0))
    return left


def _reclaimable(stat: Path) -> int:
    """Return the bytes of idle file cache, which the system gives up when asked."""
    if not stat.exists():
        return 0
    fields = dict(line.split() for line in stat.read_text().splitlines())
    return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))
