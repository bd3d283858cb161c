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


@dataclass
class _Line:
    """What is done with the values of one row; `measure`: its key on the board, in whose unit they are by `factor`."""

    row: Row
    name: str
    wanted: bool
    """Whether Jeedom has the command."""
    offered: bool
    """Whether Jeedom creates the command as soon as it has a value."""
    measure: Measure | None
    factor: float
    speaks: bool
    """Whether its values must be translated."""

    def in_si(self, value: Any) -> Any:
        """A value of the row in the unit of its quantity."""
        if self.factor == 1.0 or value is None or isinstance(value, (bool, str)):
            return value
        return round(value * self.factor, 6)  # the unit of the board adds no digits, and no dust of binary fractions


@dataclass
class _Plan:
    """What is done with the facts of one equipment."""

    lines: dict[str, list[_Line]]
    """By the fact that they show; only those that somebody wants."""
    dated: dict[str, list[_Line]]
    """Those that measure and come by `history`, by logicalId."""
    cadence: dict[str, float]
    facts: dict[str, Any]
    offers: dict[str, None]
    """Commands that Jeedom was offered."""
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
                    self._outbox.forget_commands(equipment, _wanted(plan) - _wanted(before))
                    plan.facts, plan.seen = before.facts, before.seen
                    for at in {at for _, at in plan.seen.values()}:
                        known = {name: raw for name, raw in plan.facts.items() if plan.seen[name][1] == at}
                        self._send(equipment, plan, known, at, missing_only=True)

    def facts(self, equipment: str, facts: Mapping[str, Any], at: float | None) -> None:
        """Publishes facts of an equipment; what is not in Jeedom's desired state is left out."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return
            known = {name: raw for name, raw in facts.items() if raw is not None}
            plan.facts.update(known)
            if len(known) < len(facts):
                for name in facts.keys() - known.keys():
                    plan.facts.pop(name, None)
                    plan.seen.pop(name, None)
            self._see(plan, known, at)
            self._send(equipment, plan, facts, at)

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> None:
        """Puts the newest of dated measures (by logicalId) on the board."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return
            for command, points in series.items():
                for line in plan.dated.get(command, ()) if points else ():
                    assert line.measure is not None
                    dated = [(datetime.fromisoformat(at).timestamp(), line.in_si(value)) for at, value in points]
                    newest, value = max(dated, key=lambda point: point[0])
                    self._board.put(equipment, {line.measure: value}, newest)
                    self._board.history(equipment, line.measure, command, dated)

    def confirm(self, equipment: str, facts: Iterable[str] | None, at: float | None) -> list[str]:
        """These facts (None: all) still hold as of `at`. Returns those of them that are known."""
        with self._lock:
            plan = self._plans.get(equipment)
            if plan is None:
                return []
            names = [name for name in (plan.facts if facts is None else facts) if name in plan.facts]
            self._see(plan, names, at)
            lines = [line for name in names for line in plan.lines.get(name, ())]
            self._board.confirm(equipment, [line.measure for line in lines if line.measure is not None], at)
            return names

    def _see(self, plan: _Plan, facts: Iterable[str], at: float | None) -> None:
        stamp = (self._clock.monotonic(), self._clock.time() if at is None else at)
        plan.seen.update(dict.fromkeys(facts, stamp))

    def refresh(self, freshness: float) -> None:
        """Sends all values again, with their own dates; as found true those of facts seen in the last `freshness` s.

        The others only stand: Jeedom takes them if it has lost them. A fact that a row has no value for (beyond its
        bounds, not in its map) must not make the last value younger.
        """
        with self._lock:
            since = self._clock.monotonic() - freshness
            for equipment, plan in self._plans.items():
                fresh = {
                    line.name: at
                    for name, (seen, at) in plan.seen.items()
                    if seen >= since
                    for line in plan.lines.get(name, ())
                    if line.wanted and line.row.value(plan.facts[name]) is not None
                }
                self._outbox.resend(equipment, fresh)
                if plan.offers:  # one that was rejected, or that the user has deleted, which Jeedom knows
                    self._offer(equipment, plan.offers)

    def close(self) -> None:
        """Publishes nothing more: once this returns, no value of a call under way reaches the outbox."""
        with self._lock:
            if self._plans:
                self._board.release(self._connection)
            self._plans = {}

    def _plan(self, equipment: Equipment, parent: Mapping[str, Any]) -> _Plan:
        plan = _Plan({}, {}, {}, {}, {}, {})
        for row in self._catalogue.rows(equipment.type or None, equipment.config, parent):
            name, source = row.logical_id, row.source or ""
            known = bool(source) and name in equipment.commands
            wanted = known and not row.dated
            measure = None if row.measures is None or not (source or row.dated) else Measure(*row.measures)
            factor = si_factor(self._catalogue, row, equipment.config)
            if row.dated and measure is not None:
                plan.dated.setdefault(name, []).append(_Line(row, name, False, False, measure, factor, row.speaks))
                measure = None
            offered = bool(source) and row.seen and not known
            if wanted or offered or measure is not None:
                line = _Line(row, name, wanted, offered, measure, factor, row.speaks)
                plan.lines.setdefault(source, []).append(line)
            if wanted:
                seconds = _seconds(equipment.commands[name].get("cadence"), row.cadence)
                if seconds:
                    plan.cadence[name] = seconds
        return plan

    def _slots(self, equipment: Equipment, plan: _Plan, parent: Mapping[str, Any]) -> dict[Measure, Slot]:
        found = {}
        for source, lines in (*plan.lines.items(), *plan.dated.items()):
            for line in lines:
                if line.measure is not None:
                    limit = limit_s(self._catalogue, line.row, equipment, parent)
                    found[line.measure] = Slot(line.name, source, math.inf if limit is None else limit)
        return found

    def _send(
        self, equipment: str, plan: _Plan, facts: Mapping[str, Any], at: float | None, missing_only: bool = False
    ) -> None:
        """Hands values to the outbox and, untranslated, to the board (`missing_only`: see Board.put).

        A fact of None takes its readings off the board; Jeedom keeps the last value.
        """
        values: dict[str, Any] = {}
        readings: dict[Measure, Any] = {}
        fresh: list[_Line] = []
        for fact, raw in facts.items():
            for line in plan.lines.get(fact, ()):
                value = line.row.value(raw)
                if line.measure is not None:
                    readings[line.measure] = value if line.factor == 1.0 else line.in_si(value)
                if line.wanted:
                    values[line.name] = self._translate(value) if line.speaks and value is not None else value
                elif line.offered and value is not None:
                    fresh.append(line)
        if values:
            self._outbox.values(equipment, values, at, plan.cadence)
        if fresh:
            names = {line.name: None for line in fresh}
            plan.offers.update(names)
            for line in fresh:
                line.offered = False
            self._offer(equipment, names)
        if readings:
            self._board.put(equipment, readings, at, missing_only)

    def _offer(self, equipment: str, names: Iterable[str]) -> None:
        """Reports commands that Jeedom could create now."""
        self._outbox.event({"event": "available", "equipment": equipment, "commands": list(names)})


def _wanted(plan: _Plan) -> set[str]:
    return {line.name for lines in plan.lines.values() for line in lines if line.wanted}


def si_factor(catalogue: Catalogue, row: Row, config: Mapping[str, Any]) -> float:
    """What a row's values are multiplied by for the unit of their quantity."""
    return catalogue.factors.get(_unit(row, config), 1.0)


def _unit(row: Row, config: Mapping[str, Any]) -> str:
    """A row's unit, which may depend on a setting: {"by": setting, value of it: unit}."""
    unit = row.data.get("unit", "")
    return str(unit if isinstance(unit, str) else unit.get(str(config.get(unit["by"], "")), ""))


def _seconds(own: Any, default: float) -> float:
    seconds = None if isinstance(own, bool) else finite(own)
    return default if seconds is None else min(max(seconds, 0.0), MAX_CADENCE_S)
