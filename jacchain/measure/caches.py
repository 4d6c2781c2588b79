"""The caches of this machine, and the memory regime of a working set in them."""

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

__all__ = ["Caches", "detect_caches", "regime"]

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


Regime = Literal["L2", "LLC", "memory", "between", "unknown"]


@dataclass(frozen=True)
class Caches:
    """The two caches that matter to a matrix product, in bytes; None where unknown.

    Attributes
    ----------
    l2 : int or None
        The second-level cache that one core sees.
    llc : int or None
        The last-level cache; the second-level one where there is no third.

    Examples
    --------
    >>> Caches(l2=2**20, llc=2**25)
    Caches(l2=1048576, llc=33554432)
    """

    l2: int | None
    llc: int | None

    def __post_init__(self) -> None:
        """Refuse sizes that no cache has."""
        for name, size in (("l2", self.l2), ("llc", self.llc)):
            if size is not None and size < 1:
                msg = f"{name} is {size} bytes; give a positive size, or None where it is unknown"
                raise ValueError(msg)


@functools.cache
def detect_caches() -> Caches:
    """Return the caches of this machine, asking the system once.

    Linux describes the caches of its first core in sysfs; elsewhere py-cpuinfo is asked.
    (On Linux py-cpuinfo would give the sum over all cores.)

    Examples
    --------
    >>> caches = detect_caches()
    >>> caches.l2 is None or caches.l2 > 0
    True
    """
    if sys.platform == "linux":
        return caches_in_sysfs(Path("/sys/devices/system/cpu/cpu0/cache"))
    import cpuinfo

    return caches_in_cpuinfo(cpuinfo.get_cpu_info())


def regime(working_set: int, caches: Caches) -> Regime:
    """Name the memory regime of a working set.

    The gaps between the regimes are wide on purpose: near the size of a cache
    a working set lives partly in it, and its bandwidth says nothing of either side.

    Parameters
    ----------
    working_set : int
        Bytes that a computation reads and writes.
    caches : Caches
        The machine's caches.

    Returns
    -------
    str
        "L2" up to half of L2, "LLC" from twice L2 to a quarter of the last level,
        "memory" from twice the last level, "between" elsewhere,
        "unknown" where the caches are.

    Examples
    --------
    >>> caches = Caches(l2=2**20, llc=2**25)
    >>> [regime(2**exponent, caches) for exponent in (19, 20, 21, 23, 24, 26)]
    ['L2', 'between', 'LLC', 'LLC', 'between', 'memory']
    """
    l2, llc = caches.l2, caches.llc
    if l2 is None or llc is None:
        return "unknown"
    if 2 * working_set <= l2:
        return "L2"
    if 2 * l2 <= working_set and 4 * working_set <= llc:
        return "LLC"
    if working_set >= 2 * llc:
        return "memory"
    return "between"


def caches_in_sysfs(folder: Path) -> Caches:
    """Return the caches that a sysfs cache folder describes.

    Parameters
    ----------
    folder : Path
        Holds one folder a cache: `index*/{level,type,size}`.
    """
    sizes: dict[int, int] = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:  # some virtual machines leave entries out
            continue
        if kind != "Instruction":
            sizes[int(level)] = _bytes(size)
    return _caches(sizes.get(2), sizes.get(max(sizes, default=2)))


def caches_in_cpuinfo(info: Mapping[str, Any]) -> Caches:
    """Return the caches that py-cpuinfo reports; it leaves out what it does not know.

    Examples
    --------
    >>> caches_in_cpuinfo({"l2_cache_size": "4 MB"})
    Caches(l2=4194304, llc=4194304)
    """
    l2, l3 = (info.get(f"l{level}_cache_size") for level in (2, 3))
    return _caches(_bytes(l2 or 0), _bytes(l3 or l2 or 0))


def _caches(l2: int | None, llc: int | None) -> Caches:
    """Return the caches, with a size of nothing for what it is: not known."""
    return Caches(l2=l2 or None, llc=llc or None)


def _bytes(size: int | str) -> int:
    """Return the bytes in a size such as 2048K, 4 MB or 262144."""
    if isinstance(size, int):
        return size
    number = size.strip().upper().removesuffix("B").removesuffix("I").strip()
    unit = _UNITS.get(number[-1:], 1)
    return round(float(number.rstrip("KMG")) * unit)
