"""One connection to a WES: polls it, carries out actions and proves them by the state that follows."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from jeedom_bridge.worker import Job

from ..base import AuthenticationFailed, Connection, Context, DeviceError, Equipment, Found, Identity, Refused
from ..base import Device as Base
from ..common.endpoints import Shapes
from ..common.hurry import Hurry
from . import mapping
from .cgx_choice import CgxChoice
from .cgx_page import CgxPage
from .changed_facts import ChangedFacts
from .client import Forbidden, Wes
from .discovery import offers
from .plausibility import PlausibilityCheck
from .user_reports import UserReports

_LOG = logging.getLogger(__name__)

CONFIRM_PERIOD_S = 60.0
"""Period of confirming unchanged values, in seconds: only then Jeedom gets them with a newer date."""
GUARDS_KEY = "guards"
"""Key of the guards' state in the memory."""
PERSIST_PERIOD_S = 3600.0
"""Period of persisting the guards, in seconds; the start or end of a doubt is persisted at once."""
PROOF_PAUSES_S = (0.0, 0.4, 0.8, 1.5, 2.0)
"""Pauses before each reading of a state that an action should have changed, in seconds: some take effect late."""
MAX_PROOF_S = 8.0
"""Seconds after which a slow WES is not polled again for that proof."""


class Device(Base):
    """One WES. One request at a time, one request per poll."""

    grace = 20.0  # all its connections may be in use, and a restart takes that long

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = connection.config
        self._wes = Wes(config)
        self._choice = CgxChoice(self._wes, config, context)
        self._plausibility = PlausibilityCheck()
        self._changed_facts = ChangedFacts(context.catalogue, self._plausibility)
        self._reports = UserReports(context)
        self._shapes = Shapes(context.memory)
        self._period = float(config.get("pollInterval", 30))
        self._hurry = Hurry(context.clock)
        self._job: Job | None = None
        self._failures = 0
        self._confirm_at = float("-inf")
        self._keep_at = float("-inf")
        self._server: mapping.Facts = {}
        self._publish_all = True

    # Called by the core.

    def start(self) -> None:
        self._wes.check()
        self._plausibility.restore(self.context.memory.get(GUARDS_KEY))
        self._changed_facts.adopt(self.connection)
        self._job = self.context.every("poll", self._period, self._poll)

    def stop(self) -> None:
        self._persist()

    def changed(self) -> None:
        # An equipment that was just created must not stand there empty for a whole interval.
        if self._changed_facts.adopt(self.connection) and self._job is not None:
            self._job.run_in(0)

    def hurry(self, period: float) -> None:
        self._hurry.ask(period)
        self._keep_pace()

    def _keep_pace(self) -> None:
        period = self._hurry.period(self._period)
        if self._job is not None and self._job.period != period:
            self._job.reschedule(period)

    def refresh(self) -> None:
        self._changed_facts.publish_all()
        self._publish_all = True
        self._poll()

    def test(self) -> Identity:
        page = self._choice.read()
        data: dict[str, Any] = {"firmware": page.firmware, "page": self._choice.path, "version": page.version}
        text = self.context.translate("Serveur WES, firmware {firmware}", firmware=page.firmware)
        if page.version:
            text += self.context.translate(", fichier CGX {version}", version=page.version)
        try:
            self._wes.get("INFOCFG.HTM")
        except Forbidden:
            text += self.context.translate(" ; ce compte est en lecture seule, les commandes peuvent être refusées")
            data["readOnly"] = True
        except DeviceError as error:
            _LOG.debug("the rights of the account: %s", error)
        try:
            self._choice.try_ftp()
        except AuthenticationFailed:
            raise
        except DeviceError as error:
            reason = self.context.describe(error)
            text += self.context.translate(" ; le compte FTP n'a pas pu être essayé : {reason}", reason=reason)
        return Identity(data, text)

    def discover(self) -> list[Found]:
        page = self._choice.read()
        types = self.context.catalogue.data["equipment"]
        found = []
        for offer in offers(page, self._choice.names(), self._choice.origin(page)):
            name = offer.name or f"{self.context.translate(types[offer.type]['name'])} {offer.key}"
            if self.connection.name:
                name += f" ({self.connection.name})"
            found.append(Found(offer.type, offer.key, name, offer.config, offer.active))
        return found

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation == "sendCgx":
            text = self._choice.send(
                lambda percent, text: self.context.progress(operation, percent, "{text}", text=text)
            )
            if self._job is not None:
                self._job.run_in(0)
            return text
        if operation == "reboot":
            self._wes.reboot()
            return self.context.translate("Le WES redémarre : il sera injoignable quelques secondes.")
        return super().run(operation, options)

    # The poll.

    def _poll(self) -> None:
        self._keep_pace()
        try:
            page = self._choice.read()
        except DeviceError as error:
            self._failures += 1
            # A single failure is not published; a second one in a row is.
            if self._failures > 1 or isinstance(error, AuthenticationFailed):
                self._publish_server({**self._server, "status": False})
            raise
        self._failures = 0
        self.context.count("polls")
        self.context.online()
        self._publish(page)
        if self._choice.keep_up(page) and self._job is not None:
            self._job.run_in(0)

    def _publish(self, page: CgxPage) -> None:
        now = self.context.clock.time()
        confirm = self._confirms()
        if confirm:
            self._shapes.look(self._choice.path, page.sections)
            self._changed_facts.look_again()
            self._reports.clock(page, self.context.timezone)
        if page.repaired:
            self._reports.repaired(self._wes.host)
        self._reports.supply(mapping.voltage(page) is not None)
        server = mapping.server(page)
        server["status"] = True
        server["cgxupdate"] = self._choice.outdated(page)
        self._publish_server(server)
        news = False
        for change in self._changed_facts.read(page, self._choice.origin(page), now):
            equipment = change.equipment
            if "ADCO" in change.facts:
                self.context.mask(change.facts["ADCO"])  # a meter's number identifies its owner
            if change.facts:
                self.context.publish(equipment.id, change.facts)
            self._reports.news(equipment, change.news)
            if equipment.type == "teleinfo":
                self._reports.contract(equipment, change.tariff)
            news = news or bool(change.news)
        if confirm:
            for identifier in (self.connection.id, *self._changed_facts.shown()):
                self.context.confirm(identifier)
        if news or self.context.clock.monotonic() >= self._keep_at:
            self._persist()

    def _confirms(self) -> bool:
        now = self.context.clock.monotonic()
        if now < self._confirm_at:
            return False
        self._confirm_at = now + CONFIRM_PERIOD_S
        return True

    def _persist(self) -> None:
        if self._job is not None:  # a test of the form persists nothing
            self._keep_at = self.context.clock.monotonic() + PERSIST_PERIOD_S
            self.context.memory.keep(GUARDS_KEY, self._plausibility.state())

    def _publish_server(self, facts: mapping.Facts) -> None:
        if self._publish_all or facts != self._server:
            gone = self._server.keys() - facts.keys()
            self._server, self._publish_all = facts, False
            self.context.publish(self.connection.id, {**facts, **dict.fromkeys(gone)})

    # Actions.

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> bool | None:
        if not equipment.type and command == "docgxupdate":
            if self._choice.outdated(self._choice.read()):
                self.run("sendCgx", {})
            return None
        request = self._request(equipment, command)
        wanted = {"ON": True, "OFF": False}.get(request.rpartition("=")[2])
        toggle = wanted is None
        if toggle:
            before = mapping.state(self._choice.read(), equipment.type, equipment.key)
            wanted = None if before is None else not before
        self._wes.order(request, repeatable=not toggle)
        return self._prove(equipment, wanted)

    def _request(self, equipment: Equipment, command: str) -> str:
        rows = self.context.catalogue.all_rows(equipment.type or None)
        found = [row.source for row in rows if row.logical_id == command and row.data["type"] == "action"]
        if not found or not found[0]:
            raise Refused("Cette commande n'est pas prise en charge : {command}", command=command[:64])
        if equipment.type and not re.fullmatch(r"[1-9][0-9]{0,3}", equipment.key):
            raise Refused("« {key} » n'est pas le numéro d'une sortie du WES", key=equipment.key[:20])
        return found[0].replace("{key}", equipment.key)

    def _prove(self, equipment: Equipment, wanted: bool | None) -> bool:
        """Polls until the state is as wanted: the answer to an action proves nothing. False: not seen, stopping."""
        shown: bool | None = None
        began = self.context.clock.monotonic()
        for pause in PROOF_PAUSES_S:
            if pause and not self.context.pause(pause):
                return False
            page = self._choice.read()
            self._publish(page)
            shown = mapping.state(page, equipment.type, equipment.key)
            if shown is not None and wanted in (None, shown):
                if self._job is not None:
                    self._job.run_in(self._job.period)
                return wanted is not None
            if self.context.clock.monotonic() - began > MAX_PROOF_S:
                break
        raise self._not_proved(equipment, shown)

    def _not_proved(self, equipment: Equipment, shown: bool | None) -> Refused:
        name = equipment.name or equipment.key
        if shown is None:
            return Refused(
                "Le WES a reçu la commande, mais sa page ne montre pas l'état de « {name} » : vérifiez que cette "
                "sortie existe sur ce WES.",
                name=name,
            )
        return Refused(
            "Le WES a reçu la commande, mais « {name} » est toujours à {state} : la sortie est peut-être pilotée par "
            "un programme du WES, ou le compte HTTP n'a pas le droit de la commander.",
            name=name,
            state="ON" if shown else "OFF",
        )
