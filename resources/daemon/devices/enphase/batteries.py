"""Batteries of both generations: from the gateway's answers to facts, and what they make together.

Facts: `storage.power` W (+ discharges), `storage.percent` %, `storage.capacity` and `storage.energy` Wh of all
batteries; `storage.iqPercent`, `storage.iqCapacity`, `storage.iqEnergy` of the IQ batteries alone; `house.power` W,
what the house really uses: the gateway counts a battery that charges as consumption.

Old AC batteries are in /production.json, IQ batteries in /ivp/ensemble/*; the power of the latter is best measured by
a transformer of its own, which is in the meters' readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .mapping import Facts, entries, number

LEAST_STALE_S = 300.0
"""Seconds for which a part of the storage's power holds when its page does not answer, however often it is read."""
PERIODS_TO_STALE = 2.5
"""The same in periods: a single reading may fail."""


def from_production(answer: Any) -> Facts:
    """The AC batteries of /production.json; empty when there are none."""
    facts: Facts = {}
    for entry in entries(answer.get("storage") if isinstance(answer, Mapping) else None):
        if entry.get("type") != "acb" or not number(entry, "activeCount"):
            continue
        _put(facts, "acb.power", number(entry, "wNow"))
        _put(facts, "acb.energy", number(entry, "whNow"))
        _put(facts, "acb.percent", _percent(entry, "percentFull"))
        break
    return facts


def has_iq(inventory: Any) -> bool:
    """Whether /ivp/ensemble/inventory lists an IQ battery; a group may be there without any."""
    return bool(_batteries(inventory))


def from_inventory(inventory: Any) -> Facts:
    """Charge and capacity of the IQ batteries, for firmware that keeps /ivp/ensemble/secctrl to itself."""
    capacity = energy = 0.0
    for each in _batteries(inventory):
        size, percent = number(each, "encharge_capacity"), _percent(each, "percentFull")
        if size is None or percent is None:
            return {}
        capacity, energy = capacity + size, energy + size * percent / 100
    if capacity <= 0:
        return {}
    return {"iq.capacity": capacity, "iq.energy": energy, "iq.percent": 100 * energy / capacity}


def from_control(answer: Any) -> Facts:
    """/ivp/ensemble/secctrl; empty where it is all zero, as without a battery or just after a start."""
    content = answer if isinstance(answer, Mapping) else {}
    capacity = number(content, "Enc_max_available_capacity")
    whole = number(content, "Max_energy")
    facts: Facts = {}
    if capacity is not None and capacity > 0:
        facts["iq.capacity"] = capacity
        _put(facts, "iq.energy", number(content, "ENC_agg_avail_energy"))
        _put(facts, "iq.percent", _percent(content, "ENC_agg_soc"))
    if facts and whole is not None and whole > 0:
        facts["all.capacity"] = whole
        _put(facts, "all.percent", _percent(content, "agg_soc"))
    return facts


def from_power(answer: Any) -> Facts:
    """/ivp/ensemble/power: milliwatts of each IQ battery; the colon is part of the key in many versions."""
    content = answer if isinstance(answer, Mapping) else {}
    devices = entries(content.get("devices:")) or entries(content.get("devices"))
    powers = [power for power in (number(each, "real_power_mw") for each in devices) if power is not None]
    return {"iq.power": sum(powers) / 1000} if powers else {}


class Storage:
    """What is known of the batteries, from several pages that are read at different times."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}

    def learn(self, facts: Mapping[str, Any], now: float) -> None:
        """Takes parts in: `acb.*`, `iq.*`, `all.*`, `storage.meterPower`, `total.power`. `now`: any steady clock."""
        for name, value in facts.items():
            if name.startswith(("acb.", "iq.", "all.")) or name in ("storage.meterPower", "total.power"):
                self._known[name] = (float(value), now)

    def facts(self, now: float, period: float) -> Facts:
        """All that follows; empty without a battery. `period`: seconds from one reading of a page to the next."""
        stale_s = max(LEAST_STALE_S, PERIODS_TO_STALE * period)
        parts = {name: value for name, (value, at) in self._known.items() if now - at <= stale_s}
        get = parts.get
        facts: Facts = {}
        iq = get("storage.meterPower", get("iq.power"))
        powers = [each for each in (get("acb.power"), iq) if each is not None]
        if powers:
            facts["storage.power"] = sum(powers)
            if "total.power" in parts:
                facts["house.power"] = parts["total.power"] + facts["storage.power"]
        for what in ("percent", "capacity", "energy"):
            _put(facts, f"storage.iq{what.capitalize()}", get(f"iq.{what}"))
        acb_energy, acb_percent = get("acb.energy"), get("acb.percent")
        acb_capacity = 100 * acb_energy / acb_percent if acb_energy is not None and acb_percent else None
        _put(facts, "storage.capacity", get("all.capacity", _sum(get("iq.capacity"), acb_capacity)))
        _put(facts, "storage.energy", _sum(get("iq.energy"), acb_energy))
        _put(facts, "storage.percent", get("all.percent", get("iq.percent", acb_percent)))
        return facts


def _sum(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _batteries(inventory: Any) -> list[Mapping[str, Any]]:
    return [
        each
        for group in entries(inventory)
        if group.get("type") == "ENCHARGE"
        for each in entries(group.get("devices"))
    ]


def _percent(part: Mapping[str, Any], key: str) -> float | None:
    value = number(part, key)
    return value if value is not None and 0 <= value <= 100 else None


def _put(facts: Facts, name: str, value: float | None) -> None:
    if value is not None:
        facts[name] = value
