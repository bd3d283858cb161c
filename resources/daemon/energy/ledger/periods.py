"""Hours, days, months and years made of intervals.

Pure apart from the book that is read. Periods are local: a day has the hours that it really has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from .cells import SLOT_S
from .row import Sums
from .store import Book

HOUR_S = 3600


def hour_of(at: float, zone: tzinfo) -> int:
    """The beginning of the local hour of a moment: not every zone is whole hours away from UTC."""
    offset = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
    shift = int(offset.total_seconds()) % HOUR_S
    return int((at + shift) // HOUR_S) * HOUR_S - shift


def day_of(at: float, zone: tzinfo) -> date:
    """The local date of a moment."""
    return datetime.fromtimestamp(at, zone).date()


@lru_cache(maxsize=64)
def midnight(day: date, zone: tzinfo) -> float:
    """When a local day begins (Unix time)."""
    return datetime.combine(day, time(), zone).timestamp()


def span(day: date, zone: tzinfo) -> tuple[float, float]:
    """Beginning and end of a local day."""
    return midnight(day, zone), midnight(day + timedelta(days=1), zone)


def month(day: date) -> tuple[date, date]:
    """The first and the last day of a day's month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def year(day: date) -> tuple[date, date]:
    """The first and the last day of a day's year."""
    return date(day.year, 1, 1), date(day.year, 12, 31)


def subscription(yearly: float, day: date) -> float:
    """€ of a day of a subscription paid by the year."""
    return yearly / ((date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days)


def sum_of(parts: Iterable[Sums]) -> Sums:
    """Periods one after the other."""
    total = Sums()
    for part in parts:
        total.include(part)
    return total


def of_days(book: Book, first: date, last: date) -> Sums:
    """The sums of whole days, both included."""
    return sum_of(Sums.unpacked(data) for _, data in book.days(first.isoformat(), last.isoformat()))


def share_known(sums: Sums, begin: float, end: float, since: float | None) -> float | None:
    """Which share (0 to 1) of a period, as far as the book reaches, is known completely; None if it does not reach."""
    if since is None:
        return None
    slots = round((end - max(begin, since)) / SLOT_S)
    return min(sums.known / slots, 1.0) if slots > 0 else None
