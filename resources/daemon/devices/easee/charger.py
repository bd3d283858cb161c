"""One charger: the newest value of each observation, in whatever order they arrive, and its age.

Dates are Unix time of the service; times of this process are monotonic.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..common.counter_guard import CounterGuard, Limits, Reading, Verdict
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
from .sessions import Sessions, session

_LOG = logging.getLogger(__name__)

MAX_AHEAD_S = 300.0
"""Seconds by which a timestamp may be ahead of the service's clock and still be accepted."""
POWER = 120
_COMPARED = (30, 48, 96, 103, MODE)
"""Observations whose difference from the service's value shows that the stream is stalled."""
_OF_THE_CLOUD = frozenset({11, CONNECTED, 251})
"""Sent by the service about a charger: no sign of life of the charger itself."""
METER_LIMITS = Limits(per_hour=25.0, slack=3.0, jitter=0.5, confirm_s=900.0, confirm_readings=3)
"""In kWh: 22 kW at most; figures of a session's end and hourly ones are rounded differently."""
NEVER = float("-inf")


class Charger:
    """The values of one charger. Not thread-safe: callers hold the fleet's lock."""

    def __init__(self, serial: str, table: Table, silent_after: float = 1200.0) -> None:
        """`silent_after`: seconds without fresh data after which a charger counts as off."""
        self.serial = serial
        self.values: dict[int, Any] = {}
        self.heard: float | None = None
        """Time of its last record in the stream (monotonic)."""
        self.first_heard: float | None = None
        """Time of its first record (monotonic)."""
        self.newest = NEVER
        """Date of its newest sign of life."""
        self.judged = False
        """True once facts about the present can be published: a replay begins with old values."""
        self.silent = False
        self.dropped = 0
        self.sessions = Sessions()
        self.meter = CounterGuard(METER_LIMITS)
        self.restarts: list[tuple[float, float]] = []
        """(before, after) in kWh of each restart of the meter, to be reported by the fleet."""
        self._table = table
        self._silent_after = silent_after
        self._stamps: dict[int, float] = {}
        self._received: dict[int, float] = {}
        self._turned = NEVER

    @property
    def offline(self) -> bool:
        """True if the service has lost the charger, and nothing came from it since."""
        lost = self.values.get(CONNECTED) is False and self.newest <= self._stamps.get(CONNECTED, NEVER)
        return lost or (self.values.get(MODE) == OFFLINE and self.newest <= self._stamps.get(MODE, NEVER))

    @property
    def away(self) -> bool:
        """True if it is offline, or silent for so long that its state is unknown."""
        return self.silent or self.offline

    @property
    def charging(self) -> bool:
        """True while a car is being charged."""
        return flows(self.values, self.away) and MODE in self.values

    def observe(self, record: Observation, now: float, wall: float) -> set[int]:
        """Takes a stream record; returns the changed observations. `now`: monotonic, `wall`: the service's time."""
        self.heard = now
        return self._accept(record, now, wall)

    def take(self, records: Iterable[Observation], asked: float, now: float, wall: float) -> set[int]:
        """Takes an answer to a request sent at `asked` (monotonic); returns the changed observations.

        The newest date wins, as in the stream. A record without a date yields to stream records since `asked`.
        """
        changed: set[int] = set()
        for record in records:
            if self._is_news(record, asked):
                changed |= self._accept(record, now, wall, dated=record.at is not None)
            elif record.at is not None:
                self._lives(record, min(record.at, wall))
        return changed | self.judge(wall, settled=bool(self.values))

    def differs(self, records: Iterable[Observation], asked: float) -> bool:
        """True if the service has a value that the stream should have sent."""
        fresh = {
            record.id: self._table.decode(record.id, record.value, record.data_type)
            for record in records
            if record.id in self.values and self._is_news(record, asked)
        }
        known = {observation: value for observation, value in fresh.items() if value is not None}
        if any(each in known and known[each] != self.values[each] for each in _COMPARED):
            return True
        power = known.get(POWER, self.values.get(POWER, 0))
        if known.get(CONNECTED) is not False and abs(power - self.values.get(POWER, 0)) > 0.3:
            return True
        return LIFETIME_ENERGY in known and known[LIFETIME_ENERGY] > self.values[LIFETIME_ENERGY] + 1.0

    def judge(self, wall: float, settled: bool) -> set[int]:
        """Decides whether it is silent; returns the observations whose facts change by that.

        Until the first decision no facts about the present are published: a replay begins with old values. `settled`:
        all values of the service have arrived.
        """
        fresh = self.newest == NEVER or wall - self.newest <= self._silent_after
        if not self.judged:
            known = self.newest != NEVER and fresh and MODE in self.values
            if not settled and not known:
                return set()
            self.judged, self.silent = True, not fresh
            return {CONNECTED, *self.values}
        if self.silent is not fresh or not (fresh or settled):
            return set()
        self.silent = not fresh
        self._turned = self.newest
        return {CONNECTED}

    def received(self, observation: int) -> float:
        """Monotonic time at which an observation last arrived."""
        return self._received.get(observation, NEVER)

    def facts(self, changed: Iterable[int]) -> dict[float, dict[str, Any]]:
        """Returns the facts affected by these changes, by their date."""
        found: dict[float, dict[str, Any]] = {}
        for name, value in self._table.facts(self.values, changed, self.away).items():
            present = name in self._table.present
            if present and not self.judged:
                continue
            at = max(self._stamps.get(each, NEVER) for each in self._table.inputs[name])
            if present:
                at = max(at, self._turned)
            if name == "online" or (self.silent and present):
                at = max(at, self.newest)
            found.setdefault(at, {})[name] = value
        return found

    def confirmed(self, record: Observation) -> set[str]:
        """Returns the names of the facts that an unchanged record confirms."""
        at = self._stamps.get(record.id)
        return self._table.touched({record.id}) if at is not None and at == record.at else set()

    # Accepting values.

    def _is_news(self, record: Observation, asked: float) -> bool:
        """True if a record of an answer is newer than the known value."""
        if record.at is not None and record.id in self._stamps:
            return record.at > self._stamps[record.id]
        return self.received(record.id) <= asked

    def _accept(self, record: Observation, now: float, wall: float, dated: bool = True) -> set[int]:
        if self.first_heard is None:
            self.first_heard = now
        away = self.away
        changed = self._newer(record, now, wall, dated)
        if away is not self.away and self.judged:
            self._turned = max(self.newest, self._stamps.get(CONNECTED, NEVER))
            changed.add(CONNECTED)
        return changed | self.judge(wall, settled=False)

    def _newer(self, record: Observation, now: float, wall: float, dated: bool) -> set[int]:
        before = self._stamps.get(record.id, NEVER)
        # A date that is not accepted must not lose against an accepted one slightly ahead.
        at = record.at if record.at is not None and record.at <= wall + MAX_AHEAD_S else max(wall, before)
        if dated:
            self._lives(record, min(at, wall))
        if not self._table.wants(record.id):
            return set()
        if at < before:
            self.dropped += 1
            return set()
        value = self._table.decode(record.id, record.value, record.data_type)
        if value is None:
            return set()
        if record.id == SESSION_ENERGY and at < self.sessions.begun:
            return self._former(now)
        if dated:
            self._stamps[record.id] = at
        self._received[record.id] = now
        if record.id in (SESSION_START, SESSION_END):
            return self._session(record.id, str(value), at, now)
        if record.id == LIFETIME_ENERGY:
            return self._read_meter(value, at)
        return self._set(record.id, value, at)

    def _lives(self, record: Observation, at: float) -> None:
        if record.id not in _OF_THE_CLOUD and not (record.id == MODE and _says_offline(record.value)):
            self.newest = max(self.newest, at)

    def _set(self, observation: int, value: Any, at: float) -> set[int]:
        before = self.values.get(observation)
        if observation == SESSION_ENERGY and value == 0 and before and self.values.get(MODE) not in (None, 0, 1):
            return set()  # the service occasionally sends zeros during a session
        changed: set[int] = set()
        if before != value or type(before) is not type(value):
            self.values[observation] = value
            changed.add(observation)
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
            changed |= self._read_meter(found.lifetime, at)
        return changed

    def _advance(self, observation: int, at: float, now: float) -> bool:
        if at < self._stamps.get(observation, NEVER):
            return False
        self._stamps[observation], self._received[observation] = at, now
        return True

    def _read_meter(self, value: float, at: float) -> set[int]:
        """Takes a reading of the meter, which only rises, and only as fast as a charger can charge."""
        last = self.meter.last
        reading: Reading = self.meter.read(value, at)
        if reading.news and reading.verdict is Verdict.HELD:
            _LOG.warning("charger %s: its meter reads %g kWh after %s, which is not shown", self.serial, value, last)
        if reading.verdict is Verdict.RESTARTED and last is not None:
            self.restarts.append((last, value))
        return set() if reading.value is None else self._set(LIFETIME_ENERGY, reading.value, at)


def _says_offline(text: str) -> bool:
    """True if an operation mode means offline, which the service sends and not the charger."""
    return text.strip() in ("0", "0.0")
