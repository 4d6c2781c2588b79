"""Thread limits reach every BLAS, and a BLAS that disobeys is reported."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from jacchain.limits import usable_cores
from jacchain.measuring import threads
from jacchain.measuring.environment import environment
from jacchain.measuring.threads import blas_description, pin_threads, thread_environment

POOL = {
    "user_api": "blas",
    "internal_api": "openblas",
    "version": "0.3.29",
    "architecture": "SkylakeX",
    "num_threads": 1,
}


@pytest.fixture(autouse=True)
def _threads_restored():
    with threadpoolctl.threadpool_limits():
        yield


@pytest.fixture
def loaded(monkeypatch):
    """A function that replaces the loaded libraries by pools."""

    def load(*pools):
        monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: list(pools))

    return load


def test_every_blas_is_addressed():
    environment = thread_environment(3)
    assert set(environment.values()) == {"3"}
    libraries = {f"{name}_NUM_THREADS" for name in ("OPENBLAS", "MKL", "OMP", "BLIS")}
    assert environment.keys() >= libraries | {"VECLIB_MAXIMUM_THREADS"}


@pytest.mark.parametrize("n", [1, usable_cores()])
def test_a_process_started_with_the_environment_has_that_many_threads(n):
    code = (
        "import numpy, threadpoolctl; "
        "print(*{p['num_threads'] for p in threadpoolctl.threadpool_info() "
        "if p['user_api'] == 'blas'} or {%d})"
    )
    child = subprocess.run(
        [sys.executable, "-c", code % n],
        env=os.environ | thread_environment(n),
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.split() == [str(n)]


@pytest.mark.parametrize("n", [usable_cores(), 1])
def test_pinned_pools_have_that_many_threads(n):
    pinned = pin_threads(n)
    pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
    assert pinned == bool(pools)
    assert {pool["num_threads"] for pool in pools} <= {n}


@pytest.mark.parametrize("n", [0, -2])
@pytest.mark.parametrize("function", [pin_threads, thread_environment])
def test_fewer_than_one_thread_is_refused(function, n):
    with pytest.raises(ValueError, match=f"{n} BLAS threads; expected at least 1"):
        function(n)


def test_more_threads_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    with pytest.raises(ValueError, match="5 BLAS threads; expected at most 4"):
        pin_threads(5)


def test_one_disobedient_pool_among_several_is_named(loaded):
    loaded(POOL, POOL | {"internal_api": "mkl", "version": "2024.1", "num_threads": 3})
    with pytest.raises(RuntimeError, match=r"mkl 2024\.1 SkylakeX kept 3 threads instead of 1"):
        pin_threads(1)


@pytest.mark.parametrize("pools", [(), (POOL, {"user_api": "openmp", "num_threads": 8})])
def test_only_blas_with_pools_is_called_verified(loaded, pools):
    loaded(*pools)
    assert pin_threads(1) is bool(pools)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (POOL, "openblas 0.3.29 SkylakeX"),
        ({"user_api": "blas", "internal_api": "mkl", "version": "2024.1"}, "mkl 2024.1"),
        (POOL | {"version": None, "architecture": None}, "openblas"),
    ],
)
def test_the_description_omits_what_is_unknown(loaded, pool, expected):
    loaded({"user_api": "openmp", "internal_api": "openmp"}, pool)
    assert blas_description() == expected


@pytest.mark.parametrize("backwards", [False, True])
def test_numpys_own_blas_is_described_in_any_order(loaded, backwards):
    site = Path(np.__file__).parents[1]
    pools = [
        POOL | {"filepath": str(site / "numpy.libs/openblas.so")},
        POOL | {"filepath": str(site / "a/first.so"), "version": "0.1"},
        POOL | {"filepath": str(site / "scipy.libs/openblas.so"), "version": "0.3.30"},
    ]
    loaded(*(reversed(pools) if backwards else pools))
    assert blas_description() == "openblas 0.3.29 SkylakeX"


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ({"blas": {"name": "accelerate", "version": "26"}}, "accelerate 26"),
        ({"blas": {"name": "accelerate"}}, "accelerate"),
        ({}, "unknown"),
    ],
)
def test_without_pools_the_build_of_numpy_is_described(loaded, monkeypatch, dependencies, expected):
    loaded()
    config = {"dicts": {"Build Dependencies": dependencies}}
    monkeypatch.setattr(np, "show_config", lambda mode: config[mode])
    assert blas_description() == expected


def test_settings_that_force_kernels_are_told(monkeypatch):
    for name in threads._FORCING:
        monkeypatch.delenv(name, raising=False)
    assert threads.forced_kernels() == environment()["forced_kernels"] == []
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("MKL_CBWR", "")
    assert (
        threads.forced_kernels() == environment()["forced_kernels"] == ["OPENBLAS_CORETYPE=Haswell"]
    )
