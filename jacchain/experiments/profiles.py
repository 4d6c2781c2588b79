"""How much is measured: quick, standard and full."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Sizes of a run.

    `processes` worker processes one after the other, each visiting every cell in `rounds` rounds
    and taking one block at each visit. A cell predicted to take over `cell_seconds` is skipped.
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


def chain_profile() -> Profile:
    """For one chain of the user's own: the blocks of standard, no sweep."""
    return Profile("chain", 2, 12, 600.0, 0, 0, 0, 0, (), ())
