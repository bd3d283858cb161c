"""The clock that everything takes time from, handed in, so that tests can run days in seconds."""

from __future__ import annotations

import threading
import time as _time
from datetime import datetime, timezone
from typing import Callable, Protocol


class Clock(Protocol):
    """What the rest of the bridge asks of time. All figures are seconds."""

    def time(self) -> float:
        """Wall clock, Unix time: may be stepped by the system."""
        ...

    def monotonic(self) -> float:
        """Never goes back; for periods and limits."""
        ...

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        """Waits on a held condition; False when `timeout` passed first. Spurious wake-ups are allowed."""
        ...


def moment(seconds: float) -> str:
    """Unix time as ISO 8601 with the local offset, as the wire wants it."""
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone().isoformat(timespec="milliseconds")


class SystemClock:
    """The machine's own time."""

    def time(self) -> float:
        return _time.time()

    def monotonic(self) -> float:
        return _time.monotonic()

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        return condition.wait(timeout)


class ManualClock:
    """A clock that stands still until a test moves it.

    A waiter whose time has come is woken by `advance`; `sleepers` tells a test that all threads wait again.
    """

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._lock = threading.Lock()
        self._wall = start
        self._monotonic = 1000.0
        self._waiting: dict[int, tuple[float, threading.Condition]] = {}
        self._tickets = 0
        self._sleep = threading.Condition(self._lock)

    def time(self) -> float:
        with self._lock:
            return self._wall

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def step(self, seconds: float) -> None:
        """Steps the wall clock only, as an NTP correction does."""
        with self._lock:
            self._wall += seconds

    def advance(self, seconds: float) -> None:
        """Lets time pass for both clocks and wakes those whose wait has ended."""
        with self._lock:
            self._wall += seconds
            self._monotonic += seconds
            due = [c for end, c in self._waiting.values() if end <= self._monotonic]
        for condition in due:
            with condition:
                condition.notify_all()

    @property
    def sleepers(self) -> int:
        """How many threads wait in `wait` now."""
        with self._lock:
            return len(self._waiting)

    @property
    def next_wake(self) -> float | None:
        """Seconds until the time of the first waiter has come; None when nobody waits for a time."""
        with self._lock:
            ends = [end for end, _ in self._waiting.values() if end != float("inf")]
            return min(ends) - self._monotonic if ends else None

    def until(self, idle: Callable[[], bool], patience_s: float, look_s: float = 0.005) -> bool:
        """Waits until `idle` is true; False if it is not after `patience_s` of real time.

        It is looked at when a thread begins to wait, and every `look_s` for what changes in another way.
        """
        give_up = _time.monotonic() + patience_s
        while True:
            with self._lock:
                seen = self._tickets
            if idle():
                return True
            if _time.monotonic() > give_up:
                return False
            with self._lock:
                if self._tickets == seen:
                    self._sleep.wait(look_s)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        with self._lock:
            end = float("inf") if timeout is None else self._monotonic + timeout
            if end <= self._monotonic:
                return False
            self._tickets += 1
            ticket = self._tickets
            self._waiting[ticket] = (end, condition)
            self._sleep.notify_all()
        try:
            # The real time-out guards against an `advance` between registering and sleeping. The caller looks again
            # after it: a notification that comes together with a time-out is reported as a time-out, and would be lost.
            condition.wait(0.05)
            return self.monotonic() < end
        finally:
            with self._lock:
                del self._waiting[ticket]
