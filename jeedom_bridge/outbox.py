"""What is to be sent to Jeedom: coalesced values, ordered events, dated measures under way.

Three kinds, three rules. Of a *value* only the newest counts: a newer one replaces one that waits, and one equal
to what Jeedom has costs nothing. *Events* keep their order and are each applied once. *Dated measures* are not
kept here for long: whoever hands them in waits for their delivery and can fetch them again.
"""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Callable, Union

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


_as_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


@dataclass
class _Slot:
    """One value of one equipment: what Jeedom has, what is on the wire, what waits."""

    cadence: float = 0.0
    known: Value | None = None
    flying: tuple[Value, float] | None = None
    waiting: tuple[Value, float] | None = None
    sent: float = float("-inf")


@dataclass(eq=False)
class _Event:
    """One event whose order matters, as JSON text, and the name under which a newer one replaces it."""

    part: str
    merge: object = None


@dataclass(eq=False)
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
    events: list[_Event] = field(default_factory=list)
    values: list[Key] = field(default_factory=list)
    series: list[_Series] = field(default_factory=list)
    owners: list[object] = field(default_factory=list)
    points: int = 0
    size: int = 0

    def add(self, part: str, points: int, owner: object) -> None:
        """Appends one event; `owner` is what is told when Jeedom rejects it."""
        self.parts.append(part)
        self.owners.append(owner)
        self.points += points
        self.size += len(part) + 2

    def room(self, size: int) -> bool:
        """Whether so many characters more fit in; what is too big for any request goes alone."""
        return not self.parts or self.size + size <= MAX_BYTES


class Outbox:
    """Thread-safe; the callback takes batches out and settles them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.changed = threading.Condition()
        self._slots: dict[str, dict[str, _Slot]] = {}
        self._dirty: dict[Key, None] = {}
        self._events: deque[_Event] = deque()
        self._merge: dict[object, _Event] = {}
        self._series: deque[_Series] = deque()
        self._flying = Batch(0)
        self._under_way = 0
        self._frozen: Batch | None = None
        self._sequence = 0
        self._muted: set[str] = set()
        self._muted_commands: set[Key] = set()
        self._closed = self._asked_anew = False
        self.dropped = 0

    def __len__(self) -> int:
        """Values, events and dated points that wait or are on the wire."""
        with self.changed:
            repeat = self._frozen.events if self._frozen is not None and self._frozen is not self._flying else []
            flying = len(self._flying.values) + len(self._flying.events) + len(repeat)
            return len(self._dirty) + len(self._events) + flying + self._under_way

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
        when they are over. Raises TypeError or ValueError for what is no value, and takes none of them.
        """
        at = self._clock.time() if at is None else at
        for value in values.values():
            _check(value)
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
            self._dirty.pop((equipment, command), None)
        else:
            slot.waiting = (value, at)
            self._dirty[(equipment, command)] = None

    def event(self, event: Mapping[str, Any], merge: object = None) -> None:
        """An event whose order matters. One that waits with the same `merge` is replaced by this one.

        When far too many wait, the oldest go: memory is bounded however long Jeedom is away. Raises TypeError
        or ValueError for what JSON cannot hold.
        """
        item = _Event(_as_json(event), merge)
        with self.changed:
            if self._closed:
                return
            if merge is not None:
                old = self._merge.get(merge)
                if old is not None:
                    self._events.remove(old)
                self._merge[merge] = item
            self._events.append(item)
            if len(self._events) > MAX_EVENTS:
                self._next_event()
                self.dropped += 1
            self.changed.notify_all()

    def _next_event(self) -> _Event:
        event = self._events.popleft()
        if self._merge.get(event.merge) is event:
            del self._merge[event.merge]
        return event

    def history(
        self, equipment: str, series: Mapping[str, Sequence[Point]], given_up: Callable[[], bool] = lambda: False
    ) -> Delivery:
        """Dated measures of one equipment, per command: (ISO 8601 with offset, value), oldest first.

        Blocks while too many points wait, unless `given_up()`. The delivery ends undelivered when Jeedom does
        not know the equipment or the command, or rejects them. Raises TypeError or ValueError for what is no
        value, and takes nothing.
        """
        total = sum(len(points) for points in series.values())
        for points in series.values():
            for at, value in points:
                if not isinstance(at, str) or value is None:
                    raise TypeError(f"not a dated value: {at!r}, {value!r}")
                _check(value)
        delivery = Delivery(total)
        with self.changed:
            while self._under_way and self._under_way + total > ROOM and not self._closed and not given_up():
                self.changed.wait(0.25)
            muted = equipment in self._muted or any((equipment, c) in self._muted_commands for c in series)
            if self._closed or muted or given_up():
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

    def resend(self, equipment: str, commands: Mapping[str, float]) -> None:
        """Sends known values once more, changed or not; `commands`: when each was last found true (Unix time)."""
        with self.changed:
            if equipment in self._muted:
                return
            slots = self._slots.get(equipment, {})
            for command, at in commands.items():
                slot = slots.get(command)
                if slot is None or (equipment, command) in self._muted_commands:
                    continue
                if slot.waiting is None and slot.flying is None and slot.known is not None:
                    slot.waiting = (slot.known, at)
                    self._dirty[(equipment, command)] = None
            self.changed.notify_all()

    def forget(self, equipment: str) -> None:
        """Drops what waits for an equipment and what Jeedom is known to have of it; its deliveries end."""
        with self.changed:
            for command in self._slots.pop(equipment, {}):
                self._dirty.pop((equipment, command), None)
            for series in (*self._series, *self._flying.series):
                if series.equipment == equipment:
                    series.delivery._refuse()
            self._drop_ended()
            self.changed.notify_all()

    def unmute(self) -> set[str]:
        """Jeedom has sent a new desired state: what it did not know before it may know now. Returns that equipment."""
        with self.changed:
            muted = self._muted | {equipment for equipment, _ in self._muted_commands}
            self._asked_anew = True
            for equipment in self._muted:
                for command in self._slots.pop(equipment, {}):
                    self._dirty.pop((equipment, command), None)
            for equipment, command in self._muted_commands:
                self._slots.get(equipment, {}).pop(command, None)
                self._dirty.pop((equipment, command), None)
            self._muted.clear()
            self._muted_commands.clear()
            return muted

    def close(self) -> None:
        """Nothing more is accepted but values; who waits in `history` or for a delivery goes on."""
        with self.changed:
            self._closed = True
            for series in self._series:
                series.delivery._refuse()
            self._drop_ended()
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
            self._asked_anew = False
            if self._frozen is not None:
                self._flying = self._frozen
                return self._frozen
            self._sequence += 1
            batch = Batch(self._sequence)
            self._take_events(batch, max_points)
            self._take_values(batch, max_points, everything)
            self._take_series(batch, max_points)
            if not batch.parts:
                self._sequence -= 1
                return None
            self._flying = batch
            return batch

    def _take_events(self, batch: Batch, limit: int) -> None:
        while self._events and batch.points < limit and batch.room(len(self._events[0].part)):
            event = self._next_event()
            batch.events.append(event)
            batch.add(event.part, 1, event)

    def _take_values(self, batch: Batch, limit: int, everything: bool) -> None:
        now, wall = self._clock.monotonic(), self._clock.time()
        groups: dict[tuple[str, float], dict[str, Value]] = {}
        size = points = 0
        for equipment, command in list(self._dirty):
            slot = self._slots[equipment][command]
            if slot.waiting is None or (slot.sent + slot.cadence > now and not everything):
                continue
            value, at = slot.waiting
            # Young values of one equipment share an event; an old one keeps its own date.
            group = (equipment, wall if wall - OLD < at <= wall else at)
            size += len(command) + _size(value) + (0 if group in groups else len(equipment) + 100)
            if batch.points + points >= limit or (points and batch.size + size > MAX_BYTES) or not batch.room(size):
                break
            points += 1
            groups.setdefault(group, {})[command] = value
            slot.flying, slot.waiting, slot.sent = slot.waiting, None, now
            batch.values.append((equipment, command))
            del self._dirty[(equipment, command)]
        stamps = {at: moment(at) for at in {at for _, at in groups}}
        for (equipment, at), values in groups.items():
            event = {"event": "values", "equipment": equipment, "at": stamps[at], "values": values}
            batch.add(_as_json(event), len(values), equipment)

    def _take_series(self, batch: Batch, limit: int) -> None:
        while self._series and batch.points < limit:
            series = self._series[0]
            count = _fitting(series.points, limit - batch.points, MAX_BYTES - batch.size - 200)
            if not count and batch.parts:
                break
            self._series.popleft()
            count = max(1, count)
            if len(series.points) > count:
                rest = _Series(series.equipment, series.command, series.points[count:], series.delivery)
                self._series.appendleft(rest)
                series.points = series.points[:count]
            batch.series.append(series)
            event = {
                "event": "history",
                "equipment": series.equipment,
                "command": series.command,
                "points": series.points,
            }
            batch.add(_as_json(event), len(series.points), series)

    def failed(self, batch: Batch, unknown: bool) -> None:
        """The request did not get through; `unknown` when Jeedom may have applied it all the same."""
        with self.changed:
            for equipment, command in batch.values:
                slot = self._slots.get(equipment, {}).get(command)
                if slot is None or slot.flying is None:
                    continue
                slot.waiting, slot.flying = slot.waiting or slot.flying, None
                slot.sent = float("-inf")
                if unknown:
                    # Jeedom has either the former value or this one: whatever comes next must be sent.
                    slot.known = None
                self._dirty[(equipment, command)] = None
            self._flying = Batch(0)
            self._series.extendleft(reversed(batch.series))
            self._drop_ended()
            if batch.events:
                if unknown or self._frozen is not None:
                    self._frozen = Batch(batch.sequence, events=batch.events)
                    for event in batch.events:
                        self._frozen.add(event.part, 1, event)
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
            self._flying = Batch(0)
            again = self._asked_anew  # Jeedom judged by what it had before: it is asked once more
            if not again:
                self._muted |= unknown
                self._muted_commands |= commands
            for equipment, command in batch.values:
                slot = self._slots.get(equipment, {}).get(command)
                if slot is None or slot.flying is None:
                    continue
                if again and (equipment in unknown or (equipment, command) in commands):
                    slot.waiting, slot.flying, slot.known = slot.waiting or slot.flying, None, None
                    self._dirty[(equipment, command)] = None
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
            for equipment, command in list(self._dirty):
                if equipment in self._muted or (equipment, command) in self._muted_commands:
                    del self._dirty[(equipment, command)]
            self._drop_ended()
            self.changed.notify_all()
        return rejected

    def _drop_ended(self) -> None:
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


def _check(value: Any) -> None:
    """Raises for what a value cannot be. It would be too late when the request is made."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a value: {value!r}")
    elif value is not None and not isinstance(value, (int, str)):
        raise TypeError(f"not a value: {value!r}")


def _size(value: Value) -> int:
    """How many characters a value takes in a request, with its punctuation, at most."""
    return 8 + (len(json.dumps(value)) if isinstance(value, str) else 24)


def _fitting(points: Sequence[Point], limit: int, room: int) -> int:
    """How many points fit into so many characters."""
    count = 0
    for at, value in islice(points, limit):
        room -= len(at) + _size(value)
        if room < 0:
            break
        count += 1
    return count
