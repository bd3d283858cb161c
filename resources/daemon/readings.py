"""What each equipment measures now: the newest reading of every quantity, with its age.

A row of the catalogue with `measures` says what of the house its values are. The publisher puts them here as they
arrive, in the unit of core/contract/quantities.json. Nothing is polled and nothing is asked twice: who wants to know of
a change subscribes, or waits.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple, Union

from jeedom_bridge.clock import Clock

_LOG = logging.getLogger(__name__)

Value = Union[float, str, bool]
Watcher = Callable[[str, "frozenset[str]"], None]
"""Called with the id of an equipment and its quantities that have news."""

Historian = Callable[[str, "Measure", str, "Sequence[tuple[float, Value]]"], None]
"""Called with the id of an equipment, what is measured, the command and dated points; it must not wait either."""

DOUBTFUL = frozenset({"unreachable", "authentication_failed", "untrusted", "error", "no_data", "stopped"})
"""States of a connection or an equipment in which its last values say nothing of now."""
FUTURE_S = 1.0
"""A date that lies further ahead is not trusted for the order of readings; it counts as "now"."""


class Measure(NamedTuple):
    """What a value is, in the words of quantities.json; the key of a reading within its equipment."""

    quantity: str
    per: str = "now"
    part: str = ""


@dataclass(frozen=True)
class Reading:
    """The newest value of a quantity of one equipment, as it stood when the board was asked.

    `equipment` is an eqLogic id, `command` the logicalId of the row, `value` in the quantity's unit (W, Wh, A, ...),
    `at` the Unix time of the data and `age_s` its age, which a step of the clock does not change. `limit_s` is the age
    from which the catalogue calls such data silent (infinite: never). `doubt` is the state of the connection or the
    equipment in which the value is no longer known ("unreachable", ...), or "".
    """

    equipment: str
    quantity: str
    value: Value
    at: float
    per: str = "now"
    part: str = ""
    command: str = ""
    age_s: float = 0.0
    limit_s: float = math.inf
    doubt: str = ""

    @property
    def fresh(self) -> bool:
        """True if the value can be taken for that of now."""
        return self.younger_than(self.limit_s)

    def younger_than(self, seconds: float) -> bool:
        """True if the value is known and at most so old, for a rule that asks for more than the catalogue does."""
        return not self.doubt and self.age_s <= seconds


@dataclass(frozen=True)
class Slot:
    """Where a quantity of an equipment comes from: `source` names the fact (of dated rows, the command)."""

    command: str
    source: str
    limit_s: float = math.inf


@dataclass
class _Entry:
    """`received` is monotonic; `lag` is how old the data was then, in seconds."""

    slot: Slot
    value: Value
    at: float
    received: float
    lag: float

    def age(self, now: float) -> float:
        return now - self.received + self.lag


class Board:
    """The newest readings of all connections. Thread-safe; it knows only equipment that somebody has adopted.

    A connection's publisher adopts, puts, confirms and drops; anybody reads. A watcher is called in the thread that
    brings the news, which may hold locks of its own: it must only wake another thread, never wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._owners: dict[str, str] = {}
        self._slots: dict[str, Mapping[Measure, Slot]] = {}
        self._entries: dict[str, dict[Measure, _Entry]] = {}
        self._doubts: dict[str, str] = {}
        self._watchers: list[tuple[Watcher, frozenset[str]]] = []
        self._historians: list[Historian] = []
        self._version = 0
        self._waiting = 0

    # For those who bring readings.

    def adopt(self, owner: str, slots: Mapping[str, Mapping[Measure, Slot]]) -> None:
        """Takes the equipment of a connection (`owner`) and what each measures; forgets what is not there any more.

        The connection itself is one of them, if only for its state (`report_state`). A reading stays if its equipment
        still measures that quantity from the same source.
        """
        news: dict[str, set[str]] = {}
        with self._changed:
            for equipment in [each for each, whose in self._owners.items() if whose == owner and each not in slots]:
                self._forget(equipment, news)
            for equipment, wanted in slots.items():
                self._owners[equipment] = owner
                self._slots[equipment] = wanted
                entries = self._entries.setdefault(equipment, {})
                for measure, entry in list(entries.items()):
                    slot = wanted.get(measure)
                    if slot is None or slot.source != entry.slot.source:
                        del entries[measure]
                        news.setdefault(equipment, set()).add(measure.quantity)
                    else:
                        entry.slot = slot
        self._announce(news)

    def release(self, owner: str) -> None:
        """Forgets all equipment of a connection: it is stopped, or switched off."""
        self.adopt(owner, {})

    def put(
        self,
        equipment: str,
        values: Mapping[Measure, Value | None],
        at: float | None = None,
        missing_only: bool = False,
    ) -> None:
        """Takes new values; None: the quantity is no longer known, and its reading is dropped.

        `at`: Unix time of the data, default now. A value older than the one that is there is left out. `missing_only`:
        only quantities without a reading take a value.
        """
        news: set[str] = set()
        with self._changed:
            slots = self._slots.get(equipment)
            if slots is None:
                return
            entries = self._entries[equipment]
            now, wall = self._clock.monotonic(), self._clock.time()
            if at is None or at > wall + FUTURE_S:
                at = wall
            lag = max(0.0, wall - at)
            for measure, value in values.items():
                entry = entries.get(measure)
                if entry is None:
                    slot = slots.get(measure)
                    if value is None or slot is None:
                        continue
                    entries[measure] = _Entry(slot, value, at, now, lag)
                elif value is None:
                    del entries[measure]
                elif not missing_only and lag <= entry.age(now):
                    entry.value, entry.at, entry.received, entry.lag = value, at, now, lag
                else:
                    continue
                news.add(measure[0])
            watchers = self._changed_by(news)
        if watchers:
            self._tell(watchers, {equipment: news})

    def confirm(self, equipment: str, measures: Iterable[Measure], at: float | None = None) -> None:
        """These readings still hold as of `at` (Unix time, default now)."""
        news: set[str] = set()
        with self._changed:
            entries = self._entries.get(equipment, {})
            now, wall = self._clock.monotonic(), self._clock.time()
            at = wall if at is None else min(at, wall)
            lag = wall - at
            for measure in measures:
                entry = entries.get(measure)
                if entry is not None and lag <= entry.age(now):
                    entry.at, entry.received, entry.lag = at, now, lag
                    news.add(measure.quantity)
            watchers = self._changed_by(news)
        self._tell(watchers, {equipment: news})

    def history(self, equipment: str, measure: Measure, command: str, points: Sequence[tuple[float, Value]]) -> None:
        """Hands dated measures, (Unix time, value), to those who want all of them; the board keeps none."""
        with self._changed:
            historians = list(self._historians)
        for historian in historians:
            try:
                historian(equipment, measure, command, points)
            except Exception:  # who reads must not harm who measures
                _LOG.exception("a reader of dated measures failed")

    def on_history(self, historian: Historian) -> Callable[[], None]:
        """Calls `historian` with all dated measures from now on; returns what ends that."""
        with self._changed:
            self._historians = [*self._historians, historian]

        def end() -> None:
            with self._changed:
                self._historians = [each for each in self._historians if each is not historian]

        return end

    def report_state(self, identifier: str, state: str) -> None:
        """Takes the state of a connection or an equipment: in those of `DOUBTFUL` its readings are not relied on."""
        doubt = state if state in DOUBTFUL else ""
        news: dict[str, set[str]] = {}
        with self._changed:
            if self._doubts.get(identifier, "") == doubt or identifier not in self._owners:
                return
            if doubt:
                self._doubts[identifier] = doubt
            else:
                del self._doubts[identifier]
            for equipment, owner in self._owners.items():
                if identifier in (equipment, owner) and self._entries[equipment]:
                    news[equipment] = {measure.quantity for measure in self._entries[equipment]}
        self._announce(news)

    def _forget(self, equipment: str, news: dict[str, set[str]]) -> None:
        del self._owners[equipment], self._slots[equipment]
        self._doubts.pop(equipment, None)
        gone = self._entries.pop(equipment)
        if gone:
            news[equipment] = {measure.quantity for measure in gone}

    # For those who read.

    def reading(self, equipment: str, quantity: str, per: str = "now", part: str = "") -> Reading | None:
        """The newest reading of one quantity; None if it is not known."""
        measure = Measure(quantity, per, part)
        with self._changed:
            entry = self._entries.get(equipment, {}).get(measure)
            return None if entry is None else self._reading(equipment, measure, entry)

    def readings(self, quantity: str | None = None, equipment: str | None = None) -> list[Reading]:
        """All readings, or those of one quantity (whatever its `per` and `part`), of one equipment, or both."""
        with self._changed:
            chosen = self._entries if equipment is None else {equipment: self._entries.get(equipment, {})}
            return [
                self._reading(each, measure, entry)
                for each, entries in chosen.items()
                for measure, entry in entries.items()
                if quantity is None or measure.quantity == quantity
            ]

    def owner(self, equipment: str) -> str:
        """The connection that an equipment belongs to; "" if it is not known."""
        with self._changed:
            return self._owners.get(equipment, "")

    def measured(self, equipment: str) -> list[Measure]:
        """What an equipment measures, whether it has a reading yet or not."""
        with self._changed:
            return list(self._slots.get(equipment, ()))

    def subscribe(self, watcher: Watcher, quantities: Collection[str] = ()) -> Callable[[], None]:
        """Calls `watcher` with news of these quantities (default: all); returns what ends that."""
        entry = (watcher, frozenset(quantities))
        with self._changed:
            self._watchers = [*self._watchers, entry]

        def unsubscribe() -> None:
            with self._changed:
                self._watchers = [each for each in self._watchers if each is not entry]

        return unsubscribe

    @property
    def version(self) -> int:
        """Grows with all news."""
        with self._changed:
            return self._version

    def wait(self, version: int, timeout_s: float) -> int:
        """Waits until there is news after `version`, or for `timeout_s`; returns the version of now."""
        end = self._clock.monotonic() + timeout_s
        with self._changed:
            self._waiting += 1
            try:
                while self._version == version:
                    rest = end - self._clock.monotonic()
                    if rest <= 0:
                        break
                    self._clock.wait(self._changed, rest)
            finally:
                self._waiting -= 1
            return self._version

    def _reading(self, equipment: str, measure: Measure, entry: _Entry) -> Reading:
        return Reading(
            equipment,
            measure.quantity,
            entry.value,
            entry.at,
            measure.per,
            measure.part,
            entry.slot.command,
            entry.age(self._clock.monotonic()),
            entry.slot.limit_s,
            self._doubts.get(equipment) or self._doubts.get(self._owners[equipment], ""),
        )

    def _changed_by(self, news: Collection[str]) -> list[tuple[Watcher, frozenset[str]]]:
        """Who is to hear of news, if there is any. The lock is held."""
        if not news:
            return []
        self._version += 1
        if self._waiting:
            self._changed.notify_all()
        return self._watchers

    def _announce(self, news: Mapping[str, Collection[str]]) -> None:
        with self._changed:
            watchers = self._changed_by(news)
        self._tell(watchers, news)

    def _tell(self, watchers: list[tuple[Watcher, frozenset[str]]], news: Mapping[str, Collection[str]]) -> None:
        for watcher, quantities in watchers:
            for equipment, changed in news.items():
                told = frozenset(changed) & quantities if quantities else frozenset(changed)
                if told:
                    try:
                        watcher(equipment, told)
                    except Exception:  # who reads must not harm who measures
                        _LOG.exception("a watcher of readings failed")
