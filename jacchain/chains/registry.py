"""Things known by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Generic, TypeVar

from jacchain.inputs import check_type, short

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Names, each given once.

    Examples
    --------
    >>> colours = Registry("colour", elsewhere={"crimson": "red"})
    >>> colours.register("red", 0xFF0000)
    >>> colours["red"]
    16711680
    >>> colours["crimson"]
    Traceback (most recent call last):
        ...
    ValueError: unknown colour 'crimson'; the known ones are ['red']: 'crimson' is 'red' here
    """

    noun: str  #: what is registered, for the error messages
    entries: dict[str, T] = field(default_factory=dict)
    #: What others call an entry, and its name here: for the error messages
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def register(self, name: str, entry: T) -> None:
        """Add an entry; raise TypeError if the name is no text, ValueError if it is taken."""
        check_type(name, str, f"the name of the {self.noun}")
        if name in self.entries:
            taken = f"is taken, like {sorted(self.entries)}; choose another name"
            message = f"{self.noun} {short(name)} {taken}"
            raise ValueError(message)
        self.entries[name] = entry

    def __getitem__(self, name: str) -> T:
        """Look a name up; raise ValueError, with the known ones, if there is no such entry."""
        try:
            return self.entries[name]
        except (KeyError, TypeError):
            known = f"the known ones are {sorted(self.entries)}{self._hint(str(name))}"
            message = f"unknown {self.noun} {short(name)}; {known}"
            raise ValueError(message) from None

    def _hint(self, name: str) -> str:
        """Say what it is called here, or which known name is like it."""
        words = name.lower().replace("_", "-").removesuffix("-mode").removesuffix(" mode")
        if known := self.elsewhere.get(words):
            return f": {short(name)} is {known!r} here"
        close = get_close_matches(words, self.entries, n=1)
        return f": did you mean {close[0]!r}?" if close else ""
