"""One account: schedules its requests, publishes its days, and decides what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from jeedom_bridge.store import StoreError
from jeedom_bridge.worker import Backoff, Job

from ..base import (
    Connection,
    Context,
    DeviceError,
    Equipment,
    Found,
    Identity,
    RateLimited,
    Unreachable,
    vendor_url,
)
from ..base import Device as Base
from ..common.endpoints import Endpoints
from .colors.services import ColorService, OpenData, TempoService
from .colors.tempo import MONTH_S, NEXT_COLOR_S, Tempo
from .days.collector import Collector
from .days.schedule import HOUR_S, Schedule
from .failure_memory import FailureMemory
from .publication import Publication
from .site.account import WEEK_S, Account
from .site.budget import Budget
from .site.client import Site
from .site.errors import STOPPING_ERRORS, Missing, NoAnswer, NoGas, NotJson, mark_of
from .site.missing_homes import MISSING_HOME_RECHECK_S, MissingHomes
from .site.session import Session

_LOG = logging.getLogger(__name__)

DAY_S = 86400.0
IMPORT_PASS_PERIOD_S = 1800.0
"""Period of the import's passes, in seconds."""
FIRST_IMPORT_PAUSE_S = 30.0
"""Seconds until the import continues after the site was unreachable; doubled each time."""
MAX_ROUND_S = 600.0


class Device(Base):
    """One account. All requests are sent by the connection's thread, one at a time."""

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = dict(connection.config)
        base = str(config.get("siteUrl", "")).strip().rstrip("/")
        self._budget = Budget(context, int(config.get("dailyRequests", 60)))
        self._site = Site(base, context, self._budget)
        self._session = Session(self._site, context, str(config.get("user", "")), str(config.get("password", "")))
        self._account = Account(context, self._site, self._session)
        self._collector = Collector(context, self._account, self._budget, config)
        self._schedule = Schedule(context, int(config.get("startHour", 15)))
        self._failure_memory = FailureMemory(context)
        self._endpoints = Endpoints(context.memory, context.clock)
        self._tempo = Tempo(context, [kind(context, url) for kind, url in self._tempo_addresses() if url])
        self._publication = Publication(
            context,
            lambda: self.connection.config,
            self._account,
            self._collector,
            self._tempo,
            lambda: self._run_in("deliver", 60.0),
        )
        self._missing_homes = MissingHomes(context)
        self._jobs: dict[str, Job] = {}
        self._unanswered = ""
        """Id of the equipment whose request was the last one without an answer: others are asked before it."""
        self._published_colors: dict[str, dict[str, str]] = {}
        self._resumed = False
        self._pauses = Backoff(FIRST_IMPORT_PAUSE_S, IMPORT_PASS_PERIOD_S)

    # Called by the core.

    def start(self) -> None:
        self._check_addresses()
        every = self.context.every
        self._jobs = {
            "collect": every("collect", DAY_S, self._collect_when_due),
            "import": every("import", DAY_S, self._import_when_due, first=5.0),
            "tempo": every("tempo", DAY_S, self._tempo_when_due, first=2.0),
            "deliver": every("deliver", HOUR_S, lambda: self._publication.deliver_behind(self._equipment()), first=1.0),
        }
        for equipment in self._equipment():
            self._publication.mark_behind(equipment)
            self._publication.publish(equipment)
            self._collector.tell(equipment)

    def stop(self) -> None:
        self._site.close()
        self._tempo.close()

    def changed(self) -> None:
        fresh = False
        for equipment in self._equipment():
            if self._collector.archive(equipment).known:
                self._publication.prune(equipment)
                self._publication.mark_behind(equipment)
                self._publication.publish(equipment)
            else:
                fresh = True
        if fresh:
            self._schedule.at_once()
            self._run_in("collect", 0.0)
        self._run_in("deliver", 0.0)

    def refresh(self) -> None:
        self._check_addresses()
        self._session.asked_for = True
        try:
            self._budget.check()
            self._session.check()
            self._budget.take_refresh()
            self._collect(self._equipment())
        finally:
            self._session.asked_for = False

    def test(self) -> Identity:
        self._check_addresses()
        self._session.asked_for = True
        try:
            self._session.check()
            homes = self._account.homes()
            seen = self._account.newest_day(homes)
        finally:
            self._session.asked_for = False
        meters = [meter for home in homes for meter in (home.pdl, home.pce) if meter]
        text = self.context.translate(
            "Connecté à helloWatt : {homes:logement|logements}, {count:compteur|compteurs}{meters}, données visibles "
            "jusqu'au {day}.",
            homes=len(homes),
            count=len(meters),
            meters=" (" + ", ".join(f"…{meter[-3:]}" for meter in meters) + ")" if meters else "",
            day=seen,
        )
        return Identity({"homes": len(homes), "meters": len(meters), "lastDay": seen}, text + self._hint())

    def discover(self) -> list[Found]:
        self._check_addresses()
        self._session.asked_for = True
        try:
            return self._account.discover()
        finally:
            self._session.asked_for = False

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation == "importHistory":
            for equipment in self._equipment():
                self._collector.restart_import(equipment)
            self._run_in("import", 1.0)
            return self.context.translate(
                "L'historique est relu mois par mois ; la page montre où en est la récupération."
            )
        if operation == "sendHistory":
            for equipment in self._equipment():
                self._publication.forget(equipment)
                self._publication.mark_behind(equipment)
            self._run_in("deliver", 0.0)
            return self.context.translate("L'historique déjà lu est renvoyé à Jeedom.")
        return super().run(operation, options)

    # Start.

    def _check_addresses(self) -> None:
        vendor_url(str(self.connection.config.get("siteUrl", "")))
        for _, url in self._tempo_addresses():
            if url:
                vendor_url(url)

    def _tempo_addresses(self) -> list[tuple[type[TempoService], str]]:
        """The services for colours, the user's choice first; one with an empty URL is not asked."""
        config = self.connection.config
        known: list[tuple[type[TempoService], str]] = [
            (kind, str(config.get(key) or "").strip().rstrip("/"))
            for kind, key in ((ColorService, "tempoUrl"), (OpenData, "rteUrl"))
        ]
        return {"public": known, "rte": known[::-1]}.get(str(config.get("tempoSource", "public")), [])

    def _resume(self) -> None:
        """Resumes after a restart: requests nothing before it is due, unless the credentials are new."""
        if not self._session.kept and self._failure_memory.none:
            self._schedule.at_once()
        elif self._schedule.wait() > 0 and all(self._collector.archive(each).known for each in self._equipment()):
            self._failure_memory.repeat(self._schedule.wait())
            self.context.online()
        elif not any(self._collector.archive(each).known for each in self._equipment()):
            self._schedule.at_once()

    def _hint(self) -> str:
        hint = self._session.login.hint()
        return self.context.translate(hint) if hint else ""

    def _run_in(self, job: str, seconds: float) -> None:
        if job in self._jobs:
            self._jobs[job].run_in(seconds)

    def _equipment(self) -> list[Equipment]:
        return [each for each in self.connection.equipment if each.type in ("electricity", "gas")]

    # The daily round.

    def _collect_when_due(self) -> None:
        if not self._resumed:
            self._resumed = True
            self._resume()
        wait = self._schedule.wait()
        if wait <= 0:
            self._collect([each for each in self._equipment() if self._asks_for(each)])
            wait = self._schedule.wait()
        self._run_in("collect", min(max(wait, 1.0), HOUR_S))

    def _collect(self, wanted: list[Equipment]) -> None:
        """Runs a round and plans the next one. Raises DeviceError with what the user must know."""
        try:
            failure = self._round(wanted)
        except DeviceError as error:
            failure = error
            for equipment in wanted:
                self.context.publish(equipment.id, {"status": mark_of(error)})
        except StoreError:
            self._publication.deliver_later(wanted)
            self._schedule.again()
            raise
        if failure is None:
            self._failure_memory.over()
            if not any(map(self._asks_for, self._equipment())):
                self._schedule.settled()
            else:
                self._schedule.again()
            self.context.online()
            self._run_in("collect", min(max(self._schedule.wait(), 1.0), HOUR_S))
            return
        failure = self._failure_memory.note(failure)
        if isinstance(failure, RateLimited) and failure.retry:
            self._schedule.after(failure.retry)
        elif self._failure_memory.changed_site:
            self._schedule.tomorrow()
        else:
            self._schedule.again(failure.retry or 0.0)
        failure.retry = max(self._schedule.wait(), 1.0)
        raise failure

    def _round(self, wanted: list[Equipment]) -> DeviceError | None:
        """Reads each energy, also after one failed; returns the failure to report, or None. Raises STOPPING_ERRORS."""
        if not self._equipment():
            self._account.homes()
            return None
        if not wanted and not self._session.kept:
            self._account.homes(0.0)
        began = self.context.clock.monotonic()
        failed: list[tuple[Equipment, DeviceError]] = []
        silence: NoAnswer | None = None
        for equipment in sorted(wanted, key=lambda each: each.id == self._unanswered):
            if self.context.stopping or self.context.clock.monotonic() - began > MAX_ROUND_S:
                break
            try:
                if silence is not None:
                    raise silence
                self._read(equipment)
                self._failure_memory.works(equipment)
            except STOPPING_ERRORS:
                raise
            except DeviceError as error:
                if silence is None and isinstance(error, NoAnswer):
                    silence, self._unanswered = error, equipment.id
                self.context.publish(equipment.id, {"status": mark_of(error)})
                if not isinstance(error, NoGas):
                    failed.append((equipment, error))
        self._failure_memory.log(failed)
        if silence is None:
            self._weekly()
        return failed[0][1] if failed else None

    def _read(self, equipment: Equipment) -> None:
        first = not self._collector.archive(equipment).known
        changed = self._ask(equipment)
        if first:
            self._run_in("tempo", 2.0)
            self._run_in("import", 5.0)
        if changed:
            _LOG.info("%s: %d new or corrected days", equipment.name, len(changed))
        archive = self._collector.archive(equipment)
        stamp = f"{self._budget.now():%Y-%m-%d %H:%M:%S}"
        self.context.memory.keep(f"collected.{equipment.id}", stamp)
        self._collector.tell(equipment)
        none = not archive.months() or self._collector.stopped(equipment)
        self._publication.publish(equipment, {"status": "NO_DATA" if none else "ok"})
        self._publication.deliver(equipment, changed)

    def _ask(self, equipment: Equipment) -> list[date]:
        """Reads an equipment. Raises Missing with another message once all homes have been without data for a day."""
        try:
            changed = self._collector.read(equipment)
        except Missing:
            if self._collector.archive(equipment).months():
                self._endpoints.gone(
                    equipment.type, equipment.key, [e.key for e in self.connection.of_type(equipment.type)]
                )
            if self._endpoints.is_gone(equipment.type):
                raise Missing(_GONE) from None
            raise
        self._endpoints.answered(equipment.type, equipment.key)
        return changed

    def _asks_for(self, equipment: Equipment) -> bool:
        """True if another request today may bring missing data. Without new days, one request a day is enough."""
        if self._collector.satisfied(equipment):
            return False
        idle = self._never_had_data(equipment) or self._collector.stopped(equipment)
        asked = str(self.context.memory.get(f"collected.{equipment.id}") or "")
        return not (idle and asked[:10] == self._account.today().isoformat())

    def _never_had_data(self, equipment: Equipment) -> bool:
        """True for a gas equipment that never had data on the site: not requested repeatedly."""
        return equipment.type == "gas" and not self._collector.archive(equipment).months()

    def _weekly(self) -> None:
        """Updates homes and contracts, which rarely change."""
        for home in dict.fromkeys(each.key for each in self._equipment()):
            self._account.contracts(home)
        doubted = [each for each in self._equipment() if self._missing_homes.is_doubted(each)]
        try:
            known = {home.id for home in self._account.homes(MISSING_HOME_RECHECK_S if doubted else WEEK_S)}
        except STOPPING_ERRORS:
            raise
        except DeviceError as error:
            _LOG.info("the homes are not known: %s", error)
            return
        for equipment in self._equipment():
            self._missing_homes.note(equipment, equipment.key not in known)

    # The import.

    def _import_when_due(self) -> None:
        known = [
            each for each in self._equipment() if self._collector.archive(each).known and not self._never_had_data(each)
        ]
        blocked = self._budget.blocked()
        if not any(map(self._collector.importing, known)) or blocked or self._budget.spare() <= 0:
            self._run_in("import", blocked or (60.0 if self._waits_for_first() else HOUR_S))
            return
        self._run_in("import", IMPORT_PASS_PERIOD_S)
        try:
            news, failure = self._collector.import_all(known)
        except StoreError:
            self._publication.deliver_later(known)
            raise
        for equipment in news:
            self._publication.publish(equipment)
            self._publication.deliver(equipment)
        if failure is None:
            self._pauses.reset()
            self.context.online()
            if any(map(self._collector.importing, known)):
                text = "La récupération de l'historique continue dans {minutes} min"
                self.context.progress(
                    "importHistory", self._collector.percent(), text, minutes=int(IMPORT_PASS_PERIOD_S / 60)
                )
        elif isinstance(failure, (Unreachable, NotJson)):
            self._run_in("import", self._pauses.next())
        elif isinstance(failure, STOPPING_ERRORS):
            failure.retry = max(failure.retry or HOUR_S, IMPORT_PASS_PERIOD_S)
            raise failure

    def _waits_for_first(self) -> bool:
        return any(not self._collector.archive(each).known for each in self._equipment())

    # Tempo.

    def _tempo_when_due(self) -> None:
        homes = [each for each in self.connection.of_type("electricity") if self._publication.tempo_home(each)]
        if homes and self._tempo.due() <= 0:
            self._tempo.ask()
        for equipment in homes:
            if self._published_colors.get(equipment.id) != self._tempo.facts():
                self._published_colors[equipment.id] = self._tempo.facts()
                self._publication.publish(equipment)
                self._publication.deliver(equipment, [self._account.today()])
        wait = min(self._tempo.due(), MONTH_S) if homes else HOUR_S
        now = self._tempo.now()
        clock = now.hour * 3600.0 + now.minute * 60 + now.second
        # Today's and tomorrow's change at midnight, the one in force at six.
        change = min(at - clock for at in (NEXT_COLOR_S, DAY_S) if at > clock) + 30.0
        self._run_in("tempo", min(max(wait, 60.0), change, HOUR_S))


_GONE = (
    "helloWatt ne donne plus les jours d'aucun logement depuis un jour : le site a sans doute changé. Ce que Jeedom a "
    "déjà reste ; mettez le plugin à jour, puis signalez-le si cela dure."
)
