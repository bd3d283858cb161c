"""The time of a simulated device: real, faster, or moved by hand.

Every simulator takes a `Clock`: anything callable without arguments that returns epoch seconds, such as
`time.time` or a `SimulatedClock`.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

Clock = Callable[[], float]


class SimulatedClock:
    """A clock that starts at `epoch` and runs `speed` times as fast as the real one (0: only by hand)."""

    def __init__(self, epoch: Optional[float] = None, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._speed = speed
        self._base = time.time() if epoch is None else epoch
        self._mark = time.monotonic()

    def __call__(self) -> float:
        """Epoch seconds of this clock."""
        with self._lock:
            return self._now()

    def _now(self) -> float:
        return self._base + (time.monotonic() - self._mark) * self._speed

    @property
    def speed(self) -> float:
        """Seconds of this clock per real second."""
        return self._speed

    def set(self, epoch: Optional[float] = None, speed: Optional[float] = None) -> None:
        """Jump to `epoch` (epoch seconds) and, or, change the speed from now on."""
        with self._lock:
            self._base = self._now() if epoch is None else epoch
            self._mark = time.monotonic()
            if speed is not None:
                self._speed = speed

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` at once."""
        with self._lock:
            self._base += seconds
