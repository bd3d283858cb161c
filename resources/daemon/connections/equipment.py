"""How each equipment of a connection does: its own trouble, else its silence, else that it works."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..devices.base import DeviceError, Memory, Moment, NoData
from ..texts import Texts
from .failures import public
from .freshness import Freshness, Silence
from .remembered import REPORTED, reported
from .reports import Reports

_LOG = logging.getLogger(__name__)

FRESHNESS = "freshness"
"""The key of the memory under which ages are kept over a restart."""


class EquipmentHealth:
    """The states of one connection's equipment, each reported when it changes. Thread-safe."""

    def __init__(self, reports: Reports, texts: Texts, memory: Memory, freshness: Freshness) -> None:
        self._reports = reports
        self._texts = texts
        self._memory = memory
        self._freshness = freshness
        self._troubles: dict[str, tuple[str, str, str] | None] = {}
        self._silences: dict[str, dict[str, NoData]] = {}
        self._shown = reported(memory.get(REPORTED))
        self._resumed = False
        self._public: dict[str, str] = {}

    def trouble(self, equipment: str, error: DeviceError | None) -> None:
        """Takes an equipment's own error; None: it works again."""
        shown = None if error is None else (error.state, error.code, self._describe(error))
        with self._reports.lock:
            self._troubles[equipment] = shown
            self._public[equipment] = public(self._texts, error) if error is not None else ""
        self._show(equipment)

    def watch(self, connected: bool) -> None:
        """Reports who has become silent, and who is back; not while the connection itself does not work."""
        if not self._resumed:
            self._resumed = True
            for each in self._freshness.silent():  # reported before the daemon was restarted
                self._silences.setdefault(each.equipment, {})[each.says] = self._no_data(each)
        changes = self._freshness.check(connected)
        for change in changes:
            silences = self._silences.setdefault(change.equipment, {})
            if change.over:
                silences.pop(change.says, None)
                _LOG.info("%s: %s: data again", self._reports.label, self._reports.name(change.equipment))
            else:
                silences[change.says] = self._no_data(change)
            self._show(change.equipment)
        if changes:
            self.keep()

    def repeat(self) -> None:
        """Reports once more what is wrong: Jeedom keeps it where it may be lost."""
        with self._reports.lock:
            for equipment in self._reports.connection.equipment_ids:
                if self._shown.get(equipment) is not None:
                    self._report(equipment)

    def told(self, equipment: str) -> tuple[str, str, str] | None:
        """State, code and text as they were reported, for diagnostics (see `public`); None if it works."""
        with self._reports.lock:
            shown = self._shown.get(equipment)
            if shown is None:
                return None
            silent = " ".join(public(self._texts, each) for each in self._silences.get(equipment, {}).values())
            return (*shown[:2], self._public.get(equipment) or silent)

    def keep(self) -> None:
        """Keeps the ages over a restart."""
        if not self._reports.silent:
            self._memory.keep(FRESHNESS, self._freshness.state())

    def _describe(self, error: DeviceError) -> str:
        return self._texts(error.template, **error.values)

    def _no_data(self, silence: Silence) -> NoData:
        says = self._texts(silence.says)
        if silence.since is None:
            return NoData("Aucune donnée reçue : {says}", says=says)
        when = Moment(datetime.fromtimestamp(silence.since, ZoneInfo(self._texts.timezone)))
        return NoData("Aucune donnée depuis le {when} : {says}", when=when, says=says)

    def _show(self, equipment: str) -> None:
        with self._reports.lock:
            silent = list(self._silences.get(equipment, {}).values())
            shown = self._troubles.get(equipment)
            # What has only become silent is doubted by its age, each quantity by its own.
            self._reports.state(equipment, shown[0] if shown else "online")
            label = self._reports.label
            if shown is None and silent:
                label = f"{label}: {self._reports.name(equipment)}"
                shown = (silent[0].state, silent[0].code, " ".join(self._describe(each) for each in silent))
            if self._shown.get(equipment) == shown:
                return
            self._shown[equipment] = shown
            if not self._reports.silent:
                self._memory.keep(REPORTED, {each: list(state) for each, state in self._shown.items() if state})
            if shown is not None:
                _LOG.error("%s: %s", label, shown[2])
            self._report(equipment)

    def _report(self, equipment: str) -> None:
        connection, shown = self._reports.connection.id, self._shown[equipment]
        event: dict[str, Any] = {"event": "connection", "connection": connection, "equipment": equipment}
        if shown is None:
            event["state"] = "online"
        else:
            state, code, text = shown
            event.update(state=state, code=code, message=self._reports.outgoing(text))
        self._reports.event(event, ("connection", connection, equipment))
