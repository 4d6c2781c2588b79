"""Things known by name."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Names, each given once.

    Examples
    --------
    >>> colours = Registry("colour")
    >>> colours.register("red", 0xFF0000)
    >>> colours["red"]
    16711680
    """

    noun: str  #: what is registered, for the error messages
    entries: dict[str, T] = field(default_factory=dict)

    def register(self, name: str, entry: T) -> None:
        """Add an entry; raise ValueError if the name is taken."""
        if name in self.entries:
            message = (
                f"{self.noun} {name!r} is taken, like {sorted(self.entries)}; choose another name"
            )
            raise ValueError(message)
        self.entries[name] = entry

    def __getitem__(self, name: str) -> T:
        """Look a name up; raise ValueError, with the known ones, if there is no such entry."""
        if name not in self.entries:
            message = f"unknown {self.noun} {name!r}; the known ones are {sorted(self.entries)}"
            raise ValueError(message)
        return self.entries[name]
