"""The memory that a measurement can still allocate, and the most that it allocated."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psutil


def available_bytes() -> int:
    """Return the bytes that this process can still allocate without swapping.

    In a container the control group may allow less than the machine has.
    """
    machine = int(psutil.virtual_memory().available)
    group = cgroup_available_bytes(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return machine if group is None else min(machine, group)


def allocated_bytes(function: Callable[[], object]) -> int:
    """Return the peak of bytes that a second call of a function allocates.

    This includes the result, and numpy's arrays. Not for timing: every allocation is traced.

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


def cgroup_available_bytes(membership: Path, root: Path) -> int | None:
    """Return the bytes left of the tightest memory limit, or None without a limit.

    `membership` is a file with lines `id:controllers:group`, as `/proc/self/cgroup`, and `root`
    the folder where groups are mounted; version 1 has a folder `memory` in it.
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
    """Return the bytes left of every limit from the group up to the root."""
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
    """Return the bytes of idle file cache, which the system can reclaim."""
    if not stat.exists():
        return 0
    fields = dict(line.split() for line in stat.read_text().splitlines())
    return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))
