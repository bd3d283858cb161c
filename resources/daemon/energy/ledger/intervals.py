"""The book of the house: from the readings of its meters to intervals, hours and days.

No thread and no clock of its own: whoever owns it hands in readings and moments. Energies in Wh, moments in Unix time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any, Callable, Protocol

from ..balance import Tank
from ..live import Pace, Paces
from ..ports import Reading, Source
from ..topology import Role
from . import periods
from .cells import COLUMNS, EXPORTED, IMPORTED, SLOT_S, Cell, Cells, slot_of
from .feeds import Feed, feeds
from .late import Late
from .row import Interval, Sums
from .steady import SteadyClock
from .store import Book, Change

PAST = "past"
"""The note of how far the history of Jeedom has been taken in."""
HAS = "columns"
"""The note of the columns of the house that somebody measures."""
AWAITED_S = 86400.0
"""A column that was measured before a restart is not known for so long, then the house has no such thing any more."""
KEEP_S = 400 * 86400
"""How long intervals of five minutes are kept."""


@dataclass(frozen=True)
class Prices:
    """What holds at a moment: €/kWh drawn, €/kWh fed in, g CO2/kWh, the tariff's period. None: not known."""

    price: float | None = None
    resale: float | None = None
    co2: float | None = None
    period: str = ""


class PriceBook(Protocol):
    """Who knows the prices."""

    def at(self, moment: float) -> Prices: ...

    def per_year(self, day: date) -> float:
        """€ of a year's subscription as it stands on a day."""
        ...


@dataclass(frozen=True)
class Reconstructed:
    """What the history of Jeedom told of some days. `meters`: how many fill each column that somebody measures.

    `fresh`: the span whose intervals are written for the first time in this pass: what an earlier pass has made of them
    is forgotten. `is_last`: nothing comes after it.
    """

    cells: Mapping[int, Mapping[str, Cell]]
    meters: Mapping[str, int]
    fresh: tuple[int, int]
    is_last: bool = False


@dataclass(frozen=True)
class Summed:
    """A day as it is on the disk: its hours, € of its subscription, and the opening of the book that it is from."""

    day: date
    hours: Mapping[int, Sums]
    subscription: float
    opening: int


class Ledger:
    """Keeps the book. `flush` is to be called every five minutes; all else waits in memory until then."""

    def __init__(self, book: Book, prices: PriceBook, zone: tzinfo) -> None:
        self.book = book
        self.prices = prices
        self.zone = zone
        self.cells = Cells()
        self.quarantined: dict[str, float] = {}
        """Counters (by the key of their first source) whose reading (Wh) cannot be true."""
        self.most_kw: dict[str, float] = {}
        """What the subscribed power allows, by column."""
        self._fed: dict[str, Feed] = {}
        self._replaced: set[str] = set()
        self._levels: dict[int, float] = {}
        kept = book.note(HAS)
        self._awaited = frozenset(COLUMNS) & frozenset(kept if isinstance(kept, list) else ())
        """Columns that nobody has measured since the start, but somebody before it."""
        self._awaited_since: float | None = None
        self._late = Late()
        self._clock = SteadyClock()
        self._now = 0.0
        """The last moment (Unix time) at which the clock was believed."""
        self._pruned: date | None = None
        self._last: Summed | None = None
        """The day that was written last, which the next five minutes change again."""
        self._next: Summed | None = None

    # Which meters there are.

    def adopt(self, roles: Iterable[Role]) -> None:
        """Takes the sources in use. A meter that was known before goes on where it was, also before a restart."""
        wanted = feeds(roles, self.cells, self.most_kw)
        for key in [key for key in self._fed if key not in wanted]:
            column = self._fed.pop(key).meter.column
            if column in (IMPORTED, EXPORTED) and any(fed.meter.column == column for fed in wanted.values()):
                self._replaced.add(key)  # what it counts from now on is another one's: it must not count it too
        for key, fed in wanted.items():
            known = self._fed.get(key)
            if known is None:
                if key not in self._replaced:
                    fed.meter.restore(self.book.note(f"meter:{key}"))
                self._replaced.discard(key)
                self._fed[key] = fed
            else:
                known.power, known.sign = fed.power, fed.sign

    # What they tell.

    def look(self, readings: Mapping[str, Reading], paces: Paces, now: float, monotonic: float) -> bool:
        """As `take`, with the sources' paces, unless the clock is in doubt: then nothing, which is False."""
        stepped = self._clock.look(now, monotonic)
        if stepped is None:
            return False
        if stepped:
            paces.shift(stepped)
            self._shift(stepped, readings)
        self._now = now
        paces.add(readings.values(), monotonic)
        self.take(readings, paces, now)
        return True

    def _shift(self, stepped: float, readings: Mapping[str, Reading]) -> None:
        """The clock was stepped: what it has skipped was not measured, but by a machine that has slept meanwhile."""
        slept = stepped > 0 and any(fed.counters and fed.has_slept(readings, stepped) for fed in self._fed.values())
        for fed in self._fed.values():
            if not slept:
                fed.meter.shift(stepped)

    def take(self, readings: Mapping[str, Reading], paces: Mapping[str, Pace], now: float) -> None:
        """Takes the readings of now, by the key of their source."""
        day = periods.midnight(periods.day_of(now, self.zone), self.zone)
        for fed in self._fed.values():
            pace = paces.get(fed.power.source.key) if fed.power is not None else None
            fed.take_power(readings, pace.limit_s if pace is not None else 60.0)
            if fed.counters:
                self._take_count(fed, readings, day, now)

    def _take_count(self, fed: Feed, readings: Mapping[str, Reading], day: float, now: float) -> None:
        told = fed.total(readings)
        if told is None:
            return
        total, at = told
        midnight = day if at >= day else periods.midnight(periods.day_of(at, self.zone), self.zone)
        name = fed.counters[0].key
        if at <= now + 1 and fed.meter.count(total, at, midnight):
            self.quarantined.pop(name, None)
        elif at <= now + 1:
            self.quarantined[name] = total

    def accept(self, source: str, now: float) -> bool:
        """The user says that the reading in quarantine is right; False if there is none."""
        found = False
        for fed in self._fed.values():
            if fed.counters and fed.counters[0].key == source and fed.meter.growth is not None:
                fed.meter.growth.accept(now)
                fed.meter.begin(now)
                found = self.quarantined.pop(source, None) is not None or found
        return found

    def level(self, content: float, now: float) -> None:
        """The battery's content (Wh) by its state of charge; the tank is corrected by it once an hour."""
        slot = slot_of(now)
        if (slot + SLOT_S) % periods.HOUR_S == 0:
            self._levels[slot] = content

    def late(self, source: Source, column: str, begin: float, end: float, energy: float) -> None:
        """Takes a dated figure (Wh) of a time that is over. A newer figure of the same span replaces the older one."""
        self._late.add(source.key, column, begin, end, energy)

    def tell_again(self, days: Iterable[date], sources: Mapping[str, Source], columns: Mapping[str, str]) -> None:
        """Takes the dated figures of days again: what they leave to intervals without a meter has changed."""
        for day in days:
            for key, column in columns.items():
                for begin, end, energy in self.book.late(key, *periods.span(day, self.zone)):
                    self.late(sources[key], column, begin, end, energy)

    # What is written.

    def flush(self, now: float) -> set[date]:
        """Writes what waits; returns the local days that have changed. Raises StoreError: it then still waits."""
        now = self._now if self._clock.in_doubt else now
        has = self._await(now)
        change = Change(late=self._late.kept())
        late = self._late.by_slot(self.book, now - KEEP_S)
        touched = self._intervals(late, change)
        days = self._sums(touched, change)
        change.notes = {f"meter:{key}": fed.meter.state() for key, fed in self._fed.items() if fed.meter.growth}
        change.notes.update({f"meter:{key}": None for key in self._replaced})
        change.notes[HAS] = sorted(has)
        self._write(change)
        self.cells.changes.clear()
        self._levels.clear()
        self._late.clear()
        today = periods.day_of(now, self.zone)
        if self._pruned != today:
            self.book.prune(now - KEEP_S)
            self._pruned = today
        return days

    def _await(self, now: float) -> frozenset[str]:
        """The columns that the house has, also those that are awaited."""
        present = frozenset(fed.meter.column for fed in self._fed.values()) & frozenset(COLUMNS)
        if self._awaited_since is None:
            self._awaited_since = now
        over = not 0 <= now - self._awaited_since < AWAITED_S
        self._awaited = frozenset() if over else self._awaited - present
        return present | self._awaited

    def _intervals(self, late: Mapping[int, Mapping[str, float]], change: Change) -> dict[int, Interval]:
        """The intervals that change, and those after them whose battery is another one then."""
        slots = sorted({*self.cells.changes, *self._levels, *late})
        return self._rewrite(slots, lambda each: self._apply(each, late.get(each.start, {})), change)

    def _rewrite(
        self, slots: Sequence[int], edit: Callable[[Interval], None], change: Change, carries_on: bool = True
    ) -> dict[int, Interval]:
        """Edits intervals, in the order of time. `carries_on`: also what follows the last one has its battery anew."""
        touched: dict[int, Interval] = {}
        last = self.book.before(slots[0]) if slots else None
        tank = last.tank if last is not None else Tank()
        for start, following in zip(slots, (*slots[1:], None)):
            known = self.book.intervals(start, start + 1)
            each = known[0] if known else Interval(start)
            edit(each)
            tank = each.tank = each.tank_after(tank)
            touched[start] = each
            if following is None and not carries_on:
                break
            if following != start + SLOT_S:
                tank = self._carry_on(each, tank, following, touched)
        change.intervals = list(touched.values())
        return touched

    def reconstruct(self, history: Reconstructed, until: int, note: Mapping[str, Any]) -> set[date]:
        """Writes what history told of the time before `until`; returns the local days that have changed.

        Nothing that a meter has measured is overwritten. `note`: how far it is, written in the same step. Raises
        StoreError.
        """
        change = Change(notes={PAST: note})
        wiped = {each.start for each in self.book.intervals(history.fresh[0], min(history.fresh[1], until))}
        slots = sorted({*(slot for slot in history.cells if slot < until), *wiped})
        touched = self._rewrite(slots, lambda each: self._apply_history(each, history), change, history.is_last)
        days = self._sums(touched, change)
        self._write(change)
        return days

    def _apply_history(self, each: Interval, history: Reconstructed) -> None:
        if history.fresh[0] <= each.start < history.fresh[1]:
            each.forget_reconstructed(history.meters)
        cells = history.cells.get(each.start)
        if cells is None:
            return
        for column in COLUMNS:
            if column not in history.meters and each.energy[column] is None:
                each.reconstruct(column, Cell(0.0, float(SLOT_S)), 1)  # the house has no such thing
        for column, cell in cells.items():
            each.reconstruct(column, cell, history.meters[column])
        self._price(each)

    def _apply(self, each: Interval, late: Mapping[str, float]) -> None:
        present = {fed.meter.column: 0 for fed in self._fed.values()}
        for fed in self._fed.values():
            present[fed.meter.column] += 1
        for column, cell in self.cells.changes.get(each.start, {}).items():
            each.take(column, cell, present.get(column, 1))
        for column in COLUMNS:
            known = column in present or column in late or column in self._awaited
            if not known and each.energy[column] is None:
                each.energy[column], each.seconds[column] = 0.0, float(SLOT_S)  # the house has no such thing
        for column, energy in late.items():
            if column not in COLUMNS:
                each.devices[column] = energy
            elif not each.is_measured(column):
                each.fill(column, energy)
        if each.start in self._levels:
            each.level = self._levels[each.start]
        self._price(each)

    def _price(self, each: Interval) -> None:
        """Freezes the prices of its time in an interval, where they are not known yet."""
        if each.price is None or each.resale is None:
            prices = self.prices.at(each.start + SLOT_S / 2)
            each.price = prices.price if each.price is None else each.price
            each.resale = prices.resale if each.resale is None else each.resale
            each.co2 = prices.co2 if each.co2 is None else each.co2
            each.period = each.period or prices.period

    def _carry_on(self, each: Interval, tank: Tank, until: int | None, touched: dict[int, Interval]) -> Tank:
        """Follows the battery through the intervals after a change, until it is what it was there."""
        start = each.start
        while True:
            following = self.book.after(start, 288)
            for one in following:
                if until is not None and one.start >= until:
                    return tank
                after = one.tank_after(tank)
                if _same(after, one.tank):
                    before = self.book.before(until) if until is not None else None
                    return before.tank if before is not None and before.start > one.start else after
                tank = one.tank = after
                touched[one.start] = one
                start = one.start
            if not following:
                return tank

    def _sums(self, touched: Mapping[int, Interval], change: Change) -> set[date]:
        hours = {periods.hour_of(start, self.zone) for start in touched}
        for hour in hours:
            stored = {each.start: each for each in self.book.intervals(hour, hour + periods.HOUR_S)}
            stored.update({start: each for start, each in touched.items() if hour <= start < hour + periods.HOUR_S})
            change.hours[hour] = Sums.of(stored[start] for start in sorted(stored)).packed()
        days = {periods.day_of(hour, self.zone) for hour in hours}
        self._next = self._last
        for day in days:
            begin, end = periods.span(day, self.zone)
            summed = self._summed(day)
            changed = {h: Sums.unpacked(data) for h, data in change.hours.items() if begin <= h < end}
            parts = {**summed.hours, **changed}
            total = periods.sum_of(parts[hour] for hour in sorted(parts))
            paid = summed.subscription or periods.subscription(self.prices.per_year(day), day)
            total.balance.subscription = paid
            change.days[day.isoformat()] = total.packed()
            if self._next is None or day >= self._next.day:
                self._next = Summed(day, parts, paid, self.book.openings)
        return days

    def _summed(self, day: date) -> Summed:
        """The hours of a day as they are on the disk."""
        if self._last is not None and (self._last.day, self._last.opening) == (day, self.book.openings):
            return self._last
        hours = self.book.hours(*periods.span(day, self.zone))
        known = dict(self.book.days(day.isoformat(), day.isoformat())).get(day.isoformat())
        paid = Sums.unpacked(known).balance.subscription if known else 0.0
        return Summed(day, {hour: Sums.unpacked(data) for hour, data in hours}, paid, self.book.openings)

    def _write(self, change: Change) -> None:
        self._last = None  # what a write that fails leaves is read again
        self.book.write(change)
        self._last = self._next


def _same(one: Tank, other: Tank) -> bool:
    return abs(one.content - other.content) < 1e-5 and abs(one.solar_share - other.solar_share) < 1e-5
