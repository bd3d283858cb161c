"""The life of a connection to a gateway: what is read when, and what a failure means."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Callable

from ..base import AuthenticationFailed, Connection, Context, DeviceError, Found, Identity, Refused
from ..base import Device as Base
from . import mapping
from .access import TokenKeeper, Trust, describe, sign_in
from .client import CertificateChanged, Gateway
from .mapping import Facts, Meter

_LOG = logging.getLogger(__name__)

READINGS = "/ivp/meters/readings"
PRODUCTION = "/production.json?details=1"
SUMMARY = "/api/v1/production"
INVERTERS = "/api/v1/production/inverters"
METERS = "/ivp/meters"

SLOW = 60.0
"""Seconds between two readings of pages that cost the gateway much or change every few minutes."""
PATIENT = 45.0
"""Seconds that the slowest pages may take."""
PROBE = 3600.0


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
        self._info: dict[str, str] = {}
        self._meters: list[Meter] = []
        self._main: Callable[[], Facts] = self._read_production
        self._refused: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._offered: set[str] = set()
        self._renewed_at = float("-inf")
        self._working = False

    # What the core asks for.

    def start(self) -> None:
        self._sign_in()
        self._probe()
        self.context.every("main", self._main_period(), self._poll)
        self.context.every("totals", max(SLOW, self._period), self._aside(self._poll_totals), first=1.0)
        self.context.every("inverters", SLOW, self._aside(self._poll_inverters), first=2.0)
        self.context.every("probe", PROBE, self._aside(self._probe_again), first=PROBE)

    def stop(self) -> None:
        self._gateway.close()

    def refresh(self) -> None:
        self._poll()
        self._poll_totals()
        self._poll_inverters()

    def test(self) -> Identity:
        info, found = sign_in(self._gateway, self._trust, self._keeper, self._serial())
        return describe(info, found, len(self._list_meters()), self.context)

    def discover(self) -> list[Found]:
        if not self._info:
            self._sign_in()
        found = [Found("combined", self._info["sn"], f"Passerelle Enphase {self._info['sn'][-4:]}")]
        try:
            answer = self._gateway.get(INVERTERS)
        except Refused:
            return found
        serials = mapping.inverters(answer, self._now())
        return found + [Found("inverter", serial, serial) for serial in sorted(serials)]

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation != "acceptCertificate":
            return super().run(operation, options)
        self._trust.accept()
        return self.context.say("Le certificat de la passerelle est accepté")

    # Signing in, and what the gateway has.

    def _serial(self) -> str:
        return str(self.connection.config.get("serial", "")).strip()

    def _sign_in(self) -> None:
        self._info, found = sign_in(self._gateway, self._trust, self._keeper, self._serial())
        self.context.hide(found.text)

    def _list_meters(self) -> list[Meter]:
        try:
            return mapping.meters(self._gateway.get(METERS))
        except Refused:
            return []  # hardware without meters has no such page

    def _probe(self) -> None:
        """Asks what there is, and chooses the page that is read at every poll."""
        self._meters = self._list_meters()
        kinds = {meter.kind for meter in self._meters}
        if "production" in kinds or "net-consumption" in kinds or "total-consumption" in kinds:
            self._main = self._read_meters
        elif self._summary_moves():
            self._main = self._read_summary
        else:
            self._main = self._read_inverter_total
        _LOG.info(
            "gateway %s: firmware %s, meters: %s, read by %s",
            self._info.get("sn"),
            self._info.get("software"),
            ", ".join(f"{meter.kind} ({meter.phases})" for meter in self._meters) or "none",
            self._main.__name__.replace("_read_", ""),
        )

    def _summary_moves(self) -> bool:
        metered = self._info.get("imeter") == "true"
        if metered and mapping.firmware(self._info.get("software", "")) >= mapping.FROZEN_SUMMARY:
            return False
        try:
            return bool(mapping.from_summary(self._gateway.get(SUMMARY)))
        except Refused:
            return False

    def _probe_again(self) -> None:
        before = self._info.get("software")
        self._sign_in()
        if self._info.get("software") != before:
            self._refused.clear()
        self._probe()

    def _main_period(self) -> float:
        # Without meters nothing moves faster than every few minutes.
        return self._period if self._meters else max(self._period, 30.0)

    # What is read.

    def _poll(self) -> None:
        try:
            self._use_token()
            facts = self._guarded(self._main)
        except DeviceError:
            self._working = False
            raise
        self._working = True
        self.context.count("polls")
        if facts:
            self.context.online()
            self._publish(facts)

    def _read_meters(self) -> Facts:
        try:
            facts = mapping.from_readings(self._meters, self._gateway.get(READINGS))
        except Refused:
            self._main = self._read_production
            return self._read_production()
        if "production" not in {meter.kind for meter in self._meters}:
            facts.update(self._unmetered_production())
            facts = mapping.derived(facts)
        return facts

    def _unmetered_production(self) -> Facts:
        if self._refused.get(SUMMARY):
            return {}
        return self._read_summary() if self._summary_moves() else self._read_inverter_total()

    def _read_production(self) -> Facts:
        answer = self._gateway.get(PRODUCTION, PATIENT)
        return mapping.from_production(answer, everything=True) or mapping.from_inverter_total(answer)

    def _read_summary(self) -> Facts:
        return mapping.from_summary(self._gateway.get(SUMMARY))

    def _read_inverter_total(self) -> Facts:
        return mapping.from_inverter_total(self._gateway.get(PRODUCTION, PATIENT))

    def _poll_totals(self) -> None:
        """Lifetime consumption: only the slow page has it."""
        if self._main == self._read_meters and not self._skipped(PRODUCTION):
            answer = self._page(PRODUCTION, PATIENT)
            facts = mapping.from_production(answer, everything=False)
            facts.pop("production.lifetimeEnergy", None)  # the readings have it fresher
            self._publish(facts)

    def _poll_inverters(self) -> None:
        if self._skipped(INVERTERS):
            return
        found = mapping.inverters(self._page(INVERTERS), self._now())
        for equipment in self.connection.of_type("inverter"):
            if equipment.key in found:
                self.context.publish(equipment.id, found[equipment.key])

    def _publish(self, facts: Facts) -> None:
        for equipment in self.connection.of_type("combined"):
            self.context.publish(equipment.id, facts)

    # What goes wrong.

    def _use_token(self) -> None:
        # Costs nothing as long as the token is good; takes over one that was renewed in the background.
        self._gateway.use_token(self._keeper.current(self._info["sn"]).text)

    def _guarded(self, read: Callable[[], Facts]) -> Facts:
        """Reads; a refused token is renewed and a changed certificate looked at, once."""
        try:
            return read()
        except AuthenticationFailed:
            now = self.context.clock.monotonic()
            if not self._keeper.automatic or now - self._renewed_at < 600:
                raise
            self._renewed_at = now
            self._gateway.use_token(self._keeper.renew(self._info["sn"]).text)
            return read()
        except CertificateChanged:
            self._sign_in()
            return read()

    def _aside(self, poll: Callable[[], None]) -> Callable[[], None]:
        """A page beside the main one: its failure is told in the log once and does not touch the connection."""

        def run() -> None:
            if not self._working:
                return
            try:
                poll()
                self._told.pop(poll.__name__, None)
            except DeviceError as error:
                if self._told.get(poll.__name__) != str(error):
                    self._told[poll.__name__] = str(error)
                    _LOG.warning("%s: %s", self.connection.name, error)

        return run

    def _page(self, path: str, read: float = 15.0) -> Any:
        try:
            return self._gateway.get(path, read)
        except Refused:
            # Not in this firmware, or not for this token's role: asked again a day later.
            self._refused[path] = self.context.clock.monotonic()
            raise

    def _skipped(self, path: str) -> bool:
        at = self._refused.get(path)
        return at is not None and self.context.clock.monotonic() - at < 86400.0

    def _now(self) -> float:
        return self.context.clock.time()
