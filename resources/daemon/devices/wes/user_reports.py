"""Reports problems of a WES to the user, each one once, and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from ..base import Context, Equipment, Moment, NoData
from .cgx_page import CgxPage
from .plausibility import Kind, News

_LOG = logging.getLogger(__name__)

CLOCK_WARNED = "clockWarned"
"""Under this the memory holds that the user knows of a wrong clock."""
MAX_CLOCK_DRIFT_S = 180.0
"""Seconds by which the WES's clock, which shows minutes, may be wrong before the user is warned."""
SUPPLY_GONE_S = 300.0
"""Seconds without mains voltage after which the 9 V supply is reported missing."""
SUPPLY_KEY = "supply"
"""Key of the memory, once there was a mains voltage: {"told": whether it was reported missing}."""


class UserReports:
    """Remembers what was reported of one WES."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[str] = set()
        self._contracts: dict[str, str] = {}
        self._no_supply_since: float | None = None

    def repaired(self, host: str) -> None:
        """Logs once that a page held bytes that are not XML."""
        if "repaired" not in self._told:
            self._told.add("repaired")
            _LOG.warning("the page of %s holds characters that are not XML, it was repaired", host)

    def clock(self, page: CgxPage, timezone: str) -> None:
        """Compares the clock of the page with ours; warns once of a difference, also over restarts and saves."""
        info = page.section("info")
        try:
            shown = datetime.strptime(f"{info.get('date')} {info.get('time')}", "%d/%m/%Y %H:%M")
            here = datetime.fromtimestamp(self._context.clock.time(), ZoneInfo(timezone))
        except (ValueError, KeyError, OSError):
            return
        minutes = (shown - here.replace(tzinfo=None, second=0, microsecond=0)).total_seconds() / 60
        if abs(minutes) * 60 < MAX_CLOCK_DRIFT_S:
            if self._context.memory.get(CLOCK_WARNED):
                self._context.memory.delete(CLOCK_WARNED)
        elif not self._context.memory.get(CLOCK_WARNED):
            self._context.memory.keep(CLOCK_WARNED, True)
            self._context.message(
                "warning",
                "L'horloge du WES est décalée, elle indique {shown} : ses valeurs du jour, du mois et de l'année ne "
                "reviennent pas à zéro à la bonne heure. Réglez-la dans le WES.",
                shown=Moment(shown),
            )

    def supply(self, there: bool) -> None:
        """Warns once if the mains voltage is gone, measured by the optional 9 V supply only. `there`: page has it."""
        memory, now = self._context.memory, self._context.clock.monotonic()
        kept = memory.get(SUPPLY_KEY)
        if there:
            self._no_supply_since = None
            if kept != {"told": False}:
                memory.keep(SUPPLY_KEY, {"told": False})
            if kept == {"told": True}:
                self._context.message("info", "L'alimentation 9 V donne de nouveau la tension du secteur au WES.")
        elif self._no_supply_since is None:
            self._no_supply_since = now
        elif now - self._no_supply_since >= SUPPLY_GONE_S and kept == {"told": False}:
            memory.keep(SUPPLY_KEY, {"told": True})
            self._context.message(
                "warning",
                "L'alimentation 9 V ne donne plus la tension du secteur au WES : la tension et la puissance réelle des "
                "pinces gardent leurs dernières valeurs. Vérifiez son bloc d'alimentation.",
            )

    def news(self, equipment: Equipment, news: Iterable[News]) -> None:
        """Reports readings of counters that do not follow from the previous ones."""
        name = equipment.name or equipment.key
        for each in news:
            if each.kind is Kind.REPLACED:
                self._context.message(
                    "info",
                    "« {name} » : le compteur a été remplacé, ses index partent de ceux du nouveau compteur.",
                    name=name,
                )
                continue
            index, scale = self._index(equipment, each.name)
            values = {
                "name": name,
                "index": index,
                "value": round(each.value * scale, 3),
                "last": round((each.last or 0.0) * scale, 3),
            }
            if each.kind is Kind.RESTARTED:
                self._context.message(
                    "warning",
                    "« {name} » : {index} est passé de {last} à {value} et s'y tient. S'il ne s'agit pas d'un "
                    "compteur remplacé ou remis à zéro, vérifiez ce compteur dans le WES.",
                    **values,
                )
            else:
                text = self._context.translate(
                    "« {name} » : {index} lu à {value} après {last} : cette valeur n'est pas reprise tant qu'elle "
                    "ne se confirme pas.",
                    **values,
                )
                _LOG.warning("%s", text)

    def _index(self, equipment: Equipment, fact: str) -> tuple[str, float]:
        rows = self._context.catalogue.rows(equipment.type, equipment.config)
        row = next((row for row in rows if row.source == fact and row.data["type"] == "info"), None)
        return (fact, 1.0) if row is None else (str(row.data["name"]), float(row.data.get("scale", 1)))

    def contract(self, equipment: Equipment, found: str) -> None:
        """Reports `found`, the contract of the meter if it differs from the settings, else ''.

        The first time '' is reported as well: the daemon may have reported another one before a restart.
        """
        if self._contracts.get(equipment.id) == found:
            return
        self._contracts[equipment.id] = found
        if not found:
            self._context.report_equipment_error(equipment.id, None)
            return
        choices = next(f for f in self._context.catalogue.fields(equipment.type) if f["key"] == "tarification")[
            "choices"
        ]
        setting = str(equipment.config.get("tarification", ""))
        self._context.report_equipment_error(
            equipment.id,
            NoData(
                "Le compteur est en {found}, l'équipement est réglé sur {setting} : ses index n'avancent plus. "
                "Choisissez « Automatique » ou {found} comme tarification de « {name} ».",
                found=self._context.translate(str(choices.get(found, found))),
                setting=self._context.translate(str(choices.get(setting, setting))),
                name=equipment.name or equipment.key,
            ),
        )
