"""How much power is left over for what is controlled, and how long it has been enough.

Pure. Powers in W (grid + draws, battery + discharges), times in seconds of a clock that never steps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

RESERVE_W = 50.0
"""What is left to the grid so that a rounded set-point does not import."""
WINDOW_S = 20.0
"""A raise trusts the least surplus of so many seconds."""
GAP_S = 10.0
"""A shorter dip does not count against a surplus that has lasted."""


def surplus(controlled: float, grid: float, battery: float, battery_first: bool, reserve: float = RESERVE_W) -> float:
    """What controlled consumers could draw in all without importing.

    `controlled`: what they draw now. With `battery_first` the battery's charging is not available to them; its
    discharging always lowers the surplus, so that it never feeds a car.
    """
    return controlled - grid - (max(battery, 0.0) if battery_first else battery) - reserve


@dataclass
class SurplusHistory:
    """The newest samples of a surplus: a median of three, which kills single spikes, and the least over a window."""

    _raw: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    _steady: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, now: float, value: float) -> float:
        """Takes a sample; returns the median of the last three."""
        self._raw.append(value)
        steady = median(self._raw)
        self._steady.append((now, steady))
        while len(self._steady) > 1 and self._steady[1][0] <= now - WINDOW_S:
            self._steady.popleft()  # the oldest is as old as the window, or older: samples come at any pace
        return steady

    def least(self) -> float | None:
        """The least median of the last 20 s; None before they are complete."""
        if len(self._steady) < 2 or self._steady[-1][0] - self._steady[0][0] < WINDOW_S:
            return None
        return min(value for _, value in self._steady)

    def clear(self) -> None:
        """What was seen before no longer counts (the meter was silent)."""
        self._raw.clear()
        self._steady.clear()


@dataclass
class Lasting:
    """For how long a condition has held; with `gap_s`, shorter interruptions do not count."""

    gap_s: float = 0.0
    since: float | None = None
    _broken: float | None = None

    def update(self, now: float, holds: bool) -> float:
        """Takes the condition of a sample; returns the seconds for which it has held."""
        if holds:
            self._broken = None
            if self.since is None:
                self.since = now
        elif self.since is not None:
            if self._broken is None:
                self._broken = now
            if now - self._broken >= self.gap_s:
                self.since = self._broken = None
        return 0.0 if self.since is None else now - self.since

    def clear(self) -> None:
        """It begins anew."""
        self.since = self._broken = None


@dataclass
class Deficit:
    """What a running charge has been given too little of: grows while the sun is not enough, is paid back when it is.

    Stopping by energy instead of a delay means: soon when the sun is gone, late when a little is missing.
    """

    STOP_WS = 70.0 * 3600
    LEAST_S = 60.0
    MOST_S = 900.0

    value: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)

    def add(self, now: float, seconds: float, needed: float, available: float, steady: float) -> bool:
        """Takes `seconds` with a surplus of `available` (raw; `steady`: its median); True when it is time to stop."""
        self.value = max(0.0, self.value + (needed - available) * seconds)
        short = self.lasting.update(now, steady < needed)
        return (self.value >= self.STOP_WS and short >= self.LEAST_S) or short >= self.MOST_S

    def clear(self) -> None:
        """A new charge begins."""
        self.value = 0.0
        self.lasting.clear()
