"""From a device's facts to Jeedom's commands: which rows apply, how often, and what Jeedom could create."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from jeedom_bridge.clock import Clock
from jeedom_bridge.contract import Catalogue, Row, finite
from jeedom_bridge.outbox import Outbox

from .devices.base import Connection, Equipment

MAX_CADENCE_S = 3600.0
"""As common.json says of the setting."""


@dataclass
class _Plan:
    """What is done with the facts of one equipment."""

    rows: dict[str, list[Row]]
    """By the fact that they show."""
    offered: list[Row]
    cadence: dict[str, float]
    facts: dict[str, Any]
    seen: dict[str, tuple[float, float]]
    """When each fact was last published or confirmed: (monotonic, Unix time of the data)."""


class Publisher:
    """Turns facts into values by the catalogue's rows and hands them to the outbox.

    Thread-safe. Each step holds the lock until the outbox has its values: a fact that arrives while another thread
    adopts is published by the old plan or by the new one, and an older value never overtakes a newer one.

    `translate` puts the texts of a row's `map` into the user's language.
    """

    def __init__(
        self, catalogue: Catalogue, outbox: Outbox, clock: Clock, translate: Callable[[str], str] = str
    ) -> None:
        self._catalogue = catalogue
        self._outbox = outbox
        self._clock = clock
        self._translate = translate
        self._lock = threading.Lock()
        self._plans: dict[str, _Plan] = {}

    def adopt(self, connection: Connection) -> None:
        """Takes over a desired state: facts that are known already are published at once, with their own dates.

        All or nothing: if it raises, what was adopted before stays in force.
        """
        members = [Equipment(connection.id, "", "", "", connection.config, connection.commands)]
        members += connection.equipment
        with self._lock:
            plans = {each.id: self._plan(each, connection.config) for each in members}
            old, self._plans = self._plans, plans
            for equipment in old.keys() - plans.keys():
                self._outbox.forget(equipment)
            for equipment, plan in plans.items():
                before = old.get(equipment)
                if before is not None:
                    plan.facts, plan.seen = before.facts, before.seen
                    for at in {at for _, at in plan.seen.values()}:
                        known = {name: raw for name, raw in plan.facts.items() if plan.seen[name][1] == at}
                        self._send(equipment, plan, known, at)

    def facts(self, equipment: str, facts: Mapping[str, Any], at: float | None) -> None:
        """Publishes facts of an equipment; what is not in Jeedom's desired state is left out."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return
            known = {name: raw for name, raw in facts.items() if raw is not None}
            plan.facts.update(known)
            for name in facts.keys() - known.keys():
                plan.facts.pop(name, None)
                plan.seen.pop(name, None)
            self._see(plan, known, at)
            self._send(equipment, plan, known, at)

    def confirm(self, equipment: str, facts: Iterable[str] | None, at: float | None) -> list[str]:
        """These facts (None: all) still hold as of `at`. Returns those of them that are known."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return []
            names = [name for name in (plan.facts if facts is None else facts) if name in plan.facts]
            self._see(plan, names, at)
            return names

    def _see(self, plan: _Plan, facts: Iterable[str], at: float | None) -> None:
        stamp = (self._clock.monotonic(), self._clock.time() if at is None else at)
        for name in facts:
            plan.seen[name] = stamp

    def refresh(self, freshness: float) -> None:
        """Sends again, with their own dates, the values of facts that were found true in the last `freshness` s.

        A fact that a row has no value for (beyond its bounds, not in its map) must not make the last value younger.
        """
        with self._lock:
            since = self._clock.monotonic() - freshness
            for equipment, plan in self._plans.items():
                commands = {
                    row.logical_id: at
                    for name, (seen, at) in plan.seen.items()
                    if seen >= since
                    for row in plan.rows.get(name, ())
                    if row.value(plan.facts[name]) is not None
                }
                if commands:
                    self._outbox.resend(equipment, commands)

    def close(self) -> None:
        """Publishes nothing more: once this returns, no value of a call under way reaches the outbox."""
        with self._lock:
            self._plans = {}

    def _plan(self, equipment: Equipment, parent: Mapping[str, Any]) -> _Plan:
        kind = equipment.type or None
        rows = [row for row in self._catalogue.rows(kind, equipment.config, parent) if row.source]
        offered = [row for row in rows if row.seen and row.logical_id not in equipment.commands]
        wanted: dict[str, list[Row]] = {}
        cadence = {}
        for row in rows:
            if row.dated or row.logical_id not in equipment.commands:
                continue
            wanted.setdefault(row.source or "", []).append(row)
            seconds = _seconds(equipment.commands[row.logical_id].get("cadence"), row.cadence)
            if seconds:
                cadence[row.logical_id] = seconds
        return _Plan(wanted, offered, cadence, {}, {})

    def _send(self, equipment: str, plan: _Plan, facts: Mapping[str, Any], at: float | None) -> None:
        values = {}
        for fact, raw in facts.items():
            for row in plan.rows.get(fact, ()):
                value = row.value(raw)
                values[row.logical_id] = self._translate(value) if row.speaks and value is not None else value
        if values:
            self._outbox.values(equipment, values, at, plan.cadence)
        fresh = [row for row in plan.offered if row.value(facts.get(row.source or "")) is not None]
        if fresh:
            plan.offered = [row for row in plan.offered if row not in fresh]
            names = [row.logical_id for row in fresh]
            self._outbox.event({"event": "available", "equipment": equipment, "commands": names})


def _seconds(own: Any, default: float) -> float:
    seconds = None if isinstance(own, bool) else finite(own)
    return default if seconds is None else min(max(seconds, 0.0), MAX_CADENCE_S)
