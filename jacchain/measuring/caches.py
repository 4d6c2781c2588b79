"""The caches of this machine."""

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True)
class Caches:
    """The two caches that matter to a matrix product, in bytes; None if unknown."""

    l2: int | None  # the second-level cache of one core
    llc: int | None  # the last-level cache; the second-level cache if there is no third

    def __post_init__(self) -> None:
        """Raise ValueError for sizes below 1."""
        for name, size in (("l2", self.l2), ("llc", self.llc)):
            if size is not None and size < 1:
                message = f"{name} is {size} bytes; expected a positive size, or None if unknown"
                raise ValueError(message)


@functools.cache
def detect_caches() -> Caches:
    """Return the caches of this machine; later calls return the same object.

    Linux describes the caches of its first core in sysfs, where py-cpuinfo would report the sum
    over all cores; other systems are read by py-cpuinfo.
    """
    if sys.platform == "linux":
        return caches_in_sysfs(Path("/sys/devices/system/cpu/cpu0/cache"))
    import cpuinfo

    return caches_in_cpuinfo(cpuinfo.get_cpu_info())


def caches_in_sysfs(folder: Path) -> Caches:
    """Return the caches that a sysfs folder describes, in files `index*/{level,type,size}`."""
    sizes: dict[int, int] = {}
    for index in sorted(folder.glob("index*")):
        try:
            paths = (index / name for name in ("level", "type", "size"))
            level, kind, size = (path.read_text().strip() for path in paths)
            bytes_ = _bytes(size)
        except (OSError, ValueError):  # some virtual machines omit files, or leave them empty
            continue
        if kind != "Instruction" and int(level) > 1:
            sizes[int(level)] = bytes_
    return Caches(l2=sizes.get(2) or None, llc=sizes.get(max(sizes, default=2)) or None)


def caches_in_cpuinfo(info: Mapping[str, Any]) -> Caches:
    """Return the caches that py-cpuinfo reports; it omits what it does not know.

    Examples
    --------
    >>> caches_in_cpuinfo({"l2_cache_size": "4 MB"})
    Caches(l2=4194304, llc=4194304)
    """
    l2, l3 = (info.get(f"l{level}_cache_size") for level in (2, 3))
    return Caches(l2=_bytes(l2 or 0) or None, llc=_bytes(l3 or l2 or 0) or None)


def _bytes(size: int | str) -> int:
    """Return the bytes of a size such as 2048K, 4 MB or 262144."""
    if isinstance(size, int):
        return size
    number = size.strip().upper().removesuffix("B").removesuffix("I").strip()
    unit = _UNITS.get(number[-1:], 1)
    return round(float(number.rstrip("KMG")) * unit)
