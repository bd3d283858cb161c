"""The inverters of a connection: their values, their day, their groups and the report of the evening."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ..base import Connection, Context, Equipment
from . import mapping, panels
from .counters import midnight
from .mapping import Facts
from .pages import Pages
from .paths import DEVICES

_LOG = logging.getLogger(__name__)

REPORT_HOUR = 22
"""Local hour of the report on groups: before the gateway's nightly pause at 23:00."""
ABSENT = 86400.0
"""Seconds after which an inverter that the gateway no longer lists has no values any more."""


class Roof:
    """Publishes the inverters and their groups."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("inverters")
        kept = kept if isinstance(kept, dict) else {}
        self._energies = panels.PanelEnergies(kept.get("days"))
        self._reported = str(kept.get("reported", ""))
        self._rhythms = mapping.Rhythms()
        self._measured: dict[str, float] = {}
        self._measured_day = 0.0
        self._known: dict[str, Facts] = {}
        self._connection: Connection | None = None
        self._changed = False

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._context.timezone)  # Jeedom's, which the user may change

    def adopt(self, connection: Connection) -> None:
        """Takes over the equipment that Jeedom has."""
        self._connection = connection

    def measured(self, pages: Pages, now: float) -> Mapping[str, float]:
        """Asks for the gateway's own figures of the day, where its firmware has them. Raises DeviceError."""
        midnight_before = self._midnight(now)
        found = mapping.day_energies(pages.offered(DEVICES), midnight_before)
        self._measured, self._measured_day = found or {}, midnight_before
        return self._measured

    def read(self, answer: Any, now: float) -> None:
        """Takes the page of inverters in and publishes."""
        measured = self._measured if self._measured_day == self._midnight(now) else {}
        for serial, facts in mapping.inverters(answer, now, self._rhythms).items():
            estimate = self._energies.read(serial, facts, now, self._zone)
            facts["estimatedEnergy"] = estimate
            if serial in measured:
                facts["gatewayEnergy"] = measured[serial]
            if facts.get("reported") is not None:
                facts["lastReport"] = _shown(facts["reported"], self._zone)
            facts["listed"] = now
            self._known[serial] = facts
        self._known = {serial: facts for serial, facts in self._known.items() if now - facts["listed"] < ABSENT}
        self._changed = True
        if self._connection is None:
            return
        for equipment in self._connection.of_type("inverter"):
            found = self._known.get(equipment.key)
            if found is not None and found["listed"] == now:
                self._context.publish(equipment.id, found)
        for group in self._connection.of_type("group"):
            facts = panels.sums(self._members(group, now))
            if facts:
                self._context.publish(group.id, facts)

    def _members(self, group: Equipment, now: float) -> list[panels.Member]:
        inverters = self._connection.of_type("inverter") if self._connection else []
        return panels.members(group, inverters, self._known, self._midnight(now))

    def report(self, now: float) -> None:
        """Once each evening: who has produced clearly less than the others of his group."""
        local = datetime.fromtimestamp(now, self._zone)
        day = local.date().isoformat()
        if local.hour < REPORT_HOUR or day == self._reported or self._connection is None or not self._known:
            return
        self._reported, self._changed = day, True
        for group in self._connection.of_type("group"):
            found = panels.verdict(self._members(group, now))
            if found.alarm is None:
                _LOG.info("group %s: nothing to report of today (%.0f Wh)", group.name, found.mean)
                continue
            self._context.publish(group.id, {"alarm": found.alarm})
            if found.weak:
                names = ", ".join(f"{name} ({energy:.0f} Wh)" for name, energy in found.weak)
                self._context.message("warning", _WEAK, group=group.name, panels=names, mean=round(found.mean))
            if found.silent:
                self._context.message("warning", _SILENT, group=group.name, panels=", ".join(found.silent))
            if not found.alarm:
                _LOG.info("group %s: all is well (%.0f Wh on average)", group.name, found.mean)
        self.keep()

    def keep(self) -> None:
        """What must survive a restart."""
        if self._changed:
            self._changed = False
            self._context.memory.keep("inverters", {"days": self._energies.state(), "reported": self._reported})

    def _midnight(self, now: float) -> float:
        return midnight(datetime.fromtimestamp(now, self._zone).date(), self._zone)


def _shown(reported: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(reported, zone).strftime("%Y-%m-%d %H:%M:%S")


_WEAK = (
    "Groupe {group} : problème de production sur le/les panneaux {panels}, moins de 90 % de la moyenne du groupe "
    "({mean} Wh)"
)
_SILENT = "Groupe {group} : aucune donnée aujourd'hui des panneaux {panels}"
