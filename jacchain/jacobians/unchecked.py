"""Frozen dataclasses that can be built without their checks."""

from typing import Any, ClassVar, Self


class Unchecked:
    """A frozen dataclass that is also built while products are timed.

    The constructor checks and converts what a user passes. The result of a product of valid
    operands is valid, so `unchecked` stores it as it is.
    """

    __match_args__: ClassVar[tuple[str, ...]]

    @classmethod
    def unchecked(cls, *fields: Any) -> Self:
        """Return an instance with these fields, without a call of `__post_init__`.

        Fields are in the order of the dataclass, valid and converted; the last may be left out,
        which keeps their defaults.

        Examples
        --------
        >>> from jacchain.jacobians.structure import Structure
        >>> Structure.unchecked((2, 3))
        Structure(shape=(2, 3), kind='dense')
        """
        instance = object.__new__(cls)
        for name, value in zip(cls.__match_args__, fields, strict=False):
            object.__setattr__(instance, name, value)
        return instance
