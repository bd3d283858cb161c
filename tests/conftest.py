"""What all tests share: the repository's root is importable, and long forms are asked for by a variable."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

MEMORY = Path("/dev/shm")
ROOM = 48 << 20
"""Bytes that must be free there: four times what tests have at a time. Containers often have 64 MiB."""


settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("full", deadline=None, max_examples=1000)
settings.load_profile("full" if os.environ.get("JEENERGIE_FIRE") == "full" else "same")
# The same examples in each run, so that a run says what a change has done; the long form looks for new ones.


def pytest_configure(config: pytest.Config) -> None:
    """Puts temporary files into memory, unless TMPDIR says where: the store waits for the disk at each write.

    Three times, for 5 to 50 ms in all. What a killed process has written is there as it is on a disk.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        found = os.statvfs(MEMORY)
        if found.f_bavail * found.f_frsize >= ROOM:
            os.environ["TMPDIR"] = str(MEMORY)
            tempfile.tempdir = None  # asked for anew


def pytest_collection_finish() -> None:
    """Takes the tests themselves, some million objects, out of what the garbage collection looks through."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets half of the workers begin with the tests that wait for long, so that the others run beside them."""
    items[:] = begun_with_slow(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def begun_with_slow(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """`items` in as many equal parts, as xdist hands them out at first; every other one begins with its slow tests.

    The other half keeps the processors busy meanwhile.
    """
    slow = [each for each in items if each.get_closest_marker("slow")]
    if workers < 2 or not slow:
        return items
    others = [each for each in items if not each.get_closest_marker("slow")]
    result: list[pytest.Item] = []
    for worker in range(workers):
        mine = [] if worker % 2 else slow[worker // 2 :: (workers + 1) // 2]
        rest = max(0, (len(items) - len(result)) // (workers - worker) - len(mine))
        result += mine + others[:rest]
        del others[:rest]
    return result + others


@pytest.fixture
def server() -> Iterator[object]:
    """A recording stand-in for Jeedom's callback address."""
    from tests.support.callback_server import CallbackServer

    with CallbackServer() as running:
        yield running


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[object]:
    """Starts daemons with the test backend; ends those that are still there."""
    from tests.support.process import Lab

    with Lab(tmp_path, cold=request.node.get_closest_marker("cold") is not None) as running:
        yield running


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    level, handlers, factory = root.level, list(root.handlers), logging.raiseExceptions
    yield root
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.raiseExceptions = factory
    logging.captureWarnings(False)
