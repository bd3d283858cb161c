"""The life of a connection to a gateway: what is read when, and what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Callable

from jeedom_bridge.worker import Backoff, Job

from ..base import (
    AuthenticationFailed,
    Connection,
    Context,
    DeviceError,
    Found,
    Identity,
    Unreachable,
    VendorError,
)
from ..base import Device as Base
from . import mapping
from .access import Trust, clock_offset, describe, sign_in
from .client import CertificateChanged, Gateway, PageRefused
from .keeper import TokenKeeper, repeated
from .lifetimes import NO_ROLL_OVER, Lifetimes
from .mapping import Facts, Meter
from .token import DAY, Token

_LOG = logging.getLogger(__name__)

READINGS = "/ivp/meters/readings"
PRODUCTION = "/production.json?details=1"
SUMMARY = "/api/v1/production"
INVERTERS = "/api/v1/production/inverters"
METERS = "/ivp/meters"

SLOW = 60.0
"""Seconds between two readings of pages that cost the gateway much or change every few minutes."""
UNMETERED = 30.0
"""The least for the main page of a gateway without meters: nothing moves faster than every few minutes."""
PATIENT = 45.0
"""Seconds that the slowest pages may take."""
ASIDE_SHARE = 20.0
ASIDE_PAUSE = 900.0
"""Longest pause, in seconds, before a page beside the main one is asked again after a failure."""
PROBE = 3600.0
FROZEN = 60.0
"""Seconds (or three polls) after which meters whose clock stands still are no longer believed."""
KEEP = 600.0
"""Seconds between two writings of the inverters' lifetime to the store."""


class Device(Base):
    """One gateway. One request at a time: more make it stop answering."""

    grace = 300.0  # gateways pause for minutes each night

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = dict(connection.config)
        self._gateway = Gateway(str(config.get("host", "")), int(config.get("port", 443)))
        self._trust = Trust(self._gateway, context)
        self._keeper = TokenKeeper(config, context)
        self._period = float(config.get("pollInterval", 60))
        self._lifetimes = Lifetimes(context.memory.get("lifetimes"))
        self._lifetimes_kept = float("-inf")
        self._rhythms = mapping.Rhythms()
        self._info: dict[str, str] = {}
        self._ahead = 0.0
        self._meters: list[Meter] = []
        self._main: Callable[[], Facts] = self._read_production
        self._main_job: Job | None = None
        self._unmetered: Facts = {}
        self._measured: set[str] = set()
        self._skipped_until: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._later: dict[str, float] = {}
        self._stamp = (0.0, float("-inf"))
        self._begun = False
        self._working = False
        self._failure: DeviceError | None = None
        self._backoff = Backoff(2.0, 60.0)
        self._not_before = float("-inf")

    # What the core asks for.

    def start(self) -> None:
        try:
            self._begin()
        except DeviceError as error:
            raise self._incident(error) from error
        self._main_job = self.context.every("main", self._main_period(), self._poll)
        self.context.every("totals", max(SLOW, self._period), self._aside(self._poll_totals), first=1.0)
        self.context.every("inverters", SLOW, self._aside(self._poll_inverters), first=2.0)
        self.context.every("probe", PROBE, self._aside(self._begin), first=PROBE)

    def stop(self) -> None:
        self._gateway.close()

    def refresh(self) -> None:
        self._read_main()
        self._later.clear()
        self._aside(self._poll_totals)()
        self._aside(self._poll_inverters)()

    def test(self) -> Identity:
        self._keeper.ask_again()
        found = self._sign_in()
        if self._main_job is not None:
            self._main_job.run_in(0.0)  # it may be in a long pause for a reason that is no more
        return describe(self._info, found, len(mapping.meters(self._ask_meters())), self.context)

    def discover(self) -> list[Found]:
        if not self._info:
            self._keeper.ask_again()
            self._sign_in()
        found = [Found("combined", self._info["sn"], f"Passerelle Enphase {self._info['sn'][-4:]}")]
        try:
            answer = self._ask(INVERTERS)
        except (PageRefused, VendorError):
            return found
        serials = mapping.inverters(answer, self._gateway_time(), self._rhythms)
        return found + [Found("inverter", serial, serial) for serial in sorted(serials)]

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation != "acceptCertificate":
            return super().run(operation, options)
        self._know(self._trust.accept(self._serial()))
        self._begun = False  # another gateway perhaps: the next poll finds out
        return self.context.say("Le certificat de la passerelle est accepté")

    # Signing in, and what the gateway has.

    def _serial(self) -> str:
        return str(self.connection.config.get("serial", "")).strip()

    def _begin(self) -> None:
        """Signs in and asks what there is: at the start, hourly, and after a failure."""
        self._sign_in()
        self._probe()
        self._begun = True

    def _sign_in(self) -> Token:
        info, found = sign_in(self._gateway, self._trust, self._keeper, self._serial(), self.context)
        self._know(info)
        return found

    def _know(self, info: dict[str, str]) -> None:
        if info["software"] != self._info.get("software") or info["sn"] != self._info.get("sn"):
            self._skipped_until.clear()
        self._info = info
        self._ahead = clock_offset(info, self.context)

    def _ask_meters(self) -> Any:
        try:
            return self._ask(METERS)
        except PageRefused:
            return []  # hardware without meters has no such page

    @property
    def _kinds(self) -> set[str]:
        return {meter.kind for meter in self._meters}

    def _tell_troubles(self, troubles: dict[str, str]) -> None:
        if troubles != self.context.memory.get("meterTroubles", {}):
            self.context.memory.keep("meterTroubles", troubles)
            for kind, flags in troubles.items():
                self.context.message("warning", _TROUBLE, kind=kind, flags=flags)

    def _probe(self) -> None:
        """Asks what there is, and chooses the page that is read at every poll."""
        try:
            answer = self._ask_meters()
        except (VendorError, Unreachable):
            if not self._meters:
                raise
            return  # only that page perhaps: the readings may well be there
        self._meters = mapping.meters(answer)
        self._tell_troubles(mapping.troubles(answer))
        if self._kinds & {"production", "net-consumption", "total-consumption"} and not self._skipped(READINGS):
            self._choose(self._read_meters)
        else:
            self._choose(self._without_readings())

    def _without_readings(self) -> Callable[[], Facts]:
        trouble: DeviceError | None = None
        try:
            if self._page_has_meters():
                return self._read_production
        except (VendorError, Unreachable) as error:
            trouble = error  # slow and fragile: nothing depends on it where there is another page
        if self._summary_moves():
            return self._read_summary
        if trouble is not None:
            raise trouble
        return self._read_inverter_total

    def _choose(self, main: Callable[[], Facts]) -> None:
        if main != self._main or self._main_job is None:
            self._main = main
            _LOG.info(
                "gateway %s: firmware %s, meters: %s, read by %s",
                self._gateway.host,
                self._info.get("software"),
                ", ".join(f"{meter.kind} ({meter.phases})" for meter in self._meters) or "none",
                main.__name__.replace("_read_", ""),
            )
        if self._main_job is not None and self._main_job.period != self._main_period():
            self._main_job.reschedule(self._main_period())

    def _page_has_meters(self) -> bool:
        """Firmware that does not list its meters may show them all the same."""
        if self._skipped(PRODUCTION):
            return False
        try:
            return bool(mapping.from_production(self._page(PRODUCTION, PATIENT), self._meters, everything=True))
        except PageRefused:
            return False

    def _summary_moves(self) -> bool:
        metered = self._info.get("imeter") == "true"
        if metered and mapping.firmware(self._info.get("software", "")) >= mapping.FROZEN_SUMMARY:
            return False
        try:
            return not self._skipped(SUMMARY) and bool(mapping.from_summary(self._page(SUMMARY)))
        except PageRefused:
            return False

    def _main_period(self) -> float:
        if self._main == self._read_meters:
            return self._period
        slow = self._main != self._read_summary and mapping.firmware(self._info.get("software", "")) >= (8, 3)
        return max(self._period, SLOW if slow else UNMETERED)

    # What is read.

    def _poll(self) -> None:
        # A gateway in trouble is given time, however short the user's period.
        if self.context.clock.monotonic() >= self._not_before:
            self._read_main()

    def _read_main(self) -> None:
        try:
            if not self._begun:
                self._begin()
            self._use_token()
            facts = self._main()
            self._check_moving(facts)
        except DeviceError as error:
            self._begun = self._working = False
            self._unmetered = {}
            pause = self._backoff.next() if error.retry is None else min(error.retry, 60.0)
            self._not_before = self.context.clock.monotonic() + pause
            raise self._incident(error) from error
        self._working, self._failure, self._not_before = True, None, float("-inf")
        self._backoff.reset()
        self.context.count("polls")
        self.context.online()
        self._measured = set(facts)
        self._publish(facts)

    def _read_meters(self) -> Facts:
        answer: Any = None
        try:
            answer = self._page(READINGS)
            facts = mapping.from_readings(self._meters, answer)
        except PageRefused:
            facts = {}
        if facts:
            return mapping.derived({**facts, **self._unmetered}) if self._unmetered else facts
        if mapping.unloaded(self._meters, answer):
            raise Unreachable(_NO_DATA)
        self._skip(READINGS, PROBE)  # meters that have no readings: rare, and perhaps for a moment only
        self._choose(self._read_production)
        return self._read_production()

    def _read_production(self) -> Facts:
        return mapping.from_production(self._page(PRODUCTION, PATIENT), self._meters, everything=True)

    def _read_summary(self) -> Facts:
        return mapping.from_summary(self._page(SUMMARY))

    def _read_inverter_total(self) -> Facts:
        return mapping.from_inverter_total(self._page(PRODUCTION, PATIENT))

    def _check_moving(self, facts: Facts) -> None:
        if not facts:
            raise Unreachable(_NO_DATA)
        now = self.context.clock.monotonic()
        if facts.get("time") is None or facts["time"] != self._stamp[0]:
            self._stamp = (facts.get("time", 0.0), now)
        elif now - self._stamp[1] > max(FROZEN, 3 * self._main_period()):
            raise Unreachable(_FROZEN, host=self._gateway.host)

    def _poll_totals(self) -> None:
        """Lifetime consumption, and the production of a gateway with a meter on the grid only: a slow page has it."""
        if self._main != self._read_meters or self._skipped(PRODUCTION):
            return
        self._unmetered = {}
        answer = self._page(PRODUCTION, PATIENT)
        facts = mapping.from_production(answer, self._meters, everything=False)
        if "production" not in self._kinds:
            facts = {name: value for name, value in facts.items() if not name.startswith("production")}
            summary = mapping.from_summary(self._page(SUMMARY)) if self._summary_moves() else {}
            self._unmetered = summary or mapping.from_inverter_total(answer)
        # What the readings have too, they have fresher.
        self._publish({name: value for name, value in facts.items() if name not in self._measured})

    def _poll_inverters(self) -> None:
        if self._skipped(INVERTERS):
            return
        found = mapping.inverters(self._page(INVERTERS), self._gateway_time(), self._rhythms)
        for equipment in self.connection.of_type("inverter"):
            if equipment.key in found:
                self.context.publish(equipment.id, found[equipment.key])

    def _publish(self, facts: Facts) -> None:
        metered = self._main == self._read_production or "production" in self._kinds
        source = NO_ROLL_OVER if metered else self._main.__name__
        steady = self._lifetimes.steady(facts, self._now(), source)
        now = self.context.clock.monotonic()
        if not metered and now - self._lifetimes_kept > KEEP:
            self._lifetimes_kept = now
            self.context.memory.keep("lifetimes", self._lifetimes.state())
        for equipment in self.connection.of_type("combined"):
            self.context.publish(equipment.id, steady)

    # What goes wrong.

    def _use_token(self) -> None:
        # Costs nothing as long as the token is good; takes over one that was renewed in the background.
        found = self._keeper.current(self._info["sn"])
        self._keeper.watch(found, self._info["sn"])
        self._gateway.use_token(found.text)

    def _ask(self, path: str, read: float | None = None) -> Any:
        """Asks for a page; a refused token is renewed and a changed certificate looked at, once."""
        try:
            return self._gateway.get(path, read)
        except AuthenticationFailed:
            fresh = self._keeper.renew(self._info["sn"], refused=self._gateway.token)
            self._gateway.use_token(fresh.text)
        except CertificateChanged:
            self._sign_in()
        return self._gateway.get(path, read)

    def _page(self, path: str, read: float | None = None) -> Any:
        """The same; one that this firmware has not, or not for this token's role, is left alone for a day."""
        try:
            return self._ask(path, read)
        except PageRefused:
            self._skip(path, DAY)
            raise

    def _skip(self, path: str, seconds: float) -> None:
        end = self.context.clock.monotonic() + seconds
        self._skipped_until[path] = max(end, self._skipped_until.get(path, end))

    def _skipped(self, path: str) -> bool:
        return self.context.clock.monotonic() < self._skipped_until.get(path, float("-inf"))

    def _incident(self, error: DeviceError) -> DeviceError:
        """What is told of an outage stays what was told first, however its symptoms change."""
        if self._failure is None or self._failure.code != error.code or self._failure.state != error.state:
            self._failure = error
        elif str(self._failure) != str(error):
            _LOG.debug("%s: now %s", self.connection.name, error)
        return repeated(self._failure, error.retry)

    def _aside(self, poll: Callable[[], None]) -> Callable[[], None]:
        """A page beside the main one: its failure is told in the log once and does not touch the connection."""
        name = poll.__name__
        now = self.context.clock.monotonic

        def run() -> None:
            begin = now()
            if not self._working or begin < self._later.get(name, begin):
                return
            try:
                poll()
                self._failures.pop(name, None)
            except DeviceError as error:
                # The second time: were all pages failing, the main one would have said so in between.
                failures = self._failures[name] = self._failures.get(name, 0) + 1
                if failures == (1 if isinstance(error, PageRefused) else 2):
                    _LOG.warning("%s: %s", self.connection.name, error)
                self._later[name] = now() + min(SLOW * 2**failures, ASIDE_PAUSE)
            # Meanwhile nothing else can be asked: such a page gets a small share of the time.
            self._later[name] = max(self._later.get(name, begin), now() + ASIDE_SHARE * (now() - begin))

        return run

    def _now(self) -> float:
        return self.context.clock.time()

    def _gateway_time(self) -> float:
        return self._now() + self._ahead


_NO_DATA = "La passerelle répond, mais n'a pas de mesure : elle démarre, ou ne connaît ni compteur ni onduleur"
_FROZEN = "La passerelle {host} répond, mais ses mesures n'avancent plus : redémarrez-la si cela dure"
_TROUBLE = "La passerelle signale un problème de mesure sur son compteur {kind} ({flags}) : vérifiez son raccordement"
