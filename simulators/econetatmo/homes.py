"""`homesdata` and `homestatus`: modules in the shapes that real accounts show."""

from __future__ import annotations

from typing import Any

from simulators.econetatmo.measures import ApiError
from simulators.econetatmo.model import BASIC, OFF_PEAK, PEAK, PRICES, Ecometer, Home, Meter, Model, contract_at


def homesdata(model: Model, now: float) -> dict[str, Any]:
    """The homes of the account."""
    return {
        "homes": [_home(home, now) for home in model.homes],
        "user": {"email": "user@example.com", "locale": "fr-FR"},
    }


def _home(home: Home, now: float) -> dict[str, Any]:
    result: dict[str, Any] = {"id": home.id, "country": "FR", "timezone": home.timezone, "coordinates": [2.3, 48.8]}
    if home.name is not None:
        result["name"] = home.name
    modules = [module for ecometer in home.ecometers for module in _modules(ecometer)] + home.foreign
    gateways = {meter.gateway: "NLG" for meter in home.meters}
    modules += [{"id": gateway, "type": kind, "name": "Passerelle"} for gateway, kind in gateways.items()]
    modules += [_meter(meter) for meter in home.meters]
    if modules:
        result["modules"] = modules
    contract = contract_at(home.contracts, now)
    if contract != "none":
        result["schedules"] = [_schedule(contract), {"id": "60bb", "type": "therm", "selected": True}]
    return result


def _meter(meter: Meter) -> dict[str, Any]:
    shown = {"id": meter.id, "type": meter.model, "bridge": meter.gateway, "setup_date": meter.setup}
    return {**{key: value for key, value in shown.items() if value is not None}, "name": meter.name}


def _modules(ecometer: Ecometer) -> list[dict[str, Any]]:
    lines = [ecometer.module(index) for index in ecometer.lines]
    device: dict[str, Any] = {"id": ecometer.id, "type": "NLE", "modules_bridged": lines}
    if ecometer.name is not None:
        device["name"] = ecometer.name
    result = [device]
    for index, name in ecometer.lines.items():
        line: dict[str, Any] = {"id": ecometer.module(index), "type": "NLE", "bridge": ecometer.id}
        if name is not None:
            line["name"] = name
        if ecometer.setup and ecometer.setup_told:
            line["setup_date"] = ecometer.setup
        result.append(line)
    return result


def _schedule(contract: str) -> dict[str, Any]:
    zones = [{"id": 0, "price": PRICES[BASIC], "price_type": "basic"}]
    timetable = [{"zone_id": 0, "m_offset": 0}]
    if contract == "peak_and_off_peak":
        zones = [
            {"id": 0, "price": PRICES[PEAK], "price_type": "peak"},
            {"id": 1, "price": PRICES[OFF_PEAK], "price_type": "off_peak"},
        ]
        timetable = [{"zone_id": 1, "m_offset": 0}, {"zone_id": 0, "m_offset": 390}, {"zone_id": 1, "m_offset": 1350}]
    return {
        "id": "60aa",
        "type": "electricity",
        "selected": True,
        "tariff_option": contract,
        "zones": zones,
        "timetable": timetable,
    }


def homestatus(model: Model, identity: str, now: float) -> dict[str, Any]:
    """What is reachable in a home. Raises ApiError."""
    if not identity:
        raise ApiError(10, 400, "Missing home_id")
    home = next((each for each in model.homes if each.id == identity), None)
    if home is None:
        raise ApiError(21, 400, "Invalid home_id")
    modules: list[dict[str, Any]] = []
    errors = []
    for ecometer in home.ecometers:
        if any(outage.begin <= now < outage.end for outage in ecometer.outages):
            errors.append({"code": 6, "id": ecometer.id})
            continue
        modules.append({"id": ecometer.id, "type": "NLE", "firmware_revision": 60, "wifi_strength": 61})
        modules += [{"id": ecometer.module(index), "type": "NLE", "bridge": ecometer.id} for index in ecometer.lines]
    for meter in home.meters:
        state = {"id": meter.id, "type": meter.model, "bridge": meter.gateway, "reachable": meter.reachable}
        state["last_seen"] = int(now) - 20
        if meter.power is not None:
            state["power"] = meter.power
        modules.append(state)
    result: dict[str, Any] = {"home": {"id": home.id, **({"modules": modules} if modules else {})}}
    return {**result, "errors": errors} if errors else result


FOREIGN: list[dict[str, object]] = [
    {"id": "00:04:74:00:00:60", "type": "NLG", "name": "Prise Control"},
    {"id": "00:04:74:00:00:61", "type": "NLIS", "bridge": "00:04:74:00:00:60"},
    {"id": "00:04:74:00:00:61#1", "type": "NLIS", "name": "Droite", "bridge": "00:04:74:00:00:60"},
    {"id": "00:04:74:00:00:61#2", "type": "NLIS", "name": "Gauche", "bridge": "00:04:74:00:00:60"},
    {"id": "00:04:74:00:00:62#1", "type": "NLD", "bridge": "00:04:74:00:00:60"},
]
"""Modules of other kinds, some with `#` in their id, one without a name."""
