"""Publishes the inverters of a connection, their energy of the day, their groups and the evening report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ..base import Connection, Context, DeviceError, Equipment, Found, Unreachable, VendorError
from .gateway.client import EndpointRefused
from .gateway.endpoints import Endpoints
from .gateway.paths import DEVICES, INVERTERS
from .tokens.token import DAY_S
from .values import inverter_answers, inverter_energy
from .values.counters import midnight
from .values.mapping import Facts

_LOG = logging.getLogger(__name__)

REPORT_HOUR = 22
"""Local hour of the evening report: before the gateway's nightly pause at 23:00."""
UNLISTED_GONE_S = 86400.0
"""Seconds after which an inverter that is no longer listed loses its values."""
RETIRED_S = 14 * DAY_S
"""Seconds without a report after which a listed inverter counts as removed: longer than snow or a winter night."""


class Inverters:
    """Publishes the inverters and their groups."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("inverters")
        kept = kept if isinstance(kept, dict) else {}
        self._energies = inverter_energy.InverterEnergies(kept.get("days"))
        self._reported = str(kept.get("reported", ""))
        self._rhythms = inverter_answers.Rhythms()
        self._measured: dict[str, float] = {}
        self._measured_day = 0.0
        self._known: dict[str, Facts] = {}
        self._connection: Connection | None = None
        self._changed = False

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._context.timezone)  # Jeedom's, which the user may change

    def adopt(self, connection: Connection) -> None:
        """Sets the equipment that Jeedom has."""
        self._connection = connection

    def offered(self, pages: Endpoints, now: float) -> list[Found]:
        """Returns the inverters that the gateway lists; none if it does not. `now`: the gateway's Unix time."""
        try:
            listed = inverter_answers.inverters(pages.ask(INVERTERS), now, inverter_answers.Rhythms())
        except (EndpointRefused, VendorError, Unreachable):
            return []
        try:
            measured = self.measured(pages, now)
        except DeviceError:
            measured = {}  # then the estimate; the user can change it
        return [
            Found(
                "inverter",
                serial,
                # A number that one can say; the serial number is its key, which the lists show beside it.
                self._context.translate("Onduleur {number}", number=f"{place:02}"),
                {"energySource": "gateway" if serial in measured else "estimate"},
                active=now - facts.get("reported", 0.0) < RETIRED_S,
            )
            for place, (serial, facts) in enumerate(sorted(listed.items()), 1)
        ]

    def measured(self, pages: Endpoints, now: float) -> Mapping[str, float]:
        """Returns today's energy in Wh by serial number, where the firmware has it. Raises DeviceError."""
        midnight_before = self._midnight(now)
        found = inverter_answers.day_energies(pages.offered(DEVICES), midnight_before)
        self._measured, self._measured_day = found or {}, midnight_before
        return self._measured

    def read(self, answer: Any, now: float) -> int:
        """Publishes an answer about inverters; returns how many of them report. `now`: the gateway's Unix time."""
        measured = self._measured if self._measured_day == self._midnight(now) else {}
        for serial, facts in inverter_answers.inverters(answer, now, self._rhythms).items():
            if "known" in facts or "power" in facts:
                facts["estimatedEnergy"] = self._energies.read(serial, facts, now, self._zone)
                if serial in measured:
                    facts["gatewayEnergy"] = measured[serial]
            if "reported" in facts:
                facts["lastReport"] = _shown(facts["reported"], self._zone)
            facts["listed"] = now
            self._known[serial] = facts
        self._known = {
            serial: facts for serial, facts in self._known.items() if now - facts["listed"] < UNLISTED_GONE_S
        }
        self._changed = True
        if self._connection is not None:
            for equipment in self._connection.of_type("inverter"):
                self._publish(equipment, now)
            for group in self._connection.of_type("group"):
                self._publish_group(group, now)
        return sum(facts["listed"] == now and _reports(facts) for facts in self._known.values())

    def _publish(self, equipment: Equipment, now: float) -> None:
        """Publishes an inverter's facts with their own dates: reports are minutes old, of a silent one maybe years."""
        found = self._known.get(equipment.key, {})
        if found.get("listed") != now:
            return
        known = found.get("known")
        at = self._at(known, now)
        if known is not None and now - known > self._silent_s:
            # Its power is unknown; the time of its last report is known.
            self._context.publish(equipment.id, {"lastReport": found["lastReport"]}, at)
            return
        energies = {name: value for name, value in found.items() if name.endswith("Energy")}
        self._context.publish(equipment.id, {n: value for n, value in found.items() if n not in energies}, at)
        if energies:
            self._context.publish(equipment.id, energies, self._of_today(at, now))

    def _publish_group(self, group: Equipment, now: float) -> None:
        """Publishes the sums of a group, unless one of its inverters is missing in the answer."""
        inverters = inverter_energy.grouped(group, self._connection.of_type("inverter") if self._connection else [])
        if any(self._is_missing(each.key, now) for each in inverters):
            return
        facts = inverter_energy.sums(self._members(group, now))
        known = [each["known"] for each in (self._known.get(i.key, {}) for i in inverters) if "known" in each]
        at = self._at(max(known), now) if known else None
        energy = {name: facts.pop(name) for name in ("energy",) if name in facts}
        if facts:
            self._context.publish(group.id, facts, at)
        if energy:
            self._context.publish(group.id, energy, self._of_today(at, now))

    def _is_missing(self, serial: str, now: float) -> bool:
        facts = self._known.get(serial)
        if facts is not None:
            return bool(facts["listed"] != now)
        # It reported before the daemon was started.
        return now - self._energies.last_report(serial) < UNLISTED_GONE_S

    def _at(self, known: float | None, now: float) -> float | None:
        """Converts a time of the gateway's clock to ours."""
        ours = self._context.clock.time()
        return None if known is None else min(known - now + ours, ours)

    def _of_today(self, at: float | None, now: float) -> float | None:
        """Date of the day's energy: a report of yesterday means zero as of midnight."""
        return None if at is None else max(at, self._at(self._midnight(now), now) or at)

    @property
    def _silent_s(self) -> float:
        """Seconds without a report after which an inverter loses its values: longer than a night or snow."""
        rule: Any = self._context.catalogue.data["silences"]["inverter"]
        return float(rule["after"])

    def _members(self, group: Equipment, now: float) -> list[inverter_energy.Member]:
        inverters = self._connection.of_type("inverter") if self._connection else []
        return inverter_energy.members(group, inverters, self._known, self._midnight(now))

    def report(self, now: float) -> None:
        """Once each evening: who has produced clearly less than the others of his group."""
        local = datetime.fromtimestamp(now, self._zone)
        day = local.date().isoformat()
        if local.hour < REPORT_HOUR or day == self._reported or self._connection is None or not self._known:
            return
        self._reported, self._changed = day, True
        for group in self._connection.of_type("group"):
            found = inverter_energy.verdict(self._members(group, now))
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
        """Persists the energies of the day and the date of the last report."""
        if self._changed:
            self._changed = False
            self._context.memory.keep("inverters", {"days": self._energies.state(), "reported": self._reported})

    def _midnight(self, now: float) -> float:
        return midnight(datetime.fromtimestamp(now, self._zone).date(), self._zone)


def _reports(facts: Facts) -> bool:
    return "reported" in facts and "asleep" not in facts


def _shown(reported: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(reported, zone).strftime("%Y-%m-%d %H:%M:%S")


_WEAK = "Groupe {group} : production inférieure à 90 % de la moyenne du groupe ({mean} Wh) : {panels}"
_SILENT = "Groupe {group} : aucune donnée aujourd'hui des panneaux {panels}"
