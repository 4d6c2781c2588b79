"""BLAS: its threads, limited before numpy loads or afterwards and verified, and its kernels.

The variables of `thread_environment` limit pools that are not loaded yet; `pin_threads` limits
loaded pools, and verifies that they obey.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from jacchain.limits import allowed_cores, usable_cores

_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)

_FORCING = (  # variables that put other kernels in the place of those that a library would choose
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_BLOCK_FACTOR",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_CBWR",
    "BLIS_ARCH_TYPE",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
)


def thread_environment(n: int) -> dict[str, str]:
    """Return the environment variables that give every BLAS `n` threads.

    They take effect only in a process that starts with them, before numpy loads.

    Examples
    --------
    >>> thread_environment(1)["OPENBLAS_NUM_THREADS"]
    '1'
    """
    _check_positive(n)
    return dict.fromkeys(_VARIABLES, str(n))


def confine(n: int) -> None:
    """Restrict this process and its children to `n` cores, for libraries without a thread limit.

    Raises ValueError if `n` is below one, or above the cores that this process may use. Raises
    RuntimeError if `n` is below the cores that this process may use, and the system can't restrict
    it.
    """
    _check_usable(n)
    if n == (cores := allowed_cores()):
        return
    if not hasattr(os, "sched_setaffinity"):
        message = f"can't restrict a process to {n} of {cores} cores here; use {cores} threads"
        raise RuntimeError(message)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def pin_threads(n: int) -> bool:
    """Limit every loaded BLAS to `n` threads, and verify that it obeys.

    Returns whether it is verified: False if this BLAS shows no pool (Apple's Accelerate), so that
    only `thread_environment` limits it.

    Raises ValueError if `n` is below one, or above the cores that this process may use. Raises
    RuntimeError if a pool kept another number of threads.
    """
    _check_usable(n)
    threadpoolctl.threadpool_limits(limits=n, user_api="blas")
    pools = _blas_pools()
    for pool in pools:
        if (kept := pool["num_threads"]) != n:
            remedy = f"set {', '.join(_VARIABLES[:3])} to {n} before Python starts"
            message = f"{_describe(pool)} kept {kept} threads instead of {n}; {remedy}"
            raise RuntimeError(message)
    return bool(pools)


def forced_kernels() -> list[str]:
    """Return the settings of this process's environment that decide which kernels multiply.

    Each is written as ``"OPENBLAS_CORETYPE=Haswell"``. What such a process measures says little
    about the machine: its BLAS, left alone, chooses the kernels for its processor.
    """
    return [f"{name}={os.environ[name]}" for name in _FORCING if os.environ.get(name)]


def blas_description() -> str:
    """Return numpy's BLAS as "name version architecture", without what is unknown."""
    pools = _blas_pools()
    if pools:
        return _describe(min(pools, key=_numpys_first))
    config: Any = np.show_config(mode="dicts")
    built_with = config.get("Build Dependencies", {}).get("blas", {})
    return f"{built_with.get('name', 'unknown')} {built_with.get('version', '')}".strip()


def _blas_pools() -> list[dict[str, Any]]:
    """Return what threadpoolctl reports about every loaded BLAS."""
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]


def _numpys_first(pool: dict[str, Any]) -> tuple[bool, str]:
    """Return a sort key that puts numpy's BLAS before other libraries' own."""
    path = pool.get("filepath", "")
    return not path.startswith(str(Path(np.__file__).parent)), path


def _describe(pool: dict[str, Any]) -> str:
    """Return the pool's library, version and kernel architecture, without what is unknown."""
    parts = (pool["internal_api"], pool.get("version"), pool.get("architecture"))
    return " ".join(part for part in parts if part)


def _check_positive(n: int) -> None:
    """Raise ValueError unless `n` is at least 1."""
    if n < 1:
        message = f"{n} BLAS threads; expected at least 1"
        raise ValueError(message)


def _check_usable(n: int) -> None:
    """Raise ValueError unless `n` is 1 to as many cores as this process may use."""
    _check_positive(n)
    if n > (cores := usable_cores()):
        message = f"{n} BLAS threads; expected at most {cores}, the cores of this process"
        raise ValueError(message)
