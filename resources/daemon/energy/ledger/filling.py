"""The first filling of the book: what Jeedom's history holds of the roles, from the oldest point to the first interval.

No thread, no clock and no wire: it says what it wants of the history (`ask`), takes the pages that come (`take`), and
each `step` writes one local day at most. How far it is, and what its meters must remember, is written in the same
transaction as the intervals: killed at any moment, it goes on with the next day, and nothing counts twice. It holds
three days of points at a time, one of five minutes of each source.

Jeedom keeps changes only: while anything has been told, a value that was not has not changed, as an index of off-peak
hours by day. A counter that then grows by more than a house can use was away instead: that growth is spread.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, tzinfo
from typing import Any, Callable

from jeedom_bridge.store.errors import StoreError

from ..ports import Reading, Source
from ..topology import Role
from . import periods
from .cells import SLOT_S, Cells, slot_of
from .feeds import Feed, feeds
from .intervals import PAST, Ledger, Reconstructed

BEGIN_S = 900.0
"""After the start: by then every connection has told what it measures, and the roles are those that stay."""
SPAN_DAYS = 3
"""How much is asked for at a time."""
OLDEST_S = 10 * 366 * 86400.0
"""No older history is looked for."""
ANSWER_S, MOST_WAIT_S = 60.0, 3600.0
"""How long an answer may take at first, and at most."""
SAME_READINGS = 3
"""Readings in a row that a counter must go on from after an impossible jump, to be believed."""
HOUSE_W = 12000.0
"""What a house uses or gives at most, as a rule; only where growth is placed depends on it."""
STEP_S = 3600.0
"""Length of the packages of Jeedom's archive, until a page tells it."""


@dataclass(frozen=True)
class Page:
    """Points of a source by time: (Unix time, value in the unit of its quantity). `next`: when the next one is."""

    key: str
    begin: float
    end: float
    points: Sequence[tuple[float, float]]
    next: float | None
    step: float = STEP_S


@dataclass
class _Told:
    """What is known of the history of one source. `next`: the first point that was not fetched yet; None: not asked."""

    source: Source
    next: float | None = None
    points: deque[tuple[float, float]] = field(default_factory=deque)


class Filling:
    """Fills the book of a ledger. Without `ask` nothing happens."""

    def __init__(self, ledger: Ledger, zone: tzinfo) -> None:
        self.ask: Callable[[Source, float, float], None] | None = None
        """Asks for the points of a source in a span (Unix time); an empty span: only for when the first one is."""
        self._ledger = ledger
        self._zone = zone
        note = ledger.book.note(PAST)
        self._note: dict[str, Any] = dict(note) if isinstance(note, dict) else {}
        self._since: float | None = None
        self._told: dict[str, _Told] = {}
        self._asked: tuple[str, float, float] | None = None
        self._asked_at = 0.0
        self._wait_s = ANSWER_S
        self._step_s = STEP_S
        self._cells = Cells()
        self._feeds: dict[str, Feed] = {}
        self._held: dict[str, Reading] = {}
        self._odd: dict[str, list[float]] = {}
        self._is_restored = False

    @property
    def is_done(self) -> bool:
        """Whether all history has been taken in."""
        return bool(self._note.get("done"))

    @property
    def at(self) -> float | None:
        """Up to where (Unix time) the book is filled; None: nothing is yet."""
        at = self._note.get("at")
        return None if at is None else float(at)

    def again(self) -> None:
        """Begins anew: what history tells now replaces what it told before. Written with the first day."""
        self._note = {"until": self._note["until"]} if "until" in self._note else {}
        self._start_over()

    def take(self, page: Page) -> None:
        """Takes an answer; one that nobody waits for is left out."""
        told = self._told.get(page.key)
        if told is None or self._asked != (page.key, page.begin, page.end):
            return
        self._asked, self._wait_s = None, ANSWER_S
        self._step_s = page.step
        after = told.points[-1][0] if told.points else -math.inf
        fresh = [(at, value) for at, value in sorted(page.points) if after < at < page.end and math.isfinite(value)]
        told.points.extend(thinned(fresh, told.source.per == "now"))
        told.next = (
            math.inf if page.next is None else max(page.next, page.end if page.begin == page.end else page.begin)
        )
        stands = not page.points if page.begin < page.end else False
        if told.next < page.end and (stands or told.next <= page.points[-1][0]):
            told.next = math.inf  # an answer that does not go on

    def step(
        self, roles: Sequence[Role], now: float, monotonic: float, newest: Mapping[str, Reading] | None = None
    ) -> set[date]:
        """Asks for what is needed next, or writes the next day; returns the local days that have changed.

        `newest`: what the sources tell now, by their key: it closes the time since the last point of counters.
        Raises StoreError: the day then still waits.
        """
        if self.ask is None or self.is_done:
            return set()
        if self._since is None:
            self._since = monotonic
            if "until" not in self._note:
                first = self._ledger.book.first_measured()
                self._note["until"] = slot_of(now) if first is None else first
        if monotonic - self._since < BEGIN_S or not roles:
            return set()
        until = int(self._note["until"])
        every = feeds(roles, Cells(), self._ledger.most_kw)
        for source in _sources(every.values()):
            self._told.setdefault(source.key, _Told(source))
        wanted = {source.key for source in _sources(every.values())}
        self._told = {key: told for key, told in self._told.items() if key in wanted}
        if self._asked is not None and self._asked[0] not in self._told:
            self._asked = None
        begin = self.at
        start = until - OLDEST_S if begin is None else begin
        for key, told in self._told.items():
            if told.next is None:
                return self._request(key, start, start, monotonic)
        if not self._is_restored:
            self._restore()
        nearest = min((self._next_point(told) for told in self._told.values()), default=math.inf)
        if nearest >= until:
            return self._finish(roles, every, until, newest or {})
        begin = max(start, periods.midnight(periods.day_of(nearest, self._zone), self._zone))
        end = periods.midnight(periods.day_of(begin, self._zone) + timedelta(days=1), self._zone)
        span = periods.midnight(periods.day_of(begin, self._zone) + timedelta(days=SPAN_DAYS), self._zone)
        for key, told in self._told.items():
            known = told.next
            if known is not None and known < min(end + self._step_s, until + 2 * self._step_s):
                return self._request(key, known, span + self._step_s, monotonic)
        return self._write_day(roles, every, max(begin, nearest), (begin, end), until)

    def _next_point(self, told: _Told) -> float:
        return told.points[0][0] if told.points else math.inf if told.next is None else told.next

    def _request(self, key: str, begin: float, end: float, monotonic: float) -> set[date]:
        if self._asked is not None:
            if monotonic - self._asked_at < self._wait_s:
                return set()
            self._wait_s = min(2 * self._wait_s, MOST_WAIT_S)
        assert self.ask is not None
        # Whole seconds: they come back as they went.
        self._asked, self._asked_at = (key, float(math.floor(begin)), float(math.ceil(end))), monotonic
        self.ask(self._told[key].source, self._asked[1], self._asked[2])
        return set()

    def _finish(
        self, roles: Sequence[Role], every: Mapping[str, Feed], until: int, newest: Mapping[str, Reading]
    ) -> set[date]:
        self._adopt([each for each in roles if each.used and self._is_told(each, until)])
        now = {key: newest[key] for key, told in self._told.items() if told.source.per == "counter" and key in newest}
        self._held.update({key: each for key, each in now.items() if each.number is not None and not each.doubtful})
        for key, feed in self._feeds.items():
            if self._count(key, feed) and any(each.key in now for each in feed.counters):
                feed.meter.drop()
        note = {"until": until, "at": float(until), "done": True}
        days = self._write(Reconstructed(self._cells.changes, _meters(every), (until, until), True), until, note)
        self._start_over()
        return days

    def _start_over(self) -> None:
        """Forgets all but the note: goes on from there, as after a restart."""
        self._told, self._feeds, self._held, self._odd, self._asked = {}, {}, {}, {}, None
        self._cells.changes.clear()
        self._is_restored = False

    # One day.

    def _write_day(
        self, roles: Sequence[Role], every: Mapping[str, Feed], first: float, day: tuple[float, float], until: int
    ) -> set[date]:
        """`first`: when the day's first point is."""
        begin, end = day
        self._adopt([each for each in roles if each.used and self._is_told(each, first)])
        self._play(min(end, until + self._step_s))
        note = {
            "until": until,
            "at": end,
            "meters": {key: feed.meter.state() for key, feed in self._feeds.items() if feed.meter.growth},
            "held": {key: [reading.value, reading.at] for key, reading in self._held.items()},
        }
        history = Reconstructed(self._cells.changes, _meters(every), (slot_of(begin), slot_of(end)))
        return self._write(history, until, note)

    def _write(self, history: Reconstructed, until: int, note: dict[str, Any]) -> set[date]:
        try:
            days = self._ledger.reconstruct(history, until, note)
        except StoreError:
            self._start_over()
            raise
        self._note = note
        self._cells.changes.clear()
        return days

    def _is_told(self, role: Role, first: float) -> bool:
        """Whether history has something of a role by now: until a counter begins, its power alone counts."""
        told = self._told.get(role.source.key)
        if told is None or role.source.per == "now" or role.source.key in self._held:
            return told is not None
        return self._next_point(told) <= first + self._step_s

    def _adopt(self, roles: Iterable[Role]) -> None:
        wanted = feeds(roles, self._cells, self._ledger.most_kw)
        kept = self._note.get("meters") or {}
        for key, feed in wanted.items():
            known = self._feeds.get(key)
            if known is None:
                feed.meter.restore(kept.get(key))
                feed.take_power(self._held, 0.0)
            else:
                known.power, known.sign = feed.power, feed.sign
                wanted[key] = known
        self._feeds = wanted

    def _restore(self) -> None:
        self._is_restored = True
        for key, kept in dict(self._note.get("held") or {}).items():
            told = self._told.get(key)
            if told is not None:
                self._held[key] = Reading(told.source, kept[0], float(kept[1]))

    def _play(self, end: float) -> None:
        """Hands the meters the points before a moment, in the order of time."""
        moments: dict[float, list[tuple[_Told, float]]] = {}
        for told in self._told.values():
            while told.points and told.points[0][0] < end:
                at, value = told.points.popleft()
                if told.source.per == "today" and self._is_of_yesterday(at, value, told):
                    continue
                for moment in self._moments(at, told.source):
                    moments.setdefault(moment, []).append((told, value))
        upcoming: dict[str, deque[tuple[float, float]]] = {key: deque() for key in self._told}
        for at in sorted(moments):
            for told, value in moments[at]:
                upcoming[told.source.key].append((at, value))
        for at in sorted(moments):
            for told, value in moments[at]:
                self._held[told.source.key] = Reading(told.source, value, at)
                upcoming[told.source.key].popleft()
            for told in self._told.values():
                self._confirm(told, at, upcoming[told.source.key])
            for key, feed in self._feeds.items():
                feed.take_power(self._held, 1.5 * self._step_s + SLOT_S)
                self._count(key, feed)

    def _moments(self, at: float, source: Source) -> tuple[float, ...]:
        """When a point holds: the mean of a package of the archive from its beginning to its end."""
        half = self._step_s // 2
        return (at - half, at + half - 1) if source.per == "now" and at % self._step_s == half else (at,)

    def _is_of_yesterday(self, at: float, value: float, told: _Told) -> bool:
        """Whether a figure of the day has not begun anew yet, or has jumped: the next one of that day is smaller."""
        if not told.points:
            return False
        following, less = told.points[0]
        same = periods.day_of(at, self._zone) == periods.day_of(following, self._zone)
        return same and less < 0.99 * value

    def _confirm(self, told: _Told, at: float, upcoming: deque[tuple[float, float]]) -> None:
        """What was not told while other values were has not changed, unless the archive tells it soon after."""
        held = self._held.get(told.source.key)
        following, value = upcoming[0] if upcoming else told.points[0] if told.points else (math.inf, 0.0)
        if held is None or held.at >= at or following < at + self._step_s:
            return
        if told.source.per == "now" and held.at % self._step_s == self._step_s // 2 * 2 - 1:
            return  # a mean: which value the hour ended with is not known
        if told.source.per == "today" and periods.day_of(held.at, self._zone) != periods.day_of(at, self._zone):
            return
        grows = value - (held.number or 0.0)
        if told.source.per != "now" and following < math.inf and grows > HOUSE_W * self._step_s / 3600:
            return
        self._held[told.source.key] = replace(held, at=at)

    def _count(self, key: str, feed: Feed) -> bool:
        """Hands a meter its counter; whether it has taken it."""
        total = feed.total(self._held) if feed.counters else None
        if total is None:
            return False
        index, at = total
        midnight = periods.midnight(periods.day_of(at, self._zone), self._zone)
        if feed.meter.count(index, at, midnight):
            self._odd.pop(key, None)
            return True
        # Nobody can be asked about a jump of long ago: one that the counter goes on from is a new beginning.
        odd = self._odd.setdefault(key, [])
        if odd and (index < odd[-1] or index == odd[0]):
            odd.clear()
        odd.append(index)
        if len(odd) >= SAME_READINGS and feed.meter.growth is not None:
            feed.meter.growth.accept(at)
            feed.meter.begin(at)
            odd.clear()
        return False


def thinned(points: Iterable[tuple[float, float]], is_power: bool) -> list[tuple[float, float]]:
    """One point of each interval: the last one of a counter, the mean of a power."""
    by_slot: dict[int, list[tuple[float, float]]] = {}
    for at, value in points:
        by_slot.setdefault(slot_of(at), []).append((at, value))
    if not is_power:
        return [each[-1] for each in by_slot.values()]
    return [
        (sum(at for at, _ in each) / len(each), sum(value for _, value in each) / len(each))
        for each in by_slot.values()
    ]


def _meters(every: Mapping[str, Feed]) -> dict[str, int]:
    """How many meters fill each column."""
    return dict(Counter(feed.meter.column for feed in every.values()))


def _sources(every: Iterable[Feed]) -> list[Source]:
    """All sources that feed meters, each once."""
    found: dict[str, Source] = {}
    for feed in every:
        powers = () if feed.power is None else (feed.power.source, feed.power.less)
        for source in (*feed.counters, *powers):
            if source is not None:
                found.setdefault(source.key, source)
    return list(found.values())
