"""Energy per local day from running indexes, correct across restarts, outages, DST changes and resets.

Pure: the time is handed in. Energies are in Wh, times in Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

JITTER_WH = 1.0
"""Wh by which an index may step back: rounding."""
ESTIMATED_SPLIT_GAP_S = 7200.0
"""Seconds without readings over a midnight from which the split between the days is an estimate."""
MAX_GAP_DAYS = 31
"""Days without readings after which energy is no longer split between days."""


@dataclass(frozen=True)
class Began:
    """An index continues from another value: `index`, read at `at` (Unix time).

    `per_hour`: Wh that can flow in an hour. `slack`: Wh beyond that by which the index may still follow from the last
    one (its guard may have lost that one); None: it does not follow.
    """

    index: float
    at: float
    per_hour: float
    slack: float | None = None


@dataclass(frozen=True)
class Day:
    """A past day: `energy` in Wh; `estimated`: its end is an estimate; `whole`: counted from its beginning."""

    day: str
    energy: float
    estimated: bool
    whole: bool


@dataclass
class DayCounter:
    """One index. `read` takes a reading and returns the days that have ended since the previous one.

    Readings must have passed lifetimes.py. `today` is `carry + last - base`: `base` is the index at the origin,
    `carry` the energy counted before the index restarted.
    """

    day: str = ""
    base: float = 0.0
    carry: float = 0.0
    last: float | None = None
    last_time: float = 0.0
    best: float = 0.0
    whole: bool = False

    @property
    def today(self) -> float:
        """Energy since local midnight in Wh; never falls within a day."""
        return self.best

    @property
    def at_midnight(self) -> float | None:
        """The index at midnight, consistent with today's energy; None after a reset that leaves none."""
        anchor = (self.last or 0.0) - self.best
        return anchor if anchor >= 0 else None

    def read(self, index: float, now: float, zone: tzinfo, began: Began | None = None) -> list[Day]:
        """Takes a reading of the index at `now`. `began`: its new origin, if it does not follow from the last one."""
        today = _day(now, zone)
        if self.last is None:
            self.day, self.base, self.last, self.last_time = today.isoformat(), index, index, now
            return []
        # The clock was stepped back: energy is not dated before the last known day, unless that was in the future.
        self.last_time = min(self.last_time, now)
        if date.fromisoformat(self.day) > today + timedelta(days=1):
            self.day, self.whole = today.isoformat(), False
        if began is not None:
            self._begin(began)
        ended = self._midnight(index, now, zone) if today.isoformat() > self.day else []
        self.last = max(index, self.last)
        self.last_time = now
        self.best = max(self.best, self.carry + self.last - self.base)
        return ended

    def _begin(self, began: Began) -> None:
        """Starts from a new index (reset, other meter): the step is not energy, what it counted from zero is."""
        assert self.last is not None
        possible = began.per_hour * max(began.at - self.last_time, 0.0) / 3600
        if began.slack is not None and -JITTER_WH <= began.index - self.last <= possible + began.slack:
            return
        fresh = began.index if 0 <= began.index < self.last and began.index <= possible else 0.0
        self.carry += self.last - self.base + fresh
        self.base = self.last = began.index

    def _midnight(self, index: float, now: float, zone: tzinfo) -> list[Day]:
        """Splits the energy since the last reading between the days, in proportion to time."""
        assert self.last is not None
        gap = now - self.last_time
        flowed = max(0.0, index - self.last)
        ended = []
        at, day, today = self.last, date.fromisoformat(self.day), _day(now, zone)
        if (today - day).days > MAX_GAP_DAYS:
            self.base, self.carry, self.best, self.last = index, 0.0, 0.0, index
            self.day, self.whole = today.isoformat(), False
            return []
        while day < today:
            end = min(max(midnight(day + timedelta(days=1), zone), self.last_time), now)
            share = self.last + flowed * (end - self.last_time) / gap if gap > 0 else self.last
            energy = max(self.best, self.carry + share - self.base)
            ended.append(Day(day.isoformat(), energy, gap > ESTIMATED_SPLIT_GAP_S, self.whole))
            self.base, self.carry, self.best, self.whole, at = share, 0.0, 0.0, True, share
            day += timedelta(days=1)
        self.last = at
        self.day = today.isoformat()
        return ended


class DayCounters:
    """The counters of a gateway by name."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        self._counters: dict[str, DayCounter] = {}
        for name, state in (kept or {}).items():
            try:
                self._counters[name] = DayCounter(**{key: each for key, each in state.items() if key != "suspects"})
            except (TypeError, AttributeError):
                continue  # persisted by another version: the counter restarts

    def read(self, name: str, index: float, now: float, zone: tzinfo, began: Began | None = None) -> list[Day]:
        """Takes a reading of one counter; returns its days that have ended. See `DayCounter.read`."""
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = DayCounter()
        return counter.read(index, now, zone, began)

    def get(self, name: str) -> DayCounter | None:
        """Returns one counter; None before its first reading."""
        return self._counters.get(name)

    def state(self) -> dict[str, Any]:
        """State to persist."""
        return {name: asdict(counter) for name, counter in self._counters.items()}


@dataclass
class Integrator:
    """Integrates powers to an energy by trapezoids, without gaps, for meters that have no index."""

    energy: float = 0.0
    last: float | None = None
    last_time: float = 0.0

    def add(self, power: float, now: float, gap_s: float) -> float:
        """Takes a power in W; returns the energy so far in Wh.

        `gap_s`: seconds between readings beyond which the energy is unknown and not counted.
        """
        seconds = now - self.last_time
        if self.last is not None and 0 < seconds <= gap_s:
            self.energy += (self.last + power) / 2 * seconds / 3600
        self.last, self.last_time = power, now
        return self.energy


def midnight(day: date, zone: tzinfo) -> float:
    """Unix time at which a local day begins."""
    return datetime.combine(day, time.min, tzinfo=zone).timestamp()


def _day(moment: float, zone: tzinfo) -> date:
    return datetime.fromtimestamp(moment, zone).date()
