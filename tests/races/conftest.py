"""Threads that change places in the middle of the code under test, for tests that run them against each other."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Callable

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = (str(ROOT / "jeedom_bridge"), str(ROOT / "resources" / "daemon"))
SWITCH_S = 1e-6
PATIENCE_S = 20.0
EVERY = 20
"""One line in so many, by chance, a thread steps aside."""
ASIDE_S = (0.0, 1e-6, 2e-3)
"""For how long: another thread gets on by a line, by some, by whole steps."""

Race = Callable[..., None]


@pytest.fixture(autouse=True)
def hasty_threads() -> Iterator[None]:
    """The interpreter offers the processor to another thread as often as it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def race(request: pytest.FixtureRequest) -> Race:
    """Runs functions at the same moment, each in a thread of its own; raises what the first of them raised.

    The interval alone is not enough: a step of a few microseconds is over before the other thread is awake. So the
    threads step aside between lines of the daemon's own code, by chance (one line in `every`); which lines depends on
    the test's name.
    """
    chance = random.Random(request.node.name)

    def run(*functions: Callable[[], Any], every: int = EVERY) -> None:
        def step(frame: FrameType, event: str, argument: Any) -> Any:
            if not frame.f_code.co_filename.startswith(OURS):
                return None
            if event == "line" and chance.random() * every < 1.0:
                time.sleep(chance.choice(ASIDE_S))
            return step

        errors: list[BaseException] = []
        line = threading.Barrier(len(functions))

        def runner(function: Callable[[], Any]) -> None:
            try:
                line.wait(PATIENCE_S)
                sys.settrace(step)
                function()
            except BaseException as error:
                errors.append(error)
            finally:
                sys.settrace(None)

        threads = [threading.Thread(target=runner, args=(each,), daemon=True) for each in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a thread hangs"
        if errors:
            raise errors[0]

    return run
