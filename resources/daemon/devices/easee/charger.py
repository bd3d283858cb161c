"""One charger: its car, its sessions and its meter."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.counter_guard import CounterGuard, Limits
from .mapping import (
    CONNECTED,
    LIFETIME_ENERGY,
    MODE,
    OFFLINE,
    SESSION_END,
    SESSION_ENERGY,
    SESSION_START,
    Observation,
    Table,
    flows,
)
from .product import NEVER, Product
from .sessions import Sessions, session

__all__ = ["NEVER", "Charger"]

_LOG = logging.getLogger(__name__)

POWER = 120
_COMPARED = (30, 48, 96, 103, MODE)
"""Observations whose difference from the service's value shows that the stream is stalled."""
METER_LIMITS = Limits(per_hour=25.0, slack=3.0, jitter=0.5, confirm_s=900.0, confirm_readings=3)
"""In kWh: 22 kW at most; figures of a session's end and hourly ones are rounded differently."""


class Charger(Product):
    """The values of one charger."""

    of_the_cloud = Product.of_the_cloud | {11}
    essential = MODE
    kept_at_once = ("sessions",)

    def __init__(self, serial: str, table: Table, silent_after: float = 1200.0) -> None:
        super().__init__(serial, table, silent_after)
        self.sessions = Sessions()
        self.meter = CounterGuard(METER_LIMITS)

    @property
    def offline(self) -> bool:
        """True if the service has lost the charger, and nothing came from it since."""
        told = self.values.get(MODE) == OFFLINE and self.newest <= self._stamps.get(MODE, NEVER)
        return told or super().offline

    @property
    def charging(self) -> bool:
        """True while a car is being charged."""
        return flows(self.values, self.away) and MODE in self.values

    def differs(self, records: Iterable[Observation], asked: float) -> bool:
        """True if the service has a value that the stream should have sent."""
        known = self._news(records, asked)
        if any(each in known and known[each] != self.values[each] for each in _COMPARED):
            return True
        power = known.get(POWER, self.values.get(POWER, 0))
        if known.get(CONNECTED) is not False and abs(power - self.values.get(POWER, 0)) > 0.3:
            return True
        return LIFETIME_ENERGY in known and known[LIFETIME_ENERGY] > self.values[LIFETIME_ENERGY] + 1.0

    # Accepting values.

    def _belongs(self, observation: int, at: float) -> bool:
        return observation != SESSION_ENERGY or at >= self.sessions.begun

    def _read(self, observation: int, value: Any, at: float, now: float) -> set[int]:
        if observation in (SESSION_START, SESSION_END):
            return self._session(observation, str(value), at, now)
        if observation == LIFETIME_ENERGY:
            return self._read_counter(self.meter, observation, value, at)
        return self._set(observation, value, at)

    def _lives(self, record: Observation, at: float) -> None:
        if record.id != MODE or not _says_offline(record.value):
            super()._lives(record, at)

    def _set(self, observation: int, value: Any, at: float) -> set[int]:
        before = self.values.get(observation)
        if observation == SESSION_ENERGY and value == 0 and before and self.values.get(MODE) not in (None, 0, 1):
            return set()  # the service occasionally sends zeros during a session
        changed = super()._set(observation, value, at)
        if observation == MODE and self.sessions.mode(before, value, at):
            changed |= self._former(self._received[MODE])
        return changed

    def _former(self, now: float) -> set[int]:
        """Resets the session's energy: the known figure belongs to the previous car."""
        if self._stamps.get(SESSION_ENERGY, NEVER) >= self.sessions.begun:
            return set()
        self._stamps[SESSION_ENERGY], self._received[SESSION_ENERGY] = self.sessions.begun, now
        if self.values.get(SESSION_ENERGY) == 0:
            return set()
        self.values[SESSION_ENERGY] = 0.0
        return {SESSION_ENERGY}

    def _session(self, observation: int, text: str, at: float, now: float) -> set[int]:
        """Takes the meter's figures of a session's start or end: more precise than the hourly ones."""
        found = session(text)
        if found is None:
            return set()
        changed: set[int] = set()
        if observation == SESSION_START:
            self.sessions.started(found, at)
            if SESSION_ENERGY in self.values:
                changed |= self._former(now)
        elif found.energy is not None and self.sessions.holds(found, at) and self._advance(SESSION_ENERGY, at, now):
            changed |= self._set(SESSION_ENERGY, found.energy, at)
        if found.lifetime is not None and self._advance(LIFETIME_ENERGY, at, now):
            changed |= self._read_counter(self.meter, LIFETIME_ENERGY, found.lifetime, at)
        return changed

    def _advance(self, observation: int, at: float, now: float) -> bool:
        if at < self._stamps.get(observation, NEVER):
            return False
        self._stamps[observation], self._received[observation] = at, now
        return True

    # Persistence.

    def state(self) -> dict[str, Any]:
        """See Product.state."""
        return {"sessions": self.sessions.state(), "meter": self.meter.state()}

    def restore(self, kept: Any) -> None:
        """See Product.restore."""
        if isinstance(kept, Mapping):
            self.sessions.restore(kept.get("sessions"))
            self.meter.restore(kept.get("meter"))


def _says_offline(text: str) -> bool:
    """True if an operation mode means offline, which the service sends and not the charger."""
    return text.strip() in ("0", "0.0")
