"""What the tests of faults share: one seed for all that is random, and bounds."""

import os
import resource

import psutil
import pytest

SEED = int(os.environ.get("FAULTS_SEED", "0"))
ROOM = 2**30


def pytest_report_header():
    return f"faults seed: {SEED} (set by FAULTS_SEED)"


@pytest.fixture
def faults_seed():
    return SEED


@pytest.fixture
def bounded_memory():
    """Let this process grow by a GiB at most: what takes more fails, and nothing else suffers."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
