"""Time slots of measures. Netatmo counts slots from the requested begin, so every request begins on the same grid.

Pure functions; moments are Unix seconds (whole), zones are IANA names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

STEPS = {"30min": 1800, "1hour": 3600, "3hours": 10800, "1day": 86400}
PAGE_DAYS = {"30min": 21, "1hour": 42, "3hours": 120, "1day": 1000}
"""Whole days that one request can hold: at most 1024 slots, on a day of 25 hours too."""


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The zone of that name; Europe/Paris for one that is not known."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError, TypeError):
        return ZoneInfo("Europe/Paris")


def local(at: float, name: str) -> datetime:
    """A moment on the clock of a zone."""
    return datetime.fromtimestamp(at, zone(name))


def midnight(at: float, name: str, days: int = 0) -> int:
    """The local midnight before a moment, or that many days later (days have 23 to 25 hours)."""
    day = local(at, name).date() + timedelta(days=days)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(name)).timestamp())


def aligned(at: float, scale: str, name: str) -> int:
    """The start of the slot that holds a moment.

    Slots shorter than a day are counted from midnight in standard time, all the year: a grid that moved with
    the clock would write a second family of points.
    """
    if scale == "1day":
        return midnight(at, name)
    step = STEPS[scale]
    year = local(at, name).year
    halves = (datetime(year, month, 1, 12, tzinfo=zone(name)) for month in (1, 7))
    offset = int(min((half.utcoffset() or timedelta()).total_seconds() for half in halves))
    whole = int(at)
    return whole - (whole + offset) % step


def pages(begin: int, end: int, scale: str, name: str) -> Iterator[tuple[int, int]]:
    """The windows `[from, to)`, whole local days, that cover a span: what belongs together is read together."""
    start = midnight(begin, name)
    while start < end:
        stop = midnight(start + 7200, name, PAGE_DAYS[scale])
        yield start, stop
        start = stop


@lru_cache(maxsize=1024)
def text(at: int, name: str) -> str:
    """A moment as the wire wants it, ISO 8601 with the zone's offset."""
    return local(at, name).isoformat(timespec="seconds")


@lru_cache(maxsize=1024)
def wall(at: int, name: str) -> str:
    """What Jeedom keeps of it: the local time without its offset."""
    return local(at, name).isoformat(" ", "seconds")[:19]


@dataclass(frozen=True)
class LocalTimes:
    """The local times (see `wall`) of many labels, and the labels of each time: two where the clock is put back."""

    zone: str
    walls: dict[int, str]
    labels: dict[str, list[int]]

    @classmethod
    def of(cls, labels: Iterable[int], zone: str) -> LocalTimes:
        walls = {label: wall(label, zone) for label in labels}
        groups: dict[str, list[int]] = {}
        for label, time in walls.items():
            groups.setdefault(time, []).append(label)
        return cls(zone, walls, groups)


def noon(at: int, name: str) -> int:
    """Noon of the local day of a moment: the label of a day, whichever of its two forms the service uses."""
    day = local(at, name).date()
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=zone(name)).timestamp())
