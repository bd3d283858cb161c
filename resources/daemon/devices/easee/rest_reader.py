"""Reads products by REST requests, and remembers which ones are refused."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..base import Context, DeviceError, Found, Refused, VendorError
from ..common.endpoints import Endpoints, Shapes
from ..common.refusals import Policy, Refusals, Scope
from . import circuits, mapping
from .account import Account
from .client import DAY_S, Forbidden, parsed

_LOG = logging.getLogger(__name__)

CHARGER_LIST_MAX_AGE_S = 3600.0
"""Seconds for which the account's list of products is reused."""
CONFIG_MAX_AGE_S = 12 * 3600.0
ALONE_MAX_AGE_S = 24 * 3600.0
"""Seconds for which it is known whether a charger is alone on its circuit; an hour if it is not."""
POLICIES = {Scope.REQUEST: Policy((3600.0, 4 * 3600.0, DAY_S))}
OBSERVATIONS = "observations"
COLORS = {1: "black", 2: "red", 3: "blue", 4: "white", 5: "grey"}


class RestReader:
    """Reads by requests. Used by the connection's thread; `circuit` by actions as well."""

    def __init__(self, account: Account, context: Context) -> None:
        self._account = account
        self._context = context
        self._clock = context.clock
        self._refusals = Refusals(context.memory, context.clock, POLICIES, "readings")
        self._endpoints = Endpoints(context.memory, context.clock)
        self._shapes = Shapes(context.memory)
        self._configs: dict[str, float] = {}
        self._lists: dict[str, tuple[float, set[str] | None]] = {}

    def may_read(self, serial: str) -> bool:
        """True if no refusal forbids a background request."""
        return self._refusals.wait_s(Scope.REQUEST, serial) <= 0

    def observations(self, serial: str, serials: Iterable[str], ids: Iterable[int]) -> list[mapping.Observation]:
        """Returns the newest values of a product; `serials`: all products that are read. Raises DeviceError."""
        path = f"/state/{segment(serial)}/observations?ids={','.join(map(str, ids))}"
        try:
            answer = parsed(self._account.call("GET", path))
        except Refused as error:
            self._refusals.note(Scope.REQUEST, serial, type(error).__name__)
            if not isinstance(error, Forbidden) and self._endpoints.gone(OBSERVATIONS, serial, serials):
                self._context.message(
                    "warning",
                    "Depuis plus d'un jour, Easee ne répond plus à la lecture des valeurs, pour aucun appareil : le "
                    "service a sans doute changé. Les valeurs en direct et les commandes continuent ; installez la "
                    "prochaine mise à jour du plugin",
                )
            raise
        self._refusals.over(Scope.REQUEST, serial)
        self._endpoints.answered(OBSERVATIONS, serial)
        needed = [f"observations[].{key}" for key in ("id", "value", "timestamp")]
        self._shapes.look(OBSERVATIONS, answer, ["observations", *needed])
        return mapping.answered(answer, serial)

    def chargers(self) -> list[Found]:
        """Returns the account's chargers. Raises DeviceError."""
        found = []
        answer = parsed(self._account.call("GET", "/api/chargers", urgent=True))
        self._shapes.look("chargers", answer, ["[].id"])
        for each in answer if isinstance(answer, list) else []:
            serial = each.get("id") if isinstance(each, dict) else None
            if isinstance(serial, str) and serial.strip():
                color = COLORS.get(each.get("color"), "white") if isinstance(each.get("color"), int) else "white"
                name = each.get("name")
                found.append(
                    Found("charger", serial, name if isinstance(name, str) and name else serial, {"color": color})
                )
        return found

    def equalizers(self) -> list[Found]:
        """Returns the Equalizers among the products that the user put into Easee's app. Raises DeviceError."""
        answer = parsed(self._account.call("GET", "/api/accounts/products", urgent=True))
        found: dict[str, Found] = {}
        for site in answer if isinstance(answer, list) else []:
            listed = site.get("equalizers") if isinstance(site, dict) else None
            for each in listed if isinstance(listed, list) else []:
                serial, name = (each.get(key) if isinstance(each, dict) else None for key in ("id", "name"))
                if isinstance(serial, str) and serial.strip():
                    named = name if isinstance(name, str) and name else serial
                    found[serial] = Found("equalizer", serial, named, {})
        return list(found.values())

    def products(self) -> list[Found]:
        """Returns the account's chargers, and its Equalizers if it may list them. Raises DeviceError."""
        chargers = self.chargers()
        try:
            return [*chargers, *self.equalizers()]
        except (Refused, VendorError) as error:
            _LOG.debug("list of Equalizers: %s", error)
            return chargers

    def lacks(self, serial: str, kind: str = "charger") -> bool:
        """True if the account's list of that kind, requested at most hourly, does not have this product."""
        now = self._clock.monotonic()
        at, listed = self._lists.get(kind, (float("-inf"), None))
        if now - at >= CHARGER_LIST_MAX_AGE_S:
            try:
                listed = {each.key for each in (self.chargers() if kind == "charger" else self.equalizers())}
            except DeviceError as error:
                _LOG.debug("list of products: %s", error)
                listed = None
            self._lists[kind] = (now, listed)
        return listed is not None and serial not in listed

    def allowed_current(self, serial: str) -> float | None:
        """Returns the highest current (A) that an Equalizer's house may draw, if it is time to ask; or None."""
        now, name = self._clock.monotonic(), f"config {serial}"
        asked = self._configs.get(serial, float("-inf"))
        if now - asked < CONFIG_MAX_AGE_S or self._refusals.wait_s(Scope.REQUEST, name) > 0:
            return None
        self._configs[serial] = now
        try:
            answer = parsed(self._account.call("GET", f"/api/equalizers/{segment(serial)}/config"))
        except DeviceError as error:
            _LOG.debug("configuration of Equalizer %s: %s", serial, error)
            if isinstance(error, Refused):  # many accounts may not read it
                self._refusals.note(Scope.REQUEST, name, type(error).__name__)
            return None
        amps = mapping.number(answer.get("maxAllocatedCurrent")) if isinstance(answer, dict) else None
        return amps if amps is not None and amps >= 0 else None

    def circuit(self, serial: str) -> str:
        """Returns the path of a charger's circuit. Raises DeviceError."""
        kept = self._context.memory.get(f"circuit.{serial}")
        return kept if isinstance(kept, str) else self.find_circuit(serial)

    def find_circuit(self, serial: str) -> str:
        """Requests the path of a charger's circuit: the charger may have been moved. Raises DeviceError."""
        self._context.memory.delete(f"circuit.{serial}")
        site = parsed(self._account.call("GET", f"/api/chargers/{segment(serial)}/site", urgent=True))
        self._shapes.look("site", site, ["circuits[].id", "circuits[].chargers[].id"])
        path = circuits.circuit_path(site, serial)
        if path is None:
            raise Refused("Le compte Easee ne voit pas le circuit du chargeur {serial}", serial=serial)
        self._context.memory.keep(f"circuit.{serial}", path)
        self._context.memory.keep(f"alone.{serial}", [circuits.is_alone(site, serial), self._clock.time()])
        return path

    def alone(self, serial: str) -> bool:
        """Whether no other charger is on its circuit, as of the last day at most. Raises DeviceError."""
        alone, at = self._kept_alone(serial)
        if not 0 <= self._clock.time() - at < (ALONE_MAX_AGE_S if alone else CHARGER_LIST_MAX_AGE_S):
            self.find_circuit(serial)
            alone, _ = self._kept_alone(serial)
        return alone

    def _kept_alone(self, serial: str) -> tuple[bool, float]:
        """(whether it is alone, Unix time of that)."""
        kept = self._context.memory.get(f"alone.{serial}")
        if isinstance(kept, list) and len(kept) == 2 and isinstance(kept[1], (int, float)):
            return kept[0] is True, float(kept[1])
        return False, 0.0


def segment(serial: str) -> str:
    """Returns a serial number as a path segment. Raises Refused if it is not valid."""
    if not serial.isalnum() or not serial.isascii() or len(serial) > 40:
        raise Refused("« {serial} » n'est pas un numéro de série Easee", serial=serial[:40])
    return serial


def silence(context: Context, kind: str = "charger") -> float:
    """Seconds without data after which a product is off, from the catalogue."""
    rule: Any = context.catalogue.data["silences"][kind]
    return float(rule["after"])
