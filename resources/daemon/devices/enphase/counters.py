"""Energy per local day from indexes that run for ever: right across restarts, outages, DST days and resets.

Pure: the time is handed in. All energies in Wh, all moments in Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

JITTER = 1.0
"""Wh that an index may step back without it being a reset."""
MAX_POWER = 37_500.0
"""W that no house connection passes: half as much again as 25 kW."""
LEAST_JUMP = 1000.0
"""Wh that are never called implausible, however short the time."""
PATIENCE = 3
"""Readings that must agree before an implausible jump is taken for a new index."""
WEEK = 7
LONG_GAP = 7200.0
"""Seconds of silence over a midnight from which the split between the two days is an estimate."""


@dataclass
class Day:
    """A finished day: its energy, and whether its end is an estimate."""

    day: str
    energy: float
    estimated: bool


@dataclass
class DayCounter:
    """One index. `read` takes a reading and returns the days that have ended since the one before."""

    day: str = ""
    base: float = 0.0
    carry: float = 0.0
    last: float | None = None
    last_time: float = 0.0
    best: float = 0.0
    since_midnight: bool = False
    suspects: list[float] = field(default_factory=list)
    week: list[list[Any]] = field(default_factory=list)

    @property
    def today(self) -> float:
        """Energy since local midnight; never falls within a day."""
        return self.best

    def last_days(self) -> float | None:
        """Energy of the seven days before today; None while fewer are known."""
        return sum(float(energy) for _, energy in self.week) if len(self.week) >= WEEK else None

    def read(self, index: float, now: float, zone: tzinfo) -> list[Day]:
        """Takes a reading of the index at `now`."""
        if self.last is None:
            self.day, self.base, self.last, self.last_time = _day(now, zone), index, index, now
            return []
        if now < self.last_time:
            # The machine's clock went back: energy has no date before the last known one.
            self.last_time = now
        if not self._plausible(index, now):
            return []
        ended = self._midnight(index, now, zone) if _day(now, zone) > self.day else []
        assert self.last is not None
        if index < self.last - JITTER:
            self.carry += self.last - self.base
            self.base = index
            self.last = index
        self.last = max(index, self.last)
        self.last_time = now
        self.best = max(self.best, self.carry + self.last - self.base)
        return ended

    def _plausible(self, index: float, now: float) -> bool:
        assert self.last is not None
        limit = max(LEAST_JUMP, MAX_POWER * (now - self.last_time) / 3600)
        if index - self.last <= limit:
            self.suspects.clear()
            return True
        if self.suspects and abs(index - self.suspects[-1]) > limit:
            self.suspects.clear()
        self.suspects.append(index)
        if len(self.suspects) < PATIENCE:
            return False
        # A new index (another meter, a lost counter): the jump itself is no energy.
        self.base += self.suspects[0] - self.last
        self.last = self.suspects[0]
        self.suspects.clear()
        return True

    def _midnight(self, index: float, now: float, zone: tzinfo) -> list[Day]:
        """Splits what flowed since the last reading between the days, in proportion to the time."""
        assert self.last is not None
        gap = now - self.last_time
        flowed = max(0.0, index - self.last) if index >= self.last - JITTER else 0.0
        ended = []
        day = date.fromisoformat(self.day)
        today = date.fromisoformat(_day(now, zone))
        at = self.last
        while day < today:
            end = min(midnight(day + timedelta(days=1), zone), now)
            share = self.last + flowed * (end - self.last_time) / gap if gap > 0 else self.last
            energy = max(self.best, self.carry + share - self.base)
            ended.append(Day(day.isoformat(), energy, gap > LONG_GAP))
            self.week = [*self.week, [day.isoformat(), energy]][-WEEK:]
            self.base, self.carry, self.best, at = share, 0.0, 0.0, share
            day += timedelta(days=1)
        self.last = at
        self.day = today.isoformat()
        self.since_midnight = True
        return ended


class DayCounters:
    """The counters of a gateway by name, as they are kept in the store."""

    def __init__(self, kept: Mapping[str, Any] | None) -> None:
        self._counters: dict[str, DayCounter] = {}
        for name, state in (kept or {}).items():
            try:
                self._counters[name] = DayCounter(**state)
            except TypeError:
                continue  # kept by another version: the counter starts anew

    def read(self, indexes: Mapping[str, float], now: float, zone: tzinfo) -> dict[str, list[Day]]:
        """Takes readings by name; returns the days that have ended, by name."""
        ended = {}
        for name, index in indexes.items():
            days = self._counters.setdefault(name, DayCounter()).read(index, now, zone)
            if days:
                ended[name] = days
        return ended

    def get(self, name: str) -> DayCounter | None:
        """One counter; None before its first reading."""
        return self._counters.get(name)

    def state(self) -> dict[str, Any]:
        """What is to be kept."""
        return {name: asdict(counter) for name, counter in self._counters.items()}


@dataclass
class Integrator:
    """An energy made of powers, for meters without an index: trapezoids, gaps of over five minutes left out."""

    energy: float = 0.0
    last: float | None = None
    last_time: float = 0.0

    GAP = 300.0

    def add(self, power: float, now: float) -> float:
        """Takes a power in W; returns the energy so far."""
        seconds = now - self.last_time
        if self.last is not None and 0 < seconds <= self.GAP:
            self.energy += (self.last + power) / 2 * seconds / 3600
        self.last, self.last_time = power, now
        return self.energy


def midnight(day: date, zone: tzinfo) -> float:
    """When a local day begins."""
    return datetime.combine(day, time.min, tzinfo=zone).timestamp()


def _day(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).date().isoformat()
