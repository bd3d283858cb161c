"""What the page of the house shows: the balance of any period from the book, and the powers of now.

Pure apart from the book that is read. Energies in kWh, money in €, shares in %, powers in W. None: not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from . import figures
from .balance import Flows
from .ledger import periods
from .ledger.cells import slot_of
from .ledger.row import Sums
from .ledger.store import Book
from .live import Live

HOUR, DAY, MONTH, YEAR = "hour", "day", "month", "year"
MOST_DAYS = {HOUR: 32, DAY: 800, MONTH: 36600, YEAR: 36600}
"""The longest period that is given in rows of this length."""
_FLOWS = tuple(each.name for each in fields(Flows))
Span = tuple[date, date]


class Report:
    """The balance of the days of a book. `now`: Unix time; a period that is still running ends there."""

    def __init__(self, book: Book, zone: tzinfo, now: float) -> None:
        self._book = book
        self._zone = zone
        self._now = now
        self._today = periods.day_of(now, zone)
        first = book.first()
        self._since = first
        self.first = self._today if first is None else periods.day_of(first, zone)
        """The first day of the book."""

    def asked(self, first: str | None, last: str | None, per: str) -> dict[str, Any]:
        """As `of`, for dates in ISO form."""
        begin, end = (None if each is None else date.fromisoformat(each) for each in (first, last))
        return self.of(begin, end, per)

    def of(self, first: date | None, last: date | None, per: str) -> dict[str, Any]:
        """Rows, their total, and that of the same time a year before. Raises StoreError.

        `first`, `last`: local days, both included; None: as far as the book goes. `per`: length of a row.
        Raises ValueError if the period is too long for rows of that length.
        """
        first = self.first if first is None else first
        last = self._today if last is None else last
        if last < first or (last - first).days >= MOST_DAYS[per]:
            raise ValueError(f"{first} to {last} by {per}")
        whole = self._days(first, last)
        return {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "since": None if self._since is None else self.first.isoformat(),
            "rows": self._hours(first, last) if per == HOUR else self._rows(first, last, per),
            "total": self._figures(whole, *self._bounds(first, last)),
            "before": self._year_before(first, last),
            "devices": devices_of(whole),
        }

    def _bounds(self, first: date, last: date) -> tuple[float, float]:
        end = periods.midnight(last + timedelta(days=1), self._zone)
        return periods.midnight(first, self._zone), min(end, slot_of(self._now))

    def _days(self, first: date, last: date) -> Sums:
        return periods.of_days(self._book, first, last)

    def _figures(self, sums: Sums, begin: float, end: float) -> dict[str, Any]:
        known = periods.share_known(sums, begin, end, self._since)
        found = figures.of_period("", sums, known)
        result: dict[str, Any] = {name[1:]: value for name, value in found.items()}
        enough = result["house"] is not None
        result["flows"] = {name: getattr(sums.balance.flows, name) for name in _FLOWS} if enough else None
        result["estimated"] = figures.percent(sums.estimated / sums.known) if sums.known else None
        result["reconstructed"] = figures.percent(sums.reconstructed / sums.count) if sums.count else None
        result["subscription"] = sums.balance.subscription
        return result if sums.count else dict.fromkeys(result)

    def _hours(self, first: date, last: date) -> list[dict[str, Any]]:
        begin, end = self._bounds(first, last)
        rows = []
        for start, data in self._book.hours(begin, end):
            at = datetime.fromtimestamp(start, self._zone).isoformat()
            figures_of_hour = self._figures(Sums.unpacked(data), start, min(start + periods.HOUR_S, end))
            rows.append({"at": at, **figures_of_hour})
        return rows

    def _rows(self, first: date, last: date, per: str) -> list[dict[str, Any]]:
        spans: dict[Span, list[Sums]] = {}
        for day, data in self._book.days(first.isoformat(), last.isoformat()):
            spans.setdefault(_span(date.fromisoformat(day), per), []).append(Sums.unpacked(data))
        rows = []
        for (begin, end), parts in sorted(spans.items()):
            bounds = self._bounds(max(begin, first), min(end, last))
            rows.append({"at": begin.isoformat(), **self._figures(periods.sum_of(parts), *bounds)})
        return rows

    def _year_before(self, first: date, last: date) -> dict[str, Any] | None:
        """The same days a year before, up to the same hour of one that is not over; None if the book lacks some."""
        begin, end = a_year_before(first), a_year_before(min(last, self._today))
        if self._since is None or begin < self.first:
            return None
        if last < self._today:
            return self._figures(self._days(begin, end), *self._bounds(begin, end))
        sums = self._days(begin, end - timedelta(days=1)) if end > begin else Sums()
        midnight = periods.midnight(end, self._zone)
        until = midnight + self._now - periods.midnight(self._today, self._zone)
        hours = self._book.hours(midnight, until)
        day = self._book.days(end.isoformat(), end.isoformat())
        part = periods.sum_of(Sums.unpacked(data) for _, data in hours)
        part.balance.subscription = Sums.unpacked(day[0][1]).balance.subscription if day else 0.0
        return self._figures(sums + part, periods.midnight(begin, self._zone), until)


def _span(day: date, per: str) -> Span:
    return {DAY: lambda each: (each, each), MONTH: periods.month, YEAR: periods.year}[per](day)


def a_year_before(day: date) -> date:
    """The same day of the year before; of 29 February the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def devices_of(sums: Sums) -> dict[str, Any]:
    """What chargers and loads used (kWh, by equipment id), and what is left of the house; None if that is not known."""
    used = {name: round(energy, 4) for name, energy in sums.devices.items() if energy > 0}
    rest = sums.balance.house - sum(used.values())
    return {"used": used, "rest": round(rest, 4) if sums.known and rest >= 0 else None}


class HasLive(Protocol):
    """A house: its powers of now, and whether its meters contradict each other."""

    live: Live
    contradicts: bool


def of_now(house: HasLive, now: float) -> dict[str, Any]:
    """The powers of now by node (W), chargers and loads by equipment id; `age`: seconds of the oldest in it."""
    live, contradiction = house.live, house.contradicts
    powers: Mapping[str, Any] = figures.of_now(live, contradiction)
    result = {name.split(".")[1]: value for name, value in powers.items()}
    result["chargers"], result["loads"] = dict(live.chargers), dict(live.loads)
    result["contradiction"] = contradiction
    result["age"] = None if live.oldest is None else round(max(now - live.oldest, 0.0), 1)
    return result
