"""How much is measured: how often (`Sampling`), and how large the cells are (`Sizes`)."""

from dataclasses import dataclass
from typing import TypeVar

from jacchain.chains.registry import Registry

T = TypeVar("T")


@dataclass(frozen=True)
class Sampling:
    """How often each cell is visited."""

    name: str  #: of the profile, as on the command line
    #: Worker processes, one after the other; rounds of each, with one block of every cell
    processes: int
    rounds: int
    cell_seconds: float  #: a cell predicted to take longer, all blocks together, is skipped
    scale: str = "quick"  #: which sizes are measured: "quick", "standard" or "full"

    @property
    def blocks(self) -> int:
        """Blocks measured of each cell."""
        return self.processes * self.rounds


PROFILES: Registry[Sampling] = Registry(
    "profile",
    {
        "quick": Sampling("quick", 7, 1, 15.0, "quick"),
        "standard": Sampling("standard", 12, 2, 40.0, "standard"),
        "full": Sampling("full", 12, 2, 200.0, "full"),
    },
)
FIXED_PROFILES = {  # of runs for which no profile can be chosen
    "chain": Sampling("chain", 12, 2, 600.0),  # one chain of the user's own
    "harnesses": Sampling("harnesses", 1, 3, 60.0),  # beside asv and pytest-benchmark
}


def sampling_of(profile: str) -> Sampling:
    """Return the sampling of a profile, as a record or a job names it."""
    return FIXED_PROFILES.get(profile) or PROFILES[profile]


@dataclass(frozen=True)
class Sizes:
    """How large cells are, fitted to the caches of a machine."""

    scale: str = "quick"  #: "quick", "standard" or "full"; each claim says what it measures at each
    #: Bytes of a core's second-level and of the last-level cache; None where unknown
    l2: int | None = None
    llc: int | None = None
    itemsize: int = 8  #: bytes of an element

    def pick(self, *, quick: T, standard: T, full: T) -> T:
        """Return the value for this scale.

        Examples
        --------
        >>> Sizes("standard").pick(quick=(1, 4), standard=(1, 2, 4), full=(1, 2, 4, 8))
        (1, 2, 4)
        """
        return {"quick": quick, "standard": standard, "full": full}[self.scale]

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Working sets, from-to in bytes, where slopes can be judged; none if caches are unknown.

        Only the lower part of the last-level cache counts, up to 16 times L2: a virtual machine
        gets no more than a share of it.

        Examples
        --------
        >>> Sizes(l2=2**20, llc=2**25).windows
        ((2097152, 8388608), (67108864, 268435456))
        """
        if not self.l2 or not self.llc:
            return ()
        cached = (2 * self.l2, min(self.llc // 4, 16 * self.l2))
        return (cached, (2 * self.llc, 8 * self.llc))
