"""Detects what a gateway has, and chooses the endpoints that powers and energies come from."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, Callable

from ...base import Context, DeviceError, Unreachable, VendorError
from ...common.hurry import Hurry
from ..values import batteries, mapping
from ..values.lifetimes import COUNTED_BY_METERS
from ..values.mapping import Facts, Meter
from .client import EndpointRefused
from .endpoints import Endpoints
from .paths import BATTERIES, METERS, PRODUCTION, READINGS, SUMMARY

_LOG = logging.getLogger(__name__)

SLOW_PERIOD_S = 60.0
"""Period, in seconds, of endpoints that are costly for the gateway or change every few minutes."""
UNMETERED_PERIOD_S = 30.0
"""Shortest period of the main endpoint without meters, in seconds: its values change every few minutes."""
PROBE_PERIOD_S = 3600.0
"""Seconds between two detections of what the gateway has."""
IQ_UNITS_PERIOD_S = 300.0
"""Seconds between two checks that all IQ batteries report."""
STALLED_METERS_S = 60.0
"""Seconds (or three polls) without a new timestamp after which the meters count as stalled."""
MAIN_ENDPOINT_LOST_S = 900.0
"""Seconds for which the main endpoint may be refused or empty before another one is chosen."""
INVERTER_TOTAL_MAX_AGE_S = 180.0
"""Seconds for which the inverters' total may be combined with a newer reading of the grid."""
INVERTER_REPORT_MAX_AGE_S = 1200.0
"""Oldest usable report of the inverters, in seconds: they send one every 5 to 15 minutes."""
CONSUMPTION_METERS = {"net-consumption", "total-consumption"}


BATTERY_PERIOD_S = 10.0
"""Shortest period of the IQ batteries' readings, in seconds."""


class EndpointChoice:
    """Chooses and reads the main endpoint of a gateway. `wanted`: facts to read in addition."""

    def __init__(self, pages: Endpoints, context: Context, period: float, wanted: Collection[str]) -> None:
        self._endpoints = pages
        self._context = context
        self._period = period
        self.hurry = Hurry(context.clock)
        self._wanted = wanted
        self._info: Mapping[str, str] = {}
        self._main: Callable[[], Facts] = self._read_production
        self._chosen = False
        self._missing_since: float | None = None
        self._unmetered: tuple[float, Facts] = (float("-inf"), {})
        """(monotonic time of reading, facts of the inverters' total)."""
        self._measured: set[str] = set()
        self._stamp = (0.0, float("-inf"))
        self.meters: list[Meter] = []
        self.uncertain = False
        """True if the list of meters could not be read: there may be more than known."""
        self._batteries_from = float("-inf")
        self.has_iq: bool | None = None
        self.has_acb: bool | None = None
        """Whether there are batteries of a kind; None while unknown."""
        self.iq_serials: set[str] = set()
        self.iq_silent = False
        """True if an IQ battery does not report: sums over all of them are incomplete."""
        self.inverter_count: int | None = None
        """Number of inverters by the gateway's count; None if unknown."""

    # Detection.

    def know(self, info: Mapping[str, str]) -> None:
        """Sets the identity of the gateway; another firmware or serial number restarts detection."""
        if info["software"] != self._info.get("software") or info["sn"] != self._info.get("sn"):
            self._endpoints.try_all_again()
            if self._info:
                self._context.memory.delete("main")
        self._info = info

    def probe(self) -> None:
        """Detects the meters, and chooses the endpoint that is read at every poll. Raises DeviceError."""
        self.uncertain = False
        try:
            answer = self._endpoints.ask(METERS)
        except (EndpointRefused, VendorError, Unreachable) as error:
            if self.meters:
                return  # perhaps only this endpoint fails: the readings may still be there
            if self._passing(READINGS):
                raise
            # Hardware without meters lacks this endpoint, or has a broken one. Meters may exist: ask again soon.
            self.uncertain = not isinstance(error, EndpointRefused)
            answer = []
        self.meters = mapping.meters(answer)
        self._tell_troubles(mapping.troubles(answer))
        if self._kinds & {"production", *CONSUMPTION_METERS} and not self._endpoints.skipped(READINGS):
            self._choose(self._read_meters)
        else:
            self._choose(self._without_readings())

    def _without_readings(self) -> Callable[[], Facts]:
        trouble: DeviceError | None = None
        try:
            if self._page_has_meters():
                return self._read_production
        except (VendorError, Unreachable) as error:
            trouble = error  # slow and fragile: not needed where there is another endpoint
        try:
            if self._summary():
                return self._read_summary
        except (VendorError, Unreachable):
            if trouble is not None or self._passing(SUMMARY):
                raise
        else:
            if self._passing(SUMMARY):
                raise Unreachable(_NO_DATA)
        if trouble is not None:
            raise trouble
        return self._read_inverter_total

    def probe_batteries(self, now: float, gateway_time: float) -> None:
        """Requests the list of IQ batteries hourly, more often if there are some. `now`: monotonic seconds."""
        if now < self._batteries_from:
            return
        inventory = self._endpoints.offered(BATTERIES)
        if inventory is not None:
            self.has_iq = batteries.has_iq(inventory)
            self.iq_serials, self.iq_silent = batteries.iq_units(inventory, gateway_time)
        elif self.has_iq is None:
            self.has_iq = False  # none visible to this account
        self._batteries_from = now + (IQ_UNITS_PERIOD_S if self.has_iq else PROBE_PERIOD_S)

    def count_meters(self) -> int | None:
        """Number of enabled meters; None if the gateway does not answer."""
        try:
            return len(mapping.meters(self._endpoints.ask(METERS)))
        except EndpointRefused:
            return 0
        except (VendorError, Unreachable):
            return None

    def _passing(self, page: str) -> bool:
        """True if a missing endpoint is likely to return: it was the main one until recently.

        A starting gateway refuses endpoints it has, or leaves them empty. Another endpoint counts from another origin,
        so that lifetime energies would jump.
        """
        if self._context.memory.get("main") != page:
            return False
        now = self._context.clock.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        return now - self._missing_since < MAIN_ENDPOINT_LOST_S

    def _found(self, page: str) -> None:
        """Records that an endpoint, now the main one, has returned values."""
        self._missing_since = None
        if self._context.memory.get("main") != page:
            self._context.memory.keep("main", page)

    @property
    def _kinds(self) -> set[str]:
        return {meter.kind for meter in self.meters}

    @property
    def consumption(self) -> bool:
        """True if consumption is measured."""
        return bool(self._kinds & CONSUMPTION_METERS) or any(
            name.startswith(("net", "total")) for name in self._measured
        )

    @property
    def storage(self) -> bool:
        """True if there is a battery of any kind."""
        return bool(self.has_iq or self.has_acb) or "storage" in self._kinds

    def probe_storage(self, gateway_time: float) -> None:
        """Requests batteries of both kinds, even if they are known."""
        self._batteries_from = float("-inf")
        self.probe_batteries(self._context.clock.monotonic(), gateway_time)
        self._note(self._endpoints.offered(PRODUCTION))

    @property
    def grid_indexes(self) -> bool:
        """True if import and export have meter indexes."""
        return "net-consumption" in self._kinds and self._main == self._read_meters

    @property
    def storage_meter(self) -> bool:
        """True if a current transformer measures the batteries' power."""
        return "storage" in self._kinds and self._main == self._read_meters

    @property
    def metered(self) -> bool:
        """True if a meter measures production: its counters never roll over."""
        return self._main == self._read_production or "production" in self._kinds

    @property
    def name(self) -> str:
        """Name of what counts the energies; persisted by lifetimes.py."""
        return COUNTED_BY_METERS if self.metered else self._main.__name__

    def _tell_troubles(self, troubles: dict[str, str]) -> None:
        if troubles != self._context.memory.get("meterTroubles", {}):
            self._context.memory.keep("meterTroubles", troubles)
            for kind, flags in troubles.items():
                self._context.message("warning", _TROUBLE, kind=kind, flags=flags)

    def _choose(self, main: Callable[[], Facts]) -> None:
        if main != self._main or not self._chosen:
            self._main, self._chosen = main, True
            _LOG.info(
                "gateway %s: firmware %s, meters: %s, read by %s",
                self._endpoints.gateway.host,
                self._info.get("software"),
                ", ".join(f"{meter.kind} ({meter.phases})" for meter in self.meters) or "none",
                main.__name__.replace("_read_", ""),
            )

    def _page_has_meters(self) -> bool:
        """True if the production endpoint has meters; some firmware does not list them elsewhere."""
        answer = self._endpoints.offered(PRODUCTION)
        self._note(answer)
        return bool(mapping.from_production(answer, self.meters, everything=True))

    def _note(self, answer: Any) -> Facts:
        """Takes inverter count and AC batteries from the production answer (None: not offered); returns batteries."""
        self.inverter_count = mapping.inverter_count(answer) or self.inverter_count
        found = batteries.from_production(answer)
        if answer is not None or self.has_acb is None:
            self.has_acb = bool(found)
        return found

    def _summary(self) -> Facts:
        """Facts of the summary; empty if it is stuck or has no data."""
        metered = self._info.get("imeter") == "true"
        if metered and mapping.firmware(self._info.get("software", "")) >= mapping.STUCK_SUMMARY_FIRMWARE:
            return {}
        return mapping.from_summary(self._endpoints.offered(SUMMARY))

    @property
    def period(self) -> float:
        """Period of the main endpoint in seconds."""
        if self._main == self._read_meters:
            return self.hurry.period(self._period)
        slow = self._main != self._read_summary and mapping.firmware(self._info.get("software", "")) >= (8, 3)
        return max(self._period, SLOW_PERIOD_S if slow else UNMETERED_PERIOD_S)

    @property
    def battery_period(self) -> float:
        """Period of the battery's charge and power in seconds."""
        return max(BATTERY_PERIOD_S, self.hurry.period(self._period))

    # Readings.

    def read(self) -> Facts:
        """Returns the facts of the main endpoint. Raises DeviceError, also if it is empty or stalled."""
        facts = self._main()
        self._check_moving(facts)
        self._measured = set(facts)
        return facts

    def failed(self) -> None:
        """Records a failure of the main endpoint: facts combined with its last answer expire."""
        self._unmetered = (float("-inf"), {})

    def _read_meters(self) -> Facts:
        answer: Any = None
        try:
            answer = self._endpoints.ask(READINGS)
            facts = mapping.from_readings(self.meters, answer, self._wanted)
        except EndpointRefused:
            if self._passing(READINGS):
                raise
            facts = {}
        if facts:
            self._found(READINGS)
            return self._completed(facts)
        if mapping.unloaded(self.meters, answer) or self._passing(READINGS):
            raise Unreachable(_NO_DATA)
        self._endpoints.skip(READINGS, PROBE_PERIOD_S)  # meters without readings: rare, and perhaps only for a moment
        self._choose(self._read_production)
        return self._read_production()

    def _completed(self, facts: Facts) -> Facts:
        """Adds the consumption of a gateway that meters the grid only: its production is in a slow endpoint.

        Parts of different times are not combined; a negative consumption is a sign of such parts.
        """
        read, unmetered = self._unmetered
        power, reported = unmetered.get("production.power"), unmetered.get("production.time")
        now = self._context.clock.monotonic()
        # At night no inverter reports: zero stays valid, a power above zero does not.
        old = power and reported is not None and facts.get("time", 0.0) - reported > INVERTER_REPORT_MAX_AGE_S
        if power is None or old or now - read > max(INVERTER_TOTAL_MAX_AGE_S, 3 * self._period):
            return facts
        whole = mapping.derived({**facts, "production.power": power})
        del whole["production.power"]  # published when its endpoint was read
        if whole.get("total.power", 0.0) < 0:
            del whole["total.power"]
        return whole

    def _read_production(self) -> Facts:
        answer = self._endpoints.read(PRODUCTION)
        acb = self._note(answer)
        facts = mapping.from_production(answer, self.meters, everything=True, wanted=self._wanted)
        return {**facts, **acb} if facts else facts

    def _read_summary(self) -> Facts:
        facts = mapping.from_summary(self._endpoints.read(SUMMARY))
        if facts:
            self._found(SUMMARY)
        return facts

    def _read_inverter_total(self) -> Facts:
        answer = self._endpoints.read(PRODUCTION)
        acb = self._note(answer)
        facts = mapping.from_inverter_total(answer)
        return {**facts, **acb} if facts else facts

    def _check_moving(self, facts: Facts) -> None:
        if not facts:
            raise Unreachable(_NO_DATA)
        now = self._context.clock.monotonic()
        if facts.get("time") is None or facts["time"] != self._stamp[0]:
            self._stamp = (facts.get("time", 0.0), now)
        elif now - self._stamp[1] > max(STALLED_METERS_S, 3 * self.period):
            raise Unreachable(_FROZEN, host=self._endpoints.gateway.host)

    @property
    def fresh(self) -> bool:
        """True if the meters' timestamp has advanced within the last three polls."""
        return self._context.clock.monotonic() - self._stamp[1] <= 3 * self.period

    def read_totals(self) -> Facts:
        """Returns lifetime consumption, and production if only the grid is metered, from a slow endpoint."""
        if self._main != self._read_meters or self._endpoints.skipped(PRODUCTION):
            return {}
        self._unmetered = (float("-inf"), {})
        answer = self._endpoints.read(PRODUCTION)
        acb = self._note(answer)
        facts = mapping.from_production(answer, self.meters, everything=False, wanted=self._wanted)
        if "production" not in self._kinds:
            facts = {name: value for name, value in facts.items() if not name.startswith("production")}
            unmetered = self._summary() or mapping.from_inverter_total(answer)
            self._unmetered = (self._context.clock.monotonic(), unmetered)
            facts.update(unmetered)
        # Facts that the readings have as well are fresher there.
        fresher = {name: value for name, value in facts.items() if name not in self._measured}
        return {**fresher, **acb}


_NO_DATA = "La passerelle répond, mais n'a pas de mesure : elle démarre, ou ne connaît ni compteur ni onduleur"
_FROZEN = "La passerelle {host} répond, mais ses mesures n'avancent plus : redémarrez-la si cela dure"
_TROUBLE = "La passerelle signale un problème de mesure sur son compteur {kind} ({flags}) : vérifiez son raccordement"
