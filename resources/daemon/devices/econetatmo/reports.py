"""What is reported of single lines and ecometers, each thing once, and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..base import Context, DeviceError, Equipment, Moment, NoData, Refused, Unreachable
from ..common.refusals import Policy, Refusals, Scope
from . import mapping, time_slots
from .api import Api
from .client import ArgumentRefused, ModuleGone
from .collector import Collector
from .mapping import Home

_LOG = logging.getLogger(__name__)

SURELY_GONE_S = 4 * 3600.0
"""Seconds between two lists of homes that lack a line before it is gone: one may lack single modules for a moment."""
SILENT_S = 12 * 3600.0
"""Seconds without a new measure after which an ecometer is called silent; it uploads every 3 hours."""
EMPTY_S = 2 * 86400.0
"""Seconds for which all slots of a line have come without a value before that is reported."""
FAILING = Policy(waits_s=(0.0,), tell_after=4)
"""A line that fails alone is reported at the fourth failure in a row: its polls are minutes apart."""


class Reports:
    """Keeps, over restarts, what was reported of the lines of one account."""

    def __init__(self, context: Context, collector: Collector, api: Api) -> None:
        self._context = context
        self._collector = collector
        self._api = api
        self._refusals = Refusals(context.memory, context.clock, {Scope.EQUIPMENT: FAILING}, "failing")

    def failed(self, equipment: Equipment, error: DeviceError) -> None:
        """A line failed while others were read."""
        if isinstance(error, Unreachable):
            return
        refusal = self._refusals.note(Scope.EQUIPMENT, equipment.id, error.code)
        if refusal.count < FAILING.tell_after:
            return
        if equipment.config.get("consumptionType") == "fluid" and isinstance(error, (ModuleGone, ArgumentRefused)):
            error = Refused(
                "Netatmo ne donne pas les mesures de ce compteur de gaz ou d'eau aux autres programmes. Essayez "
                "l'autre type dans ses réglages avancés ; sinon désactivez l'équipement."
            )
        self._context.report_equipment_error(equipment.id, error)

    def works(self, equipment: Equipment) -> None:
        """A line was read."""
        self._refusals.over(Scope.EQUIPMENT, equipment.id)
        self._told(equipment, "gone", False)
        self._context.report_equipment_error(equipment.id, self._emptiness(equipment))

    def _emptiness(self, equipment: Equipment) -> NoData | None:
        """What to say of a line whose slots have come without values for long: the ecometer is not silent."""
        newest, empty = self._collector.newest_of(equipment), self._collector.newest_empty(equipment)
        if not newest or empty - newest < EMPTY_S:
            return None
        return NoData(
            "Les relevés arrivent, mais sans valeur depuis le {when} : le contrat d'électricité enregistré dans "
            "l'application Home + Control a sans doute changé ou été retiré. Vérifiez-le dans l'application.",
            when=Moment(time_slots.local(newest, self._context.timezone)),
        )

    def vanished(self, members: Sequence[Equipment]) -> None:
        """A list of homes has come. A line that two of them, hours apart, lack and that gives nothing is gone."""
        now = self._context.clock.time()
        for equipment in members:
            state = self._collector.state(equipment)
            failing = self._refusals.standing(Scope.EQUIPMENT, equipment.id) is not None
            since = None
            if equipment.key not in self._collector.lines and failing:
                since = state.absent if state.absent is not None and state.absent <= now else now
            if since != state.absent:
                state.absent = since
                self._collector.keep(equipment)
            gone = since is not None and now - since >= SURELY_GONE_S
            if gone and not self._told(equipment, "gone", True):
                self._context.message(
                    "warning",
                    "« {line} » n'est plus dans votre compte Netatmo. Son équipement et son historique restent dans "
                    "Jeedom : si l'appareil a été retiré, désactivez l'équipement.",
                    line=equipment.name,
                )

    def silent(self, members: Sequence[Equipment], homes: Sequence[Home]) -> None:
        """Says once of an ecometer that nothing has come from it for long."""
        bridges: dict[str, list[Equipment]] = {}
        for equipment in members:
            if equipment.type == "line":  # a meter is silent for itself
                bridges.setdefault(equipment.key.partition("#")[0], []).append(equipment)
        for bridge, lines in bridges.items():
            newest = max(self._collector.newest_of(each) for each in lines)
            if not newest:
                continue
            newest = max(newest, *(self._collector.newest_empty(each) for each in lines))
            silent = self._api.now() - newest > SILENT_S
            if not self._told(lines[0], "silent", silent) and silent:
                self._context.message(
                    "warning",
                    "L'écocompteur {name} n'a envoyé aucune mesure depuis le {date}{reason}. Vérifiez son alimentation "
                    "et son Wi-Fi ; les mesures en retard seront reprises à leur date.",
                    name=next((name for home in homes if (name := home.devices.get(bridge))), bridge),
                    date=time_slots.wall(newest, self._context.timezone),
                    reason=self._reason(bridge, homes),
                )

    def _reason(self, bridge: str, homes: Sequence[Home]) -> str:
        """What homestatus says of a silent ecometer."""
        for home in homes:
            if any(line.bridge == bridge for line in home.lines):
                try:
                    codes = mapping.unreachable(self._api.ask("homestatus", "poll", home_id=home.id))
                except DeviceError as error:
                    _LOG.debug("homestatus: %s", error)
                    return ""
                if bridge in codes:
                    return self._context.translate(" (injoignable pour Netatmo)", code=codes[bridge])
        return ""

    def _told(self, equipment: Equipment, what: str, now: bool) -> bool:
        """Notes that something was reported (or is over); whether it had been before."""
        told = self._collector.state(equipment).told
        before = what in told
        if now and not before:
            told.append(what)
        elif before and not now:
            told.remove(what)
        if now != before:
            self._collector.keep(equipment)
        return before
