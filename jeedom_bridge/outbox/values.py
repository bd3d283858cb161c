"""Values of which only the newest counts."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ..clock import Clock, moment
from .batch import MAX_BYTES, Batch, Point, Value, as_json, size_of

Key = tuple[str, str]
"""(equipment, command)."""

SAME_DATE_S = 60.0
"""Values of one equipment that are younger than this share one event; an older one keeps its own date."""


class _Repeat(NamedTuple):
    """`known` is to be sent once more; `at`: when it was last found true (Unix time), None if it only stands."""

    at: float | None


class _Sending(NamedTuple):
    value: Value
    at: float
    repeat: _Repeat | None


@dataclass
class _Slot:
    """One value of one equipment: what Jeedom has, what is under way, what waits. `sent` is monotonic.

    `since`: date of `known` on the monotonic clock, which nobody sets. `rejected`: Jeedom has seen `known` and does not
    have it. `gone`: nobody knows the value any more, so that a Jeedom without it lacks nothing.
    """

    cadence_s: float = 0.0
    known: Value | None = None
    since: float = 0.0
    rejected: bool = False
    gone: bool = False
    in_flight: _Sending | None = None
    waiting: tuple[Value, float] | None = None
    repeat: _Repeat | None = None
    sent: float = float("-inf")


@dataclass(eq=False)
class _Sent:
    """The values of one event of a request."""

    equipment: str
    commands: list[str] = field(default_factory=list)


class Values:
    """The newest values of all equipment. The outbox holds its lock around every call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: dict[str, dict[str, _Slot]] = {}
        self._dirty: dict[Key, None] = {}
        """What waits, in the order in which it began to."""

    def __len__(self) -> int:
        return len(self._dirty)

    def put(
        self, equipment: str, values: Mapping[str, Value | None], at: float, cadence: Mapping[str, float] | None
    ) -> None:
        """Takes values of a Unix time, None: not known; `cadence`: seconds between two sendings, per command."""
        slots = self._slots.setdefault(equipment, {})
        for command, value in values.items():
            slot = slots.get(command)
            if value is None:
                if slot is not None:
                    slot.gone, slot.repeat = True, None
                    if slot.waiting is None:
                        self._dirty.pop((equipment, command), None)
                continue
            if slot is None:
                slot = slots[command] = _Slot()
            slot.gone = False
            if cadence is not None:
                slot.cadence_s = cadence.get(command, 0.0)
            known = slot.in_flight.value if slot.in_flight else slot.known
            if known is not None and type(known) is type(value) and known == value:
                slot.waiting = None
                if slot.repeat is None:
                    self._dirty.pop((equipment, command), None)
            else:
                slot.waiting = (value, at)
                self._dirty[(equipment, command)] = None

    def resend(self, equipment: str, fresh: Mapping[str, float], without: Container[Key] = ()) -> None:
        """Puts all known values of an equipment in the queue once more.

        `fresh`: those that were found true lately, and when (Unix time). The others, and those within their cadence,
        only stand: they go with the date that they have, for a Jeedom that has lost them. What was rejected goes as if
        it were new.
        """
        now = self._clock.monotonic()
        for command, slot in self._slots.get(equipment, {}).items():
            if slot.known is None or slot.gone or slot.in_flight is not None or (equipment, command) in without:
                continue
            at = fresh.get(command)
            if slot.rejected:
                slot.waiting = slot.waiting or (slot.known, self._date(slot) if at is None else at)
            else:
                held = slot.waiting is not None or slot.sent + slot.cadence_s > now
                slot.repeat = _Repeat(None if held else at)
            self._dirty[(equipment, command)] = None

    def stored(self, equipment: str, command: str, points: Sequence[Point]) -> None:
        """Jeedom has dated measures: the newest of all is the command's value, until there is a newer one."""
        try:
            at, value = max((datetime.fromisoformat(at).timestamp(), value) for at, value in points)
        except (ValueError, TypeError):
            return  # a date that nobody can tell the age of
        slot = self._slots.setdefault(equipment, {}).setdefault(command, _Slot())
        since = self._clock.monotonic() - (self._clock.time() - at)
        if slot.known is None or since >= slot.since:
            slot.known, slot.since = value, since

    def equipment(self) -> list[str]:
        """Whose values there are."""
        return list(self._slots)

    def forget(self, equipment: str) -> None:
        """Drops what waits, and what Jeedom is known to have."""
        for command in self._slots.pop(equipment, {}):
            self._dirty.pop((equipment, command), None)

    def forget_command(self, equipment: str, command: str) -> None:
        """The same for one command."""
        self._slots.get(equipment, {}).pop(command, None)
        self._dirty.pop((equipment, command), None)

    def drop_waiting(self, equipment: Iterable[str], commands: Iterable[Key]) -> None:
        """Takes what Jeedom does not know out of the queue."""
        equipment, commands = set(equipment), set(commands)
        for key in [each for each in self._dirty if each[0] in equipment or each in commands]:
            del self._dirty[key]

    def due_s(self) -> float | None:
        """Seconds until a value can leave; None if none waits."""
        now = self._clock.monotonic()
        best: float | None = None
        for equipment, command in self._dirty:
            slot = self._slots[equipment][command]
            rest = slot.sent + slot.cadence_s - now
            if rest <= 0 or slot.repeat is not None:
                return 0.0
            best = rest if best is None else min(best, rest)
        return best

    def take(self, batch: Batch, max_points: int, everything: bool) -> None:
        """Moves due values into a request; `everything` ignores cadences."""
        now, wall = self._clock.monotonic(), self._clock.time()
        groups: dict[tuple[str, float, bool], dict[str, Value]] = {}
        size = points = 0
        for equipment, command in list(self._dirty):
            slot = self._slots[equipment][command]
            sending = self._next(slot, now, everything)
            if sending is None:
                continue
            value, at, repeat = sending
            stands = repeat is not None and repeat.at is None
            group = (equipment, at if stands or not wall - SAME_DATE_S < at <= wall else wall, stands)
            size += len(command) + size_of(value) + (0 if group in groups else len(equipment) + 115)
            if (
                batch.points + points >= max_points
                or (points and batch.size + size > MAX_BYTES)
                or not batch.fits(size)
            ):
                break
            points += 1
            groups.setdefault(group, {})[command] = value
            slot.in_flight, slot.repeat = sending, None
            if repeat is None:
                slot.waiting = None
            if not stands:
                slot.sent = now
            if slot.waiting is None:
                del self._dirty[(equipment, command)]
        stamps = {at: moment(at) for at in {at for _, at, _ in groups}}
        for (equipment, at, stands), values in groups.items():
            event: dict[str, Any] = {"event": "values", "equipment": equipment, "at": stamps[at], "values": values}
            if stands:
                event["again"] = True
            batch.add(as_json(event), len(values), _Sent(equipment, list(values)))

    def _next(self, slot: _Slot, now: float, everything: bool) -> _Sending | None:
        """What of a slot can leave: a new value in its cadence, else a known one once more."""
        if slot.waiting is not None and (slot.sent + slot.cadence_s <= now or everything):
            return _Sending(*slot.waiting, None)
        if slot.repeat is None or slot.known is None:
            return None
        return _Sending(slot.known, self._date(slot) if slot.repeat.at is None else slot.repeat.at, slot.repeat)

    def _date(self, slot: _Slot) -> float:
        """The date of what is known, by the clock as it is set now."""
        return self._clock.time() - (self._clock.monotonic() - slot.since)

    def put_back(self, batch: Batch, maybe_applied: bool) -> None:
        """The request did not get through: its values wait again, unless newer ones do."""
        for _, equipment, command, slot in self._under_way(batch):
            sending = slot.in_flight
            assert sending is not None
            slot.in_flight = None
            self._dirty[(equipment, command)] = None
            if sending.repeat is not None:
                slot.repeat = slot.repeat or sending.repeat
                continue
            slot.waiting = slot.waiting or sending[:2]
            slot.sent = float("-inf")
            if maybe_applied:
                # Jeedom has either the former value or this one: whatever comes next must be sent.
                slot.known = None

    def acknowledged(
        self,
        batch: Batch,
        ask_again: frozenset[str],
        ask_again_commands: frozenset[Key],
        rejected: Collection[int],
    ) -> None:
        """Jeedom has the request's values; what it did not know is sent again if it may know it now.

        `rejected`: the `id` of owners that it has rejected; their values are sent again with the next `resend`.
        """
        now, wall = self._clock.monotonic(), self._clock.time()
        for sent, equipment, command, slot in self._under_way(batch):
            sending = slot.in_flight
            assert sending is not None
            slot.in_flight = None
            if equipment in ask_again or (equipment, command) in ask_again_commands:
                slot.waiting, slot.known = slot.waiting or sending[:2], None
                self._dirty[(equipment, command)] = None
                continue
            slot.known, slot.rejected = sending.value, id(sent) in rejected
            slot.since = now - max(0.0, wall - sending.at)
            if slot.waiting is not None and slot.waiting[0] == slot.known:
                slot.waiting = None
                self._dirty.pop((equipment, command), None)

    def _under_way(self, batch: Batch) -> Iterable[tuple[_Sent, str, str, _Slot]]:
        for sent in batch.owners:
            if isinstance(sent, _Sent):
                slots = self._slots.get(sent.equipment, {})
                for command in sent.commands:
                    slot = slots.get(command)
                    if slot is not None and slot.in_flight is not None:
                        yield sent, sent.equipment, command, slot


def count_values(batch: Batch) -> int:
    """How many values a request has."""
    return sum(len(sent.commands) for sent in batch.owners if isinstance(sent, _Sent))
