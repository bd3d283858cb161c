"""The backend's device without threads and sockets, for runs by the thousand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Callable, Optional
from unittest import mock

from jeenergied.devices.base import Connection, DeviceError, Equipment
from jeenergied.devices.enphase.device import Device
from jeenergied.devices.enphase.facts import FACTS
from jeenergied.devices.enphase.gateway.client import EndpointRefused

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract.rows import Row
from tests.support.contract import CONTRACT

from .harness import names_of

PAGES = {
    "/ivp/meters": "ivp_meters",
    "/ivp/meters/readings": "ivp_meters_readings",
    "/production.json?details=1": "production.json",
    "/api/v1/production": "api_v1_production",
    "/api/v1/production/inverters": "api_v1_production_inverters",
    "/ivp/pdm/device_data": "ivp_pdm_device_data",
    "/ivp/ensemble/inventory": "ivp_ensemble_inventory",
    "/ivp/ensemble/secctrl": "ivp_ensemble_secctrl",
    "/ivp/ensemble/power": "ivp_ensemble_power",
}
CATALOGUE = CONTRACT.catalogues["enphase"]
TRI = {"phases": "tri"}
FLAGS = next(field for field in CATALOGUE.fields() if field["key"] == "options")["choices"]
EVERYTHING = {**TRI, "options": list(FLAGS)}


@cache
def rows_of(kind: str, every: bool) -> list[Row]:
    """The rows that have a command."""
    names = names_of(kind, every)
    return [row for row in CATALOGUE.rows(kind, {}, EVERYTHING if every else TRI) if row.logical_id in names]


class FakeMemory(dict[str, Any]):
    """A store that forgets."""

    put = keep = dict.__setitem__

    def delete(self, key: str) -> None:
        self.pop(key, None)


class FakeContext:
    """Collects what a device publishes, as values of commands."""

    timezone = "Europe/Paris"
    stopping = False

    def __init__(self, now: float, every: bool = False) -> None:
        self.every = every
        self.clock = ManualClock(now)
        self.memory = FakeMemory()
        self.catalogue = CATALOGUE
        self.values: dict[str, dict[str, Any]] = {}

    def publish(self, equipment: str, facts: Mapping[str, Any], at: Optional[float] = None) -> None:
        kind = "combined" if equipment == "2" else "inverter"
        assert set(facts) - set(FACTS[kind]) == set(), "a fact that facts.py does not know: mistyped?"
        for row in rows_of(kind, self.every):
            if row.source in facts:
                self.values.setdefault(equipment, {})[row.logical_id] = row.value(facts[row.source])

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **named: None


class FakeGateway:
    """Answers from parsed documents."""

    host, token = "gateway", "token"

    def __init__(self, docs: Mapping[str, Any]) -> None:
        self.docs = docs

    def use_token(self, token: str) -> None:
        pass

    def get(self, path: str, read: Optional[float] = None) -> Any:
        name = PAGES[path]
        if name not in self.docs:
            raise EndpointRefused("La passerelle n'offre pas {path}", path=path)
        return self.docs[name]


def run(docs: Mapping[str, Any], serials: tuple[str, ...] = (), every: bool = False) -> dict[str, dict[str, Any]]:
    """What a connection publishes of these answers in its first two rounds, by equipment id.

    `every`: with all options, batteries and the inverters' days.
    """
    now = float(docs["time"])
    context: Any = FakeContext(now, every)
    members = [Equipment("2", "combined", "x", "", {}, {})]
    members += [Equipment(serial, "inverter", serial, "", {}, {}) for serial in serials]
    config = {"host": "gateway", "tokenMode": "manual", **(EVERYTHING if every else TRI)}
    device = Device(Connection("1", "enphase", "", config, {}, tuple(members)), context)
    gateway: Any = FakeGateway(docs)
    device._gateway = device._endpoints.gateway = gateway
    device._know({"sn": "1", "software": docs["software"], "imeter": docs["imeter"], "time": docs["time"]})
    device._tokens = mock.Mock()
    device._sign_in = mock.Mock()  # type: ignore[method-assign]
    device._adopt()
    for _ in range(2):  # a page that disappoints is replaced by another one at the next poll
        try:
            device._read_main()
            device._poll_totals()
            device._read_main()
            if every:
                device._poll_inverter_days()
                device._poll_batteries()
            device._poll_inverters()
        except DeviceError:
            continue
        break
    return context.values
