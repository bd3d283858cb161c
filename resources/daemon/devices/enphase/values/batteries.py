"""Batteries of both generations: maps the gateway's answers to facts and adds them up.

Facts: `storage.power` W (+ discharges), `storage.percent` %, `storage.capacity` and `storage.energy` Wh of all
batteries; `storage.iqPercent`, `storage.iqCapacity`, `storage.iqEnergy` of the IQ batteries alone; `house.power` W,
the consumption of the house without the batteries: the gateway counts a charging battery as consumption.

Old AC batteries are in /production.json, IQ batteries in /ivp/ensemble/*; the power of the latter is best measured by
their own transformer, in the meters' readings. A sum is published only while all of its parts are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.whole_sum import WholeSum
from .mapping import Facts, entries, number, put

ACB_CAPACITY_WH = 1240.0
"""Wh of one AC battery: fits all recorded gateways; charge and percentage are too rounded to derive it."""
GONE_S = 86_400.0
"""Seconds without a battery of a kind before it counts as removed: a starting gateway lists none at first."""
SILENT_S = 3600.0
"""Seconds without a report after which an IQ battery is silent: they report every few minutes."""
CHARGE_SPREAD_S = 900.0
"""Seconds by which charges may differ in age: they change by a percent in minutes."""
KINDS = ("iq", "acb")


def from_production(answer: Any) -> Facts:
    """Facts of the AC batteries in /production.json; empty if there are none."""
    facts: Facts = {}
    for entry in entries(answer.get("storage") if isinstance(answer, Mapping) else None):
        count = number(entry, "activeCount")
        if entry.get("type") != "acb" or not count or count < 0:
            continue
        put(facts, "acb.power", number(entry, "wNow"))
        put(facts, "acb.energy", number(entry, "whNow"))
        put(facts, "acb.percent", _percent(entry, "percentFull"))
        facts["acb.capacity"] = ACB_CAPACITY_WH * count
        break
    return facts


def has_iq(inventory: Any) -> bool:
    """True if /ivp/ensemble/inventory lists an IQ battery; its group may be there without any."""
    return bool(_batteries(inventory))


def iq_units(inventory: Any, now: float) -> tuple[set[str], bool]:
    """Returns (serial numbers of the IQ batteries, whether one is silent). `now`: Unix time of the gateway.

    While one is silent the gateway's totals are incomplete. One that has been silent for a day is left out.
    """
    serials, silent = set(), False
    for each in _batteries(inventory):
        age = now - (number(each, "last_rpt_date") or now)
        if age < GONE_S:
            serials.add(str(each.get("serial_num")))
            silent = silent or age > SILENT_S or each.get("communicating") is False
    return serials, silent


def from_inventory(inventory: Any) -> Facts:
    """Charge and capacity of the IQ batteries, for firmware that refuses /ivp/ensemble/secctrl."""
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
    """Facts of /ivp/ensemble/secctrl; empty if all is zero, as without a battery or just after a start."""
    content = answer if isinstance(answer, Mapping) else {}
    capacity = number(content, "Enc_max_available_capacity")
    whole = number(content, "Max_energy")
    facts: Facts = {}
    if capacity is not None and capacity > 0:
        facts["iq.capacity"] = capacity
        put(facts, "iq.energy", number(content, "ENC_agg_avail_energy"))
        put(facts, "iq.percent", _percent(content, "ENC_agg_soc"))
    if facts and whole is not None and whole > 0:
        put(facts, "all.percent", _percent(content, "agg_soc"))
        # It covers both kinds: the excess over the IQ batteries' capacity is that of AC batteries.
        facts["acb.listed"] = whole > facts["iq.capacity"] + 1
        if facts["acb.listed"]:
            put(facts, "acb.energy", number(content, "ACB_agg_energy"))
    return facts


def from_power(answer: Any, serials: set[str] | None = None) -> Facts:
    """Power of the IQ batteries by /ivp/ensemble/power, in mW there; many versions have a colon in the key.

    `serials`: the known batteries; if one of them is missing there is no sum.
    """
    content = answer if isinstance(answer, Mapping) else {}
    devices = entries(content.get("devices:")) or entries(content.get("devices"))
    powers = [number(each, "real_power_mw") for each in devices]
    missing = (serials or set()) - {str(each.get("serial_num")) for each in devices}
    if not powers or missing:
        return {}
    known = [power for power in powers if power is not None]
    return {"iq.power": sum(known) / 1000} if len(known) == len(powers) else {}


class Storage:
    """Combines what several endpoints, read at different times, say of the batteries. Times are Unix time."""

    def __init__(self, power_spread_s: float, kept: Any = None) -> None:
        """`power_spread_s`: largest age difference of the parts of a power, in seconds. `kept`: from `state`."""
        self._seen = {
            kind: float(at)
            for kind, at in (kept.items() if isinstance(kept, Mapping) else ())
            if kind in KINDS and isinstance(at, (int, float))
        }
        self._absent: set[str] = set()
        self._power = WholeSum(power_spread_s)
        self._house = WholeSum(power_spread_s, ("total", "storage"))
        self._energy = WholeSum(CHARGE_SPREAD_S)
        self._capacity = WholeSum(CHARGE_SPREAD_S)
        self._percents: dict[str, tuple[float, float]] = {}
        self._pending: dict[str, tuple[float, float]] = {}
        self._told: dict[str, tuple[float, float]] = {}

    def exists(self, kind: str, is_there: bool, now: float) -> None:
        """Records that there are, or are no, batteries of a kind, `iq` or `acb`."""
        if is_there:
            self._seen[kind] = now
            self._absent.discard(kind)
        elif not 0 <= now - self._seen.get(kind, float("-inf")) < GONE_S:
            self._absent.add(kind)
            self._seen.pop(kind, None)
            for each in (self._power, self._energy, self._capacity):
                each.drop(kind)

    def has(self, kind: str) -> bool:
        """True if batteries of a kind are known."""
        return kind in self._seen

    def learn(self, facts: Mapping[str, Any], now: float) -> None:
        """Takes the parts of the sums: `acb.*`, `iq.*`, `all.*`, `storage.meterPower`, `total.power`."""
        for kind in KINDS:
            if any(name.startswith(f"{kind}.") and name != "acb.listed" for name in facts):
                self.exists(kind, True, now)
        if "acb.listed" in facts:
            self.exists("acb", bool(facts["acb.listed"]), now)
        if "storage.meterPower" in facts:
            self.exists("iq", True, now)
        iq_power = facts.get("storage.meterPower", facts.get("iq.power"))
        for kind, power in (("iq", iq_power), ("acb", facts.get("acb.power"))):
            if power is not None:
                self._power.put(kind, float(power), now)
        for kind in KINDS:
            for total, what in ((self._energy, "energy"), (self._capacity, "capacity")):
                if f"{kind}.{what}" in facts:
                    total.put(kind, float(facts[f"{kind}.{what}"]), now)
        for kind in (*KINDS, "all"):
            if f"{kind}.percent" in facts:
                self._percents[kind] = (float(facts[f"{kind}.percent"]), now)
        for what in ("percent", "capacity", "energy"):
            if f"iq.{what}" in facts:
                self._pending[f"storage.iq{what.capitalize()}"] = (float(facts[f"iq.{what}"]), now)
        if "total.power" in facts:
            self._house.put("total", float(facts["total.power"]), now)

    def take(self, now: float) -> dict[str, tuple[float, float]]:
        """Returns what is new since the last call: {fact: (value, Unix time of its oldest part)}."""
        found, self._pending = self._pending, {}
        if self._kinds_known:
            sums = {"storage.power": self._power, "storage.energy": self._energy, "storage.capacity": self._capacity}
            for kind in self._seen:
                for each in sums.values():
                    if kind not in each.parts:
                        each.put(kind, None, now)  # it exists, its value is unknown
            totals = {name: each.total() for name, each in sums.items()}
            found.update({name: total for name, total in totals.items() if total is not None})
            percent = self._percent_of_all(totals)
            if percent is not None:
                found["storage.percent"] = percent
            self._house.put("storage", *(totals["storage.power"] or (None, now)))
            house = self._house.total()
            if house is not None:
                found["house.power"] = house
        news = {name: each for name, each in found.items() if self._told.get(name) != each}
        self._told.update(news)
        return news

    @property
    def _kinds_known(self) -> bool:
        """True if there are batteries, and each kind is known to exist or not."""
        return bool(self._seen) and all(kind in self._seen or kind in self._absent for kind in KINDS)

    def _percent_of_all(self, totals: Mapping[str, tuple[float, float] | None]) -> tuple[float, float] | None:
        if len(self._seen) == 1:
            return self._percents.get(next(iter(self._seen)))
        whole = self._percents.get("all")
        if whole is not None:
            return whole
        energy, capacity = totals["storage.energy"], totals["storage.capacity"]
        if energy is None or capacity is None or capacity[0] <= 0:
            return None
        return 100 * energy[0] / capacity[0], min(energy[1], capacity[1])

    def state(self) -> dict[str, float]:
        """State to persist: Unix time at which each kind was last seen."""
        return dict(self._seen)


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
