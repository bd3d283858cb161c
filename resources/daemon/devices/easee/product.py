"""One product of an account: the newest value of each observation, in whatever order they arrive, and its age.

A charger and an Equalizer are products: both send numbered observations, and what a number means follows from the
product. Dates are Unix time of the service; times of this process are monotonic.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..common.counter_guard import CounterGuard, Verdict
from .mapping import CONNECTED, Observation, Table

_LOG = logging.getLogger(__name__)

MAX_AHEAD_S = 300.0
"""Seconds by which a timestamp may be ahead of the service's clock and still be accepted."""
NEVER = float("-inf")


class Product:
    """The values of one product. Not thread-safe: callers hold the fleet's lock."""

    of_the_cloud = frozenset({CONNECTED, 251})
    """Sent by the service about a product: no sign of life of the product itself."""
    essential = CONNECTED
    """The observation without which a product is not yet known."""
    kept_at_once: tuple[str, ...] = ()
    """Parts of its state that are persisted whenever they change."""

    def __init__(self, serial: str, table: Table, silent_after: float = 1200.0) -> None:
        """`silent_after`: seconds without fresh data after which a product counts as off."""
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
        self.restarts: list[tuple[float, float]] = []
        """(before, after) in kWh of each restart of a meter, to be reported by the fleet."""
        self._table = table
        self._silent_after = silent_after
        self._stamps: dict[int, float] = {}
        self._received: dict[int, float] = {}
        self._turned = NEVER

    @property
    def offline(self) -> bool:
        """True if the service has lost it, and nothing came from it since."""
        return self.values.get(CONNECTED) is False and self.newest <= self._stamps.get(CONNECTED, NEVER)

    @property
    def away(self) -> bool:
        """True if it is offline, or silent for so long that its state is unknown."""
        return self.silent or self.offline

    @property
    def charging(self) -> bool:
        """True while its values change, so that silence is suspected sooner."""
        return not self.away

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
        return bool(self._news(records, asked))

    def _news(self, records: Iterable[Observation], asked: float) -> dict[int, Any]:
        """Returns the values among these that are newer than the known ones."""
        fresh = {
            record.id: self._table.decode(record.id, record.value, record.data_type)
            for record in records
            if record.id in self.values and self._is_news(record, asked)
        }
        return {observation: value for observation, value in fresh.items() if value is not None}

    def judge(self, wall: float, settled: bool) -> set[int]:
        """Decides whether it is silent; returns the observations whose facts change by that.

        Until the first decision no facts about the present are published: a replay begins with old values. `settled`:
        all values of the service have arrived.
        """
        fresh = self.newest == NEVER or wall - self.newest <= self._silent_after
        if not self.judged:
            known = self.newest != NEVER and fresh and self.essential in self.values
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

    def standing(self, now: float) -> list[tuple[frozenset[str], float]]:
        """Returns the facts that are still valid although nothing repeats them, and as of when. `now`: monotonic."""
        return [(self._table.lasting, self.newest)]

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
        if not self._belongs(record.id, at):
            return self._former(now)
        if dated:
            self._stamps[record.id] = at
        self._received[record.id] = now
        return self._read(record.id, value, at, now)

    def _belongs(self, observation: int, at: float) -> bool:
        """False if a value of that date belongs to what is over."""
        return True

    def _former(self, now: float) -> set[int]:
        """Resets a figure of what is over."""
        return set()

    def _read(self, observation: int, value: Any, at: float, now: float) -> set[int]:
        """Takes a decoded value; returns the changed observations."""
        return self._set(observation, value, at)

    def _lives(self, record: Observation, at: float) -> None:
        if record.id not in self.of_the_cloud:
            self.newest = max(self.newest, at)

    def _read_counter(self, counter: CounterGuard, observation: int, value: float, at: float) -> set[int]:
        """Takes a reading of a counter, in kWh, which only rises, and only as fast as its guard believes."""
        last = counter.last
        reading = counter.read(value, at)
        if reading.news and reading.verdict is Verdict.HELD:
            _LOG.warning("%s: a counter reads %g kWh after %s, which is not shown", self.serial, value, last)
        if reading.verdict is Verdict.RESTARTED and last is not None:
            self.restarts.append((last, value))
        return set() if reading.value is None else self._set(observation, reading.value, at)

    def _set(self, observation: int, value: Any, at: float) -> set[int]:
        before = self.values.get(observation)
        if before == value and type(before) is type(value):
            return set()
        self.values[observation] = value
        return {observation}

    # Persistence.

    def state(self) -> dict[str, Any]:
        """What outlives a restart of the daemon."""
        return {}

    def restore(self, kept: Any) -> None:
        """Takes over what was kept; ignores what is not valid."""
