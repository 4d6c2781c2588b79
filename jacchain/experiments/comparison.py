"""What is measured beside dense chains: two ways of doing the same work, in pairs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.cost import Cost
from jacchain.experiments.cells import Dims

Result = NDArray[Any] | Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Way:
    """One way of doing it. `prepare` builds what is there before the call, and returns the call."""

    name: str
    work: Cost
    prepare: Callable[[], Callable[[], Result]]


@dataclass(frozen=True)
class Comparison:
    """Two ways of doing the same work.

    Attributes
    ----------
    name
        Unique, the claim first: "C7 loss-first, a batch of 64".
    dims
        Of the network at work, loss first.
    ways
        Of a dtype and a seed: both ways. What is large is made by `prepare`.
    sweep
        Comparisons of one sweep are visited one after the other.
    """

    name: str
    dims: Dims
    ways: Callable[[np.dtype[Any], int], tuple[Way, Way]]
    sweep: str = ""

    @property
    def id(self) -> str:
        """Its name in records."""
        return f"comparison:{self.name}"
