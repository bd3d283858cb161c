"""The life of a Netatmo account: when homes and measures are read, what is reported, and what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from jeedom_bridge.worker import Backoff, Job

from ..base import (
    AuthenticationFailed,
    Connection,
    Context,
    DeviceError,
    Equipment,
    Found,
    Identity,
    RateLimited,
    Refused,
    Unreachable,
    VendorError,
    vendor_url,
)
from ..base import Device as Base
from . import mapping, time_slots
from .api import Api
from .authorization import Authorization
from .budget import Budget
from .client import ArgumentRefused, ModuleGone, Service
from .collector import Collector, Waiting
from .mapping import Home, Line
from .reports import Reports
from .tokens import NotDurable, NotNow, TokenKeeper

_LOG = logging.getLogger(__name__)

SLICE_PERIOD = 15.0
SLICE_PAUSE = 300.0
HOMES_PERIOD = 6 * 3600.0
REST = 3600.0
"""Seconds for which a line that the service does not know, or refuses by its type, is not asked about again."""


class Device(Base):
    """One account. One request at a time."""

    grace = 1200.0  # bad gateways for some minutes are usual; two polls may fail, after the interval before them

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = connection.config
        self._service = Service(str(config.get("apiUrl", "")), context.clock.time)
        self._budget = Budget(context)
        self._keeper = TokenKeeper(config, context, self._service, self._budget)
        self._authorization = Authorization(context)
        self._api = Api(context, self._service, self._keeper, self._budget)
        self._collector = Collector(connection, context, self._api)
        self._reports = Reports(context, self._collector, self._api)
        self._homes: list[Home] = []
        self._homes_at = float("-inf")
        self._read_at: dict[str, float] = {}
        self._indexes: dict[str, tuple[float, int]] = {}
        self._failed: dict[str, str] = {}
        self._resting: dict[str, float] = {}
        self._slices_from: dict[str, float] = {}
        self._span = 0.0
        self._lines = _signatures(connection)
        self._new: set[str] = set()
        self._aside_job: Job | None = None
        self._backoff = Backoff(60.0, 600.0)
        self._poll_job: Job | None = None

    # What the core asks for.

    def start(self) -> None:
        vendor_url(str(self.connection.config["apiUrl"]))
        period = float(self.connection.config["pollInterval"])
        self._poll_job = self.context.every("poll", period, self._poll)
        self._aside_job = self.context.every("aside", SLICE_PERIOD, self._aside, first=SLICE_PERIOD)
        self.context.every("power", float(self.connection.config["powerInterval"]), self._read_powers, first=30.0)

    def stop(self) -> None:
        self._keeper.settle(4.0)
        self._budget.keep()
        self._service.close()

    def changed(self) -> None:
        # Only what changed is read at once: renaming twenty lines must not cost four hundred requests.
        before, self._lines = self._lines, _signatures(self.connection)
        self._new |= {key for key, signature in self._lines.items() if before.get(key) != signature}
        self._collector.connection = self.connection
        if self._aside_job is not None and self._new:
            self._aside_job.run_in(0.0)

    def refresh(self) -> None:
        self._keeper.try_again()
        self._read_all("user")

    def test(self) -> Identity:
        self._keeper.try_again()
        self._read_homes("user")
        modules = [line for home in self._homes for line in home.lines]
        counts = {kind: sum(line.kind == kind for line in modules) for kind in ("line", "meter")}
        text = self.context.translate(
            "Compte Netatmo accepté : {homes:maison|maisons} avec un écocompteur, {lines:ligne|lignes}",
            homes=len(self._homes),
            lines=counts["line"],
        )
        if counts["meter"]:
            text += self.context.translate(", {meters:compteur|compteurs} d'énergie", meters=counts["meter"])
        if not modules:
            text = self.context.translate("Compte Netatmo accepté, mais il ne contient aucun écocompteur (type NLE)")
        self._budget.keep()
        return Identity({"homes": len(self._homes), "lines": counts["line"], "meters": counts["meter"]}, text)

    def discover(self) -> list[Found]:
        self._keeper.try_again()
        self._read_homes("user")
        names = mapping.named(self._homes)
        found = [self._found(line, names[line.id]) for home in self._homes for line in home.lines]
        self._budget.keep()
        return found

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation == "authorizationLink":
            return self._authorization.link(self.connection.config)
        if operation == "authorizationCode":
            self._keeper.authorize(self._authorization.code(str(options.get("code", "")).strip()))
            self._authorization.forget()
            if self._poll_job is not None:
                self._poll_job.run_in(0.0)
            return self.context.translate("Netatmo a accepté le code : les jetons sont enregistrés")
        if operation == "importHistory":
            return self._import(options.get("days", 30))
        return super().run(operation, options)

    # Homes and lines.

    def _read_homes(self, purpose: str) -> None:
        self._homes = mapping.homes(self._api.ask("homesdata", purpose))
        self._homes_at = self.context.clock.monotonic()
        lines = {line.id: line for home in self._homes for line in home.lines}
        self._collector.lines = lines
        self._collector.zones = {line.id: home.timezone for home in self._homes for line in home.lines}

    def _found(self, line: Line, name: str) -> Found:
        if line.kind == "meter":
            return Found("meter", line.id, name, {"model": line.model, "bridge": line.bridge})
        config = {"sourceType": line.source_type, "icon": line.source_type}
        if line.index not in mapping.FLUIDS:
            return Found("line", line.id, name, {"consumptionType": "electrical", **config})
        config["consumptionType"] = "fluid"
        family = self._fluid_family(line)
        return Found("line", line.id, name, {**config, "fluidFamily": family or "fluid"}, active=bool(family))

    def _fluid_family(self, line: Line) -> str:
        """Under which of its undocumented types a gas or water line gives data; '' when under none."""
        now = int(self._api.now())
        rows = self.context.catalogue.all_rows("line")
        for family in ("fluid", "energy"):
            conditions = (row for row in rows if (row.data.get("when") or {}).get("fluidFamily") == family)
            types = list(dict.fromkeys(row.source or "" for row in conditions))[:1]
            try:
                body = self._api.ask(
                    "getmeasure",
                    "user",
                    device_id=line.bridge,
                    module_id=line.id,
                    type=",".join(types),
                    scale="1day",
                    date_begin=str(time_slots.midnight(now, self.context.timezone, -30)),
                )
                if mapping.slots(body, len(types), "1day", self.context.timezone, 0, now + 2 * 86400):
                    return family
            except (Refused, VendorError) as error:
                _LOG.debug("line %s gives nothing under %s: %s", line.id, types, error)
        return ""

    # Measures.

    def _poll(self) -> None:
        self._read_all("poll")

    def _read_all(self, purpose: str) -> None:
        try:
            self._read_lines(purpose)
            self._backoff.reset()
        except NotNow:
            raise
        except (Unreachable, VendorError, Refused) as error:
            error.retry = self._backoff.next()  # an outage of the service is not answered with more requests
            raise
        finally:
            self._budget.keep()
            self._service.close()  # the next poll is minutes away

    def _read_lines(self, purpose: str) -> None:
        if self.context.clock.monotonic() - self._homes_at > HOMES_PERIOD:
            self._read_homes(purpose)
            if self._homes:
                self._reports.vanished(self._collector.members())
            if not self._collector.members():
                self.context.online()
        if not self._collector.settle():
            _LOG.debug("Jeedom has not taken the former measures yet, nothing more is read")
            return
        errors: list[DeviceError] = []
        failed: list[tuple[Equipment, DeviceError]] = []
        now = self.context.clock.monotonic()
        lines = [each for each in self._collector.members() if purpose == "user" or self._rests(each) <= now]
        lines.sort(key=lambda each: self._read_at.get(each.id, 0.0))
        for equipment in lines:
            if self.context.stopping or (self._read_at and self._budget.left(purpose) < 2):
                break
            try:
                error = self._read_line(equipment, purpose, errors)
            except Waiting:
                break
            if error is not None:
                failed.append((equipment, error))
        if errors and len(errors) == len(lines):
            raise errors[-1]
        for equipment, error in failed:
            self._reports.failed(equipment, error)
        readable = [each for each in self._collector.members() if each.id not in self._failed]
        self._reports.silent(readable, self._homes)
        self._publish()

    def _read_line(self, equipment: Equipment, purpose: str, errors: list[DeviceError]) -> DeviceError | None:
        """Reads one line; a failure of its own, which is returned, does not touch the others."""
        self._read_at[equipment.id] = self.context.clock.monotonic()
        try:
            self._collector.read(equipment, purpose)
        except (RateLimited, AuthenticationFailed, NotDurable, NotNow):
            raise
        except DeviceError as error:
            errors.append(error)
            away = [each for each in errors if isinstance(each, Unreachable)]
            if len(away) > 1:
                raise
            if self._failed.get(equipment.id) != str(error):
                self._failed[equipment.id] = str(error)
                # What all lines of a round meet is one incident of the service.
                said = any(str(each) == str(error) for each in errors[:-1])
                level = logging.DEBUG if said else logging.WARNING
                _LOG.log(level, "%s, %s: %s", self.connection.name, equipment.name, self.context.describe(error))
            if isinstance(error, (ModuleGone, ArgumentRefused)):
                self._resting[equipment.id] = self.context.clock.monotonic() + REST
            return error
        self._failed.pop(equipment.id, None)
        self._resting.pop(equipment.id, None)
        self._reports.works(equipment)
        self.context.online()
        return None

    def _rests(self, equipment: Equipment) -> float:
        """Until when a line that the service refuses is left alone (monotonic)."""
        return self._resting.get(equipment.id, 0.0)

    def _publish(self) -> None:
        facts: dict[str, Any] = {"requests": self._budget.hour()}
        newest = max(map(self._collector.newest_of, self._collector.members()), default=0)
        if newest:
            facts["lastMeasure"] = time_slots.wall(newest, self.context.timezone)
        self.context.publish(self.connection.id, facts)
        for equipment in self._collector.members():
            index = self._collector.state(equipment).index
            shown = (index.shown, index.end)
            if index.end and self._indexes.get(equipment.id) != shown:
                self._indexes[equipment.id] = shown
                at = min(float(index.end), self.context.clock.time())
                self.context.publish(equipment.id, {"index": index.shown / 1000}, at=at)

    def _read_powers(self) -> None:
        """The powers of meters: ecometers have none."""
        meters = {each.key: each for each in self.connection.of_type("meter")}
        for home in self._homes:
            if not meters.keys() & {line.id for line in home.lines}:
                continue
            try:
                powers = mapping.powers(self._api.ask("homestatus", "poll", home_id=home.id))
            except DeviceError as error:
                _LOG.debug("powers: %s", error)  # the round of the measures tells what is wrong
                return
            now = self.context.clock.time()
            for key in powers.keys() & meters.keys():
                power, at = powers[key]
                at = at if at is not None and now - 86400 < at < now else None
                self.context.publish(meters[key].id, {"power": power}, at=at)

    # Beside the regular round.

    def _aside(self) -> None:
        """Lines that are new or were changed, at once; else one slice of the past, when the budget has room."""
        try:
            if not self._collector.settle():
                return
            if self._new:
                self._read_new()
            elif self._budget.left("import") >= 2:
                self._read_slice()
        except Waiting:
            return

    def _read_new(self) -> None:
        errors: list[DeviceError] = []
        try:
            for equipment in self._collector.members():
                if equipment.id in self._new and not self.context.stopping:
                    self._read_line(equipment, "user", errors)
                    self._new.discard(equipment.id)
            self._new.clear()
            self._publish()
        finally:
            self._budget.keep()

    def _read_slice(self) -> None:
        now = self.context.clock.monotonic()
        behind = [
            each
            for each in self._collector.behind()
            if max(self._rests(each[0]), self._slices_from.get(each[0].id, 0.0)) <= now
        ]
        if not behind:
            self._span = 0.0
            return
        self._span = max(self._span, self._collector.days_left())
        equipment, state = behind[0]
        try:
            stop = self._collector.slice(equipment, state)
        except (RateLimited, AuthenticationFailed, NotDurable):
            raise
        except DeviceError as error:
            # The round of the present tells what is wrong; the past of the other lines goes on.
            _LOG.debug("the past of %s: %s", equipment.name, error)
            self._slices_from[equipment.id] = now + SLICE_PAUSE
            return
        finally:
            self._budget.keep()
        if stop is None:
            self._slices_from[equipment.id] = now + SLICE_PAUSE
            return
        done = 100.0 * (1 - self._collector.days_left() / self._span) if self._span else 100.0
        self.context.progress(
            "importHistory",
            done,
            "{line} : historique lu jusqu'au {date}",
            line=equipment.name,
            date=time_slots.wall(stop, self.context.timezone)[:10],
        )

    def _import(self, days: Any) -> str:
        try:
            count = min(max(int(float(days)), 0), 3650)
        except (TypeError, ValueError, OverflowError):
            raise Refused("Le nombre de jours doit être un nombre : {days}", days=str(days)[:20]) from None
        lines = self._collector.members()
        for equipment in lines:
            self._collector.import_again(equipment, self._collector.beginning(equipment, count))
        return self.context.translate(
            "L'historique de {lines:ligne|lignes} est relu peu à peu, environ {days:jour|jours} de mesures en tout",
            lines=len(lines),
            days=round(self._collector.days_left()),
        )


def _signatures(connection: Connection) -> dict[str, tuple[Any, ...]]:
    """What of each line decides about its measures, by the id of its equipment."""
    members = [*connection.of_type("line"), *connection.of_type("meter")]
    return {each.id: (each.key, each.config, each.commands) for each in members}
