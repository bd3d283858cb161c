"""One connection to a gateway: schedules its requests and decides what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from jeedom_bridge.worker import Backoff, Job

from ..base import Connection, Context, DeviceError, Equipment, Found, Identity, Neighbour, Unreachable, VendorError
from ..base import Device as Base
from ..common.endpoints import Shapes
from ..common.vendor_clock import VendorClock
from .closed_days import ClosedDays
from .ct_orientation import CtOrientation
from .gateway.client import Gateway
from .gateway.endpoint_choice import PROBE_PERIOD_S, SLOW_PERIOD_S, EndpointChoice
from .gateway.endpoints import Endpoints
from .gateway.paths import BATTERIES, BATTERY_POWER, CONTROL, INVERTERS
from .gateway.pinning import PinnedCertificate, clock_of, describe, sign_in, token_days
from .inverters import Inverters
from .side_jobs import SideJobs
from .surplus_switch import WATCH_PERIOD_S, SurplusSwitch
from .tokens.token import Token
from .tokens.token_store import REFRESH_LOGIN_PERIOD_S, TokenStore, repeated
from .values import batteries, inverter_answers
from .values.energies import STALE_S, Energies
from .values.lifetimes import Lifetimes
from .values.mapping import Facts
from .values.plant_limits import PlantLimits

_LOG = logging.getLogger(__name__)

DAY_FIGURES_PERIOD_S = 300.0
"""Period of the inverters' own figures of the day, in seconds: they report every five minutes at best."""
METERS_RETRY_S = 300.0
"""Seconds until an unreadable list of meters is requested again."""
PERSIST_PERIOD_S = 600.0
"""Period of persisting state that can be derived again, in seconds."""
ESTIMATES_PERSIST_PERIOD_S = 60.0
"""The same while energies are integrated from powers, which cannot be derived again."""
GATEWAY_TYPES = ("combined", "production", "net", "total", "storage")
"""The equipment types that share the gateway's facts."""


class Device(Base):
    """One gateway. One request at a time: more make it stop answering."""

    grace = 300.0
    daily_pause = (time(23), time(23, 15))  # their daily clean-up, of one to three minutes

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = dict(connection.config)
        self._gateway = Gateway(str(config.get("host", "")), int(config.get("port", 443)))
        self._pin = PinnedCertificate(self._gateway, context)
        self._tokens = TokenStore(config, context)
        self._endpoints = Endpoints(
            self._gateway,
            self._tokens,
            context.clock,
            lambda: self._info["sn"],
            self._sign_in,
            Shapes(context.memory),
        )
        self._period = float(config.get("pollInterval", 60))
        self._choice = EndpointChoice(self._endpoints, context, self._period, self._wanted())
        self._ct_orientation = CtOrientation(context)
        self._restore()
        self._surplus = SurplusSwitch(context)
        self._watching = False
        self._kept = float("-inf")
        self._info: dict[str, str] = {}
        self._time = VendorClock(context.clock)
        self._main_job: Job | None = None
        self._probe_job: Job | None = None
        self._battery_job: Job | None = None
        self._shown_on: set[str] = set()
        self._side_jobs = SideJobs(context, lambda: self.connection.name, lambda: self._working)
        self._begun = self._working = False
        self._failure: DeviceError | None = None
        self._backoff = Backoff(2.0, 60.0)
        self._not_before = float("-inf")

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.context.timezone)  # Jeedom's, which the user may change

    def _restore(self) -> None:
        """Restores persisted state."""
        memory = self.context.memory
        self._plant = PlantLimits(memory.get("plant"))
        self._lifetimes = Lifetimes(self._plant, memory.get("lifetimes"))
        self._energies = Energies(self._plant, memory.get("energies"))
        self._storage = batteries.Storage(max(STALE_S, 2.5 * max(SLOW_PERIOD_S, self._period)), memory.get("storage"))
        self._closed_days = ClosedDays(self.context)
        self._inverters = Inverters(self.context)

    def _wanted(self) -> frozenset[str]:
        """The facts that rows of this connection need beyond those of every gateway."""
        rows = self.context.catalogue.rows
        config = self.connection.config
        found = [row for kind in GATEWAY_TYPES for row in rows(kind, {}, config) if row.source]
        return frozenset(row.source or "" for row in found if "connection.options" in row.data.get("when", {}))

    # Called by the core.

    def start(self) -> None:
        if not self._watching:
            # Before anything that can fail: a load must be switched off even while the gateway is silent.
            self._watching = True
            self._surplus = SurplusSwitch(self.context)
            self._surplus.adopt(self.connection)
            self.context.every(
                "stages", WATCH_PERIOD_S, lambda: self._surplus.watch(self._choice.period), first=WATCH_PERIOD_S
            )
        self._restore()  # only now: the runner that this one replaces has just stopped
        try:
            self._begin()
        except DeviceError as error:
            raise self._incident(error) from error
        self._adopt()
        every, beside = self.context.every, self._side_jobs.every
        self._main_job = every("main", self._choice.period, self._poll)
        beside("totals", max(SLOW_PERIOD_S, self._period), self._poll_totals, first=1.0)
        beside("inverters", SLOW_PERIOD_S, self._poll_inverters, first=2.0)
        self._battery_job = beside("batteries", self._choice.battery_period, self._poll_batteries, first=1.5)
        beside("inverter days", DAY_FIGURES_PERIOD_S, self._poll_inverter_days, first=1.8)
        every("report", SLOW_PERIOD_S, lambda: self._inverters.report(self._time.now()), first=SLOW_PERIOD_S)
        self._probe_job = every("probe", PROBE_PERIOD_S, self._side_jobs.wrap(self._begin), first=PROBE_PERIOD_S)
        self._probe_soon()

    def stop(self) -> None:
        self._gateway.close()
        if self._main_job is not None:
            self._persist(force=True)

    def changed(self) -> None:
        self._adopt()

    def hurry(self, period: float) -> None:
        self._choice.hurry.ask(period)
        self._reschedule()

    def switched(self, equipment: str) -> None:
        self._surplus.switched(equipment)

    def _adopt(self) -> None:
        self._side_jobs.adopt(self.connection.equipment_ids)
        self._surplus.adopt(self.connection)
        self._inverters.adopt(self.connection)
        before, self._shown_on = self._shown_on, {each.id for each in self._members}
        if self._shown_on - before:
            self._poll_now()

    def _poll_now(self) -> None:
        self._not_before = float("-inf")
        if self._main_job is not None:
            self._main_job.run_in(0.0)

    def refresh(self) -> None:
        self._tokens.ask_again(REFRESH_LOGIN_PERIOD_S)
        self._read_main()
        self._side_jobs.retry_all()
        self._side_jobs.run(self._poll_totals, self._poll_batteries, self._poll_inverter_days, self._poll_inverters)

    def test(self) -> Identity:
        self._tokens.ask_again()
        found = self._sign_in()
        if self._main_job is not None:
            self._main_job.run_in(0.0)  # it may be in a long pause for a reason that is gone
        meters = self._choice.count_meters()
        return describe(self._info, found, meters, not self._tokens.automatic, self.context)

    def discover(self) -> list[Found]:
        self._tokens.ask_again()
        if not self._info:
            self._sign_in()
        found = self._offer()
        return found + self._inverters.offered(self._endpoints, self._time.now())

    def _offer(self) -> list[Found]:
        serial, sources, translate = self._info["sn"], self._choice, self.context.translate
        if self.connection.config.get("mode", "combined") != "separate":
            return [Found("combined", serial, translate("Passerelle Enphase {end}", end=serial[-4:]))]
        if not self._begun:
            self._begin()
        sources.probe_storage(self._time.now())
        return [
            Found("production", serial, translate("Enphase Production")),
            Found("net", serial, translate("Enphase Consommation nette"), active=sources.consumption),
            Found("total", serial, translate("Enphase Consommation totale"), active=sources.consumption),
            Found("storage", serial, translate("Enphase Stockage"), active=sources.storage),
        ]

    def relocate(self, found: Sequence[Neighbour]) -> str | None:
        return self._pin.follow(found)

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation != "acceptCertificate":
            return super().run(operation, options)
        self._know(self._pin.accept(self._serial()))
        self._begun = False  # another gateway perhaps: the next poll finds out
        self._poll_now()
        return self.context.translate("Le certificat de la passerelle est accepté")

    # Sign-in and detection.

    def _serial(self) -> str:
        return str(self.connection.config.get("serial", "")).strip()

    def _begin(self) -> None:
        """Signs in and detects what the gateway has: at start, hourly and after a failure."""
        self._sign_in()
        self._choice.probe()
        self._begun = True
        self._reschedule()
        self._probe_soon()

    def _probe_soon(self) -> None:
        if self._probe_job is not None and self._choice.uncertain:
            self._probe_job.run_in(METERS_RETRY_S)

    def _sign_in(self) -> Token:
        info, found = sign_in(self._gateway, self._pin, self._tokens, self._serial(), self.context)
        self._know(info)
        self._publish_token(found)
        return found

    def _know(self, info: dict[str, str]) -> None:
        self._choice.know(info)
        self._info = info
        self._time.forget()  # it may be another gateway
        self._time.note(clock_of(info))

    def _publish_token(self, found: Token) -> None:
        days = token_days(found.expires - self._now())
        self.context.publish(self.connection.id, {"tokenDays": days, "firmware": self._info["software"]})

    def _reschedule(self) -> None:
        for job, period in ((self._main_job, self._choice.period), (self._battery_job, self._choice.battery_period)):
            if job is not None and job.period != period:
                job.reschedule(period)

    # Readings.

    def _poll(self) -> None:
        # A failing gateway gets a pause, however short the user's interval; however long that is, not a longer one.
        rest = self._not_before - self.context.clock.monotonic()
        if rest <= 0:
            self._read_main()
        elif self._main_job is not None:
            self._main_job.run_in(rest)

    def _read_main(self) -> None:
        try:
            if not self._begun:
                self._begin()
            self._use_token()
            facts = self._choice.read()
        except DeviceError as error:
            self._begun = self._working = False
            self._choice.failed()
            pause = self._backoff.next() if error.retry is None else min(error.retry, 60.0)
            self._not_before = self.context.clock.monotonic() + pause
            raise self._incident(error) from error
        self._reschedule()
        self._working, self._failure, self._not_before = True, None, float("-inf")
        self._backoff.reset()
        self._side_jobs.catch_up()
        self.context.count("polls")
        self.context.online()
        self._publish(facts)
        self._ct_orientation.look(facts, self._now())
        if self._choice.fresh:
            self._surplus.step(facts, self._choice.period)

    def _poll_totals(self) -> None:
        facts = self._choice.read_totals()
        if facts:
            self._publish(facts)

    def _poll_batteries(self) -> None:
        trouble: DeviceError | None = None
        facts: Facts = {}
        for read in (self._probe_batteries, self._read_charge, self._read_battery_power):
            try:
                facts.update(read())
            except (VendorError, Unreachable) as error:  # one endpoint never stops the others
                trouble = trouble or error
        self._publish(facts)
        if trouble is not None:
            raise trouble

    def _probe_batteries(self) -> Facts:
        self._choice.probe_batteries(self.context.clock.monotonic(), self._time.now())
        return {}

    def _read_charge(self) -> Facts:
        if not self._has_iq or self._choice.iq_silent:
            return {}
        found = batteries.from_control(self._endpoints.offered(CONTROL))
        return found or batteries.from_inventory(self._endpoints.offered(BATTERIES))

    def _read_battery_power(self) -> Facts:
        if not self._has_iq or self._choice.iq_silent or self._choice.storage_meter:
            return {}
        return batteries.from_power(self._endpoints.offered(BATTERY_POWER), self._choice.iq_serials)

    @property
    def _has_iq(self) -> bool:
        return bool(self._choice.has_iq) or self._storage.has("iq")

    def _poll_inverter_days(self) -> None:
        self._inverters.measured(self._endpoints, self._time.now())

    def _poll_inverters(self) -> None:
        if not self._endpoints.skipped(INVERTERS):
            answer = self._endpoints.read(INVERTERS)
            self._plant.learn_inverters(inverter_answers.inverter_peaks(answer))
            reporting = self._inverters.read(answer, self._time.now())
            for equipment in self._members:
                self.context.publish(equipment.id, {"inverters.reporting": reporting})

    def _publish(self, facts: Facts) -> None:
        now = self._now()
        stored = self._learn_storage(facts, now)
        self._plant.learn(facts)
        self._plant.learn_count(self._choice.inverter_count)
        steady = self._lifetimes.steady(facts, now, self._choice.name)
        stale_s = max(STALE_S, 3 * self._choice.period)
        self._energies.period = self._choice.period
        counted = dict(steady.facts)
        if not self._choice.storage_meter:
            counted.update({name: value for each in stored.values() for name, value in each.items()})
        days = self._energies.read(counted, now, self._zone, self._choice.grid_indexes, steady.began, stale_s=stale_s)
        shown = {**steady.facts, **days}
        members = self._members
        for equipment in members:
            self.context.publish(equipment.id, shown)
            for at, facts in stored.items():
                self.context.publish(equipment.id, facts, at)
        ended = self._energies.take_ended()
        self._closed_days.add(ended)
        self._closed_days.send(self.connection, members, self._zone)
        self._persist(force=bool(ended))

    @property
    def _members(self) -> list[Equipment]:
        """The equipment that shows the gateway's facts."""
        return [each for kind in GATEWAY_TYPES for each in self.connection.of_type(kind)]

    def _learn_storage(self, facts: Facts, now: float) -> dict[float, Facts]:
        """Returns new facts about the batteries by the Unix time of their oldest part."""
        for kind, is_there in (("iq", self._choice.has_iq), ("acb", self._choice.has_acb)):
            if is_there is not None:
                self._storage.exists(kind, is_there, now)
        self._storage.learn(facts, now)
        found: dict[float, Facts] = {}
        for name, (value, at) in self._storage.take(now).items():
            found.setdefault(at, {})[name] = value
        return found

    def _persist(self, force: bool = False) -> None:
        clock = self.context.clock.monotonic()
        if not force and clock - self._kept < (
            ESTIMATES_PERSIST_PERIOD_S if self._energies.integrating else PERSIST_PERIOD_S
        ):
            return
        self._kept = clock
        memory = self.context.memory
        memory.keep("energies", self._energies.state())
        memory.keep("lifetimes", self._lifetimes.state())
        memory.keep("plant", self._plant.state())
        memory.keep("storage", self._storage.state())
        self._inverters.keep()

    # Failures.

    def _use_token(self) -> None:
        # Free while the token is valid; picks up one that was renewed in the background.
        found = self._tokens.current(self._info["sn"])
        self._tokens.watch(found, self._info["sn"])
        self._gateway.use_token(found.text)

    def _incident(self, error: DeviceError) -> DeviceError:
        """Keeps reporting an outage by its first error, however its symptoms change."""
        if self._failure is None or self._failure.code != error.code or self._failure.state != error.state:
            self._failure = error
        elif str(self._failure) != str(error):
            _LOG.debug("%s: now %s", self.connection.name, error)
        return repeated(self._failure, error.retry)

    def _now(self) -> float:
        return self.context.clock.time()
