"""The most memory that a call allocates."""

import tracemalloc
from collections.abc import Callable


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
