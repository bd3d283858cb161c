"""The outbox: what the daemon hands in, what the callback takes out, and what Jeedom has said of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ..clock import Clock
from .batch import MAX_POINTS, Batch, Point, Value, as_json, check
from .events import Event, Events, events_of
from .measures import Delivery, Measures
from .values import Key, Values, count_values

GIVE_UP_CHECK_S = 0.25
"""Seconds between two looks at whether whoever waits for room wants to go on waiting."""
RESTORE_EVERY_S = 60.0
"""Least seconds between two times at which everything is sent once more: a full disk loses it again at once."""


class Outbox:
    """Thread-safe; the callback takes batches out and tells what became of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.changed = threading.Condition()
        self._values = Values(clock)
        self._events = Events()
        self._measures = Measures()
        self._in_flight = Batch(0)
        self._retry_batch: Batch | None = None
        """Events that were sent with an unknown end: they go again alone, unchanged, under their old sequence."""
        self._sequence = 0
        self._muted: set[str] = set()
        self._muted_commands: set[Key] = set()
        self._closed = self._asked_anew = self._lost = False
        self._restored = float("-inf")
        self.losses = 0
        """How often Jeedom has said that it has lost values: what else it keeps beside them is lost as well."""

    def __len__(self) -> int:
        """Values, events and dated points that wait or are on the wire."""
        with self.changed:
            retry = self._retry_batch if self._retry_batch is not self._in_flight else None
            events = len(events_of(self._in_flight)) + (len(events_of(retry)) if retry is not None else 0)
            in_flight = count_values(self._in_flight) + events
            return len(self._values) + len(self._events) + in_flight + self._measures.under_way

    @property
    def dropped(self) -> int:
        """Events that were given up since too many waited."""
        return self._events.dropped

    # What the daemon hands in.

    def values(
        self,
        equipment: str,
        values: Mapping[str, Value | None],
        at: float | None = None,
        cadence: Mapping[str, float] | None = None,
    ) -> None:
        """Values as of `at` (Unix time, default now). None means unknown and is not sent, nor is the former one again.

        `cadence` gives, per command, the seconds that must lie between two sendings; the newest value leaves
        when they are over. Raises TypeError or ValueError if any value is invalid; nothing is queued then.
        """
        at = self._clock.time() if at is None else at
        for value in values.values():
            check(value)
        with self.changed:
            if equipment in self._muted:
                return
            if self._muted_commands:
                values = {
                    each: value for each, value in values.items() if (equipment, each) not in self._muted_commands
                }
            self._values.put(equipment, values, at, cadence)
            self.changed.notify_all()

    def event(self, event: Mapping[str, Any], merge: object = None) -> None:
        """An event whose order matters. One that waits with the same `merge` is replaced by this one.

        If far too many wait, the oldest go. Raises TypeError or ValueError if JSON cannot hold it.
        """
        item = Event(as_json(event), merge)
        with self.changed:
            if not self._closed:
                self._events.add(item)
                self.changed.notify_all()

    def history(
        self, equipment: str, series: Mapping[str, Sequence[Point]], given_up: Callable[[], bool] = lambda: False
    ) -> Delivery:
        """Dated measures of one equipment, per command: (ISO 8601 with offset, value), oldest first.

        Blocks while too many points wait, unless `given_up()`. The delivery ends undelivered if Jeedom does not know
        the equipment or the command, or rejects them. Raises TypeError or ValueError if any point is invalid; nothing
        is queued then.
        """
        total = sum(len(points) for points in series.values())
        for points in series.values():
            for at, value in points:
                if not isinstance(at, str) or value is None:
                    raise TypeError(f"not a dated value: {at!r}, {value!r}")
                check(value)
        delivery = Delivery(total)
        with self.changed:
            while not self._measures.has_room(total) and not self._closed and not given_up():
                self.changed.wait(GIVE_UP_CHECK_S)
            muted = equipment in self._muted or any((equipment, c) in self._muted_commands for c in series)
            if self._closed or muted or given_up():
                delivery.refuse()
            elif not total:
                delivery.acknowledge(0)
            else:
                self._measures.add(equipment, series, delivery)
                self.changed.notify_all()
        return delivery

    def resend(self, equipment: str, fresh: Mapping[str, float]) -> None:
        """Sends all known values of an equipment once more.

        `fresh`: those that were found true lately, and when (Unix time). The others go with `again` and the date that
        they have: Jeedom takes them only if it has lost them.
        """
        with self.changed:
            self._resend(equipment, fresh)
            self.changed.notify_all()

    def _resend(self, equipment: str, fresh: Mapping[str, float]) -> None:
        if equipment not in self._muted:
            self._values.resend(equipment, fresh, self._muted_commands)

    def forget(self, equipment: str) -> None:
        """Drops what waits for an equipment and what Jeedom is known to have of it; its deliveries end."""
        with self.changed:
            self._values.forget(equipment)
            self._measures.refuse(equipment, self._in_flight)
            self.changed.notify_all()

    def forget_commands(self, equipment: str, commands: Iterable[str]) -> None:
        """Drops what Jeedom is known to have of commands that were created: they are others than those of before."""
        with self.changed:
            for command in commands:
                self._values.forget_command(equipment, command)

    def unmute(self) -> set[str]:
        """Jeedom has sent a new desired state: what it did not know before it may know now. Returns that equipment."""
        with self.changed:
            muted = self._muted | {equipment for equipment, _ in self._muted_commands}
            self._asked_anew = True
            for equipment in self._muted:
                self._values.forget(equipment)
            for equipment, command in self._muted_commands:
                self._values.forget_command(equipment, command)
            self._muted.clear()
            self._muted_commands.clear()
            return muted

    def close(self) -> None:
        """Nothing more is accepted but values; who waits in `history` or for a delivery goes on."""
        with self.changed:
            self._closed = True
            self._measures.refuse(None)
            self.changed.notify_all()

    # What the callback takes out. It is the only caller.

    def due(self) -> float | None:
        """Seconds until something can leave; None if nothing waits. `changed` must be held."""
        if self._events or self._measures or self._retry_batch:
            return 0.0
        due = self._values.due_s()
        if not self._lost:
            return due
        restore = max(0.0, self._restored + RESTORE_EVERY_S - self._clock.monotonic())
        return restore if due is None else min(due, restore)

    def take(self, max_points: int = MAX_POINTS, everything: bool = False) -> Batch | None:
        """The next request: at most `max_points` points and 256 kB; None if nothing is due.

        Events that were sent before with an unknown end go first, alone and under their old sequence, so that
        Jeedom can tell a repeat. `everything` ignores cadences (at the end).
        """
        with self.changed:
            self._asked_anew = False
            self._restore()
            if self._retry_batch is not None:
                self._in_flight = self._retry_batch
                return self._retry_batch
            batch = Batch(self._sequence + 1)
            self._events.take(batch, max_points)
            self._values.take(batch, max_points, everything)
            self._measures.take(batch, max_points)
            if not batch.parts:
                return None
            self._sequence = batch.sequence
            self._in_flight = batch
            return batch

    def failed(self, batch: Batch, unknown: bool) -> None:
        """The request did not get through; `unknown`: Jeedom may have applied it all the same."""
        with self.changed:
            self._values.put_back(batch, unknown)
            self._in_flight = Batch(0)
            self._measures.put_back(batch)
            events = events_of(batch)
            if events and (unknown or self._retry_batch is not None):
                self._retry_batch = Batch(batch.sequence)
                for event in events:
                    self._retry_batch.add(event.part, 1, event)
            else:
                self._events.put_back(events)
            self.changed.notify_all()

    def acknowledged(self, batch: Batch, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Jeedom has answered; returns (event as JSON, reason) of those that it has rejected."""
        unknown = frozenset(str(each) for each in _items(answer.get("unknown")))
        commands = frozenset(
            (str(equipment), str(command))
            for equipment, names in _pairs(answer.get("unknownCommands"))
            for command in _items(names)
        )
        rejected = {}
        for each in _items(answer.get("rejected")):
            index = each.get("event") if isinstance(each, Mapping) else None
            if isinstance(index, int) and 0 <= index < len(batch.parts):
                rejected[index] = str(each.get("message", ""))
        refused = {id(batch.owners[index]) for index in rejected}
        with self.changed:
            self._retry_batch = None
            self._in_flight = Batch(0)
            if self._asked_anew:  # Jeedom judged by what it had before: it is asked once more
                self._values.acknowledged(batch, unknown, commands, refused)
            else:
                self._muted |= unknown
                self._muted_commands |= commands
                self._values.acknowledged(batch, frozenset(), frozenset(), refused)
            for equipment, command, points in self._measures.acknowledged(batch, unknown, commands, refused):
                self._values.stored(equipment, command, points)
            self._values.drop_waiting(self._muted, self._muted_commands)
            if answer.get("lost") is True:
                self._lost = True
                self.losses += 1
            self._restore()
            self.changed.notify_all()
        return [(batch.parts[index], message) for index, message in rejected.items()]

    def _restore(self) -> None:
        """Sends everything once more to a Jeedom that has lost values, but not with each of its answers."""
        now = self._clock.monotonic()
        if self._lost and now - self._restored >= RESTORE_EVERY_S:
            self._lost, self._restored = False, now
            for equipment in self._values.equipment():
                self._resend(equipment, {})


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    # PHP writes an empty map as [].
    return value.items() if isinstance(value, Mapping) else []
