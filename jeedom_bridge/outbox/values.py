"""Values of which only the newest counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..clock import Clock, moment
from .batch import MAX_BYTES, Batch, Value, as_json, size_of

Key = tuple[str, str]
"""(equipment, command)."""

SAME_DATE_S = 60.0
"""Values of one equipment that are younger than this share one event; an older one keeps its own date."""


@dataclass
class _Slot:
    """One value of one equipment: what Jeedom has, what is under way, what waits. `sent` is monotonic."""

    cadence_s: float = 0.0
    known: Value | None = None
    in_flight: tuple[Value, float] | None = None
    waiting: tuple[Value, float] | None = None
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

    def put(self, equipment: str, values: Mapping[str, Value], at: float, cadence: Mapping[str, float] | None) -> None:
        """Takes values of a Unix time; `cadence`: seconds between two sendings, per command."""
        slots = self._slots.setdefault(equipment, {})
        for command, value in values.items():
            slot = slots.get(command)
            if slot is None:
                slot = slots[command] = _Slot()
            if cadence is not None:
                slot.cadence_s = cadence.get(command, 0.0)
            known = slot.in_flight[0] if slot.in_flight else slot.known
            if known is not None and type(known) is type(value) and known == value:
                slot.waiting = None
                self._dirty.pop((equipment, command), None)
            else:
                slot.waiting = (value, at)
                self._dirty[(equipment, command)] = None

    def resend(self, equipment: str, commands: Mapping[str, float]) -> None:
        """Puts known values in the queue once more; `commands`: when each was last found true (Unix time)."""
        slots = self._slots.get(equipment, {})
        for command, at in commands.items():
            slot = slots.get(command)
            if slot is not None and slot.waiting is None and slot.in_flight is None and slot.known is not None:
                slot.waiting = (slot.known, at)
                self._dirty[(equipment, command)] = None

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
            if rest <= 0:
                return 0.0
            best = rest if best is None else min(best, rest)
        return best

    def take(self, batch: Batch, max_points: int, everything: bool) -> None:
        """Moves due values into a request; `everything` ignores cadences."""
        now, wall = self._clock.monotonic(), self._clock.time()
        groups: dict[tuple[str, float], dict[str, Value]] = {}
        size = points = 0
        for equipment, command in list(self._dirty):
            slot = self._slots[equipment][command]
            if slot.waiting is None or (slot.sent + slot.cadence_s > now and not everything):
                continue
            value, at = slot.waiting
            group = (equipment, wall if wall - SAME_DATE_S < at <= wall else at)
            size += len(command) + size_of(value) + (0 if group in groups else len(equipment) + 100)
            if (
                batch.points + points >= max_points
                or (points and batch.size + size > MAX_BYTES)
                or not batch.fits(size)
            ):
                break
            points += 1
            groups.setdefault(group, {})[command] = value
            slot.in_flight, slot.waiting, slot.sent = slot.waiting, None, now
            del self._dirty[(equipment, command)]
        stamps = {at: moment(at) for at in {at for _, at in groups}}
        for (equipment, at), values in groups.items():
            event = {"event": "values", "equipment": equipment, "at": stamps[at], "values": values}
            batch.add(as_json(event), len(values), _Sent(equipment, list(values)))

    def put_back(self, batch: Batch, maybe_applied: bool) -> None:
        """The request did not get through: its values wait again, unless newer ones do."""
        for equipment, command, slot in self._under_way(batch):
            slot.waiting, slot.in_flight = slot.waiting or slot.in_flight, None
            slot.sent = float("-inf")
            if maybe_applied:
                # Jeedom has either the former value or this one: whatever comes next must be sent.
                slot.known = None
            self._dirty[(equipment, command)] = None

    def acknowledged(self, batch: Batch, ask_again: frozenset[str], ask_again_commands: frozenset[Key]) -> None:
        """Jeedom has the request's values; what it did not know is sent again if it may know it now."""
        for equipment, command, slot in self._under_way(batch):
            if equipment in ask_again or (equipment, command) in ask_again_commands:
                slot.waiting, slot.in_flight, slot.known = slot.waiting or slot.in_flight, None, None
                self._dirty[(equipment, command)] = None
                continue
            assert slot.in_flight is not None
            slot.known, slot.in_flight = slot.in_flight[0], None
            if slot.waiting is not None and slot.waiting[0] == slot.known:
                slot.waiting = None
                self._dirty.pop((equipment, command), None)

    def _under_way(self, batch: Batch) -> Iterable[tuple[str, str, _Slot]]:
        for sent in batch.owners:
            if isinstance(sent, _Sent):
                slots = self._slots.get(sent.equipment, {})
                for command in sent.commands:
                    slot = slots.get(command)
                    if slot is not None and slot.in_flight is not None:
                        yield sent.equipment, command, slot


def count_values(batch: Batch) -> int:
    """How many values a request has."""
    return sum(len(sent.commands) for sent in batch.owners if isinstance(sent, _Sent))
