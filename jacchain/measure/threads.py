"""BLAS threads: set before numpy loads, set again afterwards, and verified.

The variables of `thread_environment` rule pools that are not loaded yet;
`pin_threads` rules those that are, and looks whether they obeyed.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

__all__ = ["blas_description", "confine", "pin_threads", "thread_environment", "usable_cores"]

_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def thread_environment(n: int) -> dict[str, str]:
    """Return the environment variables that give every BLAS `n` threads.

    They take effect only in a process that starts with them, before numpy loads.

    Raises
    ------
    ValueError
        If `n` is below one.

    Examples
    --------
    >>> thread_environment(1)["OPENBLAS_NUM_THREADS"]
    '1'
    """
    _check_positive(n)
    return dict.fromkeys(_VARIABLES, str(n))


def confine(n: int) -> None:
    """Leave this process and what it starts `n` of its cores, for libraries that can't be told.

    Raises
    ------
    ValueError
        If `n` is below one, or above the cores that this process may use.
    RuntimeError
        If it is below, and this system can't confine a process.
    """
    _check_positive(n)
    cores = usable_cores()
    if n > cores:
        msg = f"{n} cores; expected at most {cores}, those that this process may use"
        raise ValueError(msg)
    if n == cores:
        return
    if not hasattr(os, "sched_setaffinity"):
        msg = f"can't leave a process {n} of {cores} cores here; measure with {cores} threads"
        raise RuntimeError(msg)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def pin_threads(n: int) -> bool:
    """Give every loaded BLAS `n` threads, and verify that it took them.

    Returns
    -------
    bool
        True when every pool was seen to have `n` threads; False when this BLAS
        shows no pool (Apple's Accelerate), and only `thread_environment` rules it.

    Raises
    ------
    ValueError
        If `n` is below one, or above the cores that this process may use.
    RuntimeError
        If a pool kept another number of threads.

    Examples
    --------
    >>> pin_threads(0)
    Traceback (most recent call last):
    ...
    ValueError: 0 BLAS threads; at least 1 is needed
    """
    _check_positive(n)
    if n > (cores := usable_cores()):
        msg = f"{n} BLAS threads, but this process may use {cores} cores; ask for at most {cores}"
        raise ValueError(msg)
    threadpoolctl.threadpool_limits(limits=n, user_api="blas")
    pools = _blas_pools()
    for pool in pools:
        if pool["num_threads"] != n:
            msg = (
                f"{_describe(pool)} kept {pool['num_threads']} threads where {n} were asked for; "
                f"set {', '.join(_VARIABLES[:3])} to {n} before Python starts"
            )
            raise RuntimeError(msg)
    return bool(pools)


def usable_cores() -> int:
    """Return the number of logical cores that this process may use.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def blas_description() -> str:
    """Return numpy's BLAS as "name version architecture", as far as it tells.

    Examples
    --------
    >>> len(blas_description()) > 0
    True
    """
    pools = _blas_pools()
    if pools:
        return _describe(min(pools, key=_numpys_first))
    config: Any = np.show_config(mode="dicts")
    built_with = config.get("Build Dependencies", {}).get("blas", {})
    return f"{built_with.get('name', 'unknown')} {built_with.get('version', '')}".strip()


def _blas_pools() -> list[dict[str, Any]]:
    """Return what threadpoolctl knows of each loaded BLAS."""
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def _numpys_first(pool: dict[str, Any]) -> tuple[bool, str]:
    """Return a sort key: scipy may load a BLAS of its own, and threadpoolctl lists them anyhow."""
    path = pool.get("filepath", "")
    return not path.startswith(str(Path(np.__file__).parent)), path


def _describe(pool: dict[str, Any]) -> str:
    """Return the pool's library, version and kernel architecture, as far as known."""
    parts = (pool["internal_api"], pool.get("version"), pool.get("architecture"))
    return " ".join(part for part in parts if part)


def _check_positive(n: int) -> None:
    """Raise unless `n` threads can be had at all."""
    if n < 1:
        msg = f"{n} BLAS threads; at least 1 is needed"
        raise ValueError(msg)
