"""What is to be sent to Jeedom: coalesced values, ordered events, dated measures under way.

Three kinds, three rules. Of a *value* only the newest counts: a newer one replaces one that waits, and one equal
to what Jeedom has costs nothing. *Events* keep their order and are each applied once. *Dated measures* are not
kept here for long: whoever hands them in waits for their delivery and can fetch them again.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from .clock import Clock, moment

Value = Union[float, int, str, bool]
Point = tuple[str, Value]
Key = tuple[str, str]

MAX_POINTS = 500
MAX_BYTES = 256_000
MAX_EVENTS = 1000
ROOM = 5000
"""Dated points that may wait before `history` blocks."""
OLD = 60.0
"""Jeedom dates a value itself when it is younger than this: values within it may share one event."""


class Delivery:
    """Dated measures on their way; `wait` tells whether Jeedom has them all."""

    def __init__(self, points: int) -> None:
        self._left = points
        self._ended = threading.Event()
        self.delivered = False

    def wait(self, timeout: float | None = None) -> bool:
        """True once Jeedom has acknowledged every point; False when it refused some, or time is out."""
        self._ended.wait(timeout)
        return self.delivered

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._ended.is_set()

    def _settle(self, points: int) -> None:
        self._left -= points
        if self._left <= 0 and not self._ended.is_set():
            self.delivered = True
            self._ended.set()

    def _refuse(self) -> None:
        self._ended.set()


@dataclass
class _Slot:
    """One value of one equipment: what Jeedom has, what is on the wire, what waits."""

    cadence: float = 0.0
    known: Value | None = None
    flying: tuple[Value, float] | None = None
    waiting: tuple[Value, float] | None = None
    sent: float = float("-inf")


@dataclass
class _Series:
    equipment: str
    command: str
    points: list[Point]
    delivery: Delivery


@dataclass
class Batch:
    """One request's worth. `parts` are the events, as JSON texts, in the order of the wire."""

    sequence: int
    parts: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    values: list[Key] = field(default_factory=list)
    series: list[_Series] = field(default_factory=list)
    owners: list[object] = field(default_factory=list)
    points: int = 0
    size: int = 0

    def add(self, event: Mapping[str, Any], points: int, owner: object) -> None:
        """Appends one event; `owner` is what is told when Jeedom rejects it."""
        part = json.dumps(event, allow_nan=False)
        self.parts.append(part)
        self.owners.append(owner)
        self.points += points
        self.size += len(part)


class Outbox:
    """Thread-safe; the callback takes batches out and settles them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.changed = threading.Condition()
        self._slots: dict[str, dict[str, _Slot]] = {}
        self._dirty: dict[Key, None] = {}
        self._events: deque[dict[str, Any]] = deque()
        self._merge: dict[object, dict[str, Any]] = {}
        self._series: deque[_Series] = deque()
        self._under_way = 0
        self._frozen: Batch | None = None
        self._sequence = 0
        self._muted: set[str] = set()
        self._muted_commands: set[Key] = set()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        """Values, events and dated points that wait or are on the wire."""
        with self.changed:
            frozen = len(self._frozen.events) if self._frozen else 0
            return len(self._dirty) + len(self._events) + frozen + self._under_way

    # What the daemon hands in.

    def values(
        self,
        equipment: str,
        values: Mapping[str, Value | None],
        at: float | None = None,
        cadence: Mapping[str, float] | None = None,
    ) -> None:
        """Values as of `at` (Unix time, default now). None means unknown and is not sent.

        `cadence` gives, per command, the seconds that must lie between two sendings; the newest value leaves
        when they are over.
        """
        at = self._clock.time() if at is None else at
        with self.changed:
            if equipment in self._muted:
                return
            slots = self._slots.setdefault(equipment, {})
            for command, value in values.items():
                if value is None or (equipment, command) in self._muted_commands:
                    continue
                slot = slots.get(command)
                if slot is None:
                    slot = slots[command] = _Slot()
                if cadence is not None:
                    slot.cadence = cadence.get(command, 0.0)
                self._set(equipment, command, slot, value, at)
            self.changed.notify_all()

    def _set(self, equipment: str, command: str, slot: _Slot, value: Value, at: float) -> None:
        known = slot.flying[0] if slot.flying else slot.known
        if known is not None and type(known) is type(value) and known == value:
            slot.waiting = None
            if slot.flying is None:
                self._dirty.pop((equipment, command), None)
        else:
            slot.waiting = (value, at)
            self._dirty[(equipment, command)] = None

    def event(self, event: Mapping[str, Any], merge: object = None) -> None:
        """An event whose order matters. One that waits with the same `merge` is replaced by this one.

        When far too many wait, the oldest go: memory is bounded however long Jeedom is away.
        """
        item = dict(event)
        with self.changed:
            if self._closed:
                return
            if merge is not None:
                old = self._merge.get(merge)
                if old is not None and old in self._events:
                    self._events.remove(old)
                self._merge[merge] = item
            self._events.append(item)
            if len(self._events) > MAX_EVENTS:
                self._events.popleft()
                self.dropped += 1
            self.changed.notify_all()

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> Delivery:
        """Dated measures of one equipment, per command: (ISO 8601 with offset, value), oldest first.

        Blocks while too many points wait. The delivery ends undelivered when Jeedom does not know the
        equipment or the command, or rejects them.
        """
        total = sum(len(points) for points in series.values())
        delivery = Delivery(total)
        with self.changed:
            while self._under_way and self._under_way + total > ROOM and not self._closed:
                self.changed.wait(1.0)
            muted = equipment in self._muted or any((equipment, c) in self._muted_commands for c in series)
            if self._closed or muted:
                delivery._refuse()
            elif not total:
                delivery._settle(0)
            else:
                for command, points in series.items():
                    if points:
                        self._series.append(_Series(equipment, command, list(points), delivery))
                self._under_way += total
                self.changed.notify_all()
        return delivery

    def resend(self, equipment: str) -> None:
        """Sends the last known values of an equipment once more, changed or not."""
        now = self._clock.time()
        with self.changed:
            for command, slot in self._slots.get(equipment, {}).items():
                if slot.waiting is None and slot.known is not None and slot.flying is None:
                    slot.waiting = (slot.known, now)
                    self._dirty[(equipment, command)] = None
            self.changed.notify_all()

    def forget(self, equipment: str) -> None:
        """Drops what waits for an equipment and what Jeedom is known to have of it."""
        with self.changed:
            for command in self._slots.pop(equipment, {}):
                self._dirty.pop((equipment, command), None)

    def unmute(self) -> None:
        """Jeedom has sent a new desired state: what it did not know before it may know now."""
        with self.changed:
            for equipment in self._muted:
                self._slots.pop(equipment, None)
            for equipment, command in self._muted_commands:
                self._slots.get(equipment, {}).pop(command, None)
            self._muted.clear()
            self._muted_commands.clear()

    def close(self) -> None:
        """Nothing more is accepted but values; who waits in `history` or for a delivery goes on."""
        with self.changed:
            self._closed = True
            for series in self._series:
                series.delivery._refuse()
            self._series.clear()
            self._under_way = 0
            self.changed.notify_all()

    # What the callback takes out. It is the only caller.

    def due(self) -> float | None:
        """Seconds until something can leave; None when nothing waits. `changed` must be held."""
        if self._events or self._series or self._frozen:
            return 0.0
        now = self._clock.monotonic()
        best: float | None = None
        for equipment, command in self._dirty:
            slot = self._slots[equipment][command]
            rest = slot.sent + slot.cadence - now
            if rest <= 0:
                return 0.0
            best = rest if best is None else min(best, rest)
        return best

    def take(self, max_points: int = MAX_POINTS, everything: bool = False) -> Batch | None:
        """The next request: at most `max_points` points and 256 kB; None when nothing is due.

        Events that were sent before with an unknown end go first, alone and under their old sequence, so that
        Jeedom can tell a repeat. `everything` ignores cadences (at the end).
        """
        with self.changed:
            if self._frozen is not None:
                return self._frozen
            self._sequence += 1
            batch = Batch(self._sequence)
            self._take_events(batch, max_points)
            self._take_values(batch, max_points, everything)
            self._take_series(batch, max_points)
            if not batch.parts:
                self._sequence -= 1
                return None
            return batch

    def _take_events(self, batch: Batch, limit: int) -> None:
        while self._events and batch.points < limit and batch.size < MAX_BYTES:
            event = self._events.popleft()
            batch.events.append(event)
            batch.add(event, 1, event)
        if batch.events:
            self._merge = {name: each for name, each in self._merge.items() if each in self._events}

    def _take_values(self, batch: Batch, limit: int, everything: bool) -> None:
        now, wall = self._clock.monotonic(), self._clock.time()
        groups: dict[tuple[str, float], dict[str, Value]] = {}
        size = batch.size
        for equipment, command in list(self._dirty):
            if batch.points + sum(map(len, groups.values())) >= limit or size >= MAX_BYTES:
                break
            slot = self._slots[equipment][command]
            if slot.waiting is None or (slot.sent + slot.cadence > now and not everything):
                continue
            value, at = slot.waiting
            # Young values of one equipment share an event; an old one keeps its own date.
            group = (equipment, wall if wall - OLD < at <= wall else at)
            groups.setdefault(group, {})[command] = value
            size += len(command) + (len(value) if isinstance(value, str) else 8) + 6
            slot.flying, slot.waiting, slot.sent = slot.waiting, None, now
            batch.values.append((equipment, command))
            del self._dirty[(equipment, command)]
        for (equipment, at), values in groups.items():
            event = {"event": "values", "equipment": equipment, "at": moment(at), "values": values}
            batch.add(event, len(values), equipment)

    def _take_series(self, batch: Batch, limit: int) -> None:
        while self._series and batch.points < limit and batch.size < MAX_BYTES:
            series = self._series.popleft()
            # 60 bytes is what a date, its number and the punctuation take, generously.
            room = max(1, min(limit - batch.points, (MAX_BYTES - batch.size) // 60))
            if len(series.points) > room:
                rest = _Series(series.equipment, series.command, series.points[room:], series.delivery)
                self._series.appendleft(rest)
                series.points = series.points[:room]
            batch.series.append(series)
            event = {
                "event": "history",
                "equipment": series.equipment,
                "command": series.command,
                "points": series.points,
            }
            batch.add(event, len(series.points), series)

    def failed(self, batch: Batch, unknown: bool) -> None:
        """The request did not get through; `unknown` when Jeedom may have applied it all the same."""
        with self.changed:
            for equipment, command in batch.values:
                slot = self._slots.get(equipment, {}).get(command)
                if slot is None or slot.flying is None:
                    continue
                slot.waiting, slot.flying = slot.waiting or slot.flying, None
                slot.sent = float("-inf")
                self._dirty[(equipment, command)] = None
            self._series.extendleft(series for series in reversed(batch.series) if not series.delivery.ended)
            if batch.events:
                if unknown or self._frozen is not None:
                    self._frozen = Batch(batch.sequence, events=batch.events)
                    for event in batch.events:
                        self._frozen.add(event, 1, event)
                else:
                    self._events.extendleft(reversed(batch.events))
            self.changed.notify_all()

    def settled(self, batch: Batch, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Jeedom has acknowledged; returns (event as JSON, reason) of those that it rejected."""
        unknown = {str(each) for each in _items(answer.get("unknown"))}
        commands = {
            (str(equipment), str(command))
            for equipment, names in _pairs(answer.get("unknownCommands"))
            for command in _items(names)
        }
        rejected = []
        refused: set[int] = set()
        for each in _items(answer.get("rejected")):
            index = each.get("event") if isinstance(each, Mapping) else None
            if isinstance(index, int) and 0 <= index < len(batch.parts):
                rejected.append((batch.parts[index], str(each.get("message", ""))))
                refused.add(id(batch.owners[index]))
        with self.changed:
            self._frozen = None
            self._muted |= unknown
            self._muted_commands |= commands
            for equipment, command in batch.values:
                slot = self._slots.get(equipment, {}).get(command)
                if slot is None or slot.flying is None:
                    continue
                slot.known, slot.flying = slot.flying[0], None
                if slot.waiting is not None and slot.waiting[0] == slot.known:
                    slot.waiting = None
                    self._dirty.pop((equipment, command), None)
            for series in batch.series:
                self._under_way -= len(series.points)
                missing = series.equipment in unknown or (series.equipment, series.command) in commands
                if missing or id(series) in refused:
                    series.delivery._refuse()
                else:
                    series.delivery._settle(len(series.points))
            self._drop_muted(unknown, commands)
            self.changed.notify_all()
        return rejected

    def _drop_muted(self, unknown: Iterable[str], commands: Iterable[Key]) -> None:
        for equipment in unknown:
            for command in self._slots.get(equipment, {}):
                self._dirty.pop((equipment, command), None)
        for equipment, command in commands:
            self._dirty.pop((equipment, command), None)
        kept: deque[_Series] = deque()
        for series in self._series:
            if series.delivery.ended:
                self._under_way -= len(series.points)
            else:
                kept.append(series)
        self._series = kept


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    # PHP writes an empty map as [].
    return value.items() if isinstance(value, Mapping) else []
