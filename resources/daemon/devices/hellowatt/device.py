"""One account: schedules its requests, publishes its days, and decides what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
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
    Moment,
    RateLimited,
    Refused,
    Unreachable,
    vendor_url,
)
from ..base import Device as Base
from ..common.endpoints import Endpoints
from . import mapping
from .colors.services import ColorService, OpenData, TempoService
from .colors.tempo import MONTH_S, NEXT_COLOR_S, Tempo
from .days.acknowledged import Acknowledged, Points
from .days.collector import Collector
from .days.schedule import HOUR_S, Schedule
from .failure_memory import FailureMemory
from .site.account import WEEK_S, Account
from .site.budget import Budget
from .site.client import Site
from .site.errors import STOPPING_ERRORS, Missing, NoGas, NotJson, mark_of
from .site.session import Session

_LOG = logging.getLogger(__name__)

DAY_S = 86400.0
IMPORT_PASS_PERIOD_S = 1800.0
"""Period of the import's passes, in seconds."""
FIRST_IMPORT_PAUSE_S = 30.0
"""Seconds until the import continues after the site was unreachable; doubled each time."""
MAX_ROUND_S = 600.0
MISSING_HOME_RECHECK_S = 72000.0
"""Seconds after which a home missing in the account's list must still be missing to count as gone."""
TEMPO_SEEN_DAYS = 60
"""Days within which a Tempo figure of a home implies a Tempo contract."""


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
        self._acknowledged = Acknowledged(context)
        self._schedule = Schedule(context, int(config.get("startHour", 15)))
        self._failure_memory = FailureMemory(context)
        self._endpoints = Endpoints(context.memory, context.clock)
        self._tempo = Tempo(context, [kind(context, url) for kind, url in self._tempo_addresses() if url])
        self._jobs: dict[str, Job] = {}
        self._behind: set[str] = set()
        self._logged: dict[str, str] = {}
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
            "deliver": every("deliver", HOUR_S, self._deliver_behind, first=1.0),
        }
        for equipment in self._equipment():
            self._behind.add(equipment.id)
            self._publish(equipment)
            self._collector.tell(equipment)

    def stop(self) -> None:
        self._site.close()
        self._tempo.close()

    def changed(self) -> None:
        fresh = False
        for equipment in self._equipment():
            if self._collector.archive(equipment).known:
                self._acknowledged.prune(equipment, self._points(equipment, everything=True))
                self._behind.add(equipment.id)
                self._publish(equipment)
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
            seen = self._look(homes)
        finally:
            self._session.asked_for = False
        meters = [meter for home in homes for meter in (home.pdl, home.pce) if meter]
        text = self.context.translate(
            "Connecté à helloWatt : {homes} logement(s), compteur(s) {meters}, données visibles jusqu'au {day}.",
            homes=len(homes),
            meters=", ".join(f"…{meter[-3:]}" for meter in meters) or "-",
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
                self._acknowledged.forget(equipment, self._points(equipment, everything=True))
                self._behind.add(equipment.id)
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

    def _look(self, homes: list[mapping.Home]) -> str:
        """Returns the newest day that the site shows, as text. Raises Refused if there is none."""
        asked = [("electricity", home.id) for home in homes if home.pdl]
        asked += [("gas", home.id) for home in homes if home.pce]
        if not asked:
            raise Refused(
                "Connexion réussie, mais aucun compteur (Linky ou Gazpar) n'est rattaché à ce compte helloWatt"
            )
        for energy, home in asked[:3]:
            found = self._account.glance(energy, home)
            if found is not None and (found.days or found.ongoing):
                return Moment(max(found.days)) if found.days else "…"
        raise Refused(
            "Connexion réussie, mais aucune donnée n'est visible sur ce compte helloWatt : vérifiez la page "
            "mes-donnees du site"
        )

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
            self._deliver_later(wanted)
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
        for equipment in wanted:
            if self.context.stopping or self.context.clock.monotonic() - began > MAX_ROUND_S:
                break
            try:
                self._read(equipment)
                self._logged.pop(equipment.id, None)
            except STOPPING_ERRORS:
                raise
            except DeviceError as error:
                self.context.publish(equipment.id, {"status": mark_of(error)})
                if not isinstance(error, NoGas):
                    failed.append((equipment, error))
        failure = failed[0][1] if failed else None
        for equipment, each in failed:
            # The first one is logged for the connection: the same failure of others is not logged again.
            same = failure is not None and each.template == failure.template
            again = same or self._logged.get(equipment.id) == str(each)
            self._logged[equipment.id] = str(each)
            level = logging.DEBUG if again else logging.WARNING
            _LOG.log(level, "%s: %s", equipment.name, self.context.describe(each))
        self._weekly()
        return failure

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
        self._publish(equipment, {"status": "NO_DATA" if none else "ok"})
        self._deliver(equipment, changed)

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
        doubted = [each for each in self._equipment() if self._gone(each).get("since")]
        try:
            known = {home.id for home in self._account.homes(MISSING_HOME_RECHECK_S if doubted else WEEK_S)}
        except STOPPING_ERRORS:
            raise
        except DeviceError as error:
            _LOG.info("the homes are not known: %s", error)
            return
        for equipment in self._equipment():
            self._note_gone(equipment, equipment.key not in known)

    def _gone(self, equipment: Equipment) -> dict[str, Any]:
        kept = self.context.memory.get(f"gone.{equipment.id}")
        return dict(kept) if isinstance(kept, Mapping) else {}

    def _note_gone(self, equipment: Equipment, gone: bool) -> None:
        """Reports a home that is missing in two lists a day apart: one list may be incomplete."""
        state = self._gone(equipment)
        now = self.context.clock.time()
        after: dict[str, Any] = {} if not gone else {"since": now, **state}
        if gone and not state.get("told") and now - float(after["since"]) > MISSING_HOME_RECHECK_S:
            after["told"] = True
            text = (
                "{name} : ce logement n'est plus sur le compte helloWatt. Ses valeurs restent ; rattachez-le sur le "
                "site, ou supprimez l'équipement."
            )
            self.context.message("warning", text, name=equipment.name)
        if after != state:
            self.context.memory.keep(f"gone.{equipment.id}", after)

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
            self._deliver_later(known)
            raise
        for equipment in news:
            self._publish(equipment)
            self._deliver(equipment)
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

    def _tempo_home(self, equipment: Equipment) -> bool:
        since = self._account.today() - timedelta(days=TEMPO_SEEN_DAYS)
        if self._collector.archive(equipment).recent("tempoCode", since):
            return True
        return "tempo" in str(self._account.contract(equipment.key, "electricity").get("offer", "")).lower()

    def _tempo_when_due(self) -> None:
        homes = [each for each in self.connection.of_type("electricity") if self._tempo_home(each)]
        if homes and self._tempo.due() <= 0:
            self._tempo.ask()
        for equipment in homes:
            if self._published_colors.get(equipment.id) != self._tempo.facts():
                self._published_colors[equipment.id] = self._tempo.facts()
                self._publish(equipment)
                self._deliver(equipment, [self._account.today()])
        wait = min(self._tempo.due(), MONTH_S) if homes else HOUR_S
        now = self._tempo.now()
        clock = now.hour * 3600.0 + now.minute * 60 + now.second
        # Today's and tomorrow's change at midnight, the one in force at six.
        change = min(at - clock for at in (NEXT_COLOR_S, DAY_S) if at > clock) + 30.0
        self._run_in("tempo", min(max(wait, 60.0), change, HOUR_S))

    # Delivery to Jeedom.

    def _points(self, equipment: Equipment, years: Collection[int] | None = None, everything: bool = False) -> Points:
        """Points for Jeedom's history, of some years or all; `everything`: also of commands that Jeedom lacks."""
        rows = self._acknowledged.rows(equipment, self.connection.config)
        if not everything:
            rows = [row for row in rows if row.logical_id in equipment.commands]
        days = self._collector.archive(equipment).days(years)
        if equipment.type == "electricity" and self._tempo_home(equipment):
            today = self._account.today()
            for day in (today - timedelta(days=n) for n in range(8)):
                code = self._tempo.known(day)
                if code is not None and "tempoCode" not in days.get(day, {}) and (years is None or day.year in years):
                    days[day] = {**days.get(day, {}), "tempoCode": Decimal(code)}
        return mapping.points(rows, days)

    def _deliver(self, equipment: Equipment, changed: Iterable[date] | None = None) -> None:
        """Delivers the years of the changed days (default: all); schedules a retry if Jeedom does not take them."""
        years = None if changed is None or equipment.id in self._behind else {day.year for day in changed}
        if self._acknowledged.reconcile(equipment, self._points(equipment, years)):
            self._behind.discard(equipment.id)
        else:
            self._behind.add(equipment.id)
            self._run_in("deliver", 60.0)

    def _deliver_later(self, wanted: Iterable[Equipment]) -> None:
        """Schedules delivery of days read before a failed write: no later reading returns them as new."""
        self._behind.update(equipment.id for equipment in wanted)
        self._run_in("deliver", 60.0)

    def _deliver_behind(self) -> None:
        for equipment in self._equipment():
            if equipment.id in self._behind and not self.context.stopping:
                self._deliver(equipment)

    def _publish(self, equipment: Equipment, more: Mapping[str, Any] | None = None) -> None:
        """Publishes the undated values, and which facts exist for commands that Jeedom does not have yet."""
        archive = self._collector.archive(equipment)
        newest = archive.newest()
        facts: dict[str, Any] = {
            "lastDay": newest.isoformat() if newest else None,
            "collected": self.context.memory.get(f"collected.{equipment.id}"),
            "week.kwh": mapping.week(archive.last_days()) if newest else None,
            "delay": archive.delay(),
        }
        contract = self._account.contract(equipment.key, equipment.type)
        facts.update({f"contract.{name}": value for name, value in contract.items()})
        if equipment.type == "electricity" and self._tempo_home(equipment):
            facts.update(self._tempo.facts())
        # The figures are delivered with their dates; here they only show that they exist.
        facts.update({f"{period}.{name}": 0 for name in archive.facts() for period in ("day", "month", "year")})
        facts.update(more or {})
        self.context.publish(equipment.id, {name: value for name, value in facts.items() if value is not None})


_GONE = (
    "helloWatt ne donne plus les jours d'aucun logement depuis un jour : le site a sans doute changé. Ce que Jeedom a "
    "déjà reste ; mettez le plugin à jour, puis signalez-le si cela dure."
)
