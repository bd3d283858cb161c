"""Waiting for something to become true, where no event can be awaited."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")

PATIENCE_S = 30.0
"""The shortest wait for what must come: a busy machine needs ten times as long. It costs failures only."""


def pause(since: float, least: float, most: float = 0.05) -> None:
    """Sleeps a tenth of the time that has passed since `since` (monotonic), within these limits, all in seconds.

    Looking takes the processor from those who work, for what takes long most of all.
    """
    time.sleep(min(most, max(least, (time.monotonic() - since) / 10)))


def until(probe: Callable[[], T], timeout: float = 5.0, what: str = "it") -> T:
    """What `probe` returns once that is true. Fails after `timeout` seconds, and never before `PATIENCE_S`."""
    timeout = max(timeout, PATIENCE_S)
    begun = time.monotonic()
    end = begun + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        pause(begun, 0.002)
