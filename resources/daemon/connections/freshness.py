"""How old the data of each equipment is, and which equipment has been silent for too long.

That a request succeeded does not make its figures fresh: a gateway answers for a meter that lost its line, a cloud for
a charger that lost its power. So age belongs to facts, and the catalogue says, as data, how old they may become
(`silences`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jeedom_bridge.clock import Clock
from jeedom_bridge.contract import Catalogue, Row, Settings

from ..devices.base import Connection, Equipment

MIN_GRACE_S = 600.0
"""Seconds after a start before old data from before it is called silence: the first reading may be under way."""


@dataclass(frozen=True)
class Silence:
    """One group of facts of an equipment has become silent, or is back (`over`).

    `since`: Unix time of its newest data; None if there has never been any. `says`: what that means, in French.
    """

    equipment: str
    says: str
    since: float | None
    over: bool = False


@dataclass
class _Group:
    """Facts that fall silent together; `received` is monotonic, `lag` how old the data was when it was received."""

    after_s: float
    says: str
    received: float
    lag: float | None = None
    silent: bool = False

    def age(self, now: float) -> float:
        return now - self.received + (self.lag or 0.0)

    def since(self, now: float, wall: float) -> float | None:
        return None if self.lag is None else wall - self.age(now)


@dataclass
class _Watched:
    groups: dict[str, _Group] = field(default_factory=dict)
    by_fact: dict[str, str] = field(default_factory=dict)


class Freshness:
    """The ages of one connection's data. Thread-safe.

    Rows of an equipment type belong to the silence that they name, else to the type's own; a group is as old as its
    newest fact. Ages survive clock steps and restarts (`state`).
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, kept: Any = None) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._kept: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
        self._started = clock.monotonic()
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}

    def adopt(self, connection: Connection) -> None:
        """Takes over a desired state: equipment whose commands have a silence in the catalogue are watched."""
        with self._lock:
            old, self._watched = self._watched, {}
            for equipment in connection.equipment:
                watched = self._groups(equipment, connection.config)
                before = old.get(equipment.id)
                for name, group in watched.groups.items():
                    known = before.groups.get(name) if before else None
                    if known is not None:
                        group.received, group.lag, group.silent = known.received, known.lag, known.silent
                if watched.groups:
                    self._watched[equipment.id] = watched

    def _groups(self, equipment: Equipment, parent: Settings) -> _Watched:
        watched = _Watched()
        now, wall = self._clock.monotonic(), self._clock.time()
        kept = self._kept.get(equipment.id)
        for row in self._catalogue.rows(equipment.type, equipment.config, parent):
            name = _silence(self._catalogue, row, equipment)
            if not name or row.data["type"] != "info" or row.logical_id not in equipment.commands:
                continue
            if name not in watched.groups:
                rule = self._catalogue.data["silences"][name]
                group = _Group(_seconds(rule["after"], equipment.config, parent), rule["says"], now)
                at, group.silent = _parsed(kept.get(name) if isinstance(kept, Mapping) else None)
                if at is not None:
                    group.lag = max(0.0, wall - at)
                watched.groups[name] = group
            watched.by_fact[row.logical_id if row.dated else row.source or ""] = name
        return watched

    def seen(self, equipment: str, facts: Iterable[str], at: float | None = None) -> None:
        """Data of `at` (Unix time, default now) has come. `facts`: names of facts; of dated rows their logicalIds."""
        with self._lock:
            watched = self._watched.get(equipment)
            if watched is None:
                return
            now = self._clock.monotonic()
            lag = 0.0 if at is None else max(0.0, self._clock.time() - at)
            for name in {watched.by_fact[fact] for fact in facts if fact in watched.by_fact}:
                group = watched.groups[name]
                if group.lag is None or lag <= group.age(now):
                    group.received, group.lag = now, lag

    def check(self, connected: bool) -> list[Silence]:
        """What has become silent and what is back since the last call.

        While the connection itself does not work (`connected` is False) its own state says why there is no data.
        """
        now, wall = self._clock.monotonic(), self._clock.time()
        changes = []
        with self._lock:
            for equipment, watched in self._watched.items():
                for group in watched.groups.values():
                    old = group.age(now) > group.after_s or (group.silent and group.lag is None)
                    if old and (not connected or now - self._started < min(group.after_s, MIN_GRACE_S)):
                        continue
                    if old != group.silent:
                        group.silent = old
                        changes.append(Silence(equipment, group.says, group.since(now, wall), over=not old))
        return changes

    def silent(self) -> list[Silence]:
        """What stands as silent, also from before a restart."""
        now, wall = self._clock.monotonic(), self._clock.time()
        with self._lock:
            return [
                Silence(equipment, group.says, group.since(now, wall))
                for equipment, watched in self._watched.items()
                for group in watched.groups.values()
                if group.silent
            ]

    def oldest(self) -> tuple[str, float] | None:
        """(equipment, Unix time of its data) of the watched group whose data is the oldest; None if none has any."""
        now, wall = self._clock.monotonic(), self._clock.time()
        with self._lock:
            ages = [
                (group.age(now), equipment)
                for equipment, watched in self._watched.items()
                for group in watched.groups.values()
                if group.lag is not None
            ]
        if not ages:
            return None
        age, equipment = max(ages)
        return equipment, wall - age

    def state(self) -> dict[str, dict[str, Any]]:
        """{equipment: {silence: {"at": Unix time of the newest data, "silent"}}}, to be kept over a restart."""
        now, wall = self._clock.monotonic(), self._clock.time()
        with self._lock:
            return {
                equipment: {
                    name: {"at": None if group.lag is None else int(wall - group.age(now)), "silent": group.silent}
                    for name, group in watched.groups.items()
                    if group.lag is not None or group.silent
                }
                for equipment, watched in self._watched.items()
            }


def limit_s(catalogue: Catalogue, row: Row, equipment: Equipment, parent: Settings) -> float | None:
    """The age in seconds from which the data of a row counts as silent; None if it never does."""
    name = _silence(catalogue, row, equipment)
    return _seconds(catalogue.data["silences"][name]["after"], equipment.config, parent) if name else None


def _silence(catalogue: Catalogue, row: Row, equipment: Equipment) -> str:
    """The silence that a row belongs to; "" for none. A connection's own commands have none."""
    return str(row.data.get("silence", catalogue.silence(equipment.type))) if equipment.type else ""


def _parsed(kept: Any) -> tuple[float | None, bool]:
    """(Unix time of the newest data, whether it was silent) out of what `state` said of one group."""
    if not isinstance(kept, Mapping):
        return None, False
    at = kept.get("at")
    return at if isinstance(at, (int, float)) else None, kept.get("silent") is True


def _seconds(after: Any, own: Settings, parent: Settings) -> float:
    """`after` of a silence: seconds, or so many times a setting that is in seconds, but not less than `least`."""
    if isinstance(after, (int, float)):
        return float(after)
    name = str(after["setting"])
    scope, key = (parent, name[len("connection.") :]) if name.startswith("connection.") else (own, name)
    setting = scope.get(key)
    seconds = float(setting) if isinstance(setting, (int, float)) else 0.0
    return max(seconds * float(after["times"]), float(after["least"]))
