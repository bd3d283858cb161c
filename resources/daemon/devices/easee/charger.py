"""What is known of one charger: the newest value of each observation, whatever order they come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .mapping import (
    CHARGING,
    DISCONNECTED,
    LIFETIME_ENERGY,
    MODE,
    SESSION_END,
    SESSION_ENERGY,
    SESSION_START,
    Facts,
    Observation,
    Table,
    is_offline,
    session,
)

FUTURE = 300.0
"""Seconds by which a timestamp may be ahead of this machine's clock and still be believed."""
POWER = 120
_COMPARED = (30, 48, 96, 103, MODE)
"""Observations that tell, when the service has another value, that the stream withholds something."""


class Charger:
    """The values of one charger. Not thread-safe: the device holds its lock."""

    def __init__(self, serial: str, table: Table) -> None:
        self.serial = serial
        self.values: dict[int, Any] = {}
        self.heard: float | None = None
        """When the stream last brought anything of it (monotonic)."""
        self.dropped = 0
        self._table = table
        self._stamps: dict[int, float] = {}
        self._received: dict[int, float] = {}

    @property
    def offline(self) -> bool:
        """Whether the service has lost the charger."""
        return is_offline(self.values)

    @property
    def charging(self) -> bool:
        """Whether a car is being charged."""
        return bool(self.values.get(MODE) == CHARGING)

    def observe(self, record: Observation, now: float, wall: float) -> set[int]:
        """Takes a record of the stream; the observations that changed. `now` monotonic, `wall` Unix time."""
        self.heard = now
        if not self._table.wants(record.id):
            return set()
        before = self._stamps.get(record.id, float("-inf"))
        # A date that is not believed must not lose against one, slightly ahead, that was.
        at = record.at if record.at is not None and record.at <= wall + FUTURE else max(wall, before)
        if at < before:
            self.dropped += 1
            return set()
        value = self._table.decode(record.id, record.value, record.data_type)
        if value is None:
            return set()
        self._stamps[record.id] = at
        self._received[record.id] = now
        if record.id in (SESSION_START, SESSION_END):
            return self._meter(str(value), at, now)
        return self._set(record.id, value)

    def take(self, records: Iterable[Observation], asked: float, now: float, wall: float) -> set[int]:
        """Takes what the service answered when asked at `asked` (monotonic); the observations that changed.

        The newest date wins, as in the stream. A record without a date yields to what the stream has brought since.
        """
        changed: set[int] = set()
        for record in records:
            if self._is_news(record, asked):
                heard = self.heard
                changed |= self.observe(record, now, wall)
                self.heard = heard  # only the stream proves that the stream is alive
        return changed

    def differs(self, records: Iterable[Observation], asked: float) -> bool:
        """Whether the service knows something that the stream should have told."""
        fresh = {
            record.id: self._table.decode(record.id, record.value, record.data_type)
            for record in records
            if record.id in self.values and self._is_news(record, asked)
        }
        known = {observation: value for observation, value in fresh.items() if value is not None}
        if any(each in known and known[each] != self.values[each] for each in _COMPARED):
            return True
        power = known.get(POWER, self.values.get(POWER, 0))
        if not is_offline({**self.values, **known}) and abs(power - self.values.get(POWER, 0)) > 0.3:
            return True
        return LIFETIME_ENERGY in known and known[LIFETIME_ENERGY] > self.values[LIFETIME_ENERGY] + 1.0

    def _is_news(self, record: Observation, asked: float) -> bool:
        """Whether an answer of the service is newer than what is known."""
        if record.at is not None and record.id in self._stamps:
            return record.at > self._stamps[record.id]
        return self.received(record.id) <= asked

    def received(self, observation: int) -> float:
        """When the stream last brought that observation (monotonic)."""
        return self._received.get(observation, float("-inf"))

    def facts(self, changed: Iterable[int]) -> Facts:
        """The facts that these changes touch."""
        return self._table.facts(self.values, changed)

    def _set(self, observation: int, value: Any) -> set[int]:
        before = self.values.get(observation)
        if observation == SESSION_ENERGY and value == 0 and before and self.values.get(MODE) not in (None, 0, 1):
            return set()  # the service sends zeros now and then while a session goes on
        if before == value and type(before) is type(value):
            return set()
        self.values[observation] = value
        changed = {observation}
        if observation == MODE and before == DISCONNECTED and value > DISCONNECTED:
            # A car came: the service keeps the figure of the former session until the first update.
            self.values[SESSION_ENERGY] = 0.0
            changed.add(SESSION_ENERGY)
        return changed

    def _meter(self, text: str, at: float, now: float) -> set[int]:
        """The meter's figures of a session's begin or end: sharper than those that come hourly."""
        found = session(text)
        changed: set[int] = set()
        if found is None:
            return changed
        for observation, value in ((LIFETIME_ENERGY, found.lifetime), (SESSION_ENERGY, found.energy)):
            if value is not None and at >= self._stamps.get(observation, float("-inf")):
                self._stamps[observation] = at
                self._received[observation] = now
                changed |= self._set(observation, value)
        return changed
