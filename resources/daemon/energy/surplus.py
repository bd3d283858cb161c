"""How much power is left over for what is controlled, and how long it has been enough.

Pure. Powers in W (grid + draws, battery + discharges), times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median

RESERVE_W = 50.0
"""What is left to the grid so that a rounded set-point does not import."""
WINDOW_S, RESTLESS_WINDOW_S = 20.0, 5.0
"""A raise trusts the least surplus of so many seconds; under a sky of clouds the sun lasts too short to wait longer."""
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

    def least(self, seconds: float = WINDOW_S) -> float | None:
        """The least median of the last `seconds`, at most 20; None before they are complete."""
        if len(self._steady) < 2:
            return None
        newest, found = self._steady[-1]
        for at, value in reversed(self._steady):
            found = min(found, value)
            if newest - at >= seconds:
                return found
        return None

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
class Sky:
    """Whether the surplus has fallen lately, by clouds or by the house: what falls once will fall again.

    A first fall is met with patience, since it may be a kettle. After it the price of patience is known: each fall that
    is followed late is drawn from the grid, and each stop for a cloud loses the sun after it.
    """

    FALL_W = 300.0
    PROVEN_S = 20.0
    """A fall says something about the next one, not about itself."""
    REMEMBERED_S = 3600.0
    FLICKER, FLICKER_S = 3, 60.0
    """So many falls in so many seconds: it changes faster than a car can follow."""

    _highest: float = -math.inf
    _falls: deque[float] = field(default_factory=deque)

    def add(self, now: float, steady: float) -> None:
        """Takes a median of the surplus."""
        self._highest = max(self._highest, steady)
        if steady <= self._highest - self.FALL_W:
            self._highest = steady
            self._falls.append(now)
        while self._falls and self._falls[0] < now - self.REMEMBERED_S:
            self._falls.popleft()

    def restless(self, now: float) -> bool:
        """Whether falls are to be expected."""
        return bool(self._falls) and self._falls[0] <= now - self.PROVEN_S

    def window(self, now: float) -> float:
        """Seconds of surplus that a raise trusts: few when it comes and goes, many in calm and when it flickers."""
        flickers = len(self._falls) >= self.FLICKER and self._falls[-self.FLICKER] > now - self.FLICKER_S
        return RESTLESS_WINDOW_S if self.restless(now) and not flickers else WINDOW_S


@dataclass
class Deficit:
    """What a running charge has been given too little of: grows while the sun is not enough, is paid back when it is.

    Stopping by energy instead of a delay means: soon when the sun is gone, late when a little is missing.
    """

    STOP_WS, RESTLESS_STOP_WS = 70.0 * 3600, 100.0 * 3600
    """Under a restless sky a charge waits longer: a stop costs what five minutes of sun give."""
    LEAST_S, LEAST_BOUND_S = 60.0, 20.0
    MOST_S = 900.0

    value: float = 0.0
    lasting: Lasting = field(default_factory=Lasting)
    bound: bool = False
    """Whether it is the user's bound on the grid's share that decides."""
    _most: float = STOP_WS

    def add(
        self,
        now: float,
        seconds: float,
        needed: float,
        available: float,
        steady: float,
        restless: bool = False,
        left: float = math.inf,
    ) -> bool:
        """Takes `seconds` with a surplus of `available` (raw; `steady`: its median); True when it is time to stop.

        `left`: Ws that may still be drawn from the grid.
        """
        if self.lasting.since is None:
            usual = self.RESTLESS_STOP_WS if restless else self.STOP_WS
            self.bound, self._most = left < usual, min(usual, left)
        self.value = max(0.0, self.value + (needed - available) * seconds)
        short = self.lasting.update(now, steady < needed)
        least = self.LEAST_BOUND_S if self.bound else self.LEAST_S
        return (self.value >= self._most and short >= least) or short >= self.MOST_S

    def short_for(self, now: float) -> float:
        """Seconds for which the sun has not been enough."""
        return 0.0 if self.lasting.since is None else now - self.lasting.since

    def seconds_left(self, now: float, missing: float) -> float:
        """Seconds until it is time to stop, if `missing` W stay missing."""
        short, least = self.short_for(now), self.LEAST_BOUND_S if self.bound else self.LEAST_S
        by_energy = max((self._most - self.value) / missing, least - short) if missing > 0 else math.inf
        return max(0.0, min(by_energy, self.MOST_S - short))

    def clear(self) -> None:
        """A new charge begins."""
        self.value = 0.0
        self.lasting.clear()


@dataclass
class Account:
    """What solar charging has drawn in all, and of that from the grid, since the car was plugged in. In Ws."""

    LEAST_WS = 5.0 * 3600
    """A cloud may always cost so much: a stop for less would wear the car's contactor for nothing."""
    AIM = 0.8
    """Part of the bound that is planned with: falls that nothing can foresee take the rest."""

    charged: float = 0.0
    imported: float = 0.0

    def add(self, seconds: float, drawn: float, available: float) -> None:
        """Takes `seconds` of a charge that draws `drawn` W with a surplus of `available` W."""
        self.charged += drawn * seconds
        self.imported += min(drawn, max(0.0, drawn - available - RESERVE_W)) * seconds

    def left(self, share: float | None) -> float:
        """What may still come from the grid, if its share (0 to 1) is bounded."""
        return math.inf if share is None else max(self.LEAST_WS, self.AIM * share * self.charged - self.imported)

    def clear(self) -> None:
        """Another car."""
        self.charged = self.imported = 0.0
