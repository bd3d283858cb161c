"""Off-peak hours learnt from the meter: which of its indexes grows when.

Pure. Every house has its own hours, given by the distributor, often two windows and two seasons: nobody has to type
them. Moments are Unix time, hours are local. A window is sure once it was seen on three days alike; what a day does
not show (nothing was drawn) contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from .tariff import SUMMER

STEP_MINUTES = 5
STEPS = 24 * 60 // STEP_MINUTES
DAYS_ALIKE = 3
"""So many days must say the same of a time of day."""
LEAST_KNOWN = 0.8
"""Share of the day that must be known before windows are named."""
MOST_DAYS = 20
"""What is older than so many observations gives way: the distributor changes hours."""
MOST_GAP_S = 60.0 * STEP_MINUTES
"""Growth over a longer time tells no time of day."""
HOURS = (4.0, 10.0)
"""Off-peak hours a day in all that can be true; eight is the rule."""


@dataclass
class OffPeakLearner:
    """By season and five minutes of the day, how often the meter counted off-peak (`hc`) and how often not."""

    zone: tzinfo
    seen: dict[str, list[list[int]]] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _at: float = 0.0

    def observe(self, indexes: Mapping[str, float], at: float) -> None:
        """Takes the indexes (Wh) of the periods of a meter, by part ("hp", "hc", "blue.hp", ...), at a moment."""
        grown = {part: value - self._last[part] for part, value in indexes.items() if part in self._last}
        before, self._at, self._last = self._at, at, dict(indexes)
        moving = {part.split(".")[-1] for part, growth in grown.items() if growth > 0}
        if len(moving) == 1 and 0 < at - before <= MOST_GAP_S and not any(growth < 0 for growth in grown.values()):
            self._note(moving.pop() == "hc", (before + at) / 2)

    def _note(self, off_peak: bool, at: float) -> None:
        local = datetime.fromtimestamp(at, self.zone)
        counts = self.seen.get(season(local))
        if counts is None:
            counts = self.seen[season(local)] = [[0, 0, 0] for _ in range(STEPS)]
        count = counts[(60 * local.hour + local.minute) // STEP_MINUTES]
        day = local.toordinal()
        if count[2] == day:
            return
        count[2] = day
        count[off_peak] += 1
        if count[0] + count[1] > MOST_DAYS:
            count[not off_peak] = max(0, count[not off_peak] - 1)
            count[off_peak] -= 1

    def windows(self, name: str) -> list[str] | None:
        """The off-peak windows of a season ("22:00-06:00", ...); None until they are sure."""
        counts = self.seen.get(name)
        if counts is None:
            return None
        sure = [_majority(count) for count in counts]
        if sum(each is not None for each in sure) < LEAST_KNOWN * STEPS:
            return None
        filled = _filled(sure)
        hours = sum(filled) * STEP_MINUTES / 60
        if not HOURS[0] <= hours <= HOURS[1]:
            return None
        return _windows(filled)

    def hours(self) -> dict[str, list[str]] | None:
        """Both seasons, as `OffPeakHours.parse` takes them; one that is not known yet is like the other."""
        winter, summer = self.windows("winter"), self.windows("summer")
        if winter is None and summer is None:
            return None
        return {"winter": winter or summer or [], "summer": summer or winter or []}

    def state(self) -> dict[str, Any]:
        """What is kept over a restart."""
        return {"seen": self.seen, "last": self._last}

    def restore(self, state: Any) -> None:
        """Takes over what `state` gave; anything else is left out."""
        try:
            seen = {str(name): [[int(n) for n in count] for count in counts] for name, counts in state["seen"].items()}
            last = {str(part): float(value) for part, value in state["last"].items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            return
        if all(len(counts) == STEPS and all(len(count) == 3 for count in counts) for counts in seen.values()):
            self.seen, self._last = seen, last


def season(local: datetime) -> str:
    """The season of off-peak hours."""
    return "summer" if SUMMER[0] <= local.month <= SUMMER[1] else "winter"


def _majority(count: list[int]) -> bool | None:
    peak, off_peak, _ = count
    if max(peak, off_peak) < DAYS_ALIKE:
        return None
    return off_peak > peak


def _filled(sure: list[bool | None]) -> list[bool]:
    """What is not known is as the time before it: a period ends where another has been seen to begin."""
    known = [each for each in sure if each is not None]
    last = next((each for each in reversed(sure) if each is not None), known[0])
    result = []
    for each in sure:
        last = last if each is None else each
        result.append(last)
    return result


def _windows(filled: list[bool]) -> list[str]:
    if all(filled) or not any(filled):
        return []
    begins = [place for place in range(STEPS) if filled[place] and not filled[place - 1]]
    windows = []
    for begin in begins:
        end = begin
        while filled[end % STEPS]:
            end += 1
        windows.append(f"{_clock(begin)}-{_clock(end % STEPS)}")
    return windows


def _clock(step: int) -> str:
    hours, minutes = divmod(step * STEP_MINUTES, 60)
    return f"{hours:02d}:{minutes:02d}"
