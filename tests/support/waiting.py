"""Waiting for something to become true, where no event can be awaited."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")


def until(probe: Callable[[], T], timeout: float = 5.0, what: str = "it") -> T:
    """What `probe` returns once that is true. Fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(0.005)
