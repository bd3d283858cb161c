"""Waiting for something to become true, where no event can be awaited."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")

PATIENCE_S = 30.0
"""The shortest wait for what must come: a busy machine needs ten times as long. It costs failures only."""


def until(probe: Callable[[], T], timeout: float = 5.0, what: str = "it") -> T:
    """What `probe` returns once that is true. Fails after `timeout` seconds, and never before `PATIENCE_S`."""
    timeout = max(timeout, PATIENCE_S)
    end = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(0.005)
