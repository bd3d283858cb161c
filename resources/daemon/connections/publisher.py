"""From a device's facts to Jeedom's commands and to the board of readings, by the rows of the catalogue."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable

from jeedom_bridge.clock import Clock
from jeedom_bridge.contract import Catalogue, Row, finite
from jeedom_bridge.outbox import Outbox, Point

from ..devices.base import Connection, Equipment
from ..readings import Board, Measure, Slot
from .freshness import limit_s

MAX_CADENCE_S = 3600.0
"""As common.json says of the setting."""
SI = {"kW": 1000.0, "kVA": 1000.0, "kWh": 1000.0, "MWh": 1e6}
"""What a value in this unit is multiplied by for the unit of quantities.json; units not listed are those of it."""


@dataclass(frozen=True)
class _Measuring:
    """A row with `measures`: its key on the board, and the factor to the unit there."""

    row: Row
    measure: Measure
    factor: float

    def in_si(self, value: Any) -> Any:
        """A value of the row in the unit of its quantity."""
        if self.factor == 1.0 or isinstance(value, (bool, str)) or value is None:
            return value
        return round(value * self.factor, 6)  # the unit of the board adds no digits, and no dust of binary fractions


@dataclass
class _Plan:
    """What is done with the facts of one equipment."""

    rows: dict[str, list[Row]]
    """By the fact that they show."""
    measuring: dict[str, list[_Measuring]]
    """For the board, by fact; those of dated rows by logicalId."""
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
        self,
        catalogue: Catalogue,
        outbox: Outbox,
        clock: Clock,
        translate: Callable[[str], str] = str,
        board: Board | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._outbox = outbox
        self._clock = clock
        self._translate = translate
        self._board = board or Board(clock)
        self._connection = ""
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
            slots = {each.id: self._slots(each, plans[each.id], connection.config) for each in members}
            old, self._plans = self._plans, plans
            self._connection = connection.id
            self._board.adopt(connection.id, slots)
            for equipment in old.keys() - plans.keys():
                self._outbox.forget(equipment)
            for equipment, plan in plans.items():
                before = old.get(equipment)
                if before is not None:
                    plan.facts, plan.seen = before.facts, before.seen
                    for at in {at for _, at in plan.seen.values()}:
                        known = {name: raw for name, raw in plan.facts.items() if plan.seen[name][1] == at}
                        shown = self._send(equipment, plan, known, at)
                        self._measure(equipment, plan, known, shown, at, missing_only=True)

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
            shown = self._send(equipment, plan, known, at)
            self._measure(equipment, plan, facts, shown, at)

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> None:
        """Puts the newest of dated measures (by logicalId) on the board."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return
            for command, points in series.items():
                for each in plan.measuring.get(command, ()) if points else ():
                    at, value = max(points, key=lambda point: datetime.fromisoformat(point[0]))
                    moment = datetime.fromisoformat(at).timestamp()
                    self._board.put(equipment, {each.measure: each.in_si(value)}, moment)
                    dated = [(datetime.fromisoformat(at).timestamp(), each.in_si(value)) for at, value in points]
                    self._board.history(equipment, each.measure, command, dated)

    def confirm(self, equipment: str, facts: Iterable[str] | None, at: float | None) -> list[str]:
        """These facts (None: all) still hold as of `at`. Returns those of them that are known."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return []
            names = [name for name in (plan.facts if facts is None else facts) if name in plan.facts]
            self._see(plan, names, at)
            self._board.confirm(
                equipment, [each.measure for name in names for each in plan.measuring.get(name, ())], at
            )
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
            if self._plans:
                self._board.release(self._connection)
            self._plans = {}

    def _plan(self, equipment: Equipment, parent: Mapping[str, Any]) -> _Plan:
        kind = equipment.type or None
        possible = self._catalogue.rows(kind, equipment.config, parent)
        rows = [row for row in possible if row.source]
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
        measuring: dict[str, list[_Measuring]] = {}
        for row in possible:
            if row.measures is not None and (row.source or row.dated):
                name = row.logical_id if row.dated else row.source or ""
                factor = SI.get(_unit(row, equipment.config), 1.0)
                measuring.setdefault(name, []).append(_Measuring(row, Measure(*row.measures), factor))
        return _Plan(wanted, measuring, offered, cadence, {}, {})

    def _slots(self, equipment: Equipment, plan: _Plan, parent: Mapping[str, Any]) -> dict[Measure, Slot]:
        found = {}
        for source, measuring in plan.measuring.items():
            for each in measuring:
                limit = limit_s(self._catalogue, each.row, equipment, parent)
                found[each.measure] = Slot(each.row.logical_id, source, math.inf if limit is None else limit)
        return found

    def _measure(
        self,
        equipment: str,
        plan: _Plan,
        facts: Mapping[str, Any],
        shown: Mapping[str, Any],
        at: float | None,
        missing_only: bool = False,
    ) -> None:
        """Puts facts on the board; `shown`: the values of rows that are known already, by logicalId."""
        values = {}
        for fact, measuring in plan.measuring.items():
            if fact not in facts:
                continue
            for each in measuring:
                name = each.row.logical_id
                if not each.row.dated:
                    value = shown[name] if name in shown else each.row.value(facts[fact])
                    values[each.measure] = each.in_si(value)
        if values:
            self._board.put(equipment, values, at, missing_only)

    def _send(self, equipment: str, plan: _Plan, facts: Mapping[str, Any], at: float | None) -> dict[str, Any]:
        """Hands values to the outbox; returns those of all rows that show these facts, before translation."""
        values: dict[str, Any] = {}
        spoken: dict[str, str] = {}
        for fact, raw in facts.items():
            for row in plan.rows.get(fact, ()):
                value = values[row.logical_id] = row.value(raw)
                if value is not None and row.speaks:
                    spoken[row.logical_id] = self._translate(value)
        if values:
            self._outbox.values(equipment, {**values, **spoken} if spoken else values, at, plan.cadence)
        fresh = [row for row in plan.offered if row.value(facts.get(row.source or "")) is not None]
        if fresh:
            plan.offered = [row for row in plan.offered if row not in fresh]
            names = [row.logical_id for row in fresh]
            self._outbox.event({"event": "available", "equipment": equipment, "commands": names})
        return values


def _unit(row: Row, config: Mapping[str, Any]) -> str:
    """A row's unit, which may depend on a setting: {"by": setting, value of it: unit}."""
    unit = row.data.get("unit", "")
    return str(unit if isinstance(unit, str) else unit.get(str(config.get(unit["by"], "")), ""))


def _seconds(own: Any, default: float) -> float:
    seconds = None if isinstance(own, bool) else finite(own)
    return default if seconds is None else min(max(seconds, 0.0), MAX_CADENCE_S)
