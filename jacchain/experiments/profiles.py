"""How much is measured: quick, standard and full."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """Sizes of a run.

    `processes` worker processes one after the other, each visiting every cell in `rounds` rounds
    and taking one block at each visit. A cell predicted to take over `cell_seconds` is skipped.
    `windows` are the working sets, from-to in bytes, in which slopes can be judged on a machine
    (see `fitted`), and `itemsize` the bytes of an element: grids get finer where they must.
    """

    name: str
    processes: int
    rounds: int
    cell_seconds: float
    most_x: int
    most_z: int
    most_all_z: int
    most_depth: int
    plane_z: tuple[int, ...]
    plane_x: tuple[int, ...]
    windows: tuple[tuple[int, int], ...] = ()
    itemsize: int = 8

    @property
    def blocks(self) -> int:
        """Blocks measured of each cell."""
        return self.processes * self.rounds


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "quick", 1, 12, 15.0, 2**16, 6144, 1024, 48,
            plane_z=(4, 16, 64, 256), plane_x=(4, 64, 1024, 16384),
        ),
        Profile(
            "standard", 2, 12, 40.0, 2**20, 2**14, 1536, 96,
            plane_z=(4, 16, 64, 256, 1024), plane_x=(4, 16, 64, 256, 1024, 4096, 16384, 65536),
        ),
        Profile(
            "full", 2, 12, 200.0, 2**22, 2**15, 2048, 192,
            plane_z=(4, 8, 16, 32, 64, 128, 256, 512),
            plane_x=(4, 16, 64, 256, 1024, 4096, 16384, 65536),
        ),
    )
}  # fmt: skip


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises
    ------
    ValueError
        If there is none; the message lists the known ones.
    """
    if name not in PROFILES:
        message = f"unknown profile {name!r}; known are {', '.join(PROFILES)}"
        raise ValueError(message)
    return PROFILES[name]


def fitted(profile: Profile, l2: int | None, llc: int | None, dtype: str) -> Profile:
    """The profile on a machine with these caches, in bytes; as it is where they are unknown.

    Of the last-level cache only the lower part is counted on, up to 16 times L2: a virtual machine
    gets no more than a share of it.

    Examples
    --------
    >>> fitted(PROFILES["quick"], 2**20, 2**25, "float32").windows
    ((2097152, 8388608), (67108864, 268435456))
    """
    itemsize = 4 if dtype == "float32" else 8
    if not l2 or not llc:
        return replace(profile, itemsize=itemsize)
    windows = ((2 * l2, min(llc // 4, 16 * l2)), (2 * llc, 8 * llc))
    return replace(profile, windows=windows, itemsize=itemsize)


def chain_profile() -> Profile:
    """For one chain of the user's own: the blocks of standard, no sweep."""
    return Profile("chain", 2, 12, 600.0, 0, 0, 0, 0, (), ())
